#include <string.h>

#include "cli/bar.h"
#include "cli/number_text.h"
#include "cli/table.h"
#include "cli/usage_report.h"

#define GAP_CHARS     2
#define BAR_CHARS_MIN 8
#define BAR_COLOUR    "36" /* cyan */

/* A column of numbers. Some are shown only where they say something. */
struct column {
    const char *title;
    enum usage_count which;
    bool is_rare;
};

static const struct column columns[] = {
    {"REQUESTS", USAGE_REQUESTS, false},  {"REFUSED", USAGE_REFUSED, true},
    {"ESTIMATED", USAGE_ESTIMATED, true}, {"UNPRICED", USAGE_UNPRICED, true},
    {"INPUT", USAGE_INPUT, false},        {"CACHED", USAGE_CACHED, true},
    {"OUTPUT", USAGE_OUTPUT, false},
};

#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))
_Static_assert(COLUMN_COUNT + 3 <= TABLE_COLUMNS_MAX, "name, cost and chart stand beside them");

struct drawing {
    const struct usage_report *report;
    const struct usage_looks *looks;
    struct table table;
    const char *titles[TABLE_COLUMNS_MAX];
    unsigned digits; /* of money, after the point */
    bool has_bars;
    unsigned bar_chars;
    uint64_t whole; /* what the longest bar stands for */
};

/* --- What is shown -------------------------------------------------------------------------------- */

static bool has_column(const struct drawing *drawing, const struct column *column)
{
    return !column->is_rare || drawing->report->total.counts[column->which] > 0;
}

static uint64_t tokens_of(const struct usage_line *line)
{
    return line->counts[USAGE_INPUT] + line->counts[USAGE_OUTPUT];
}

/* Money, or tokens where nothing costs any. */
static uint64_t weight_of(const struct drawing *drawing, const struct usage_line *line)
{
    return drawing->report->total.cost_nanousd > 0 ? (uint64_t)line->cost_nanousd : tokens_of(line);
}

static const char *title_of(struct slice by)
{
    static const char *const titles[][2] = {
        {"key", "KEY"},           {"user", "USER"}, {"team", "TEAM"}, {"model", "MODEL"},
        {"provider", "PROVIDER"}, {"day", "DAY"},   {"hour", "HOUR"}};
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (slice_equal(by, slice_from_text(titles[i][0])))
            return titles[i][1];
    }
    return "";
}

static void choose_columns(struct drawing *drawing)
{
    size_t count = 0;
    drawing->titles[count++] = title_of(drawing->report->by);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (has_column(drawing, &columns[i]))
            drawing->titles[count++] = columns[i].title;
    }
    drawing->titles[count++] = "COST";
    if (drawing->has_bars)
        drawing->titles[count++] = "";
    table_init(&drawing->table, drawing->titles, count);
    for (size_t i = 1; i < count; i++)
        drawing->table.is_right[i] = !drawing->has_bars || i + 1 < count;
    if (drawing->has_bars)
        drawing->table.colours[count - 1] = BAR_COLOUR;
}

/* --- Rows ---------------------------------------------------------------------------------------- */

/* "2026-11-24T13:00:00Z" is an hour, which people read as "2026-11-24 13:00". */
static struct slice name_of(const struct usage_report *report, const struct usage_line *line,
                            char text[32])
{
    if (line->name.size > 0)
        return line->name;
    if (!slice_equal(report->by, SLICE("hour")) || line->id.size < 16 || line->id.size >= 32)
        return report->by.size == 0 ? SLICE("all") : line->id;
    memcpy(text, line->id.data, 16);
    text[10] = ' ';
    return slice_of(text, 16);
}

static enum status add_row(struct drawing *drawing, struct slice name,
                           const struct usage_line *line, struct slice bar)
{
    char texts[TABLE_COLUMNS_MAX][NUMBER_TEXT_BYTES];
    struct slice cells[TABLE_COLUMNS_MAX];
    size_t count = 0;
    cells[count++] = name;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (has_column(drawing, &columns[i])) {
            cells[count] = number_text(line->counts[columns[i].which], texts[count]);
            count++;
        }
    }
    cells[count] = money_text(line->cost_nanousd, drawing->digits, texts[count]);
    count++;
    if (drawing->has_bars)
        cells[count++] = bar;
    return table_add(&drawing->table, cells);
}

static enum status add_rows(struct drawing *drawing)
{
    const struct usage_report *report = drawing->report;
    const struct slice no_bar = SLICE(" ");
    char bar[BAR_BYTES], hour[32], rest[64];
    enum status status = STATUS_OK;
    for (size_t i = 0; i < report->count && status == STATUS_OK; i++) {
        const struct usage_line *line = &report->lines[i];
        const struct slice drawn = drawing->has_bars && drawing->bar_chars > 0
                                       ? bar_draw(weight_of(drawing, line), drawing->whole,
                                                  drawing->bar_chars, drawing->looks->is_utf8, bar)
                                       : no_bar;
        status =
            add_row(drawing, name_of(report, line, hour), line, drawn.size > 0 ? drawn : no_bar);
    }
    if (status == STATUS_OK && report->rest_items > 0) {
        snprintf(rest, sizeof(rest), "(%llu more)", (unsigned long long)report->rest_items);
        status = add_row(drawing, slice_from_text(rest), &report->rest, no_bar);
    }
    if (status == STATUS_OK && report->by.size > 0)
        status = add_row(drawing, SLICE("total"), &report->total, no_bar);
    return status;
}

/* --- The chart ------------------------------------------------------------------------------------ */

static void measure(struct drawing *drawing)
{
    const struct usage_report *report = drawing->report;
    drawing->digits = money_digits(report->total.cost_nanousd);
    for (size_t i = 0; i < report->count; i++) {
        const uint64_t weight = weight_of(drawing, &report->lines[i]);
        if (weight > drawing->whole)
            drawing->whole = weight;
    }
    drawing->has_bars = report->by.size > 0 && drawing->whole > 0;
}

/* With empty bars the table says how wide it is; bars take what is left of the line, if it is
 * enough. */
static void fit_bars(struct drawing *drawing)
{
    size_t used = 0;
    for (size_t i = 0; i + 1 < drawing->table.column_count; i++)
        used += drawing->table.widths[i] + GAP_CHARS;
    const size_t left = drawing->looks->columns > used ? drawing->looks->columns - used : 0;
    drawing->bar_chars = (unsigned)(left > BAR_CHARS_MAX ? BAR_CHARS_MAX : left);
    drawing->has_bars = drawing->bar_chars >= BAR_CHARS_MIN;
}

enum status usage_table_write(const struct usage_report *report, const struct usage_looks *looks,
                              FILE *out)
{
    struct drawing drawing = {.report = report, .looks = looks};
    measure(&drawing);
    choose_columns(&drawing);
    enum status status = add_rows(&drawing);
    if (status == STATUS_OK && drawing.has_bars) {
        fit_bars(&drawing);
        table_fini(&drawing.table);
        choose_columns(&drawing);
        status = add_rows(&drawing);
    }
    drawing.table.has_total = report->by.size > 0;
    if (status == STATUS_OK)
        table_write(&drawing.table, looks->has_looks, out);
    table_fini(&drawing.table);
    return status;
}
