#include "telemetry/log_format.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/clock.h"
#include "telemetry/utf8.h"

#define ELLIPSIS SLICE("\xe2\x80\xa6")
#define ARROW    SLICE(" \xe2\x86\x92 ")

/* Columns that the usual request fills; what is longer pushes the rest to the right. */
#define METHOD_COLUMNS   4
#define PATH_COLUMNS     20
#define MODEL_COLUMNS    27
#define DURATION_COLUMNS 6
#define LEVEL_COLUMNS    5

enum colour { COLOUR_NONE, COLOUR_DIM, COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED };

static const char *const colour_codes[] = {
    [COLOUR_NONE] = "\033[0m",    [COLOUR_DIM] = "\033[2m",  [COLOUR_GREEN] = "\033[32m",
    [COLOUR_YELLOW] = "\033[33m", [COLOUR_RED] = "\033[31m",
};

static const enum colour level_colours[] = {
    [LOG_LEVEL_ERROR] = COLOUR_RED,
    [LOG_LEVEL_WARN] = COLOUR_YELLOW,
    [LOG_LEVEL_INFO] = COLOUR_GREEN,
    [LOG_LEVEL_DEBUG] = COLOUR_DIM,
};

static void put(struct buffer *line, const char *text)
{
    buffer_append(line, slice_from_text(text));
}

static void put_colour(struct buffer *line, const struct log_style *style, enum colour colour)
{
    if (style->colour)
        put(line, colour_codes[colour]);
}

/* Spaces until the characters since `from` fill the columns. */
static void pad(struct buffer *line, size_t from, size_t columns)
{
    size_t there = 0;
    for (size_t at = from; at < line->size; at++)
        there += ((unsigned char)line->data[at] & 0xc0U) != 0x80;
    for (; there < columns; there++)
        buffer_append_byte(line, ' ');
}

static void put_digits(struct buffer *line, uint64_t value, unsigned digits)
{
    char text[8];
    ASSERT(digits <= sizeof(text));
    for (unsigned i = digits; i-- > 0; value /= 10)
        text[i] = (char)('0' + value % 10);
    buffer_append(line, slice_of(text, digits));
}

static void put_time(struct buffer *line, uint64_t time_us, const struct log_style *style)
{
    const uint64_t day_s = 86400;
    const uint64_t offset_s = (uint64_t)((int64_t)day_s + style->utc_offset_s);
    const uint64_t of_day_s = (time_us / US_PER_S + offset_s) % day_s;

    put_colour(line, style, COLOUR_DIM);
    put_digits(line, of_day_s / 3600, 2);
    put(line, ":");
    put_digits(line, of_day_s / 60 % 60, 2);
    put(line, ":");
    put_digits(line, of_day_s % 60, 2);
    put(line, ".");
    put_digits(line, time_us / US_PER_MS % MS_PER_S, 3);
    put_colour(line, style, COLOUR_NONE);
    put(line, " ");
}

static void put_text(struct buffer *line, struct log_text text)
{
    if (text.is_cut)
        text.bytes.size = utf8_whole_size(text.bytes);
    escape_plain(line, text.bytes);
    if (text.is_cut)
        buffer_append(line, ELLIPSIS);
}

/* How durations are shown, in six columns up to a quarter of an hour. */
struct duration_step {
    uint64_t below_ns;
    uint64_t unit_ns;
    uint64_t parts; /* of the unit that the decimals show: 1, 10 or 100 */
    int decimals;
    const char *unit;
};

#define NS_PER_S (NS_PER_MS * MS_PER_S)

static const struct duration_step duration_steps[] = {
    {10 * NS_PER_MS, NS_PER_MS, 10, 1, "ms"}, {NS_PER_S, NS_PER_MS, 1, 0, "ms"},
    {10 * NS_PER_S, NS_PER_S, 100, 2, "s"},   {100 * NS_PER_S, NS_PER_S, 10, 1, "s"},
    {UINT64_MAX, NS_PER_S, 1, 0, "s"},
};

static void put_duration(struct buffer *line, uint64_t duration_ns, size_t columns)
{
    const struct duration_step *step = duration_steps;
    while (duration_ns >= step->below_ns && step->below_ns != UINT64_MAX)
        step++;
    const uint64_t parts = duration_ns / (step->unit_ns / step->parts);
    char fraction[8] = "";
    if (step->decimals > 0)
        snprintf(fraction, sizeof(fraction), ".%0*u", step->decimals,
                 (unsigned)(parts % step->parts));
    char text[40];
    const int size =
        snprintf(text, sizeof(text), "%" PRIu64 "%s %s", parts / step->parts, fraction, step->unit);
    for (size_t i = (size_t)size; i < columns; i++)
        buffer_append_byte(line, ' ');
    put(line, text);
}

