#include "dialect/openai_stream.h"

#include "json/read.h"
#include "json/search.h"
#include "json/value.h"
#include "json/walk.h"

void openai_stream_init(struct openai_stream *stream, bool include_usage,
                        const struct json_limits *limits)
{
    *stream = (struct openai_stream){.limits = limits, .include_usage = include_usage};
}

/* --- the search --- */

/* Marks the bytes that may start what stands out: a quote before the first letter of "usage",
 * "error" or "finish_reason", or the bracket of [DONE]. Reads one byte beyond the block. */
static inline json_block mark_words(const char *at)
{
    const json_block first = json_block_load(at);
    const json_block second = json_block_load(at + 1);
    const json_block letter = json_block_or(
        json_block_equal(json_block_merge(second, 'e' ^ 'u'), 'u'), json_block_equal(second, 'f'));
    return json_block_or(
        json_block_and(json_block_equal(first, '"'), letter),
        json_block_and(json_block_equal(first, '['), json_block_equal(second, 'D')));
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* Whether `: null` stands at `at` on the same line; not if it is cut off. */
static bool is_null_here(const char *at, const char *end)
{
    at = skip_blanks(at, end);
    if (at == end || *at != ':')
        return false;
    at = skip_blanks(at + 1, end);
    return end - at >= 4 && memcmp(at, "null", 4) == 0;
}

/* Whether the marked byte starts one of the words, and it is no member that is null. A word that
 * is cut off at the end counts: the rest may follow. */
static bool is_noteworthy(const char *at, const char *end)
{
    static const struct slice words[] = {
        {"\"finish_reason\"", 15}, {"\"usage\"", 7}, {"\"error\"", 7}, {"[DONE]", 6}};
    const size_t left = (size_t)(end - at);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const size_t size = left < words[i].size ? left : words[i].size;
        if (size > 1 && at[1] != words[i].data[1])
            continue;
        if (memcmp(at, words[i].data, size) == 0)
            return *at == '[' || left < words[i].size || !is_null_here(at + size, end);
    }
    return false;
}

/* What most events have, as the servers write it. */
static inline bool is_unfinished(const char *at, const char *end)
{
    static const char compact[] = "\"finish_reason\":null";
    static const char spaced[] = "\"finish_reason\": null";
    return end - at >= (ptrdiff_t)sizeof(spaced) &&
           (memcmp(at, compact, sizeof(compact) - 1) == 0 ||
            memcmp(at, spaced, sizeof(spaced) - 1) == 0);
}

/* The first noteworthy one of the marked bytes of a block, or NULL. */
static inline const char *search_block(const char *at, const char *end, uint64_t mask)
{
    for (; mask != 0; mask &= mask - 1) {
        const char *found = at + json_mask_first(mask);
        if (!is_unfinished(found, end) && is_noteworthy(found, end))
            return found;
    }
    return NULL;
}

static inline const char *search_bytes(const char *at, const char *end)
{
    for (; at < end; at++) {
        const bool may_start = *at == '"' || *at == '[';
        if (may_start && is_noteworthy(at, end))
            break;
    }
    return at;
}

static inline const char *search_block_at(const char *at, const char *end)
{
    const uint64_t mask = json_block_mask(mark_words(at));
    return mask != 0 ? search_block(at, end, mask) : NULL;
}

size_t openai_stream_quiet(struct slice bytes)
{
    const char *at = bytes.data;
    const char *found = NULL;
    if (bytes.size <= (size_t)JSON_BLOCK_BYTES)
        return bytes.size == 0 ? 0 : (size_t)(search_bytes(at, at + bytes.size) - at);
    const char *end = at + bytes.size;
    const char *last = end - JSON_BLOCK_BYTES - 1; /* its block has a byte behind it */
    for (; at < last && found == NULL; at += JSON_BLOCK_BYTES)
        found = search_block_at(at, end);
    if (found == NULL)
        found = search_block_at(last, end); /* some bytes are looked at twice */
    if (found == NULL)
        found = search_bytes(end - 1, end);
    return (size_t)(found - bytes.data);
}

/* Lines with an empty one behind them. */
static uint64_t count_events(struct slice bytes, char line_end)
{
    uint64_t count = 0;
    size_t at;
    while ((at = slice_find_byte(bytes, line_end)) < bytes.size) {
        bytes = slice_from(bytes, at + 1);
        if (bytes.size >= 2 && bytes.data[0] == '\r' && bytes.data[1] == '\n')
            bytes = slice_from(bytes, 1);
        if (bytes.size == 0 || bytes.data[0] != line_end)
            continue;
        bytes = slice_from(bytes, 1);
        count++;
    }
    return count;
}

