#include "base/buffer.h"
#include "cli/usage_report.h"
#include "models/price_decimal.h"
#include "telemetry/escape.h"

#define BYTES_MAX      ((size_t)256 << 20)
#define NANOUSD_DIGITS 9

/* Texts come from configurations, users and, where a rule has a wildcard, from clients. */
static void put_text(struct buffer *out, struct slice text)
{
    struct buffer harmless;
    buffer_init(&harmless, BYTES_MAX);
    escape_plain(&harmless, text);
    const struct slice field = buffer_slice(&harmless);
    buffer_append_byte(out, '"');
    if (field.size > 0 && slice_find_byte(SLICE("=+-@"), field.data[0]) < 4)
        buffer_append_byte(out, '\'');
    for (size_t i = 0; i < field.size; i++) {
        if (field.data[i] == '"')
            buffer_append_byte(out, '"');
        buffer_append_byte(out, field.data[i]);
    }
    buffer_append_byte(out, '"');
    if (buffer_status(&harmless) != STATUS_OK)
        out->failed = buffer_status(&harmless);
    buffer_fini(&harmless);
}

static void put_line(struct buffer *out, struct slice id, struct slice name,
                     const struct usage_line *line)
{
    char cost[PRICE_DECIMAL_TEXT_BYTES];
    const uint64_t cost_nanousd = (uint64_t)line->cost_nanousd;
    const unsigned cost_size = price_decimal_format(cost_nanousd, NANOUSD_DIGITS, cost);
    put_text(out, id);
    buffer_append_byte(out, ',');
    put_text(out, name);
    for (size_t i = 0; i < USAGE_COUNTS; i++) {
        buffer_append_byte(out, ',');
        buffer_append_u64(out, line->counts[i]);
    }
    buffer_append_byte(out, ',');
    buffer_append(out, slice_of(cost, cost_size));
    buffer_append_byte(out, ',');
    buffer_append_u64(out, cost_nanousd);
    buffer_append_byte(out, '\n');
}

static void put_names(struct buffer *out)
{
    buffer_append(out, SLICE("id,name"));
    for (size_t i = 0; i < USAGE_COUNTS; i++) {
        buffer_append_byte(out, ',');
        buffer_append(out, slice_from_text(usage_count_name((enum usage_count)i)));
    }
    buffer_append(out, SLICE(",cost,cost_nanousd\n"));
}

enum status usage_csv_write(const struct usage_report *report, FILE *out)
{
    struct buffer text;
    buffer_init(&text, BYTES_MAX);
    put_names(&text);
    for (size_t i = 0; i < report->count; i++) {
        const struct usage_line *line = &report->lines[i];
        put_line(&text, line->id, line->name, line);
    }
    if (report->rest_items > 0)
        put_line(&text, SLICE(""), SLICE("(the rest)"), &report->rest);
    const enum status status = buffer_status(&text);
    if (status == STATUS_OK)
        fwrite(text.data, 1, text.size, out);
    buffer_fini(&text);
    return status;
}
