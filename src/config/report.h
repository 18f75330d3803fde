/* What is wrong with a configuration: all of it, not only the first mistake.
 *
 * Thread: one at a time. Memory: the report owns its texts; config_report_fini() frees them.
 * Errors: more than CONFIG_MISTAKES_MAX, or no memory for one, is counted in `left_out`. */
#ifndef CONFIG_REPORT_H
#define CONFIG_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

#define CONFIG_MISTAKES_MAX 100

enum config_severity {
    CONFIG_SEVERITY_ERROR,   /* the configuration is refused */
    CONFIG_SEVERITY_WARNING, /* it works, but hardly as meant */
};

struct config_mistake {
    struct slice file; /* the file's path, a variable's name, or "--option" */
    uint32_t line;     /* from 1; 0: the file as a whole, or no file */
    uint32_t column;   /* from 1 */
    enum config_severity severity;
    struct slice message;    /* one line, no secrets */
    struct slice suggestion; /* what to write or do; size 0: none */
};

struct config_report {
    struct config_mistake *mistakes; /* in the arena */
    size_t count;
    size_t error_count; /* with those left out */
    size_t left_out;
    struct arena arena;
};

void config_report_init(struct config_report *report);
void config_report_fini(struct config_report *report);

/* Adds a copy of the mistake. */
void config_report_add(struct config_report *report, const struct config_mistake *mistake);

/* Puts them in the order of the file; those that stand outside it come last. */
void config_report_sort(struct config_report *report);

/* Appends "FILE:LINE:COLUMN: message (suggestion)", a warning marked as such; without a place where
 * it has none in a file. Statuses of buffer_append(). */
MUST_CHECK enum status config_mistake_write(const struct config_mistake *mistake,
                                            struct buffer *text);
/* The same for each mistake, in lines: what `weir check` prints. Statuses of buffer_append(). */
MUST_CHECK enum status config_report_write(const struct config_report *report, struct buffer *text);

#endif
