#include "cli/table.h"

#include <string.h>

#include "base/assert.h"
#include "cli/terminal.h"
#include "telemetry/escape.h"

#define BYTES_MAX ((size_t)1 << 30)

/* Whether the byte begins a character of UTF-8. */
static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

static size_t width_of(struct slice text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.size; i++)
        width += begins_character(text.data[i]);
    return width;
}

/* The bytes of the first `chars_max` characters. */
static size_t size_of_chars(struct slice text, size_t chars_max)
{
    size_t chars = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (begins_character(text.data[i]) && chars++ == chars_max)
            return i;
    }
    return text.size;
}

void table_append_text(struct buffer *out, struct slice text, size_t chars_max)
{
    const size_t size = size_of_chars(text, chars_max);
    if (size == text.size) {
        escape_plain(out, text);
    } else {
        escape_plain(out, slice_of(text.data, size_of_chars(text, chars_max - 1)));
        buffer_append(out, SLICE("…"));
    }
}

void table_init(struct table *table, const char *const *titles, size_t column_count)
{
    ASSERT(column_count >= 1 && column_count <= TABLE_COLUMNS_MAX);
    *table = (struct table){.titles = titles, .column_count = column_count};
    for (size_t i = 0; i < column_count; i++)
        table->widths[i] = width_of(slice_from_text(titles[i]));
    buffer_init(&table->cells, BYTES_MAX);
}

void table_fini(struct table *table)
{
    buffer_fini(&table->cells);
}

enum status table_add(struct table *table, const struct slice *cells)
{
    struct buffer *out = &table->cells;
    for (size_t i = 0; i < table->column_count; i++) {
        const size_t before = out->size;
        table_append_text(out, cells[i].size > 0 ? cells[i] : SLICE("-"), TABLE_CELL_CHARS_MAX);
        buffer_append_byte(out, '\0');
        if (buffer_status(out) != STATUS_OK)
            return buffer_status(out);
        const size_t width = width_of(slice_of(out->data + before, out->size - before - 1));
        if (width > table->widths[i])
            table->widths[i] = width;
    }
    table->row_count++;
    return STATUS_OK;
}

/* A blank cell at the end of a line leaves nothing behind. */
static size_t shown_count(const struct table *table, const char *last)
{
    const bool is_blank = last[strspn(last, " ")] == '\0';
    return table->column_count - (is_blank ? 1 : 0);
}

static void write_cell(const struct table *table, size_t column, const char *text, bool has_looks,
                       FILE *out)
{
    const bool is_coloured = has_looks && table->colours[column] != NULL;
    const int padding = (int)(table->widths[column] - width_of(slice_from_text(text)));
    fprintf(out, "%*s", table->is_right[column] ? padding : 0, "");
    if (is_coloured)
        fprintf(out, "\033[%sm", table->colours[column]);
    fputs(text, out);
    if (is_coloured)
        fputs("\033[0m", out);
}

static void write_gap(const struct table *table, size_t column, const char *text, FILE *out)
{
    const int padding = (int)(table->widths[column] - width_of(slice_from_text(text)));
    fprintf(out, "%*s  ", table->is_right[column] ? 0 : padding, "");
}

static void write_row(const struct table *table, const char *const *cells, bool is_bold,
                      bool has_colours, FILE *out)
{
    const size_t count = shown_count(table, cells[table->column_count - 1]);
    fputs(is_bold ? "\033[1m" : "", out);
    for (size_t i = 0; i < count; i++) {
        write_cell(table, i, cells[i], has_colours, out);
        if (i + 1 < count)
            write_gap(table, i, cells[i], out);
    }
    fputs(is_bold ? "\033[0m\n" : "\n", out);
}

void table_write(const struct table *table, bool has_looks, FILE *out)
{
    const char *cells[TABLE_COLUMNS_MAX];
    const char *cell = table->cells.data;
    for (size_t i = 0; i < TABLE_COLUMNS_MAX; i++)
        cells[i] = "";
    write_row(table, table->titles, has_looks, false, out);
    for (size_t row = 0; row < table->row_count; row++) {
        const bool is_total = table->has_total && row + 1 == table->row_count;
        for (size_t i = 0; i < table->column_count; i++) {
            cells[i] = cell;
            cell += strlen(cell) + 1;
        }
        write_row(table, cells, has_looks && is_total, has_looks && !is_total, out);
    }
}

void table_print(const struct table *table)
{
    table_write(table, terminal_has_looks(), stdout);
}
