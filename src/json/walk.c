#include "json/walk.h"

#include "base/assert.h"
#include "base/uncleared.h"
#include "json/search.h"
#include "json/value.h"

static const struct json_limits no_limits = {0};

void json_walk_init(struct json_walk *walk, struct json_value container,
                    const struct json_limits *limits)
{
    *walk = (struct json_walk){.limits = limits != NULL ? limits : &no_limits,
                               .is_object = container.type == JSON_TYPE_OBJECT};
    if (container.type < JSON_TYPE_ARRAY || container.raw.size < 2)
        return;
    walk->at = container.raw.data + 1;
    walk->end = container.raw.data + container.raw.size - 1; /* the closing bracket */
}

/* Pauses at the end of a stretch, which is not the end of all, and gives the end of the next. */
static const char *pause_at(const struct json_walk *walk, const char *at)
{
    ASSERT(walk->limits->pause != NULL);
    walk->limits->pause(walk->limits->pause_context);
    return json_pause_stop(walk->limits, at, walk->end);
}

static const char *skip_long_space(const struct json_walk *walk, const char *at)
{
    const char *stop = json_pause_stop(walk->limits, at, walk->end);
    for (;;) {
        while (at < stop && json_is_space(*at))
            at++;
        if (at < stop || at == walk->end)
            return at;
        stop = pause_at(walk, at);
    }
}

static inline const char *skip_space(const struct json_walk *walk, const char *at)
{
    return at == walk->end || !json_is_space(*at) ? at : skip_long_space(walk, at);
}

static const char *skip_long_string(const struct json_walk *walk, const char *at)
{
    const char *stop = json_pause_stop(walk->limits, at, walk->end);
    for (;;) {
        at = json_search_quote(at, stop);
        if (at >= walk->end)
            return NULL;
        if (at >= stop) {
            stop = pause_at(walk, at);
        } else if (*at == '"') {
            return at + 1;
        } else {
            at += walk->end - at >= 2 ? 2 : 1; /* the backslash and what it escapes */
        }
    }
}

/* From behind the opening quote to behind the closing one; NULL if there is none. */
static inline const char *skip_string(const struct json_walk *walk, const char *at)
{
    const char *after = json_short_string_end(at, walk->end);
    return after != NULL ? after : skip_long_string(walk, at);
}

/* The place behind the bracket that brings the depth to 0; JSON_STRETCH_BYTES + 1 if none does. */
static ptrdiff_t end_in_stretch(const char *at, uint64_t brackets, size_t *depth)
{
    for (; brackets != 0; brackets &= brackets - 1) {
        const int place = __builtin_ctzll(brackets);
        if ((at[place] | 0x20) == '{')
            ++*depth;
        else if (--*depth == 0)
            return place + 1;
    }
    return JSON_STRETCH_BYTES + 1;
}

/* From the opening bracket to behind the closing one; NULL if there is none. (In line, its stretch of
 * bytes would burden the walk over members that are no containers.) */
__attribute__((noinline)) static const char *skip_container(const struct json_walk *walk,
                                                            const char *at)
{
    const char *stop = json_pause_stop(walk->limits, at, walk->end);
    struct json_stretch_state state = {0, 0};
    size_t depth = 0;
    for (;;) {
        UNCLEARED char last[JSON_STRETCH_BYTES];
        const char *bytes = at;
        const ptrdiff_t left = walk->end - at;
        if (left < JSON_STRETCH_BYTES) { /* zeros behind the end are nothing */
            memset(last, 0, sizeof(last));
            memcpy(last, at, (size_t)left);
            bytes = last;
        }
        const ptrdiff_t end = end_in_stretch(bytes, json_stretch_read(bytes, &state), &depth);
        if (end <= left && end <= JSON_STRETCH_BYTES)
            return at + end;
        if (left <= JSON_STRETCH_BYTES)
            return NULL;
        at += JSON_STRETCH_BYTES;
        if (at >= stop)
            stop = pause_at(walk, at);
    }
}

static inline bool ends_scalar(char byte)
{
    static const bool ends[256] = {
        [','] = true,  [']'] = true,  ['}'] = true,  [' '] = true,
        ['\t'] = true, ['\r'] = true, ['\n'] = true,
    };
    return ends[(unsigned char)byte];
}

static const char *skip_scalar(const struct json_walk *walk, const char *at)
{
    const char *stop = json_pause_stop(walk->limits, at, walk->end);
    for (;;) {
        while (at < stop && !ends_scalar(*at))
            at++;
        if (at < stop || at == walk->end)
            return at;
        stop = pause_at(walk, at);
    }
}

static bool take_value(struct json_walk *walk, struct json_value *value_out)
{
    const char *start = walk->at;
    if (start == walk->end || !json_type_of(*start, &value_out->type))
        return false;
    const char *after = value_out->type >= JSON_TYPE_ARRAY    ? skip_container(walk, start)
                        : value_out->type == JSON_TYPE_STRING ? skip_string(walk, start + 1)
                                                              : skip_scalar(walk, start);
    if (after == NULL)
        return false;
    value_out->raw = slice_of(start, (size_t)(after - start));
    walk->at = after;
    return true;
}

static bool take_key(struct json_walk *walk, struct slice *key_out)
{
    if (walk->at == walk->end || *walk->at != '"')
        return false;
    const char *start = walk->at + 1;
    const char *after = skip_string(walk, start);
    if (after == NULL)
        return false;
    *key_out = slice_of(start, (size_t)(after - 1 - start));
    walk->at = skip_space(walk, after);
    if (walk->at == walk->end || *walk->at != ':')
        return false;
    walk->at = skip_space(walk, walk->at + 1);
    return true;
}

/* Behind a value: over the comma to the next one, if any. */
static bool take_comma(struct json_walk *walk)
{
    walk->at = skip_space(walk, walk->at);
    if (walk->at == walk->end)
        return true;
    if (*walk->at != ',')
        return false;
    walk->at = skip_space(walk, walk->at + 1);
    return walk->at < walk->end;
}

bool json_walk_next(struct json_walk *walk, struct json_member *member_out)
{
    walk->at = skip_space(walk, walk->at);
    if (walk->is_broken || walk->at == walk->end)
        return false;
    *member_out = (struct json_member){0};
    walk->is_broken = (walk->is_object && !take_key(walk, &member_out->key)) ||
                      !take_value(walk, &member_out->value) || !take_comma(walk);
    return !walk->is_broken;
}

bool json_find(struct json_value object, struct slice name, const struct json_limits *limits,
               struct json_value *value_out)
{
    struct json_walk walk;
    struct json_member member;
    bool is_found = false;
    if (object.type != JSON_TYPE_OBJECT)
        return false;
    json_walk_init(&walk, object, limits);
    while (json_walk_next(&walk, &member)) {
        if (json_key_equal(member.key, name)) {
            *value_out = member.value;
            is_found = true;
        }
    }
    return is_found;
}
