/* Commands that act on a kind of thing: `weir KIND VERB [NAME] [options]`, as tables.
 *
 * Thread: any. Memory: the tables are static; options point into argv. */
#ifndef CLI_VERB_H
#define CLI_VERB_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/options.h"

/* The options of all kinds; each verb says which it takes. Those not given are NULL or false. */
struct verb_options {
    const char *config, *data_dir; /* these and `json` every verb takes */
    bool json;
    const char *user, *name, *model, *models, *expires;
    bool key_stdin;
    const char *role;
    const char *from, *since, *until;
    bool apply, remove;
    /* Of what a team, a user or a key may do and how much: see level_options.h. */
    const char *routes, *networks, *tags, *max_parallel, *rpm, *tpm;
    struct option_texts limits, budgets;
    bool warn_only, no_warn_only;
    const char *team, *timezone, *overlap;
    const char *file, *new_key_file;
    const char *const *words; /* after the argument, of a verb that takes more */
    int word_count;
};

struct verb {
    const char *name;
    const char *argument; /* takes as many words more as this has, which the help shows; NULL: none.
                           * With "..." at its end: one, and any number after it */
    const char *usage;    /* its options as the help shows them; it takes no others */
    const char *summary;
    const char *example;
    /* Returns the exit code. `argument` is the first of its words, NULL if it takes none. NULL: of a later version. */
    int (*run)(const struct verb_options *options, const char *argument);
};

struct verb_set {
    const char *kind;    /* "keys" */
    const char *summary; /* a line on what they are */
    const char
        *notes; /* on options and arguments of its own, in whole lines: two spaces, which one it
                          * is, what it does; more of it is indented further. The help of one verb shows
                          * those that it takes */
    const struct verb *items;
    size_t count;
};

/* Reads argv, whose first is the kind, and runs the verb, or prints help. Returns the exit code. */
int verb_set_run(const struct verb_set *set, int argc, char **argv);

#endif
