#include "json/pick.h"

#include "base/assert.h"
#include "json/search.h"

/* Where in the top-level object the next byte stands.
 *
 *   START ─{─► KEY ─"…"─► COLON ─:─► VALUE ─,─► KEY        VALUE, KEY ─}─► END
 *
 * VALUE lasts from the colon to the comma or brace at depth 1; strings and deeper levels within
 * it are skipped. Whatever does not fit leads to END, where nothing is looked at any more. */
enum place {
    PLACE_START,
    PLACE_KEY,
    PLACE_COLON,
    PLACE_VALUE,
    PLACE_END,
};

void json_pick_init(struct json_pick *pick, struct slice name, char *kept, size_t kept_max)
{
    ASSERT(name.size <= JSON_PICK_NAME_MAX);
    *pick =
        (struct json_pick){.name = name, .kept = kept, .kept_max = kept_max, .place = PLACE_START};
}

struct slice json_pick_value(const struct json_pick *pick)
{
    return pick->is_complete ? slice_of(pick->kept, pick->kept_size) : (struct slice){0};
}

static void keep(struct json_pick *pick, const char *from, const char *to)
{
    const size_t size = (size_t)(to - from);
    if (pick->is_too_large || size > pick->kept_max - pick->kept_size) {
        pick->is_too_large = true;
        return;
    }
    memcpy(pick->kept + pick->kept_size, from, size);
    pick->kept_size += size;
}

static void keep_key(struct json_pick *pick, const char *from, const char *to)
{
    const size_t size = (size_t)(to - from);
    if (pick->key_size > JSON_PICK_NAME_MAX || size > (size_t)JSON_PICK_NAME_MAX - pick->key_size) {
        pick->key_size = JSON_PICK_NAME_MAX + 1;
        return;
    }
    memcpy(pick->key + pick->key_size, from, size);
    pick->key_size = (uint8_t)(pick->key_size + size);
}

/* Within a string, whose closing quote ends it. */
static const char *take_string(struct json_pick *pick, const char *at, const char *end)
{
    if (pick->after_backslash) {
        pick->after_backslash = false;
        return at + 1;
    }
    const char *stop = json_search_quote(at, end);
    if (pick->place == PLACE_KEY)
        keep_key(pick, at, stop);
    if (stop == end)
        return end;
    if (*stop == '\\') {
        pick->after_backslash = true;
        pick->key_size = JSON_PICK_NAME_MAX + 1;
    } else {
        pick->in_string = false;
        if (pick->place == PLACE_KEY)
            pick->place = PLACE_COLON;
    }
    return stop + 1;
}

static const char *take_nested(struct json_pick *pick, const char *at, const char *end)
{
    const char *stop = json_search_structure(at, end);
    if (stop == end)
        return end;
    if (*stop == '"')
        pick->in_string = true;
    else if (*stop == '}' || *stop == ']')
        pick->depth--;
    else if (++pick->depth == UINT32_MAX)
        pick->place = PLACE_END;
    return stop + 1;
}

static void start_value(struct json_pick *pick)
{
    pick->place = PLACE_VALUE;
    pick->is_ours = slice_equal(pick->name, slice_of(pick->key, pick->key_size));
    if (pick->is_ours) {
        pick->kept_size = 0;
        pick->is_complete = pick->is_too_large = false;
    }
}

static void end_value(struct json_pick *pick, uint8_t next_place)
{
    if (pick->is_ours)
        pick->is_complete = !pick->is_too_large;
    pick->is_ours = false;
    pick->place = next_place;
}

static void take_value_byte(struct json_pick *pick, char byte)
{
    if (byte == ',')
        end_value(pick, PLACE_KEY);
    else if (byte == '}')
        end_value(pick, PLACE_END);
    else if (byte == '"')
        pick->in_string = true;
    else if (byte == '{' || byte == '[')
        pick->depth = 2;
    else if (byte == ']')
        pick->place = PLACE_END;
}

/* At depth 1 or before the object, outside of strings. */
static void take_byte(struct json_pick *pick, char byte)
{
    if (pick->place == PLACE_VALUE) {
        take_value_byte(pick, byte);
    } else if (json_is_space(byte)) {
        return;
    } else if (pick->place == PLACE_START && byte == '{') {
        pick->place = PLACE_KEY;
        pick->depth = 1;
    } else if (pick->place == PLACE_KEY && byte == '"') {
        pick->in_string = true;
        pick->key_size = 0;
    } else if (pick->place == PLACE_COLON && byte == ':') {
        start_value(pick);
    } else {
        pick->place = PLACE_END;
    }
}

void json_pick_feed(struct json_pick *pick, struct slice piece)
{
    const char *at = piece.data != NULL ? piece.data : "";
    const char *end = at + piece.size;
    while (at < end && pick->place != PLACE_END) {
        const char *from = at;
        const bool was_ours = pick->is_ours;
        if (pick->in_string)
            at = take_string(pick, at, end);
        else if (pick->depth > 1)
            at = take_nested(pick, at, end);
        else
            take_byte(pick, *at++);
        if (was_ours && pick->is_ours)
            keep(pick, from, at);
    }
}
