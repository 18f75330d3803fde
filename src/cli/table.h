/* Aligned columns for people. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#define TABLE_COLUMNS_MAX 8
#define TABLE_CELL_BYTES  160 /* longer ones are cut */

struct table; /* opaque */

/* `titles` are `count` static texts. NULL: no memory. */
struct table *table_create(const char *const *titles, size_t count);
void table_destroy(struct table **table);
/* Adds a row of `count` texts, which are copied; NULL is shown as "-". Control characters become
 * '?'. Rows for which there is no memory are left out. */
void table_add(struct table *table, const char *const *cells);
/* To standard output; the titles in bold on a terminal, unless NO_COLOR is set. */
void table_print(const struct table *table);

#endif
