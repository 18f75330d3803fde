/* What the commands for users and keys share: options, the call, and printing the answer. */
#ifndef CLI_RESOURCE_H
#define CLI_RESOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "cli/admin_client.h"

struct resource_options {
    const char *config, *data_dir;
    bool json;
};

/* A column of a list, and the member of the JSON object that it shows. */
struct resource_column {
    const char *title, *member;
};

/* Opens the client for the data directory that the options or the configuration name. Returns an
 * exit code, or -1 to go on. */
int resource_open(const struct resource_options *options, struct admin_client **client_out);

/* Calls, and prints the object of the answer: as JSON, or a line for each member. `note` (may be
 * NULL) is printed after the lines. Returns the exit code. */
int resource_call(const struct resource_options *options, const char *method, struct slice path,
                  struct slice body, const char *note);
/* Prints all pages of a list, as a JSON array or a table. */
int resource_list(const struct resource_options *options, struct slice path,
                  const struct resource_column *columns, size_t column_count);

/* Appends `prefix`, the name percent-encoded, and `suffix`. */
void resource_path(struct buffer *path, const char *prefix, const char *name, const char *suffix);

#endif
