/* The six columns of what a level may do, side by side in each statement that has them. */
#ifndef STORE_SQLITE_RULES_ROW_H
#define STORE_SQLITE_RULES_ROW_H

#include "store/sqlite/query.h"

#define RULES_COLUMNS 6

/* Binds the parameters from `parameter` on; an empty text is NULL. */
void rules_bind(struct query *query, int parameter, const struct store_rules *rules);
/* Of the current row, from `column` on; the texts hold until the next one. */
struct store_rules rules_read(struct query *query, int column);
/* Copies the texts into the arena; false: out of memory. */
bool rules_keep(struct store_rules *rules, struct arena *arena);

/* Copies one text, if there is one; false: out of memory. */
bool text_keep(struct slice *text, struct arena *arena);

#endif
