/* What the commands for teams, users and keys share: the call, and printing its answer.
 *
 * Each returns the command's exit code, or prints why it failed. Thread: any. */
#ifndef CLI_RESOURCE_H
#define CLI_RESOURCE_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "json/json.h"
#include "base/arena.h"
#include "cli/verb.h"
#include "json/write.h"

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
    const char *note;  /* printed after the lines for people; may be NULL */
    bool needs_config; /* the operation reads the configuration: see admin_client_use() */
    bool must_match;   /* what the last answer showed did not change since */
};

/* Calls, and prints the object of the answer: as JSON, or a line for each member. */
int resource_call(const struct verb_options *options, const struct resource_request *request);

/* Asks for the object at the request's path, lets `write` add the members of a body from it, and calls
 * with that body, which is refused if the object was changed meanwhile; then as resource_call(). False
 * from `write`: it said why, and nothing is changed. */
typedef bool resource_body_writer(void *context, const struct json_object *present,
                                  struct arena *arena, struct json_writer *writer);
int resource_change(const struct verb_options *options, const struct resource_request *request,
                    resource_body_writer *write, void *context);

/* Appends the text to a path or its query, percent-encoded. */
void resource_escape(struct buffer *path, const char *text);

/* Takes the object of an answer, which holds until it returns. Returns an exit code, or
 * RESOURCE_AGAIN: call once more, with what the request says by then. */
#define RESOURCE_AGAIN (-1)
typedef int resource_reader(void *context, const struct json_object *answer, struct arena *arena);
int resource_read(const struct verb_options *options, const struct resource_request *request,
                  resource_reader *read, void *context);

/* Prints all pages of a list, as a JSON array or a table. `query`, as "?user=" or "/", and the
 * name after it narrow the list; both may be NULL. */
struct resource_list {
    const char *path, *query, *name;
    const struct resource_column *columns;
    size_t column_count;
    bool needs_config; /* as above */
};

int resource_list(const struct verb_options *options, const struct resource_list *list);

#endif
