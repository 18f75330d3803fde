#include "telemetry/metrics_internal.h"

#include "base/clock.h"

#define BILLION 1000000000U /* nanoseconds in a second, nano-dollars in a dollar */

/* One scrape at work. */
struct render {
    const struct metrics *metrics;
    const struct metrics_instant *instant;
    struct buffer *out;
};

/* One combination of label values, and where its cell lies. */
struct series {
    const struct metrics_family *family;
    uint32_t nth[2];
    size_t offset;
    bool is_other; /* of endpoints, providers or targets: shown only if something was counted */
};

static void put(struct render *render, const char *text)
{
    buffer_append(render->out, slice_from_text(text));
}

/* A number of billionths, exact and without zeros at the end. */
static void put_billionths(struct render *render, uint64_t value)
{
    char digits[10];
    uint64_t fraction = value % BILLION;
    buffer_append_u64(render->out, value / BILLION);
    if (fraction == 0)
        return;
    size_t size = sizeof(digits);
    for (size_t i = size - 1; i > 0; i--, fraction /= 10)
        digits[i] = (char)('0' + fraction % 10);
    digits[0] = '.';
    while (digits[size - 1] == '0')
        size--;
    buffer_append(render->out, slice_of(digits, size));
}

/* A gauge that one thread raises and another lowers may for a moment add up to less than nothing,
 * since the cells are not read at one instant. */
static void put_value(struct render *render, const struct metrics_family *family, uint64_t value)
{
    const bool is_negative = family->type == METRICS_TYPE_GAUGE && value > INT64_MAX;
    if (family->unit != METRICS_UNIT_ONE)
        put_billionths(render, value);
    else
        buffer_append_u64(render->out, is_negative ? 0 : value);
    put(render, "\n");
}

static const char *const type_names[] = {
    [METRICS_TYPE_COUNTER] = "counter",
    [METRICS_TYPE_GAUGE] = "gauge",
    [METRICS_TYPE_HISTOGRAM] = "histogram",
};

static void put_head(struct render *render, const struct metrics_family *family)
{
    put(render, "# HELP ");
    put(render, family->name);
    put(render, " ");
    put(render, family->help);
    put(render, "\n# TYPE ");
    put(render, family->name);
    put(render, " ");
    put(render, type_names[family->type]);
    put(render, "\n");
}

static void put_label_name(struct render *render, const char *name, bool *is_first)
{
    put(render, *is_first ? "{" : ",");
    put(render, name);
    put(render, "=\"");
    *is_first = false;
}

static void put_axis(struct render *render, enum metrics_axis axis, uint32_t nth, bool *is_first)
{
    for (size_t i = 0; i < METRICS_LABELS_MAX && metrics_axis_label(axis, i) != NULL; i++) {
        put_label_name(render, metrics_axis_label(axis, i), is_first);
        metrics_axis_value(render->metrics, axis, nth, i, render->out);
        put(render, "\"");
    }
}

/* The name with a suffix, the labels, and for a bucket its bound (`le`, NULL for none). */
static void put_name(struct render *render, const struct series *series, const char *suffix,
                     const uint64_t *bound_ns)
{
    bool is_first = true;
    put(render, series->family->name);
    put(render, suffix);
    for (size_t i = 0; i < 2; i++)
        put_axis(render, series->family->dimensions[i].axis, series->nth[i], &is_first);
    if (bound_ns != NULL) {
        put_label_name(render, "le", &is_first);
        if (*bound_ns == UINT64_MAX)
            put(render, "+Inf");
        else
            put_billionths(render, *bound_ns);
        put(render, "\"");
    }
    put(render, is_first ? " " : "} ");
}

static uint64_t read_worker(const struct metrics_worker *worker, size_t offset)
{
    return metric_read((const metric_cell *)(const void *)((const char *)worker + offset));
}

