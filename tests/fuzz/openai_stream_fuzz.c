/* A stream's events, and whole answers. What must hold: the search over many events at once and
 * the look at each of them agree with a plain reading of each event by the JSON modules; nothing
 * is read outside of the bytes. The input is events, one a line. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "dialect/openai_answer.h"
#include "dialect/openai_models.h"
#include "dialect/openai_stream.h"
#include "dialect/simple_chat.h"
#include "json/read.h"
#include "json/value.h"
#include "json/walk.h"

static const struct json_limits limits = {.depth_max = JSON_DEPTH_DEFAULT,
                                          .members_max = JSON_MEMBERS_DEFAULT};

/* A key written with escapes is not searched for (no server does that); such events are left out
 * of the comparison. */
static bool has_escapes(struct slice data)
{
    return slice_find_byte(data, '\\') < data.size;
}

static bool finishes(struct json_value choices)
{
    struct json_walk walk;
    struct json_member choice;
    struct json_value reason;
    json_walk_init(&walk, choices, NULL);
    while (json_walk_next(&walk, &choice)) {
        if (json_find(choice.value, SLICE("finish_reason"), NULL, &reason) &&
            !json_is_null(reason) && !slice_equal(reason.raw, SLICE("\"\"")))
            return true;
    }
    return false;
}

/* Whether the event says anything, without the search. */
static bool says_something(struct slice data)
{
    struct json_value root;
    struct json_value value;
    struct json_error error;
    struct openai_usage usage;
    if (slice_equal(slice_trim(data), SLICE("[DONE]")))
        return true;
    if (json_check(data, &limits, &root, &error) != STATUS_OK)
        return false;
    if (json_find(root, SLICE("usage"), NULL, &value) &&
        (openai_usage_read(value, &usage) || value.type == JSON_TYPE_OBJECT))
        return true;
    if (json_find(root, SLICE("error"), NULL, &value) && !json_is_null(value))
        return true;
    return json_find(root, SLICE("choices"), NULL, &value) && finishes(value);
}

static void take_events(struct slice bytes, bool include_usage)
{
    struct openai_stream stream;
    struct openai_stream before;
    size_t at = 0;
    const size_t quiet = openai_stream_quiet(bytes);
    ASSERT(quiet <= bytes.size);
    openai_stream_init(&stream, include_usage, &limits);
    while (at < bytes.size) {
        const size_t size = slice_find_byte(slice_from(bytes, at), '\n');
        const struct slice data = slice_of(bytes.data + at, size);
        before = stream;
        const enum openai_event event = openai_stream_event(&stream, data);
        const bool is_silent = (event == OPENAI_EVENT_PASS || event == OPENAI_EVENT_EMPTY) &&
                               stream.is_finished == before.is_finished &&
                               stream.has_usage == before.has_usage;
        ASSERT(event != OPENAI_EVENT_WITHHOLD || !include_usage);
        if (at + size < quiet)
            ASSERT(is_silent);
        if (!has_escapes(data) && !says_something(data))
            ASSERT(is_silent || event == OPENAI_EVENT_ERROR);
        if (!has_escapes(data) && says_something(data))
            ASSERT(openai_stream_quiet(data) < data.size);
        at += size + 1;
    }
}

static void take_answer(struct slice bytes)
{
    struct openai_answer answer;
    struct openai_answer_tap tap;
    struct openai_models models;
    struct openai_usage usage;
    struct arena arena;
    struct buffer buffer;
    const struct simple_chat_answer given = {.id = SLICE("1")};
    arena_init(&arena, NULL, 0, 1 << 20);
    buffer_init(&buffer, 1 << 20);
    (void)!openai_answer_read(bytes, &limits, &answer);
    (void)!openai_models_read(bytes, &limits, 8, &arena, &models);
    openai_answer_tap_init(&tap);
    openai_answer_tap_feed(&tap, bytes);
    (void)openai_answer_tap_usage(&tap, &usage);
    if (simple_chat_answer_write(&given, bytes, &limits, &buffer) == STATUS_OK) {
        struct json_value value;
        struct json_error error;
        ASSERT(json_check(buffer_slice(&buffer), &limits, &value, &error) == STATUS_OK);
    }
    buffer_fini(&buffer);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    take_events(slice_of(data, size), false);
    take_events(slice_of(data, size), true);
    take_answer(slice_of(data, size));
    return 0;
}
