#include "dialect/openai_stream.h"

#include "json/read.h"
#include "json/search.h"
#include "json/value.h"
#include "json/walk.h"

/* What stands out in a stream: a quote before the first letter of "usage", "finish_reason" or
 * "error", or the start of [DONE]. */
#define MARKS_AFTER_QUOTE "ufe"

void openai_stream_init(struct openai_stream *stream, bool include_usage,
                        const struct json_limits *limits)
{
    *stream = (struct openai_stream){.limits = limits, .include_usage = include_usage};
}

/* --- the search --- */

/* Marks the bytes at which one of the words may start; reads one byte beyond the block. */
static inline uint64_t mark_words(const char *at)
{
    const json_block first = json_block_load(at);
    const json_block second = json_block_load(at + 1);
    const json_block letter =
        json_block_or(json_block_equal(second, MARKS_AFTER_QUOTE[0]),
                      json_block_or(json_block_equal(second, MARKS_AFTER_QUOTE[1]),
                                    json_block_equal(second, MARKS_AFTER_QUOTE[2])));
    return json_block_mask(
        json_block_or(json_block_and(json_block_equal(first, '"'), letter),
                      json_block_and(json_block_equal(first, '['), json_block_equal(second, 'D'))));
}

/* Whether `: null` stands here, however spaced; not if it is cut off. */
static bool is_null_here(struct slice rest)
{
    while (rest.size > 0 && json_is_space(rest.data[0]))
        rest = slice_from(rest, 1);
    if (rest.size == 0 || rest.data[0] != ':')
        return false;
    do
        rest = slice_from(rest, 1);
    while (rest.size > 0 && json_is_space(rest.data[0]));
    return slice_starts_with(rest, SLICE("null"));
}

/* A word that is cut off at the end counts: the rest may follow. */
static bool starts_word(struct slice rest, struct slice word)
{
    const size_t size = rest.size < word.size ? rest.size : word.size;
    return memcmp(rest.data, word.data, size) == 0;
}

/* Whether the marked bytes are one of the words, and it is not said to be null. */
static bool is_noteworthy(struct slice rest)
{
    static const struct slice words[] = {
        {"\"finish_reason\"", 15}, {"\"usage\"", 7}, {"\"error\"", 7}, {"[DONE]", 6}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (starts_word(rest, words[i]))
            return rest.size < words[i].size || !is_null_here(slice_from(rest, words[i].size));
    }
    return false;
}

size_t openai_stream_quiet(struct slice bytes)
{
    const char *start = bytes.data != NULL ? bytes.data : "";
    const char *at = start;
    const char *end = at + bytes.size;
    for (; end - at > JSON_BLOCK_BYTES; at += JSON_BLOCK_BYTES) {
        for (uint64_t mask = mark_words(at); mask != 0; mask &= mask - 1) {
            const char *found = at + json_mask_first(mask);
            if (is_noteworthy(slice_of(found, (size_t)(end - found))))
                return (size_t)(found - start);
        }
    }
    for (; at < end; at++) {
        if ((*at == '"' || *at == '[') && is_noteworthy(slice_of(at, (size_t)(end - at))))
            break;
    }
    return (size_t)(at - start);
}

/* --- a single event --- */

/* What the members of an event say that weir looks at. */
struct findings {
    struct json_value choices, usage, error, object; /* raw.data NULL: absent */
};

static void find_members(struct json_value root, const struct json_limits *limits,
                         struct findings *findings_out)
{
    struct json_walk walk;
    struct json_member member;
    *findings_out = (struct findings){0};
    json_walk_init(&walk, root, limits);
    while (json_walk_next(&walk, &member)) {
        if (json_key_equal(member.key, SLICE("choices")))
            findings_out->choices = member.value;
        else if (json_key_equal(member.key, SLICE("usage")))
            findings_out->usage = member.value;
        else if (json_key_equal(member.key, SLICE("error")))
            findings_out->error = member.value;
        else if (json_key_equal(member.key, SLICE("object")))
            findings_out->object = member.value;
    }
}

static bool is_finish(struct json_value choice)
{
    struct json_value reason;
    return json_find(choice, SLICE("finish_reason"), &reason) && !json_is_null(reason) &&
           !slice_equal(reason.raw, SLICE("\"\"")); /* some servers write that for null */
}

/* Returns whether there is a choice at all. */
static bool look_at_choices(struct openai_stream *stream, struct json_value choices)
{
    struct json_walk walk;
    struct json_member choice;
    bool has_choice = false;
    json_walk_init(&walk, choices, stream->limits);
    while (json_walk_next(&walk, &choice)) {
        has_choice = true;
        stream->is_finished = stream->is_finished || is_finish(choice.value);
    }
    return has_choice;
}

static bool is_error(const struct findings *findings)
{
    return (findings->error.raw.data != NULL && !json_is_null(findings->error)) ||
           slice_equal(findings->object.raw, SLICE("\"error\""));
}

static enum openai_event look_closely(struct openai_stream *stream, struct slice data)
{
    struct json_value root;
    struct json_error error;
    struct findings findings;
    if (json_check(data, stream->limits, &root, &error) != STATUS_OK ||
        root.type != JSON_TYPE_OBJECT)
        return OPENAI_EVENT_PASS;
    find_members(root, stream->limits, &findings);
    if (openai_usage_read(findings.usage, &stream->usage))
        stream->has_usage = true;
    if (is_error(&findings)) {
        stream->has_error = true;
        return OPENAI_EVENT_ERROR;
    }
    const bool has_choice = look_at_choices(stream, findings.choices);
    const bool is_usage_chunk = findings.choices.raw.data != NULL &&
                                findings.choices.type == JSON_TYPE_ARRAY && !has_choice &&
                                findings.usage.type == JSON_TYPE_OBJECT;
    return is_usage_chunk && !stream->include_usage ? OPENAI_EVENT_WITHHOLD : OPENAI_EVENT_PASS;
}

enum openai_event openai_stream_event(struct openai_stream *stream, struct slice data)
{
    if (data.size == 0)
        return OPENAI_EVENT_EMPTY;
    if (openai_stream_quiet(data) == data.size)
        return OPENAI_EVENT_PASS;
    if (slice_equal(slice_trim(data), SLICE("[DONE]"))) {
        stream->is_done = true;
        return OPENAI_EVENT_DONE;
    }
    return look_closely(stream, data);
}
