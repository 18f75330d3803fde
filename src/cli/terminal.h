/* What standard output can show. Thread: any, while nobody changes the environment. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Colours and bold letters: it is a terminal, and NO_COLOR is not set. */
bool terminal_has_looks(void);
/* More than ASCII: LC_ALL, else LC_CTYPE, else LANG says UTF-8. */
bool terminal_has_utf8(void);
/* Characters in a line; 100 where it is no terminal. */
size_t terminal_columns(void);

#endif
