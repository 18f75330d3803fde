/* Options of commands: "--name value" or "--name=value", in any order, and what stands between.
 *
 * Thread: any. Memory: results point into argv. What options set is NULL or false before. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>

#include "base/reason.h"
#include "base/status.h"

#define OPTIONS_WORDS_MAX 32
#define OPTION_TEXTS_MAX  16

/* The values of an option that may be given several times, in order. */
struct option_texts {
    const char *items[OPTION_TEXTS_MAX];
    int count;
};

enum option_kind {
    OPTION_KIND_TEXT,
    OPTION_KIND_TEXTS,
    OPTION_KIND_FLAG,
    OPTION_KIND_LATER, /* of a later version: refused */
};

struct option_spec {
    const char *name; /* without the dashes */
    enum option_kind kind;
    const char **text;          /* OPTION_KIND_TEXT: where it goes */
    bool *flag;                 /* OPTION_KIND_FLAG */
    char letter;                /* "-v" stands for a flag too; '\0': no letter does */
    struct option_texts *texts; /* OPTION_KIND_TEXTS */
};

#define OPTION_TEXT(name, place)                {name, OPTION_KIND_TEXT, place, NULL, '\0', NULL}
#define OPTION_TEXTS(name, place)               {name, OPTION_KIND_TEXTS, NULL, NULL, '\0', place}
#define OPTION_FLAG(name, place)                {name, OPTION_KIND_FLAG, NULL, place, '\0', NULL}
#define OPTION_FLAG_LETTER(name, place, letter) {name, OPTION_KIND_FLAG, NULL, place, letter, NULL}
#define OPTION_LATER(name)                      {name, OPTION_KIND_LATER, NULL, NULL, '\0', NULL}

/* What is no option, in order. All that follows "--" is none. */
struct option_words {
    const char *items[OPTIONS_WORDS_MAX];
    int count;
};

/* Reads argv[1] and on. `words` may be NULL: then none is allowed.
 * STATUS_OK. STATUS_CANCELLED: --help or -h stands there; what follows it was not read.
 * STATUS_INVALID, STATUS_UNSUPPORTED (of a later version): a mistake, which the reason states
 * without the value of an option. */
MUST_CHECK enum status options_read(int argc, char **argv, const struct option_spec *options,
                                    int option_count, struct option_words *words,
                                    struct reason *reason);

/* The same for a command: prints `help` or the mistake. Returns -1 to go on, or an exit code: 0
 * after --help, 2 after a mistake. */
int options_parse(int argc, char **argv, const struct option_spec *options, int option_count,
                  struct option_words *words, const char *help);

/* Whether an option was given. */
bool option_is_set(const struct option_spec *option);

#endif
