#include "cli/moment.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

/* Reads the digits at `at`; -1 if one of them is none. */
static int digits(struct slice text, size_t at, size_t count)
{
    uint64_t value;
    if (slice_to_u64(slice_of(text.data + at, count), &value) != STATUS_OK)
        return -1;
    return (int)value;
}

/* ".123" as microseconds; -1 if it is no fraction. */
static int fraction_us(struct slice text)
{
    uint64_t value;
    if (text.size == 0)
        return 0;
    if (text.data[0] != '.' || text.size > 7 ||
        slice_to_u64(slice_from(text, 1), &value) != STATUS_OK)
        return -1;
    for (size_t i = text.size; i < 7; i++)
        value *= 10;
    return (int)value;
}

static bool has_form(struct slice text)
{
    static const char form[] = "0000-00-00T00:00:00";
    if (text.size < sizeof(form) || text.data[text.size - 1] != 'Z')
        return false;
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        if (form[i] != '0' && form[i] != text.data[i])
            return false;
    }
    return true;
}

enum status moment_parse(struct slice text, uint64_t *time_us_out)
{
    if (!has_form(text))
        return STATUS_INVALID;
    const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    const int hour = digits(text, 11, 2), minute = digits(text, 14, 2);
    const int second = digits(text, 17, 2);
    const int us = fraction_us(slice_of(text.data + 19, text.size - 20));
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60 || us < 0)
        return STATUS_INVALID;
    struct tm parts = {.tm_year = year - 1900,
                       .tm_mon = month - 1,
                       .tm_mday = day,
                       .tm_hour = hour,
                       .tm_min = minute,
                       .tm_sec = second};
    const time_t seconds = timegm(&parts);
    if (parts.tm_mday != day && second < 60)
        return STATUS_INVALID; /* such as 31 April */
    *time_us_out = (uint64_t)seconds * US_PER_S + (uint64_t)us;
    return STATUS_OK;
}

void moment_describe(uint64_t time_us, uint64_t now_us, char text_out[MOMENT_TEXT_BYTES])
{
    static const struct unit {
        uint64_t seconds, below; /* used while it is less than `below` seconds */
        const char *one, *many;
    } units[] = {
        {1, 60, "s", "s"},
        {60, 3600, "min", "min"},
        {3600, 48 * UINT64_C(3600), "h", "h"},
        {86400, UINT64_MAX, "day", "days"},
    };
    const bool is_past = time_us <= now_us;
    const uint64_t seconds = (is_past ? now_us - time_us : time_us - now_us) / US_PER_S;
    const struct unit *unit = units;
    while (seconds >= unit->below)
        unit++;
    const uint64_t count = seconds / unit->seconds;
    if (seconds == 0)
        snprintf(text_out, MOMENT_TEXT_BYTES, "now");
    else
        snprintf(text_out, MOMENT_TEXT_BYTES, "%s%llu %s%s", is_past ? "" : "in ",
                 (unsigned long long)count, count == 1 ? unit->one : unit->many,
                 is_past ? " ago" : "");
}
