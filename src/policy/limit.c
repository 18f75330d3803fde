#include "policy/limit.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/nearest.h"

#define NANOUSD_PER_USD UINT64_C(1000000000)
#define NANO_DIGITS     9
#define QUOTE_MAX       40 /* bytes of a text that a reason repeats */

#define BIT(window)     (1U << (window))
#define RATE_WINDOWS    (BIT(LIMIT_WINDOW_MINUTE) | BIT(LIMIT_WINDOW_HOUR) | BIT(LIMIT_WINDOW_DAY))
#define MONEY_WINDOWS                                                                              \
    (BIT(LIMIT_WINDOW_HOUR) | BIT(LIMIT_WINDOW_DAY) | BIT(LIMIT_WINDOW_WEEK) |                     \
     BIT(LIMIT_WINDOW_MONTH) | BIT(LIMIT_WINDOW_TOTAL))

static const struct kind_form {
    const char *name;
    struct slice unit;
    unsigned windows;          /* a bit for each that it may have */
    enum limit_window usually; /* what a text without a window may have meant */
    uint64_t amount_max;
} kinds[LIMIT_KIND_COUNT] = {
    [LIMIT_REQUESTS] =
        {"requests", {"req", 3}, RATE_WINDOWS, LIMIT_WINDOW_MINUTE, LIMIT_AMOUNT_MAX},
    [LIMIT_TOKENS] = {"tokens", {"tok", 3}, RATE_WINDOWS, LIMIT_WINDOW_MINUTE, LIMIT_AMOUNT_MAX},
    [LIMIT_PARALLEL] = {"parallel",
                        {"parallel", 8},
                        BIT(LIMIT_WINDOW_NONE),
                        LIMIT_WINDOW_NONE,
                        LIMIT_PARALLEL_MAX},
    [LIMIT_MONEY] = {"money", {"usd", 3}, MONEY_WINDOWS, LIMIT_WINDOW_MONTH, LIMIT_NANOUSD_MAX},
};

static const struct window_form {
    const char *name;
    struct slice text;
} windows[LIMIT_WINDOW_COUNT] = {
    [LIMIT_WINDOW_NONE] = {"none", {"", 0}},        [LIMIT_WINDOW_MINUTE] = {"minute", {"min", 3}},
    [LIMIT_WINDOW_HOUR] = {"hour", {"hour", 4}},    [LIMIT_WINDOW_DAY] = {"day", {"day", 3}},
    [LIMIT_WINDOW_WEEK] = {"week", {"week", 4}},    [LIMIT_WINDOW_MONTH] = {"month", {"month", 5}},
    [LIMIT_WINDOW_TOTAL] = {"total", {"total", 5}},
};

/* What people write where weir wants another word; only told, never taken. */
struct other_word {
    struct slice word;
    unsigned means;
};

#define OTHER_WORD(word, means) {{word, sizeof(word) - 1}, means}
static const struct other_word other_units[] = {
    OTHER_WORD("r", LIMIT_REQUESTS),        OTHER_WORD("rq", LIMIT_REQUESTS),
    OTHER_WORD("reqs", LIMIT_REQUESTS),     OTHER_WORD("request", LIMIT_REQUESTS),
    OTHER_WORD("requests", LIMIT_REQUESTS), OTHER_WORD("call", LIMIT_REQUESTS),
    OTHER_WORD("calls", LIMIT_REQUESTS),    OTHER_WORD("t", LIMIT_TOKENS),
    OTHER_WORD("toks", LIMIT_TOKENS),       OTHER_WORD("token", LIMIT_TOKENS),
    OTHER_WORD("tokens", LIMIT_TOKENS),     OTHER_WORD("concurrent", LIMIT_PARALLEL),
    OTHER_WORD("$", LIMIT_MONEY),           OTHER_WORD("dollar", LIMIT_MONEY),
    OTHER_WORD("dollars", LIMIT_MONEY),
};
static const struct other_word other_windows[] = {
    OTHER_WORD("m", LIMIT_WINDOW_MINUTE),       OTHER_WORD("minute", LIMIT_WINDOW_MINUTE),
    OTHER_WORD("minutes", LIMIT_WINDOW_MINUTE), OTHER_WORD("h", LIMIT_WINDOW_HOUR),
    OTHER_WORD("hr", LIMIT_WINDOW_HOUR),        OTHER_WORD("d", LIMIT_WINDOW_DAY),
    OTHER_WORD("daily", LIMIT_WINDOW_DAY),      OTHER_WORD("w", LIMIT_WINDOW_WEEK),
    OTHER_WORD("weekly", LIMIT_WINDOW_WEEK),    OTHER_WORD("mo", LIMIT_WINDOW_MONTH),
    OTHER_WORD("monthly", LIMIT_WINDOW_MONTH),  OTHER_WORD("ever", LIMIT_WINDOW_TOTAL),
};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *limit_kind_name(enum limit_kind kind)
{
    ASSERT(kind < LIMIT_KIND_COUNT);
    return kinds[kind].name;
}

