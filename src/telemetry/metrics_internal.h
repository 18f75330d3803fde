/* The parts of the metrics, for the files of this folder. */
#ifndef TELEMETRY_METRICS_INTERNAL_H
#define TELEMETRY_METRICS_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "telemetry/active_users.h"
#include "telemetry/metrics.h"
#include "telemetry/process_stats.h"

#define METRICS_VERSION_SIZE 32
#define METRICS_STATUS_END   600 /* HTTP statuses lie below */
#define METRICS_LABELS_MAX   2   /* of an axis */

struct metrics_name {
    uint8_t size;
    char bytes[METRICS_NAME_SIZE];
};

struct metrics_target_name {
    struct metrics_name model;
    struct metrics_name provider;
};

struct metrics {
    struct active_users *users;
    uint8_t status_slots[METRICS_STATUS_END]; /* 0: other */
    char version[METRICS_VERSION_SIZE];
    uint64_t start_time_us;
    const char *const *endpoints;
    uint32_t endpoint_count;

    pthread_mutex_t lock; /* of what follows */
    uint32_t worker_count;
    struct metrics_worker *workers[METRICS_WORKERS_MAX];
    void *worker_memory[METRICS_WORKERS_MAX]; /* owned; a block begins at its first cache line */
    uint32_t provider_count;
    struct metrics_name providers[METRICS_PROVIDERS_MAX];
    uint32_t target_count;
    struct metrics_target_name targets[METRICS_TARGETS_MAX];
};

/* What is no thread's: known only when a scrape asks. */
struct metrics_instant {
    struct metrics_scrape scrape;
    struct process_stats process;
    uint64_t start_time_ns;
    uint64_t active_users;
    uint64_t one;
};

/* A dimension of a family's cells, and the label, or for targets the two, that it becomes. */
enum metrics_axis {
    METRICS_AXIS_NONE,
    METRICS_AXIS_ENDPOINT,
    METRICS_AXIS_STATUS,
    METRICS_AXIS_PROVIDER,
    METRICS_AXIS_TARGET,
    METRICS_AXIS_TOKENS,
    METRICS_AXIS_ATTEMPT,
    METRICS_AXIS_FAILURE,
    METRICS_AXIS_OUTCOME,
    METRICS_AXIS_REFUSAL,
    METRICS_AXIS_OVERLOAD,
    METRICS_AXIS_LEVEL,
    METRICS_AXIS_RELOAD,
    METRICS_AXIS_VERSION,
};

enum metrics_type { METRICS_TYPE_COUNTER, METRICS_TYPE_GAUGE, METRICS_TYPE_HISTOGRAM };

enum metrics_unit {
    METRICS_UNIT_ONE,
    METRICS_UNIT_NS,      /* shown in seconds */
    METRICS_UNIT_NANOUSD, /* shown in dollars */
};

enum metrics_source {
    METRICS_SOURCE_WORKERS,     /* offsets in struct metrics_worker; added up */
    METRICS_SOURCE_WORKERS_MAX, /* ... the largest counts */
    METRICS_SOURCE_INSTANT,     /* offsets in struct metrics_instant; PROCESS_UNKNOWN is left out */
};

struct metrics_dimension {
    enum metrics_axis axis;
    size_t stride; /* bytes from one index to the next */
};

struct metrics_family {
    const char *name;
    const char *help;
    enum metrics_type type;
    enum metrics_unit unit;
    enum metrics_source source;
    size_t offset; /* of the first cell or histogram */
    const struct histogram_scale *scale;
    struct metrics_dimension dimensions[2];
    bool is_sparse; /* series that are 0 are left out, since most of them always are */
};

extern const struct metrics_family metrics_families[];
extern const size_t metrics_family_count;

/* The known statuses; the first is 0, which stands for all others. */
extern const uint16_t metrics_statuses[];
extern const size_t metrics_status_count;

/* How many indexes an axis has now. The last of endpoints, providers and targets is
 * "other". */
uint32_t metrics_axis_count(const struct metrics *metrics, enum metrics_axis axis);
/* The place of the cells of the axis' nth value. */
uint32_t metrics_axis_index(const struct metrics *metrics, enum metrics_axis axis, uint32_t nth);
/* Whether the nth value is the one that stands for all others. */
bool metrics_axis_is_other(const struct metrics *metrics, enum metrics_axis axis, uint32_t nth);
/* The names of the axis' labels, at most METRICS_LABELS_MAX; NULL for those that it lacks. */
const char *metrics_axis_label(enum metrics_axis axis, size_t label);
/* Appends what that label is for the nth value, escaped. */
void metrics_axis_value(const struct metrics *metrics, enum metrics_axis axis, uint32_t nth,
                        size_t label, struct buffer *out);

#endif
