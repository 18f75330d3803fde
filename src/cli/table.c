#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"

struct row {
    char cells[TABLE_COLUMNS_MAX][TABLE_CELL_BYTES];
};

struct table {
    const char *const *titles;
    size_t column_count;
    struct row *rows;
    size_t row_count, capacity;
};

struct table *table_create(const char *const *titles, size_t count)
{
    ASSERT(count <= TABLE_COLUMNS_MAX);
    struct table *table = alloc_zeroed(1, sizeof(*table));
    if (table != NULL) {
        table->titles = titles;
        table->column_count = count;
    }
    return table;
}

void table_destroy(struct table **table)
{
    if (*table != NULL)
        alloc_free((*table)->rows);
    alloc_free(*table);
    *table = NULL;
}

static void put_cell(char *cell, const char *text)
{
    snprintf(cell, TABLE_CELL_BYTES, "%s", text != NULL ? text : "-");
    for (; *cell != '\0'; cell++) {
        if ((unsigned char)*cell < 0x20 || *cell == 0x7f)
            *cell = '?';
    }
}

void table_add(struct table *table, const char *const *cells)
{
    if (table->row_count == table->capacity) {
        const size_t capacity = table->capacity > 0 ? table->capacity * 2 : 16;
        struct row *rows = alloc_resize(table->rows, capacity * sizeof(struct row));
        if (rows == NULL)
            return;
        table->rows = rows;
        table->capacity = capacity;
    }
    struct row *row = &table->rows[table->row_count++];
    for (size_t i = 0; i < table->column_count; i++)
        put_cell(row->cells[i], cells[i]);
}

/* Characters, not bytes: those that do not continue one in UTF-8. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void print_cell(const char *text, size_t width, bool is_last)
{
    fputs(text, stdout);
    for (size_t at = width_of(text); !is_last && at < width + 2; at++)
        putchar(' ');
}

void table_print(const struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX];
    const bool is_bold = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    for (size_t i = 0; i < table->column_count; i++) {
        widths[i] = width_of(table->titles[i]);
        for (size_t j = 0; j < table->row_count; j++) {
            const size_t width = width_of(table->rows[j].cells[i]);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    fputs(is_bold ? "\033[1m" : "", stdout);
    for (size_t i = 0; i < table->column_count; i++)
        print_cell(table->titles[i], widths[i], i + 1 == table->column_count);
    fputs(is_bold ? "\033[0m\n" : "\n", stdout);
    for (size_t j = 0; j < table->row_count; j++) {
        for (size_t i = 0; i < table->column_count; i++)
            print_cell(table->rows[j].cells[i], widths[i], i + 1 == table->column_count);
        putchar('\n');
    }
}
