/* Any bytes as a zone's file ('z'), or any text as the rule at its end ('r'). What must hold: what is
 * read answers for any moment, with an offset that a file may have; changes come after the moment
 * that was asked for, and change something. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "policy/window.h"
#include "policy/zone_internal.h"
#include "policy/zone_rule.h"

#define BYTES_MAX 8192

static const int64_t times_s[] = {INT64_MIN,  -5000000000, -1,          0,
                                  1700000000, 2145916800,  4102444800,  9999999999,
                                  INT64_MAX,  -2147483648, 253402300800};
#define TIME_COUNT (sizeof(times_s) / sizeof(times_s[0]))

static void ask_zone(const struct zone *zone)
{
    for (size_t i = 0; i < TIME_COUNT; i++) {
        const int32_t offset_s = zone_offset(zone, times_s[i]);
        const int64_t change_s = zone_next_change(zone, times_s[i]);
        ASSERT(offset_s > -90000 && offset_s < 93600);
        ASSERT(change_s > times_s[i] || change_s == INT64_MAX);
        ASSERT(change_s == INT64_MAX || zone_offset(zone, change_s) != offset_s);
    }
}

/* By way of the window before, since that is not kept beyond the zone's life. */
static void ask_windows(const struct zone *zone)
{
    for (unsigned unit = LIMIT_WINDOW_HOUR; unit <= LIMIT_WINDOW_MONTH; unit++) {
        const struct window from = {.start_us = UINT64_C(1774746001000000)};
        struct window window, before;
        ASSERT(window_before((enum limit_window)unit, zone, &from, &window));
        ASSERT(window.start_us < from.start_us && from.start_us <= window.end_us);
        ASSERT(window_before((enum limit_window)unit, zone, &window, &before));
        ASSERT(before.end_us == window.start_us && before.number < window.number);
    }
}

static void read_rule(struct slice text)
{
    struct zone_rule rule;
    if (zone_rule_parse(text, &rule) != STATUS_OK)
        return;
    for (size_t i = 0; i < TIME_COUNT; i++) {
        const int64_t change_s = zone_rule_next_change(&rule, times_s[i]);
        ASSERT(change_s > times_s[i] || change_s == INT64_MAX);
        (void)zone_rule_offset(&rule, times_s[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct zone *zone;
    struct reason reason;
    if (size == 0 || size > BYTES_MAX)
        return 0;
    if (data[0] == 'r') {
        read_rule(slice_of(data + 1, size - 1));
    } else if (zone_create(SLICE("x"), slice_of(data + 1, size - 1), &zone, &reason) == STATUS_OK) {
        ask_zone(zone);
        ask_windows(zone);
        zone_destroy(&zone);
    }
    return 0;
}
