#include "admin/usage_query.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/nearest.h"
#include "base/date.h"

#define COUNT(items) (sizeof(items) / sizeof((items)[0]))

static const char *const group_names[] = {
    [STORE_GROUP_NONE] = NULL,   [STORE_GROUP_KEY] = "key",     [STORE_GROUP_USER] = "user",
    [STORE_GROUP_TEAM] = "team", [STORE_GROUP_MODEL] = "model", [STORE_GROUP_PROVIDER] = "provider",
    [STORE_GROUP_DAY] = "day",   [STORE_GROUP_HOUR] = "hour",
};

const char *usage_group_name(enum store_group group)
{
    return group_names[group];
}

enum status usage_group_find(struct slice name, enum store_group *group_out, struct reason *reason)
{
    struct nearest nearest;
    nearest_begin(&nearest, name);
    for (size_t i = STORE_GROUP_KEY; i < COUNT(group_names); i++) {
        const struct slice known = slice_from_text(group_names[i]);
        nearest_consider(&nearest, known);
        if (slice_equal(name, known)) {
            *group_out = (enum store_group)i;
            return STATUS_OK;
        }
    }
    const int shown = (int)(name.size < 40 ? name.size : 40);
    if (nearest.found.size > 0)
        reason_set(reason, "usage is not known by '%.*s'; did you mean '%.*s'?", shown, name.data,
                   SLICE_ARGS(nearest.found));
    else
        reason_set(reason,
                   "usage is not known by '%.*s', but by key, user, team, model, provider, day or "
                   "hour",
                   shown, name.data);
    return STATUS_INVALID;
}

static uint64_t seconds_of_unit(char unit)
{
    switch (unit) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 7 * 86400;
    default:
        return 0;
    }
}

static bool read_duration(struct slice text, uint64_t now_us, uint64_t *time_us_out)
{
    uint64_t count;
    const uint64_t unit_s = text.size > 1 ? seconds_of_unit(text.data[text.size - 1]) : 0;
    if (unit_s == 0 || slice_to_u64(slice_of(text.data, text.size - 1), &count) != STATUS_OK)
        return false;
    const uint64_t unit_us = unit_s * US_PER_S;
    *time_us_out = count > now_us / unit_us ? 0 : now_us - count * unit_us;
    return true;
}

enum status usage_time_parse(struct slice text, uint64_t now_us, uint64_t *time_us_out,
                             struct reason *reason)
{
    if (read_duration(text, now_us, time_us_out) || date_parse(text, time_us_out) == STATUS_OK)
        return STATUS_OK;
    reason_set(reason,
               "'%.*s' is neither a duration such as 30d or 12h nor a time such as 2026-01-31 or "
               "2026-01-31T12:00:00Z",
               (int)(text.size < 40 ? text.size : 40), text.data);
    return STATUS_INVALID;
}
