#include "models/price_offpeak.h"

#include "base/clock.h"

#define MINUTES_PER_DAY  1440U
#define MINUTES_PER_WEEK (7 * MINUTES_PER_DAY)
#define US_PER_MINUTE    (60 * US_PER_S)
#define HOURS_BYTES      11 /* "00:00-01:00" */

static bool read_two_digits(const char *text, unsigned below, unsigned *value_out)
{
    const unsigned tens = (unsigned)(unsigned char)text[0] - '0';
    const unsigned ones = (unsigned)(unsigned char)text[1] - '0';
    *value_out = tens * 10 + ones;
    return tens < 10 && ones < 10 && *value_out < below;
}

/* Reads five bytes, "10:30". */
static bool read_minute(const char *text, uint16_t *minute_out)
{
    unsigned hour, minute;
    if (!read_two_digits(text, 24, &hour) || text[2] != ':' ||
        !read_two_digits(text + 3, 60, &minute))
        return false;
    *minute_out = (uint16_t)(hour * 60 + minute);
    return true;
}

static bool read_days(struct slice text, uint8_t *days_out)
{
    *days_out = 0;
    for (size_t i = 0; i < text.size; i++) {
        const unsigned day = (unsigned)(unsigned char)text.data[i] - '1';
        if (day > 6 || (*days_out >> day & 1) != 0)
            return false;
        *days_out = (uint8_t)(*days_out | 1U << day);
    }
    return text.size > 0;
}

static bool read_window(struct slice text, struct price_window *window_out)
{
    const size_t space = slice_find_byte(text, ' ');
    if (space == text.size || !read_days(slice_of(text.data, space), &window_out->days))
        return false;
    const struct slice hours = slice_from(text, space + 1);
    return hours.size == HOURS_BYTES && read_minute(hours.data, &window_out->begin_minute) &&
           hours.data[5] == '-' && read_minute(hours.data + 6, &window_out->end_minute);
}

static size_t find_separator(struct slice text)
{
    const size_t comma = slice_find_byte(text, ',');
    return slice_find_byte(slice_of(text.data, comma), ';');
}

enum status price_offpeak_parse(struct slice text, struct price_offpeak *offpeak_out)
{
    struct price_offpeak offpeak = {0};
    for (bool more = true; more;) {
        const size_t end = find_separator(text);
        if (offpeak.count == PRICE_OFFPEAK_WINDOWS_MAX)
            return STATUS_TOO_LARGE;
        if (!read_window(slice_of(text.data, end), &offpeak.windows[offpeak.count++]))
            return STATUS_INVALID;
        more = end < text.size;
        if (more)
            text = slice_from(text, end + 1);
    }
    *offpeak_out = offpeak;
    return STATUS_OK;
}

static void format_window(const struct price_window *window, struct buffer *text)
{
    for (unsigned day = 0; day < 7; day++) {
        if ((window->days >> day & 1) != 0)
            buffer_append_byte(text, (char)('1' + day));
    }
    buffer_printf(text, " %02u:%02u-%02u:%02u", window->begin_minute / 60U,
                  window->begin_minute % 60U, window->end_minute / 60U, window->end_minute % 60U);
}

enum status price_offpeak_format(const struct price_offpeak *offpeak, struct buffer *text)
{
    for (size_t i = 0; i < offpeak->count; i++) {
        if (i > 0)
            buffer_append_byte(text, ',');
        format_window(&offpeak->windows[i], text);
    }
    return buffer_status(text);
}

/* `minute` is that of the week, which begins on Monday. */
static bool window_contains(const struct price_window *window, unsigned minute)
{
    unsigned length = window->end_minute + MINUTES_PER_DAY - window->begin_minute;
    if (window->end_minute > window->begin_minute)
        length -= MINUTES_PER_DAY;
    for (unsigned day = 0; day < 7; day++) {
        const unsigned begin = day * MINUTES_PER_DAY + window->begin_minute;
        const unsigned since = (minute + MINUTES_PER_WEEK - begin) % MINUTES_PER_WEEK;
        if ((window->days >> day & 1) != 0 && since < length)
            return true;
    }
    return false;
}

bool price_offpeak_contains(const struct price_offpeak *offpeak, uint64_t time_us)
{
    /* The first of January 1970 was a Thursday, three days after a Monday. */
    const uint64_t minutes = time_us / US_PER_MINUTE + 3 * (uint64_t)MINUTES_PER_DAY;
    const unsigned minute = (unsigned)(minutes % MINUTES_PER_WEEK);
    for (size_t i = 0; i < offpeak->count; i++) {
        if (window_contains(&offpeak->windows[i], minute))
            return true;
    }
    return false;
}
