#include "base/redact.h"

#define ELLIPSIS SLICE("\xe2\x80\xa6")

/* Both prefixes have it, and little else. */
#define COMMON SLICE("weir-")
#define BEFORE SLICE("sk-")
#define AFTER  SLICE("admin-")

/* What is left of a secret that was cut so short is none; what is written in its place is no longer. */
#define HIDDEN_SIZE_MIN 3

struct place {
    size_t shown, end; /* the end of the prefix, and of the secret */
};

static bool is_of_secret(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_';
}

/* `at` is where COMMON stands. 0: this is no prefix. */
static size_t prefix_end(struct slice text, size_t at)
{
    const size_t end = at + COMMON.size;
    if (slice_ends_with(slice_of(text.data, at), BEFORE))
        return end;
    return slice_starts_with(slice_from(text, end), AFTER) ? end + AFTER.size : 0;
}

/* Where COMMON stands next; text.size: nowhere. Its first letter is rare, and found faster than all. */
static size_t find_common(struct slice text, size_t from)
{
    for (;; from++) {
        from += slice_find_byte(slice_from(text, from), COMMON.data[0]);
        if (from == text.size || slice_starts_with(slice_from(text, from), COMMON))
            return from;
    }
}

static bool find(struct slice text, struct place *place_out)
{
    size_t from = 0, at;
    while ((at = find_common(text, from)) < text.size) {
        const size_t shown = prefix_end(text, at);
        size_t end = shown;
        while (shown > 0 && end < text.size && is_of_secret(text.data[end]))
            end++;
        *place_out = (struct place){shown, end};
        if (end - shown >= HIDDEN_SIZE_MIN)
            return true;
        from = at + COMMON.size;
    }
    return false;
}

bool redact_finds(struct slice text)
{
    struct place place;
    return find(text, &place);
}

static size_t put(char *out, size_t size, struct slice piece)
{
    if (piece.size > 0)
        memmove(out + size, piece.data, piece.size);
    return size + piece.size;
}

size_t redact_write(struct slice text, char *out)
{
    struct place place;
    size_t size = 0;
    while (find(text, &place)) {
        size = put(out, size, slice_of(text.data, place.shown));
        size = put(out, size, ELLIPSIS);
        text = slice_from(text, place.end);
    }
    return put(out, size, text);
}

void redact_text(char *text)
{
    text[redact_write(slice_from_text(text), text)] = '\0';
}
