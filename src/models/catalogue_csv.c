#include "models/catalogue_csv.h"

bool catalogue_csv_next(struct slice *text, struct slice *line_out)
{
    if (text->size == 0)
        return false;
    const size_t end = slice_find_byte(*text, '\n');
    *line_out = slice_of(text->data, end);
    *text = slice_from(*text, end < text->size ? end + 1 : end);
    return true;
}

/* Takes the field off the front of *line; *line is empty after the last one. */
static struct slice take_field(struct slice *line)
{
    const size_t end = slice_find_byte(*line, ',');
    const struct slice field = slice_of(line->data, end);
    *line = slice_from(*line, end < line->size ? end + 1 : end);
    return field;
}

enum status catalogue_csv_split(struct slice line, struct slice *fields_out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const size_t end = slice_find_byte(line, ',');
        const bool is_last = end == line.size;
        if (is_last != (i + 1 == count))
            return STATUS_INVALID;
        fields_out[i] = slice_of(line.data, end);
        if (!is_last)
            line = slice_from(line, end + 1);
    }
    return STATUS_OK;
}

static int compare(struct slice a, struct slice b)
{
    const size_t shorter = a.size < b.size ? a.size : b.size;
    const int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

int catalogue_csv_compare(struct slice line, const struct catalogue_key *key, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const int order = compare(take_field(&line), key->fields[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

/* The beginning of the line that holds the byte at `at`, not before `from`. */
static size_t line_begin(struct slice text, size_t from, size_t at)
{
    const char *before = memrchr(text.data + from, '\n', at - from);
    return before != NULL ? (size_t)(before - text.data) + 1 : from;
}

struct slice catalogue_csv_seek(struct slice text, const struct catalogue_key *key, size_t count)
{
    /* Both are beginnings of lines (or the end): lines before `low` come before the key, those
     * from `high` on do not. */
    size_t low = 0, high = text.size;
    while (low < high) {
        const size_t begin = line_begin(text, low, low + (high - low) / 2);
        const struct slice rest = slice_from(text, begin);
        const size_t size = slice_find_byte(rest, '\n');
        if (catalogue_csv_compare(slice_of(rest.data, size), key, count) < 0)
            low = begin + size + (size < rest.size);
        else
            high = begin;
    }
    return slice_from(text, low);
}
