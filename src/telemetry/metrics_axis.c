#include "telemetry/metrics_internal.h"

#include "telemetry/escape.h"

static const char *const attempts[METRICS_ATTEMPT_COUNT] = {
    [METRICS_ATTEMPT_ANSWERED] = "answered",   [METRICS_ATTEMPT_REJECTED] = "rejected",
    [METRICS_ATTEMPT_ERROR] = "error",         [METRICS_ATTEMPT_FAILED] = "failed",
    [METRICS_ATTEMPT_BROKEN] = "broken",       [METRICS_ATTEMPT_TIMED_OUT] = "timed_out",
    [METRICS_ATTEMPT_CANCELLED] = "cancelled",
};

static const char *const failures[METRICS_FAILURE_COUNT] = {
    [METRICS_FAILURE_DNS] = "dns",           [METRICS_FAILURE_CONNECT] = "connect",
    [METRICS_FAILURE_TLS] = "tls",           [METRICS_FAILURE_TIMEOUT] = "timeout",
    [METRICS_FAILURE_PROTOCOL] = "protocol", [METRICS_FAILURE_CLOSED] = "closed",
};

static const char *const refusals[METRICS_REFUSAL_COUNT] = {
    [METRICS_REFUSAL_CONNECTIONS] = "connections",
    [METRICS_REFUSAL_ADDRESS] = "connections_per_address",
    [METRICS_REFUSAL_TLS] = "tls",
    [METRICS_REFUSAL_DESCRIPTORS] = "descriptors",
    [METRICS_REFUSAL_MEMORY] = "memory",
    [METRICS_REFUSAL_PROXY] = "proxy",
};

static const char *const overloads[METRICS_OVERLOAD_COUNT] = {
    [METRICS_OVERLOAD_REQUESTS] = "requests_in_flight",
    [METRICS_OVERLOAD_BODY_MEMORY] = "body_memory",
    [METRICS_OVERLOAD_MEMORY] = "memory",
    [METRICS_OVERLOAD_LEDGER] = "ledger",
};

static const char *const levels[METRICS_LEVEL_COUNT] = {
    [METRICS_LEVEL_KEY] = "key",           [METRICS_LEVEL_USER] = "user",
    [METRICS_LEVEL_TEAM] = "team",         [METRICS_LEVEL_MODEL] = "model",
    [METRICS_LEVEL_PROVIDER] = "provider", [METRICS_LEVEL_GATEWAY] = "gateway",
};

static const char *const tokens[METRICS_TOKENS_COUNT] = {
    [METRICS_TOKENS_INPUT] = "input",         [METRICS_TOKENS_OUTPUT] = "output",
    [METRICS_TOKENS_CACHED] = "cached",       [METRICS_TOKENS_CACHE_WRITE] = "cache_write",
    [METRICS_TOKENS_REASONING] = "reasoning", [METRICS_TOKENS_AUDIO] = "audio",
};

static const char *const reloads[METRICS_RELOAD_COUNT] = {
    [METRICS_RELOAD_OK] = "ok",
    [METRICS_RELOAD_FAILED] = "failed",
};

/* An axis whose values have names from a table has one; the others name theirs below. */
struct axis {
    const char *labels[METRICS_LABELS_MAX];
    const char *const *names;
    uint32_t count;
};

