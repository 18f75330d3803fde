/* A line of a report of usage, as JSON and back: {"id","name","requests","answered","refused",
 * "estimated","unpriced","input_tokens","output_tokens","cached_tokens","cache_write_tokens",
 * "reasoning_tokens","audio_tokens","cost","cost_nanousd"}; `cost` is a decimal string of dollars.
 *
 * Thread: any. Memory: stated at each. */
#ifndef ADMIN_USAGE_LINE_H
#define ADMIN_USAGE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include "json/json.h"
#include "json/write.h"
#include "store/store_usage.h"

enum usage_count {
    USAGE_REQUESTS, /* admitted */
    USAGE_ANSWERED,
    USAGE_REFUSED,
    USAGE_ESTIMATED,
    USAGE_UNPRICED,
    USAGE_INPUT, /* tokens: from here on in the order of enum store_tokens */
    USAGE_OUTPUT,
    USAGE_CACHED,
    USAGE_CACHE_WRITE,
    USAGE_REASONING,
    USAGE_AUDIO,
    USAGE_COUNTS,
};

#define USAGE_TOKENS USAGE_INPUT

struct usage_line {
    struct slice id, name; /* empty: null */
    uint64_t counts[USAGE_COUNTS];
    int64_t cost_nanousd;
};

/* "requests", "input_tokens". Static storage. */
const char *usage_count_name(enum usage_count which);

/* Borrows the store's slices. */
struct usage_line usage_line_of(const struct store_report_line *line);
/* Adds the numbers; money is held at INT64_MAX, as in the store. */
void usage_line_add(struct usage_line *into, const struct usage_line *line);
bool usage_line_is_empty(const struct usage_line *line);

/* Writes an object. Its members alone, for one that has more. */
void usage_line_write(struct json_writer *writer, const struct usage_line *line);
void usage_line_write_members(struct json_writer *writer, const struct usage_line *line);
/* Writes `name` as a decimal string of dollars and `name`_nanousd beside it. */
void usage_write_money(struct json_writer *writer, const char *name, int64_t nanousd);

/* Reads an object; its texts lie in the value or the arena. STATUS_INVALID: a number is missing or
 * none; STATUS_NO_MEMORY. */
MUST_CHECK enum status usage_line_read(struct json_value value, struct arena *arena,
                                       struct usage_line *line_out);

#endif
