#include "gateway/simple_chat.h"

#include "base/clock.h"
#include "dialect/simple_chat.h"
#include "gateway/chat.h"
#include "gateway/limits.h"
#include "gateway/target.h"
#include "http/answer.h"

static void answer_whole(struct call *call, struct held_answer *held)
{
    struct request *request = call->request;
    const struct json_limits limits = limits_for_json(request->worker);
    char id[ID_TEXT_SIZE], created_at[CLOCK_TEXT_BYTES];
    id_format(&request->id, id);
    const unsigned created_size = clock_format(clock_realtime_us(), 6, created_at);
    if (held->is_whole)
        relay_note_usage(request, held);

    const struct simple_chat_answer answer = {
        .id = slice_of(id, sizeof(id)),
        .model = simple_chat_model(&request->openai),
        .created_at = slice_of(created_at, created_size),
        .usage = request->usage,
    };
    struct buffer body;
    buffer_init(&body, request->calling->snapshot->config->transport.answer_bytes * 2);
    const enum status status = held->is_whole
                                   ? simple_chat_answer_write(&answer, held->bytes, &limits, &body)
                                   : STATUS_PROTOCOL;
    if (status == STATUS_OK) {
        account_close(request, 200);
        relay_begin_answer(call, 200);
        if (http_answer_send(request->exchange, buffer_slice(&body)) != STATUS_OK)
            request->outcome = OUTCOME_CLIENT_GONE;
    } else {
        request_fail(request, ERROR_UPSTREAM_INVALID, NULL, "Internal server error");
        reason_set(&request->reason, "upstream's answer is no chat completion that can be held");
    }
    buffer_fini(&body);
}

static void relay(struct call *call, struct held_answer *held)
{
    const unsigned status = call->attempt.head.status;
    if (call->is_events) {
        relay_events(call, RELAY_END_WITH_DONE);
    } else if (status == 200 && !call->request->stream) {
        answer_whole(call, held);
    } else {
        request_fail(call->request, ERROR_UPSTREAM_INVALID, NULL, "Internal server error");
        reason_set(&call->request->reason, "upstream answered %u%s", status,
                   status == 200 ? " without events" : "");
    }
}

static void handle(struct request *request, bool stream)
{
    struct call call;
    struct held_answer held;
    enum status status = request_read_body(request);
    if (status == STATUS_OK)
        status = chat_inspect(request, OPENAI_ROUTE_SIMPLE_CHAT);
    request->stream |= stream;
    if (status == STATUS_OK)
        status = target_choose(request, simple_chat_model(&request->openai));
    if (status == STATUS_OK)
        status = admit_check(request);
    if (status == STATUS_OK)
        status = fit_messages(request);
    if (status == STATUS_OK)
        status = admit_take(request);
    if (status != STATUS_OK)
        return;
    status = chat_call(request, simple_chat_rewrite, &call, &held);
    if (status == STATUS_OK)
        relay(&call, &held);
    held_answer_free(&held);
    call_finish(&call);
}

void simple_chat_handle(struct request *request)
{
    handle(request, false);
}

void simple_chat_stream_handle(struct request *request)
{
    handle(request, true);
}