static uint64_t merged(const struct render *render, enum metrics_source source, size_t offset)
{
    if (source == METRICS_SOURCE_INSTANT) {
        uint64_t value;
        memcpy(&value, (const char *)render->instant + offset, sizeof(value));
        return value;
    }
    uint64_t sum = 0;
    uint64_t largest = 0;
    for (uint32_t i = 0; i < render->metrics->worker_count; i++) {
        const uint64_t value = read_worker(render->metrics->workers[i], offset);
        sum += value;
        largest = value > largest ? value : largest;
    }
    return source == METRICS_SOURCE_WORKERS ? sum : largest;
}

static void put_cell(struct render *render, const struct series *series)
{
    const struct metrics_family *family = series->family;
    const uint64_t value = merged(render, family->source, series->offset);
    if (value == 0 && (family->is_sparse || series->is_other))
        return;
    if (family->source == METRICS_SOURCE_INSTANT && value == PROCESS_UNKNOWN)
        return;
    put_name(render, series, "", NULL);
    put_value(render, family, value);
}

static void put_histogram(struct render *render, const struct series *series)
{
    const struct metrics_family *family = series->family;
    const struct histogram_scale *scale = family->scale;
    uint64_t buckets[HISTOGRAM_BOUNDS_MAX + 1];
    uint64_t count = 0;
    for (size_t i = 0; i <= scale->count; i++) {
        const size_t offset = offsetof(struct histogram, buckets) + i * sizeof(metric_cell);
        buckets[i] = count += merged(render, family->source, series->offset + offset);
    }
    if (count == 0 && (family->is_sparse || series->is_other))
        return;
    for (size_t i = 0; i <= scale->count; i++) {
        const uint64_t bound_ns = i < scale->count ? scale->bounds_ns[i] : UINT64_MAX;
        put_name(render, series, "_bucket", &bound_ns);
        buffer_append_u64(render->out, buckets[i]);
        put(render, "\n");
    }
    const size_t sum_offset = series->offset + offsetof(struct histogram, sum_ns);
    put_name(render, series, "_sum", NULL);
    put_value(render, family, merged(render, family->source, sum_offset));
    put_name(render, series, "_count", NULL);
    buffer_append_u64(render->out, count);
    put(render, "\n");
}

/* Takes the nth value of dimension `i`. */
static void choose(const struct metrics *metrics, struct series *series, size_t i, uint32_t nth)
{
    const struct metrics_dimension *dimension = &series->family->dimensions[i];
    series->nth[i] = nth;
    series->offset += metrics_axis_index(metrics, dimension->axis, nth) * dimension->stride;
    series->is_other |= metrics_axis_is_other(metrics, dimension->axis, nth);
}

static void put_family(struct render *render, const struct metrics_family *family)
{
    const struct metrics *metrics = render->metrics;
    const uint32_t first_count = metrics_axis_count(metrics, family->dimensions[0].axis);
    const uint32_t second_count = metrics_axis_count(metrics, family->dimensions[1].axis);
    put_head(render, family);
    for (uint32_t first = 0; first < first_count; first++) {
        for (uint32_t second = 0; second < second_count; second++) {
            struct series series = {.family = family, .offset = family->offset};
            choose(metrics, &series, 0, first);
            choose(metrics, &series, 1, second);
            if (family->type == METRICS_TYPE_HISTOGRAM)
                put_histogram(render, &series);
            else
                put_cell(render, &series);
        }
    }
}

enum status metrics_render(struct metrics *metrics, const struct metrics_scrape *scrape,
                           struct buffer *out)
{
    struct metrics_instant instant = {
        .scrape = *scrape,
        .start_time_ns = metrics->start_time_us * (NS_PER_MS / US_PER_MS),
        .active_users = active_users_count(metrics->users, scrape->now_ns),
        .one = 1,
    };
    process_stats_read(&instant.process);
    struct render render = {metrics, &instant, out};

    pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < metrics_family_count; i++)
        put_family(&render, &metrics_families[i]);
    pthread_mutex_unlock(&metrics->lock);
    return buffer_status(out);
}
