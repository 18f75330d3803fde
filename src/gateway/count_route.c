#include "gateway/count_route.h"

#include "gateway/chat.h"
#include "gateway/limits.h"
#include "gateway/target.h"
#include "json/write.h"
#include "models/chat_count.h"

#define ANSWER_BYTES_MAX ((size_t)8 * OPENAI_MODEL_BYTES_MAX)

static void answer(struct request *request, const struct input_count *count)
{
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body, ANSWER_BYTES_MAX);
    json_writer_init(&writer, &body);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("input_tokens"));
    json_write_u64(&writer, count->input_tokens);
    json_write_key(&writer, SLICE("model"));
    json_write_string(&writer, request->model);
    json_write_key(&writer, SLICE("estimated"));
    json_write_bool(&writer, count->is_estimate || count->is_unbounded);
    json_write_end(&writer);
    if (buffer_status(&body) == STATUS_OK)
        request_answer(request, 200, SLICE("application/json"), buffer_slice(&body));
    else
        request_fail(request, ERROR_INTERNAL, NULL, "Out of memory.");
    buffer_fini(&body);
}

static enum status count(struct request *request, struct input_count *count_out)
{
    const struct json_limits limits = limits_for_json(request->worker);
    const enum status status = count_chat(model_tokens_find(request->target_model),
                                          &request->openai.body, &limits, NULL, count_out);
    if (status == STATUS_AGAIN)
        return request_fail(request, ERROR_OVERLOADED, NULL,
                            "The gateway has just started and cannot count tokens yet; try again "
                            "shortly.");
    if (status != STATUS_OK)
        return request_fail(request, ERROR_OVERLOADED, NULL,
                            "The gateway has no memory left to count; try again shortly.");
    return STATUS_OK;
}

void count_handle(struct request *request)
{
    struct input_count counted;
    enum status status = request_read_body(request);
    if (status == STATUS_OK)
        status = chat_inspect(request, OPENAI_ROUTE_CHAT);
    request->stream = false; /* whatever the chat itself would be */
    if (status == STATUS_OK)
        status = target_choose(request, request->openai.model);
    if (status == STATUS_OK)
        status = count(request, &counted);
    if (status == STATUS_OK)
        answer(request, &counted);
}