const char *limit_window_name(enum limit_window window)
{
    ASSERT(window < LIMIT_WINDOW_COUNT);
    return windows[window].name;
}

/* --- reading ----------------------------------------------------------------------------------- */

static size_t digits_at(struct slice text)
{
    size_t count = 0;
    while (count < text.size && text.data[count] >= '0' && text.data[count] <= '9')
        count++;
    return count;
}

/* The number before the unit, money in nano-dollars. */
static enum status take_amount(struct slice *rest, bool is_money, uint64_t *amount_out)
{
    const size_t whole = digits_at(*rest);
    uint64_t amount;
    if (whole == 0)
        return STATUS_INVALID;
    if (slice_to_u64(slice_of(rest->data, whole), &amount) != STATUS_OK)
        return STATUS_TOO_LARGE;
    *rest = slice_from(*rest, whole);
    if (is_money && __builtin_mul_overflow(amount, NANOUSD_PER_USD, &amount))
        return STATUS_TOO_LARGE;
    if (is_money && rest->size > 0 && rest->data[0] == '.') {
        const size_t digits = digits_at(slice_from(*rest, 1));
        uint64_t unit = NANOUSD_PER_USD, fraction = 0;
        if (digits == 0 || digits > NANO_DIGITS)
            return STATUS_INVALID;
        for (size_t i = 1; i <= digits; i++) {
            unit /= 10;
            fraction += (uint64_t)(rest->data[i] - '0') * unit;
        }
        if (__builtin_add_overflow(amount, fraction, &amount))
            return STATUS_TOO_LARGE;
        *rest = slice_from(*rest, 1 + digits);
    }
    *amount_out = amount;
    return STATUS_OK;
}

/* The kind whose unit the text has behind its number. */
static bool find_kind(struct slice text, enum limit_kind *kind_out)
{
    size_t start = 0;
    while (start < text.size && (digits_at(slice_from(text, start)) > 0 || text.data[start] == '.'))
        start++;
    const struct slice unit =
        slice_of(text.data + start, slice_find_byte(slice_from(text, start), '/'));
    for (unsigned i = 0; i < LIMIT_KIND_COUNT; i++) {
        if (slice_equal(unit, kinds[i].unit)) {
            *kind_out = (enum limit_kind)i;
            return true;
        }
    }
    return false;
}

/* What follows the unit: nothing, or a slash and the window's word. */
static bool find_window(struct slice rest, enum limit_window *window_out)
{
    if (rest.size == 0) {
        *window_out = LIMIT_WINDOW_NONE;
        return true;
    }
    for (unsigned i = LIMIT_WINDOW_MINUTE; rest.data[0] == '/' && i < LIMIT_WINDOW_COUNT; i++) {
        if (slice_equal(slice_from(rest, 1), windows[i].text)) {
            *window_out = (enum limit_window)i;
            return true;
        }
    }
    return false;
}

static enum status read_limit(struct slice text, struct limit *limit)
{
    struct slice rest = text;
    if (text.size == 0 || !find_kind(text, &limit->kind))
        return STATUS_INVALID;
    const struct kind_form *form = &kinds[limit->kind];
    const enum status status = take_amount(&rest, limit->kind == LIMIT_MONEY, &limit->amount);
    if (status == STATUS_INVALID)
        return status;
    if (status == STATUS_TOO_LARGE)
        limit->amount = UINT64_MAX;
    else if (!slice_starts_with(rest, form->unit))
        return STATUS_INVALID;
    rest = slice_from(text, slice_find(text, form->unit) + form->unit.size);
    if (!find_window(rest, &limit->window) || (form->windows & BIT(limit->window)) == 0)
        return STATUS_INVALID;
    if (limit->amount > form->amount_max)
        return STATUS_TOO_LARGE;
    return limit->amount > 0 ? STATUS_OK : STATUS_INVALID;
}

/* --- what may have been meant ------------------------------------------------------------------ */

static unsigned meant_word(struct slice word, const struct other_word *others, size_t other_count,
                           const struct slice *words, size_t word_count)
{
    for (size_t i = 0; i < other_count; i++) {
        if (slice_equal(word, others[i].word))
            return others[i].means;
    }
    const struct slice found = nearest_word(words, word_count, word);
    for (unsigned i = 0; found.size > 0 && i < word_count; i++) {
        if (slice_equal(found, words[i]))
            return i;
    }
    return (unsigned)word_count;
}

