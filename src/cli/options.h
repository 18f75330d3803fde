/* Options of commands: "--name value" or "--name=value", in any order, and what stands between.
 *
 * Thread: any. Memory: results point into argv. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>

#define OPTIONS_WORDS_MAX 8

enum option_kind {
    OPTION_KIND_TEXT,
    OPTION_KIND_FLAG,
    OPTION_KIND_LATER, /* of a later version: refused */
};

struct option_spec {
    const char *name; /* without the dashes */
    enum option_kind kind;
    const char **text; /* OPTION_KIND_TEXT: where it goes */
    bool *flag;        /* OPTION_KIND_FLAG */
};

#define OPTION_TEXT(name, place) {name, OPTION_KIND_TEXT, place, NULL}
#define OPTION_FLAG(name, place) {name, OPTION_KIND_FLAG, NULL, place}
#define OPTION_LATER(name)       {name, OPTION_KIND_LATER, NULL, NULL}

/* What is no option, in order. */
struct option_words {
    const char *items[OPTIONS_WORDS_MAX];
    int count;
};

/* Reads argv[1] and on. `words` may be NULL: then none is allowed. Returns -1 to go on, or an exit
 * code: 0 after --help (prints `help`), 2 after a mistake, which was printed. */
int options_parse(int argc, char **argv, const struct option_spec *options, int option_count,
                  struct option_words *words, const char *help);

#endif
