#include "http/media.h"

static const struct slice json_suffix = {"+json", 5};

/* The type without parameters. */
static struct slice essence(struct slice content_type)
{
    return slice_trim(slice_of(content_type.data, slice_find_byte(content_type, ';')));
}

bool media_is(struct slice content_type, struct slice type)
{
    return slice_equal_nocase(essence(content_type), type);
}

bool media_is_json(struct slice content_type)
{
    const struct slice type = essence(content_type);
    if (slice_equal_nocase(type, SLICE("application/json")))
        return true;
    return type.size > json_suffix.size &&
           slice_equal_nocase(slice_from(type, type.size - json_suffix.size), json_suffix) &&
           slice_find_byte(type, '/') < type.size - json_suffix.size;
}

bool media_is_event_stream(struct slice content_type)
{
    return media_is(content_type, SLICE("text/event-stream"));
}

/* The size of the member at the front, up to a comma outside of quotes. An unclosed quoted string
 * goes on to the end. */
static size_t member_size(struct slice list)
{
    bool is_quoted = false;
    for (size_t i = 0; i < list.size; i++) {
        if (list.data[i] == '"')
            is_quoted = !is_quoted;
        else if (is_quoted && list.data[i] == '\\')
            i++;
        else if (!is_quoted && list.data[i] == ',')
            return i;
    }
    return list.size;
}

bool media_list_next(struct slice *rest, struct slice *member_out)
{
    while (rest->size > 0) {
        const size_t size = member_size(*rest);
        *member_out = slice_trim(slice_of(rest->data, size));
        *rest = slice_from(*rest, size < rest->size ? size + 1 : size);
        if (member_out->size > 0)
            return true;
    }
    return false;
}

bool media_list_has(struct slice value, struct slice token)
{
    struct slice member;
    while (media_list_next(&value, &member))
        if (slice_equal_nocase(member, token))
            return true;
    return false;
}
