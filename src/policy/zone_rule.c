#include "policy/zone_rule.h"

#include "policy/calendar.h"

#define S_PER_HOUR       3600
#define S_PER_DAY        86400
#define OFFSET_HOURS_MAX 24
#define TIME_HOURS_MAX   167
#define CHANGE_TIME_S    (2 * S_PER_HOUR)   /* where the rule states none */
#define TIME_MAX         (INT64_C(1) << 54) /* so that no sum overflows: half a billion years */

/* --- reading ----------------------------------------------------------------------------------- */

static bool take_byte(struct slice *rest, char byte)
{
    if (rest->size == 0 || rest->data[0] != byte)
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

static bool take_number(struct slice *rest, unsigned max, unsigned *number_out)
{
    unsigned number = 0;
    size_t digits = 0;
    for (; digits < rest->size && digits < 3; digits++) {
        const char byte = rest->data[digits];
        if (byte < '0' || byte > '9')
            break;
        number = number * 10 + (unsigned)(byte - '0');
    }
    *rest = slice_from(*rest, digits);
    *number_out = number;
    return digits > 0 && number <= max;
}

/* At least three letters, or anything in <>. */
static bool take_name(struct slice *rest)
{
    size_t size = 0;
    if (take_byte(rest, '<')) {
        size = slice_find_byte(*rest, '>');
        if (size < 3 || size == rest->size)
            return false;
        *rest = slice_from(*rest, size + 1);
        return true;
    }
    while (size < rest->size && ((rest->data[size] >= 'A' && rest->data[size] <= 'Z') ||
                                 (rest->data[size] >= 'a' && rest->data[size] <= 'z')))
        size++;
    *rest = slice_from(*rest, size);
    return size >= 3;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static bool take_time(struct slice *rest, unsigned hours_max, int32_t *seconds_out)
{
    const bool is_negative = take_byte(rest, '-');
    unsigned hours, minutes = 0, seconds = 0;
    if (!is_negative)
        (void)take_byte(rest, '+');
    if (!take_number(rest, hours_max, &hours))
        return false;
    if (take_byte(rest, ':') && (!take_number(rest, 59, &minutes) ||
                                 (take_byte(rest, ':') && !take_number(rest, 59, &seconds))))
        return false;
    const int32_t time = (int32_t)(hours * S_PER_HOUR + minutes * 60 + seconds);
    *seconds_out = is_negative ? -time : time;
    return true;
}

static bool take_rule_day(struct slice *rest, struct zone_rule_day *day)
{
    *day = (struct zone_rule_day){.time_s = CHANGE_TIME_S};
    if (take_byte(rest, 'M')) {
        day->kind = ZONE_RULE_MONTH;
        if (!take_number(rest, 12, &day->month) || !take_byte(rest, '.') ||
            !take_number(rest, 5, &day->week) || !take_byte(rest, '.') ||
            !take_number(rest, 6, &day->day) || day->month == 0 || day->week == 0)
            return false;
    } else {
        day->kind = take_byte(rest, 'J') ? ZONE_RULE_JULIAN : ZONE_RULE_ORDINAL;
        if (!take_number(rest, 365, &day->day) || (day->kind == ZONE_RULE_JULIAN && day->day == 0))
            return false;
    }
    return !take_byte(rest, '/') || take_time(rest, TIME_HOURS_MAX, &day->time_s);
}

enum status zone_rule_parse(struct slice text, struct zone_rule *rule_out)
{
    struct zone_rule rule = {0};
    struct slice rest = text;
    int32_t west_s;
    if (!take_name(&rest) || !take_time(&rest, OFFSET_HOURS_MAX, &west_s))
        return STATUS_INVALID;
    rule.standard_offset_s = -west_s;
    rule.summer_offset_s = S_PER_HOUR - west_s;
    if (rest.size > 0) {
        rule.has_summer = true;
        if (!take_name(&rest))
            return STATUS_INVALID;
        if (rest.size > 0 && rest.data[0] != ',') {
            if (!take_time(&rest, OFFSET_HOURS_MAX, &west_s))
                return STATUS_INVALID;
            rule.summer_offset_s = -west_s;
        }
        if (!take_byte(&rest, ',') || !take_rule_day(&rest, &rule.summer_start) ||
            !take_byte(&rest, ',') || !take_rule_day(&rest, &rule.summer_end) || rest.size > 0)
            return STATUS_INVALID;
    }
    *rule_out = rule;
    return STATUS_OK;
}

/* --- changes ----------------------------------------------------------------------------------- */

static int64_t day_of(const struct zone_rule_day *rule, int64_t year)
{
    const int64_t start = calendar_day(year, 1, 1);
    if (rule->kind == ZONE_RULE_ORDINAL)
        return start + rule->day;
    if (rule->kind == ZONE_RULE_JULIAN) {
        const bool is_after_leap_day = rule->day > 59 && calendar_month_days(year, 2) == 29;
        return start + rule->day - (is_after_leap_day ? 0 : 1);
    }
    const int64_t first = calendar_day(year, rule->month, 1);
    const unsigned days = calendar_month_days(year, rule->month);
    unsigned day = (rule->day + 7 - calendar_weekday(first)) % 7 + 7 * (rule->week - 1);
    if (day >= days)
        day -= 7;
    return first + day;
}

/* Before it the clock shows `offset_s`. */
static int64_t moment_of(const struct zone_rule_day *rule, int64_t year, int32_t offset_s)
{
    return day_of(rule, year) * S_PER_DAY + rule->time_s - offset_s;
}

static int64_t within_range(int64_t time_s)
{
    if (time_s > TIME_MAX)
        return TIME_MAX;
    return time_s < -TIME_MAX ? -TIME_MAX : time_s;
}

static int64_t year_of(int64_t time_s)
{
    return calendar_date(calendar_floor(time_s, S_PER_DAY)).year;
}

int32_t zone_rule_offset(const struct zone_rule *rule, int64_t time_s)
{
    if (!rule->has_summer)
        return rule->standard_offset_s;
    /* The last change up to now is of this year or of one of those beside it: a rule may reach a week
     * over its year. Where one ends as the next begins, it is summer all year. */
    const int64_t now_s = within_range(time_s), year = year_of(now_s);
    int64_t last_s = INT64_MIN;
    int32_t offset_s = rule->standard_offset_s;
    for (int64_t i = year - 2; i <= year + 1; i++) {
        const int64_t start_s = moment_of(&rule->summer_start, i, rule->standard_offset_s);
        const int64_t end_s = moment_of(&rule->summer_end, i, rule->summer_offset_s);
        if (end_s <= now_s && end_s > last_s) {
            last_s = end_s;
            offset_s = rule->standard_offset_s;
        }
        if (start_s <= now_s && start_s >= last_s) {
            last_s = start_s;
            offset_s = rule->summer_offset_s;
        }
    }
    return offset_s;
}

int64_t zone_rule_next_change(const struct zone_rule *rule, int64_t time_s)
{
    if (!rule->has_summer || time_s >= TIME_MAX)
        return INT64_MAX;
    const int64_t now_s = within_range(time_s), year = year_of(now_s);
    const int32_t offset_s = zone_rule_offset(rule, now_s);
    int64_t next_s = INT64_MAX;
    for (int64_t i = year - 2; i <= year + 2; i++) {
        const int64_t moments[] = {
            moment_of(&rule->summer_start, i, rule->standard_offset_s),
            moment_of(&rule->summer_end, i, rule->summer_offset_s),
        };
        for (unsigned j = 0; j < 2; j++) {
            if (moments[j] > now_s && moments[j] < next_s &&
                zone_rule_offset(rule, moments[j]) != offset_s)
                next_s = moments[j];
        }
    }
    return next_s;
}
