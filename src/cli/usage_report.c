#include "cli/usage_report.h"

#include "json/value.h"
#include "json/walk.h"

static enum status read_lines(struct json_value items, struct arena *arena,
                              struct usage_report *report)
{
    struct json_walk walk;
    struct json_member item;
    size_t count = 0;
    if (items.type != JSON_TYPE_ARRAY)
        return STATUS_INVALID;
    report->items = items.raw;
    json_walk_init(&walk, items, NULL);
    while (json_walk_next(&walk, &item))
        count++;
    if (count == 0)
        return STATUS_OK;
    report->lines = arena_zeroed(arena, count * sizeof(struct usage_line));
    enum status status = report->lines != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    json_walk_init(&walk, items, NULL);
    while (status == STATUS_OK && json_walk_next(&walk, &item))
        status = usage_line_read(item.value, arena, &report->lines[report->count++]);
    return status;
}

static enum status read_rest(struct json_value rest, struct arena *arena,
                             struct usage_report *report)
{
    struct json_value items;
    if (json_is_null(rest))
        return STATUS_OK;
    report->rest_text = rest.raw;
    const enum status status = usage_line_read(rest, arena, &report->rest);
    if (status != STATUS_OK)
        return status;
    if (!json_find(rest, SLICE("items"), NULL, &items))
        return STATUS_INVALID;
    return json_u64(items, &report->rest_items);
}

static enum status read_text(struct json_value value, struct arena *arena, struct slice *text_out)
{
    return json_is_null(value) ? STATUS_OK : json_string(value, arena, text_out);
}

static enum status read_member(const struct json_member *member, struct arena *arena,
                               struct usage_report *report, unsigned *seen)
{
    if (json_key_equal(member->key, SLICE("by")))
        return read_text(member->value, arena, &report->by);
    if (json_key_equal(member->key, SLICE("since")))
        return read_text(member->value, arena, &report->since);
    if (json_key_equal(member->key, SLICE("until")))
        return read_text(member->value, arena, &report->until);
    if (json_key_equal(member->key, SLICE("rest")))
        return read_rest(member->value, arena, report);
    if (json_key_equal(member->key, SLICE("items"))) {
        *seen |= 1;
        return read_lines(member->value, arena, report);
    }
    if (json_key_equal(member->key, SLICE("total"))) {
        *seen |= 2;
        return usage_line_read(member->value, arena, &report->total);
    }
    return STATUS_OK;
}

enum status usage_report_read(const struct json_object *answer, struct arena *arena,
                              struct usage_report *report_out)
{
    unsigned seen = 0;
    enum status status = STATUS_OK;
    *report_out = (struct usage_report){0};
    for (size_t i = 0; i < answer->count && status == STATUS_OK; i++)
        status = read_member(&answer->members[i], arena, report_out, &seen);
    if (status == STATUS_NO_MEMORY)
        return status;
    return status == STATUS_OK && seen == 3 ? STATUS_OK : STATUS_INVALID;
}

void usage_json_write(const struct usage_report *report, FILE *out)
{
    if (report->rest_text.size == 0) {
        fprintf(out, "%.*s\n", SLICE_ARGS(report->items));
        return;
    }
    const struct slice open = slice_of(report->items.data, report->items.size - 1);
    fprintf(out, "%.*s%s%.*s]\n", SLICE_ARGS(open), report->count > 0 ? "," : "",
            SLICE_ARGS(report->rest_text));
}