uint64_t openai_stream_events(struct slice bytes)
{
    const bool has_lf = slice_find_byte(bytes, '\n') < bytes.size;
    return count_events(bytes, has_lf ? '\n' : '\r');
}

/* --- a single event --- */

/* What the members of an event say that weir looks at. */
struct findings {
    struct json_value choices, usage, error, object, service_tier; /* raw.data NULL: absent */
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
        else if (json_key_equal(member.key, SLICE("service_tier")))
            findings_out->service_tier = member.value;
    }
}

static bool is_finish(struct json_value choice, const struct json_limits *limits)
{
    struct json_value reason;
    return json_find(choice, SLICE("finish_reason"), limits, &reason) && !json_is_null(reason) &&
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
        stream->is_finished = stream->is_finished || is_finish(choice.value, stream->limits);
    }
    return has_choice;
}

static bool is_error(const struct findings *findings)
{
    return (findings->error.raw.data != NULL && !json_is_null(findings->error)) ||
           slice_equal(findings->object.raw, SLICE("\"error\""));
}

static void note_service_tier(struct openai_stream *stream, struct json_value tier)
{
    if (tier.type != JSON_TYPE_STRING || tier.raw.size - 2 > sizeof(stream->service_tier))
        return;
    stream->service_tier_size = (uint8_t)(tier.raw.size - 2);
    memcpy(stream->service_tier, tier.raw.data + 1, stream->service_tier_size);
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
    if (findings.service_tier.raw.data != NULL)
        note_service_tier(stream, findings.service_tier);
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

/* --- what the model made --- */

#define CONTENT_DEPTH_MAX 6 /* choices → delta → tool_calls → a call → function → arguments */

/* Names and ids are not the model's text. */
static bool is_content(struct slice key)
{
    return !json_key_equal(key, SLICE("role")) && !json_key_equal(key, SLICE("id")) &&
           !json_key_equal(key, SLICE("type")) && !json_key_equal(key, SLICE("finish_reason")) &&
           !json_key_equal(key, SLICE("logprobs")) &&
           !json_key_equal(key, SLICE("reasoning_details")); /* said again */
}

/* Who is told of what is found. */
struct finder {
    const struct json_limits *limits;
    openai_content_found *found;
    void *context;
};

/* A picture is the URL of its bytes ("data:image/png;base64,…"), and no text that only begins so. */
static bool is_picture(struct slice raw)
{
    static const struct slice mark = {";base64,", 8};
    const struct slice head = slice_of(raw.data, raw.size < 128 ? raw.size : 128);
    return slice_starts_with(raw, SLICE("\"data:")) && slice_find(head, mark) < head.size;
}

static void tell(const struct finder *finder, struct json_value text)
{
    finder->found(finder->context,
                  is_picture(text.raw) ? OPENAI_CONTENT_MEDIA : OPENAI_CONTENT_TEXT, text);
}

static void find_texts(const struct finder *finder, struct json_value value, unsigned depth,
                       bool is_sound)
{
    struct json_walk walk;
    struct json_member member;
    if (value.type == JSON_TYPE_STRING)
        tell(finder, value);
    if (depth == 0 || (value.type != JSON_TYPE_OBJECT && value.type != JSON_TYPE_ARRAY))
        return;
    json_walk_init(&walk, value, finder->limits);
    while (json_walk_next(&walk, &member)) {
        if (value.type == JSON_TYPE_ARRAY)
            find_texts(finder, member.value, depth - 1, false);
        else if (is_sound && member.value.type == JSON_TYPE_STRING &&
                 json_key_equal(member.key, SLICE("data")))
            finder->found(finder->context, OPENAI_CONTENT_MEDIA, member.value);
        else if (is_content(member.key))
            find_texts(finder, member.value, depth - 1, json_key_equal(member.key, SLICE("audio")));
    }
}

bool openai_event_content(struct slice data, const struct json_limits *limits,
                          openai_content_found *found, void *context)
{
    struct json_value root;
    struct json_error error;
    struct findings findings;
    const struct finder finder = {limits, found, context};
    if (json_check(data, limits, &root, &error) != STATUS_OK || root.type != JSON_TYPE_OBJECT)
        return false;
    find_members(root, limits, &findings);
    if (findings.choices.raw.data != NULL)
        find_texts(&finder, findings.choices, CONTENT_DEPTH_MAX, false);
    return true;
}

static void add_bytes(void *context, enum openai_content kind, struct json_value text)
{
    uint64_t *bytes = context;
    *bytes += kind == OPENAI_CONTENT_TEXT ? text.raw.size - 2 : 0;
}

uint64_t openai_event_content_bytes(struct slice data, const struct json_limits *limits)
{
    uint64_t bytes = 0;
    (void)openai_event_content(data, limits, add_bytes, &bytes);
    return bytes;
}
