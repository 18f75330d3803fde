/* A report of usage as the admin API answers, and its forms: a table with a chart, and CSV.
 *
 * Thread: any. Memory: a report's lines lie in the arena that it was read with, or in the answer. */
#ifndef CLI_USAGE_REPORT_H
#define CLI_USAGE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "admin/usage_line.h"
#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include "json/json.h"

struct usage_report {
    struct slice by;           /* "model"; empty: one line for all */
    struct slice since, until; /* RFC 3339; empty: always, without an end */
    struct slice items;        /* the JSON array */
    struct slice rest_text;    /* the JSON object; empty: there is no rest */
    struct usage_line *lines;
    size_t count;
    uint64_t rest_items; /* lines that are added up in `rest`, since there are too many */
    struct usage_line rest;
    struct usage_line total;
};

/* How a table may look. */
struct usage_looks {
    bool has_looks; /* bold letters and colours */
    bool is_utf8;
    size_t columns; /* of the terminal */
};

/* STATUS_INVALID: it is no report; STATUS_NO_MEMORY. */
MUST_CHECK enum status usage_report_read(const struct json_object *answer, struct arena *arena,
                                         struct usage_report *report_out);

/* Statuses of table_add(); nothing is written then. */
MUST_CHECK enum status usage_table_write(const struct usage_report *report,
                                         const struct usage_looks *looks, FILE *out);

/* RFC 4180, with a line of names first; lines end in a line feed. A text that a spreadsheet would
 * take for a formula has an apostrophe before it. STATUS_NO_MEMORY, STATUS_TOO_LARGE: nothing is
 * written. */
MUST_CHECK enum status usage_csv_write(const struct usage_report *report, FILE *out);

/* A JSON array, the rest as its last element. */
void usage_json_write(const struct usage_report *report, FILE *out);

#endif