static enum limit_kind meant_kind(struct slice word)
{
    struct slice words[LIMIT_KIND_COUNT];
    for (size_t i = 0; i < LIMIT_KIND_COUNT; i++)
        words[i] = kinds[i].unit;
    return (enum limit_kind)meant_word(word, other_units, COUNT(other_units), words,
                                       LIMIT_KIND_COUNT);
}

static enum limit_window meant_window(struct slice word)
{
    struct slice words[LIMIT_WINDOW_COUNT];
    for (size_t i = 0; i < LIMIT_WINDOW_COUNT; i++)
        words[i] = windows[i].text;
    return (enum limit_window)meant_word(word, other_windows, COUNT(other_windows), words,
                                         LIMIT_WINDOW_COUNT);
}

static char lower(char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* The text without what only separates, in lower case; a dollar sign before the number goes behind
 * it. */
static size_t plain_text(struct slice text, char plain[QUOTE_MAX + 1])
{
    bool has_dollar = text.size > 0 && text.data[0] == '$';
    size_t size = 0;
    for (size_t i = has_dollar ? 1 : 0; i < text.size; i++) {
        const char byte = text.data[i];
        if (has_dollar && byte == '/') {
            plain[size++] = '$';
            has_dollar = false;
        }
        if (byte != ' ' && byte != '_' && byte != ',')
            plain[size++] = lower(byte);
    }
    if (has_dollar)
        plain[size++] = '$';
    return size;
}

/* The kind that the text is near to, and its number; false: none is near. */
static bool guess_kind(struct slice plain, size_t slash, struct limit *guess)
{
    size_t number = digits_at(plain);
    if (number < plain.size && plain.data[number] == '.')
        number += 1 + digits_at(slice_from(plain, number + 1));
    if (slash <= number)
        return false;
    const struct slice unit = slice_of(plain.data + number, slash - number);
    for (size_t i = 0; i < unit.size; i++) {
        if (digits_at(slice_from(unit, i)) > 0) /* as 1e3req: who knows how many */
            return false;
    }
    guess->kind = meant_kind(unit);
    if (guess->kind == LIMIT_KIND_COUNT)
        return false;
    struct slice rest = slice_of(plain.data, number);
    return take_amount(&rest, guess->kind == LIMIT_MONEY, &guess->amount) == STATUS_OK &&
           rest.size == 0 && guess->amount > 0 && guess->amount <= kinds[guess->kind].amount_max;
}

/* Finds the limit that is nearest to the text; false: none is near. Its window may be one that its
 * kind does not have. */
static bool guess_limit(struct slice text, struct limit *guess)
{
    char plain[QUOTE_MAX + 1];
    if (text.size == 0 || text.size > QUOTE_MAX)
        return false;
    const struct slice all = slice_of(plain, plain_text(text, plain));
    const size_t slash = slice_find_byte(all, '/');
    if (!guess_kind(all, slash, guess))
        return false;
    guess->window = kinds[guess->kind].usually;
    if (slash < all.size && guess->kind != LIMIT_PARALLEL) {
        const enum limit_window window = meant_window(slice_from(all, slash + 1));
        if (window != LIMIT_WINDOW_COUNT && window != LIMIT_WINDOW_NONE)
            guess->window = window;
    }
    return true;
}

/* "min, hour or day" */
static void list_windows(unsigned allowed, struct reason *reason)
{
    unsigned left = allowed;
    int size = 0;
    for (unsigned i = 0; left != 0; i++) {
        if ((left & BIT(i)) == 0)
            continue;
        left &= ~BIT(i);
        const char *before = size == 0 ? "" : left == 0 ? " or " : ", ";
        size += snprintf(reason->text + size, sizeof(reason->text) - (size_t)size, "%s%s", before,
                         windows[i].text.data);
    }
}

static void explain(const char *quoted, struct slice text, struct reason *reason)
{
    char suggestion[LIMIT_TEXT_BYTES];
    struct reason choice = {""};
    struct limit guess;
    if (!guess_limit(text, &guess)) {
        reason_set(reason,
                   "\"%s\" is no limit; write as 60req/min, 1000000tok/day, 20parallel or "
                   "10usd/month",
                   quoted);
    } else if ((kinds[guess.kind].windows & BIT(guess.window)) == 0) {
        list_windows(kinds[guess.kind].windows, &choice);
        reason_set(reason, "\"%s\" is no limit; the window of %s is %s", quoted,
                   limit_kind_name(guess.kind), choice.text);
    } else {
        (void)limit_format(&guess, suggestion);
        reason_set(reason, "\"%s\" is no limit; did you mean %s?", quoted, suggestion);
    }
}

static void quote(struct slice text, char quoted[QUOTE_MAX + 4])
{
    const size_t size = text.size < QUOTE_MAX ? text.size : QUOTE_MAX;
    for (size_t i = 0; i < size; i++)
        quoted[i] = isprint((unsigned char)text.data[i]) ? text.data[i] : '?';
    (void)snprintf(quoted + size, 4, "%s", text.size > QUOTE_MAX ? "..." : "");
}

enum status limit_parse(struct slice text, struct limit *limit_out, struct reason *reason)
{
    char quoted[QUOTE_MAX + 4], most_text[LIMIT_TEXT_BYTES];
    struct limit limit;
    const enum status status = read_limit(text, &limit);
    if (status == STATUS_OK) {
        *limit_out = limit;
        return STATUS_OK;
    }
    quote(text, quoted);
    if (status == STATUS_TOO_LARGE) {
        const struct limit most = {kinds[limit.kind].amount_max, limit.kind, limit.window};
        (void)limit_format(&most, most_text);
        reason_set(reason, "\"%s\" is more than a limit may be: at most %s", quoted, most_text);
    } else {
        explain(quoted, text, reason);
    }
    return status;
}

/* --- writing ----------------------------------------------------------------------------------- */

/* Dollars with as many decimals as they need. */
static int format_dollars(uint64_t nanousd, char text_out[LIMIT_TEXT_BYTES])
{
    uint64_t fraction = nanousd % NANOUSD_PER_USD;
    int digits = NANO_DIGITS;
    if (fraction == 0)
        return snprintf(text_out, LIMIT_TEXT_BYTES, "%" PRIu64, nanousd / NANOUSD_PER_USD);
    for (; fraction % 10 == 0; fraction /= 10)
        digits--;
    return snprintf(text_out, LIMIT_TEXT_BYTES, "%" PRIu64 ".%0*" PRIu64, nanousd / NANOUSD_PER_USD,
                    digits, fraction);
}

unsigned limit_format(const struct limit *limit, char text_out[LIMIT_TEXT_BYTES])
{
    ASSERT(limit->kind < LIMIT_KIND_COUNT && limit->window < LIMIT_WINDOW_COUNT);
    const int number = limit->kind == LIMIT_MONEY
                           ? format_dollars(limit->amount, text_out)
                           : snprintf(text_out, LIMIT_TEXT_BYTES, "%" PRIu64, limit->amount);
    const int rest =
        snprintf(text_out + number, LIMIT_TEXT_BYTES - (size_t)number, "%.*s%s%.*s",
                 SLICE_ARGS(kinds[limit->kind].unit), limit->window == LIMIT_WINDOW_NONE ? "" : "/",
                 SLICE_ARGS(windows[limit->window].text));
    return (unsigned)(number + rest);
}

/* --- several ----------------------------------------------------------------------------------- */

enum status limits_add(struct limits *limits, const struct limit *limit, struct reason *reason)
{
    char text[LIMIT_TEXT_BYTES];
    for (size_t i = 0; i < limits->count; i++) {
        const struct limit *item = &limits->items[i];
        if (item->kind == limit->kind && item->window == limit->window) {
            (void)limit_format(item, text);
            reason_set(reason, "there is a limit of this kind and window already: %s", text);
            return STATUS_EXISTS;
        }
    }
    /* Each kind with each of its windows is there once, so there is room. */
    ASSERT(limits->count < LIMITS_MAX);
    limits->items[limits->count++] = *limit;
    return STATUS_OK;
}

enum status limits_parse(struct slice text, struct limits *limits_out, struct reason *reason)
{
    struct limits limits = {.count = 0};
    struct slice rest = text;
    bool is_more = text.size > 0;
    while (is_more) {
        const size_t size = slice_find_byte(rest, ',');
        struct limit limit;
        enum status status = limit_parse(slice_of(rest.data, size), &limit, reason);
        if (status == STATUS_OK)
            status = limits_add(&limits, &limit, reason);
        if (status != STATUS_OK)
            return status;
        is_more = size < rest.size;
        rest = slice_from(rest, is_more ? size + 1 : size);
    }
    *limits_out = limits;
    return STATUS_OK;
}

unsigned limits_format(const struct limits *limits, char text_out[LIMITS_TEXT_BYTES])
{
    unsigned size = 0;
    text_out[0] = '\0';
    for (size_t i = 0; i < limits->count; i++) {
        if (i > 0)
            text_out[size++] = ',';
        size += limit_format(&limits->items[i], text_out + size);
    }
    return size;
}
