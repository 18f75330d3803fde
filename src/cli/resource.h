/* What the commands for users and keys share: the call, and printing its answer.
 *
 * Each returns the command's exit code, or prints why it failed. Thread: any. */
#ifndef CLI_RESOURCE_H
#define CLI_RESOURCE_H

#include <stddef.h>

#include "base/slice.h"
#include "cli/verb.h"

/* A column of a list, and the member of the JSON object that it shows. Members whose name ends in
 * "_at" are times. */
struct resource_column {
    const char *title, *member;
};

/* An operation (see admin/operations.h) on one thing. */
struct resource_request {
    const char *method;
    const char *prefix; /* of the path */
    const char *name;   /* follows it, percent-encoded; NULL: nothing does */
    const char *suffix; /* follows that; NULL: nothing does */
    struct slice body;
    const char *note; /* printed after the lines for people; may be NULL */
};

/* Calls, and prints the object of the answer: as JSON, or a line for each member. */
int resource_call(const struct verb_options *options, const struct resource_request *request);

/* Prints all pages of a list, as a JSON array or a table. `query`, as "?user=", and the name after
 * it narrow the list; both may be NULL. */
struct resource_list {
    const char *path, *query, *name;
    const struct resource_column *columns;
    size_t column_count;
};

int resource_list(const struct verb_options *options, const struct resource_list *list);

#endif