static enum colour status_colour(unsigned status)
{
    if (status >= 500 || status == 0)
        return COLOUR_RED;
    return status >= 400 ? COLOUR_YELLOW : COLOUR_GREEN;
}

static void put_status(struct buffer *line, unsigned status, const struct log_style *style)
{
    put_colour(line, style, status_colour(status));
    if (status == 0)
        put(line, "---");
    else
        buffer_append_u64(line, status);
    put_colour(line, style, COLOUR_NONE);
    put(line, " ");
}

static void put_padded(struct buffer *line, struct log_text text, size_t columns)
{
    const size_t from = line->size;
    put_text(line, text);
    pad(line, from, columns);
}

/* "gpt-4o-mini → local/smollm2", or the model alone if nobody was called. */
static void put_model(struct buffer *line, const struct log_view *view)
{
    const struct log_text *text = view->text;
    put(line, " ");
    const size_t from = line->size;
    put_text(line, text[ACCESS_TEXT_MODEL]);
    if (text[ACCESS_TEXT_PROVIDER].bytes.size > 0) {
        buffer_append(line, ARROW);
        put_text(line, text[ACCESS_TEXT_PROVIDER]);
        put(line, "/");
        put_text(line, text[ACCESS_TEXT_TARGET_MODEL]);
    }
    pad(line, from, MODEL_COLUMNS);
}

static void put_count(struct buffer *line, const char *name, uint64_t value)
{
    if (value == ACCESS_UNKNOWN)
        return;
    put(line, name);
    buffer_append_u64(line, value);
}

static void put_word(struct buffer *line, const char *name, struct log_text text)
{
    if (text.bytes.size == 0)
        return;
    put(line, name);
    escape_word(line, text.bytes);
    if (text.is_cut)
        buffer_append(line, ELLIPSIS);
}

static void put_figures(struct buffer *line, const struct access_figures *facts)
{
    put(line, " ");
    put_duration(line, facts->duration_ns, DURATION_COLUMNS);
    if (facts->first_byte_ns != ACCESS_UNKNOWN) {
        put(line, " (first ");
        put_duration(line, facts->first_byte_ns, 0);
        put(line, ")");
    }
    put_count(line, " in ", facts->input_tokens);
    put_count(line, " out ", facts->output_tokens);
}

static void put_trouble(struct buffer *line, const struct log_view *view,
                        const struct log_style *style)
{
    const struct access_figures *facts = &view->figures;
    if (facts->attempts > 1)
        put_count(line, " attempts=", facts->attempts);
    if (facts->upstream_replaced)
        put(line, " replaced");
    if (facts->outcome != OUTCOME_COMPLETED) {
        put(line, " ");
        put_colour(line, style, level_colours[view->level]);
        put(line, outcome_name(facts->outcome));
        put_colour(line, style, COLOUR_NONE);
    }
    put_word(line, " code=", view->text[ACCESS_TEXT_ERROR_CODE]);
    if (view->text[ACCESS_TEXT_ERROR_MESSAGE].bytes.size > 0) {
        put(line, ": ");
        put_text(line, view->text[ACCESS_TEXT_ERROR_MESSAGE]);
    }
}

static void put_access(struct buffer *line, const struct log_view *view,
                       const struct log_style *style)
{
    put_status(line, view->figures.status, style);
    put_padded(line, view->text[ACCESS_TEXT_METHOD], METHOD_COLUMNS);
    put(line, " ");
    put_padded(line, view->text[ACCESS_TEXT_PATH], PATH_COLUMNS);
    put_model(line, view);
    put_figures(line, &view->figures);
    put_word(line, " user=", view->text[ACCESS_TEXT_USER_NAME]);
    put_trouble(line, view, style);
}

static void put_message(struct buffer *line, const struct log_view *view,
                        const struct log_style *style)
{
    put_colour(line, style, level_colours[view->level]);
    const size_t from = line->size;
    put(line, log_level_name(view->level));
    pad(line, from, LEVEL_COLUMNS);
    put_colour(line, style, COLOUR_NONE);
    put(line, " ");
    if (view->part.size > 0) {
        escape_plain(line, view->part);
        put(line, ": ");
    }
    put_text(line, view->message);
}

void log_text_append(struct buffer *line, const struct log_view *view,
                     const struct log_style *style)
{
    put_time(line, view->time_us, style);
    if (view->kind == LOG_KIND_ACCESS)
        put_access(line, view, style);
    else
        put_message(line, view, style);
    put(line, "\n");
}