static const struct axis axes[] = {
    [METRICS_AXIS_NONE] = {{NULL}, NULL, 1},
    [METRICS_AXIS_ENDPOINT] = {{"endpoint"}, NULL, 0},
    [METRICS_AXIS_STATUS] = {{"status"}, NULL, 0},
    [METRICS_AXIS_PROVIDER] = {{"provider"}, NULL, 0},
    [METRICS_AXIS_TARGET] = {{"model", "provider"}, NULL, 0},
    [METRICS_AXIS_TOKENS] = {{"type"}, tokens, METRICS_TOKENS_COUNT},
    [METRICS_AXIS_ATTEMPT] = {{"outcome"}, attempts, METRICS_ATTEMPT_COUNT},
    [METRICS_AXIS_FAILURE] = {{"kind"}, failures, METRICS_FAILURE_COUNT},
    [METRICS_AXIS_OUTCOME] = {{"outcome"}, NULL, OUTCOME_COUNT},
    [METRICS_AXIS_REFUSAL] = {{"reason"}, refusals, METRICS_REFUSAL_COUNT},
    [METRICS_AXIS_OVERLOAD] = {{"reason"}, overloads, METRICS_OVERLOAD_COUNT},
    [METRICS_AXIS_LEVEL] = {{"level"}, levels, METRICS_LEVEL_COUNT},
    [METRICS_AXIS_RELOAD] = {{"result"}, reloads, METRICS_RELOAD_COUNT},
    [METRICS_AXIS_VERSION] = {{"version"}, NULL, 1},
};

const char *metrics_axis_label(enum metrics_axis axis, size_t label)
{
    return axes[axis].labels[label];
}

uint32_t metrics_axis_count(const struct metrics *metrics, enum metrics_axis axis)
{
    switch (axis) {
    case METRICS_AXIS_ENDPOINT:
        return metrics->endpoint_count + 1;
    case METRICS_AXIS_STATUS:
        return (uint32_t)metrics_status_count;
    case METRICS_AXIS_PROVIDER:
        return metrics->provider_count + 1;
    case METRICS_AXIS_TARGET:
        return metrics->target_count + 1;
    default:
        return axes[axis].count;
    }
}

/* Where the cells of "other" lie, or 0: the axis has none. */
static uint32_t other_index(enum metrics_axis axis)
{
    switch (axis) {
    case METRICS_AXIS_ENDPOINT:
        return METRICS_ENDPOINT_OTHER;
    case METRICS_AXIS_PROVIDER:
        return METRICS_PROVIDER_OTHER;
    case METRICS_AXIS_TARGET:
        return METRICS_TARGET_OTHER;
    default:
        return 0;
    }
}

bool metrics_axis_is_other(const struct metrics *metrics, enum metrics_axis axis, uint32_t nth)
{
    return other_index(axis) != 0 && nth + 1 == metrics_axis_count(metrics, axis);
}

uint32_t metrics_axis_index(const struct metrics *metrics, enum metrics_axis axis, uint32_t nth)
{
    return metrics_axis_is_other(metrics, axis, nth) ? other_index(axis) : nth;
}

static struct slice name_text(const struct metrics_name *name)
{
    return slice_of(name->bytes, name->size);
}

static struct slice value_text(const struct metrics *metrics, enum metrics_axis axis, uint32_t nth,
                               size_t label)
{
    switch (axis) {
    case METRICS_AXIS_ENDPOINT:
        return slice_from_text(metrics->endpoints[nth]);
    case METRICS_AXIS_PROVIDER:
        return name_text(&metrics->providers[nth]);
    case METRICS_AXIS_TARGET:
        return name_text(label == 0 ? &metrics->targets[nth].model
                                    : &metrics->targets[nth].provider);
    case METRICS_AXIS_OUTCOME:
        return slice_from_text(outcome_name((enum outcome)nth));
    case METRICS_AXIS_VERSION:
        return slice_from_text(metrics->version);
    default:
        return slice_from_text(axes[axis].names[nth]);
    }
}

void metrics_axis_value(const struct metrics *metrics, enum metrics_axis axis, uint32_t nth,
                        size_t label, struct buffer *out)
{
    const bool is_status = axis == METRICS_AXIS_STATUS;
    if (metrics_axis_is_other(metrics, axis, nth) || (is_status && metrics_statuses[nth] == 0))
        buffer_append(out, SLICE("other"));
    else if (is_status)
        buffer_append_u64(out, metrics_statuses[nth]);
    else
        escape_label(out, value_text(metrics, axis, nth, label));
}
