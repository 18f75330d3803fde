#include "admin/level_items.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cidr.h"
#include "base/nearest.h"
#include "gateway/route.h"

#define TAG_BYTES_MAX 64
#define VERSION       SLICE("/v1")

/* Of what was written, in a reason. */
#define SHOWN(item) (int)((item).size < 64 ? (item).size : 64), (item).data

/* Without spaces, control characters and commas; a `*` at its end, if it may be there. */
static bool is_word(struct slice item, bool with_star)
{
    for (size_t i = 0; i < item.size; i++) {
        const unsigned char byte = (unsigned char)item.data[i];
        if (byte <= ' ' || byte == 0x7f || byte == ',')
            return false;
        if (byte == '*' && (!with_star || i + 1 < item.size))
            return false;
    }
    return item.size > 0;
}

static enum status keep(struct slice item, char text_out[LEVEL_ITEM_BYTES_MAX], size_t *size_out)
{
    memcpy(text_out, item.data, item.size);
    *size_out = item.size;
    return STATUS_OK;
}

enum status level_item_model(struct slice item, char text_out[LEVEL_ITEM_BYTES_MAX],
                             size_t *size_out, struct reason *reason)
{
    if (is_word(item, true) && item.size <= LEVEL_ITEM_BYTES_MAX)
        return keep(item, text_out, size_out);
    reason_set(
        reason,
        "a model is a name of at most %d bytes without spaces and commas, with at most one * "
        "and that at its end",
        LEVEL_ITEM_BYTES_MAX);
    return STATUS_INVALID;
}

enum status level_item_tag(struct slice item, char text_out[LEVEL_ITEM_BYTES_MAX], size_t *size_out,
                           struct reason *reason)
{
    if (is_word(item, false) && item.size <= TAG_BYTES_MAX)
        return keep(item, text_out, size_out);
    reason_set(reason, "a tag is a word of at most %d bytes without spaces, commas and *",
               TAG_BYTES_MAX);
    return STATUS_INVALID;
}

enum status level_item_network(struct slice item, char text_out[LEVEL_ITEM_BYTES_MAX],
                               size_t *size_out, struct reason *reason)
{
    struct cidr cidr;
    _Static_assert(CIDR_TEXT_BYTES <= LEVEL_ITEM_BYTES_MAX, "a network fits");
    const enum status status = cidr_parse(item, &cidr, reason);
    if (status == STATUS_OK)
        *size_out = cidr_format(&cidr, text_out);
    return status;
}

/* Whether the path, or what it begins with, is a route's; `nearest` sees all of them. */
static bool is_route(struct slice path, struct nearest *nearest)
{
    uint32_t count;
    const char *const *names = route_metric_names(&count);
    const bool is_pattern = slice_ends_with(path, SLICE("*"));
    const struct slice start = slice_of(path.data, path.size - (is_pattern ? 1 : 0));
    for (uint32_t i = 0; i < count; i++) {
        const struct slice name = slice_from_text(names[i]);
        nearest_consider(nearest, name);
        if (is_pattern ? slice_starts_with(name, start) : slice_equal(name, start))
            return true;
    }
    return false;
}

static enum status refuse_route(struct slice item, const struct nearest *nearest,
                                struct reason *reason)
{
    if (nearest->found.size > 0)
        reason_set(reason, "'%.*s' is no route; did you mean '%.*s'?", SHOWN(item),
                   SLICE_ARGS(nearest->found));
    else
        reason_set(reason,
                   "'%.*s' is no route: one is a path such as /v1/chat/completions or /v1/chat*",
                   SHOWN(item));
    return STATUS_INVALID;
}

enum status level_item_route(struct slice item, char text_out[LEVEL_ITEM_BYTES_MAX],
                             size_t *size_out, struct reason *reason)
{
    char longer[LEVEL_ITEM_BYTES_MAX];
    struct nearest nearest;
    nearest_begin(&nearest, item);
    if (!is_word(item, true) || item.size > LEVEL_ITEM_BYTES_MAX - VERSION.size)
        return refuse_route(item, &nearest, reason);
    if (slice_equal(item, SLICE("*")) || is_route(item, &nearest))
        return keep(item, text_out, size_out);
    const int size = snprintf(longer, sizeof(longer), "/v1%.*s", SLICE_ARGS(item));
    const struct slice versioned = slice_of(longer, (size_t)size);
    if (item.data[0] == '/' && is_route(versioned, &nearest))
        return keep(versioned, text_out, size_out);
    return refuse_route(item, &nearest, reason);
}
