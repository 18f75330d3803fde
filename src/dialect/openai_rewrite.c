#include "dialect/openai_rewrite.h"

#include "base/uncleared.h"
#include "json/value.h"
#include "json/write.h"

/* The object that is the whole body. */
static struct json_value root_of(const struct openai_request *request)
{
    const struct slice text = request->body.text;
    /* White space may stand before it, and the first member has its brace somewhere before. */
    const size_t from = slice_find_byte(text, '{');
    return (struct json_value){.raw = slice_from(text, from), .type = JSON_TYPE_OBJECT};
}

static void insert(const struct openai_request *request, struct json_splice *splice,
                   struct slice member)
{
    json_splice_insert(splice, root_of(request), member, request->body.count > 0);
}

static enum status set_model(const struct openai_request *request, struct slice model,
                             struct arena *arena, struct json_splice *splice)
{
    const struct json_member *member = request->members[OPENAI_MEMBER_MODEL];
    const struct slice quoted = json_quote(model, arena);
    if (quoted.data == NULL)
        return STATUS_NO_MEMORY;
    if (member != NULL) {
        json_splice_replace(splice, member->value, quoted);
        return STATUS_OK;
    }
    const struct slice text = arena_printf(arena, "\"model\":%.*s", SLICE_ARGS(quoted));
    if (text.data == NULL)
        return STATUS_NO_MEMORY;
    insert(request, splice, text);
    return STATUS_OK;
}

static void set_stream(const struct openai_request *request, struct json_splice *splice)
{
    const struct json_member *member = request->members[OPENAI_MEMBER_STREAM];
    if (member == NULL)
        insert(request, splice, SLICE("\"stream\":true"));
    else if (!request->stream)
        json_splice_replace(splice, member->value, SLICE("true"));
}

static void ask_for_usage(const struct openai_request *request, struct json_splice *splice)
{
    const struct json_member *options = request->members[OPENAI_MEMBER_STREAM_OPTIONS];
    if (request->include_usage)
        return;
    if (options == NULL)
        insert(request, splice, SLICE("\"stream_options\":{\"include_usage\":true}"));
    else if (json_is_null(options->value))
        json_splice_replace(splice, options->value, SLICE("{\"include_usage\":true}"));
    else if (request->usage_option.raw.data != NULL)
        json_splice_replace(splice, request->usage_option, SLICE("true"));
    else
        json_splice_insert(splice, options->value, SLICE("\"include_usage\":true"),
                           !request->stream_options_empty);
}

static void drop_stream_options(const struct openai_request *request, struct json_splice *splice)
{
    const struct json_member *options = request->members[OPENAI_MEMBER_STREAM_OPTIONS];
    if (options != NULL)
        json_splice_remove(splice, &request->body, (size_t)(options - request->body.members));
}

static enum status add_temperature(const struct openai_request *request, struct slice temperature,
                                   struct arena *arena, struct json_splice *splice)
{
    if (request->members[OPENAI_MEMBER_TEMPERATURE] != NULL)
        return STATUS_OK;
    const struct slice text = arena_printf(arena, "\"temperature\":%.*s", SLICE_ARGS(temperature));
    if (text.data == NULL)
        return STATUS_NO_MEMORY;
    insert(request, splice, text);
    return STATUS_OK;
}

/* A member that is null, or 0, which some servers take for none, gets the number. */
static enum status set_number(const struct openai_request *request, enum openai_member which,
                              uint64_t number, struct arena *arena, struct json_splice *splice)
{
    const struct json_member *member = request->members[which];
    const struct slice name = openai_member_name(which);
    const unsigned long long tokens = number;
    const struct slice text = member != NULL
                                  ? arena_printf(arena, "%llu", tokens)
                                  : arena_printf(arena, "\"%.*s\":%llu", SLICE_ARGS(name), tokens);
    if (text.data == NULL)
        return STATUS_NO_MEMORY;
    if (member != NULL)
        json_splice_replace(splice, member->value, text);
    else
        insert(request, splice, text);
    return STATUS_OK;
}

static enum status set_max_output(const struct openai_request *request,
                                  const struct openai_max_output *max_output, struct arena *arena,
                                  struct json_splice *splice)
{
    static const enum openai_member names[] = {OPENAI_MEMBER_MAX_TOKENS,
                                               OPENAI_MEMBER_MAX_COMPLETION_TOKENS};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && status == STATUS_OK; i++) {
        if ((max_output->members >> names[i] & 1) != 0)
            status = set_number(request, names[i], max_output->tokens, arena, splice);
    }
    return status;
}

enum status openai_request_rewrite(const struct openai_request *request,
                                   const struct openai_rewrite *rewrite, struct arena *arena,
                                   struct json_pieces *pieces_out)
{
    UNCLEARED struct json_splice splice;
    enum status status = STATUS_OK;
    json_splice_init(&splice, request->body.text);
    if (rewrite->model.data != NULL)
        status = set_model(request, rewrite->model, arena, &splice);
    if (status == STATUS_OK && rewrite->temperature.data != NULL)
        status = add_temperature(request, rewrite->temperature, arena, &splice);
    if (status == STATUS_OK && rewrite->max_output.members != 0)
        status = set_max_output(request, &rewrite->max_output, arena, &splice);
    if (status != STATUS_OK)
        return status;

    if (rewrite->messages.data != NULL && request->members[OPENAI_MEMBER_MESSAGES] != NULL)
        json_splice_replace(&splice, request->members[OPENAI_MEMBER_MESSAGES]->value,
                            rewrite->messages);
    if (rewrite->stream)
        set_stream(request, &splice);
    if (rewrite->usage == OPENAI_USAGE_ASK_YES && (request->stream || rewrite->stream))
        ask_for_usage(request, &splice);
    else if (rewrite->usage == OPENAI_USAGE_ASK_DROP)
        drop_stream_options(request, &splice);
    json_splice_finish(&splice, pieces_out);
    return STATUS_OK;
}
