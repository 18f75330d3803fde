/* A request's body on its way to upstream. What must hold: an accepted request stays JSON through
 * every rewriting; read again, it has the target's model, asks for usage, and means the same
 * otherwise; a refusal has its words. The first byte chooses the route and the rewriting. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "dialect/openai_request.h"
#include "dialect/openai_rewrite.h"
#include "dialect/simple_chat.h"
#include "json/read.h"

static const struct json_limits limits = {.depth_max = JSON_DEPTH_DEFAULT,
                                          .members_max = JSON_MEMBERS_DEFAULT};

static void check_error(const struct openai_error *error)
{
    struct buffer buffer;
    struct json_value value;
    struct json_error cause;
    ASSERT(error->message[0] != '\0' && error->code_text != NULL);
    buffer_init(&buffer, 1 << 16);
    ASSERT(simple_chat_error_write(error, &buffer) == STATUS_OK);
    ASSERT(json_check(buffer_slice(&buffer), &limits, &value, &cause) == STATUS_OK);
    buffer_fini(&buffer);
}

static void check_rewritten(const struct openai_request *request,
                            const struct openai_rewrite *rewrite, struct arena *arena)
{
    struct json_pieces pieces;
    struct buffer buffer;
    struct openai_request again;
    struct openai_error error;
    ASSERT(openai_request_rewrite(request, rewrite, arena, &pieces) == STATUS_OK);
    buffer_init(&buffer, 1 << 22);
    ASSERT(json_pieces_append(&pieces, &buffer) == STATUS_OK && buffer.size == pieces.size);
    ASSERT(openai_request_read(request->route, buffer_slice(&buffer), &limits, arena, &again,
                               &error) == STATUS_OK);
    ASSERT(slice_equal(again.model, rewrite->model.data != NULL ? rewrite->model : request->model));
    ASSERT(again.stream == (request->stream || rewrite->stream));
    if (again.stream && rewrite->usage == OPENAI_USAGE_ASK_YES)
        ASSERT(again.include_usage);
    if (rewrite->usage == OPENAI_USAGE_ASK_DROP)
        ASSERT(again.members[OPENAI_MEMBER_STREAM_OPTIONS] == NULL);
    ASSERT(again.message_count == request->message_count && again.n == request->n &&
           again.max_tokens == request->max_tokens);
    buffer_fini(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const enum openai_route route = (enum openai_route)(data[0] % 5);
    const bool is_chat = route == OPENAI_ROUTE_CHAT || route == OPENAI_ROUTE_COMPLETIONS ||
                         route == OPENAI_ROUTE_SIMPLE_CHAT;
    const struct openai_rewrite rewrite = {
        .model = (data[0] & 0x20) != 0 ? SLICE("target \"1\"") : (struct slice){0},
        .usage = is_chat ? (enum openai_usage_ask)((data[0] >> 3) % 3) : OPENAI_USAGE_ASK_KEEP,
        .stream = is_chat && (data[0] & 0x40) != 0,
        .temperature = is_chat && (data[0] & 0x80) != 0 ? SLICE("0.7") : (struct slice){0},
    };
    struct arena arena;
    struct openai_request request;
    struct openai_error error;
    arena_init(&arena, NULL, 0, 1 << 22);
    const enum status status =
        openai_request_read(route, slice_of(data + 1, size - 1), &limits, &arena, &request, &error);
    ASSERT(status == STATUS_OK || status == STATUS_INVALID);
    if (status == STATUS_OK)
        check_rewritten(&request, &rewrite, &arena);
    else
        check_error(&error);
    arena_fini(&arena);
    return 0;
}
