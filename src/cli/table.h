/* Aligned columns for people.
 *
 * Thread: one at a time. Memory: the table owns copies of its cells. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

#define TABLE_COLUMNS_MAX    12
#define TABLE_CELL_CHARS_MAX 100 /* longer cells are cut, and end in "…" */

struct table {
    const char *const *titles;
    size_t column_count;
    size_t widths[TABLE_COLUMNS_MAX]; /* in characters */
    size_t row_count;
    struct buffer cells; /* row by row, each ended by a zero byte */
    /* May be set before it is written: */
    bool is_right[TABLE_COLUMNS_MAX];       /* numbers, which end at the same place */
    const char *colours[TABLE_COLUMNS_MAX]; /* "36": as of ECMA-48 SGR; NULL: none */
    bool has_total;                         /* the last row is one of titles' weight */
};

/* `titles` are 1 to TABLE_COLUMNS_MAX static texts. */
void table_init(struct table *table, const char *const *titles, size_t column_count);
void table_fini(struct table *table);

/* Adds a row of as many texts as there are columns; an empty one is shown as "-". What a terminal
 * would obey is escaped. STATUS_TOO_LARGE, STATUS_NO_MEMORY: the table cannot be used any
 * further. */
MUST_CHECK enum status table_add(struct table *table, const struct slice *cells);

/* `has_looks`: bold titles and colours. */
void table_write(const struct table *table, bool has_looks, FILE *out);
/* To standard output; the titles in bold on a terminal, unless NO_COLOR is set. */
void table_print(const struct table *table);

/* Appends the text as a terminal may have it, without its characters beyond `chars_max`. */
void table_append_text(struct buffer *out, struct slice text, size_t chars_max);

#endif
