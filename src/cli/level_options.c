#include "cli/level_options.h"

#include <stdio.h>
#include <string.h>

#include "json/value.h"
#include "json/walk.h"

/* --- Reading -------------------------------------------------------------------------------------- */

static bool is_none(const char *text)
{
    return strcmp(text, "none") == 0;
}

static bool read_limit(const char *text, bool is_money, struct limits *given, struct reason *reason)
{
    struct limit limit;
    if (limit_parse(slice_from_text(text), &limit, reason) != STATUS_OK)
        return false;
    if ((limit.kind == LIMIT_MONEY) == is_money)
        return limits_add(given, &limit, reason) == STATUS_OK;
    reason_set(reason,
               is_money ? "%.64s is a limit: give it as --limit %.64s"
                        : "%.64s is a budget: give it as --budget %.64s",
               text, text);
    return false;
}

/* `none` takes back what stands before it, too. */
static bool read_limits(const struct option_texts *texts, bool is_money, bool *clears_out,
                        struct limits *given, struct reason *reason)
{
    struct limits own = {.count = 0};
    bool is_right = true;
    for (int i = 0; i < texts->count && is_right; i++) {
        if (is_none(texts->items[i])) {
            *clears_out = true;
            own.count = 0;
        } else {
            is_right = read_limit(texts->items[i], is_money, &own, reason);
        }
    }
    for (size_t i = 0; i < own.count && is_right; i++)
        is_right = limits_add(given, &own.items[i], reason) == STATUS_OK;
    return is_right;
}

/* An option that is one limit of its own. */
struct short_limit {
    const char *option; /* its name */
    const char *text;   /* NULL: not given */
    enum limit_kind kind;
    enum limit_window window;
};

static bool read_short(const struct short_limit *shorter, struct level_edit *edit,
                       struct reason *reason)
{
    struct limit limit = {.amount = 1, .kind = shorter->kind, .window = shorter->window};
    struct limit checked;
    char text[LIMIT_TEXT_BYTES];
    if (shorter->text == NULL)
        return true;
    if (is_none(shorter->text))
        return limits_add(&edit->dropped, &limit, reason) == STATUS_OK;
    if (slice_to_u64(slice_from_text(shorter->text), &limit.amount) != STATUS_OK ||
        limit.amount == 0) {
        reason_set(reason, "--%s takes a number, as --%s 60, or none", shorter->option,
                   shorter->option);
        return false;
    }
    const unsigned size = limit_format(&limit, text);
    return limit_parse(slice_of(text, size), &checked, reason) == STATUS_OK &&
           limits_add(&edit->given, &checked, reason) == STATUS_OK;
}

bool level_options_read(const struct verb_options *options, struct level_edit *edit_out,
                        struct reason *reason)
{
    const struct short_limit shorts[] = {
        {"max-parallel", options->max_parallel, LIMIT_PARALLEL, LIMIT_WINDOW_NONE},
        {"rpm", options->rpm, LIMIT_REQUESTS, LIMIT_WINDOW_MINUTE},
        {"tpm", options->tpm, LIMIT_TOKENS, LIMIT_WINDOW_MINUTE},
    };
    *edit_out = (struct level_edit){.options = options};
    if (options->warn_only && options->no_warn_only) {
        reason_set(reason, "--warn-only and --no-warn-only are opposites");
        return false;
    }
    bool is_right =
        read_limits(&options->limits, false, &edit_out->clears_limits, &edit_out->given, reason) &&
        read_limits(&options->budgets, true, &edit_out->clears_budgets, &edit_out->given, reason);
    for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]) && is_right; i++)
        is_right = read_short(&shorts[i], edit_out, reason);
    return is_right;
}

static bool changes_limits(const struct verb_options *options)
{
    return options->limits.count > 0 || options->max_parallel != NULL || options->rpm != NULL ||
           options->tpm != NULL;
}

bool level_options_change_limits(const struct verb_options *options)
{
    return changes_limits(options) || options->budgets.count > 0;
}

bool level_options_are_given(const struct verb_options *options)
{
    return level_options_change_limits(options) || options->models != NULL ||
           options->routes != NULL || options->networks != NULL || options->tags != NULL ||
           options->warn_only || options->no_warn_only;
}

/* --- Writing -------------------------------------------------------------------------------------- */

void option_write(struct json_writer *writer, struct slice name, const char *text)
{
    if (text == NULL)
        return;
    json_write_key(writer, name);
    if (is_none(text))
        json_write_null(writer);
    else
        json_write_string(writer, slice_from_text(text));
}

static void write_list(struct json_writer *writer, struct slice name, const char *list)
{
    if (list == NULL)
        return;
    json_write_key(writer, name);
    if (is_none(list)) {
        json_write_null(writer);
        return;
    }
    json_write_array(writer);
    struct slice rest = slice_from_text(list);
    while (rest.size > 0) {
        const size_t end = slice_find_byte(rest, ',');
        json_write_string(writer, slice_trim(slice_of(rest.data, end)));
        rest = slice_from(rest, end < rest.size ? end + 1 : end);
    }
    json_write_end(writer);
}

static void put(struct limits *limits, const struct limit *limit)
{
    for (size_t i = 0; i < limits->count; i++) {
        if (limits->items[i].kind == limit->kind && limits->items[i].window == limit->window) {
            limits->items[i] = *limit;
            return;
        }
    }
    const enum status status = limits_add(limits, limit, NULL);
    (void)status; /* there is none of this kind and window */
}

static bool is_dropped(const struct limits *dropped, const struct limit *limit)
{
    for (size_t i = 0; i < dropped->count; i++) {
        if (dropped->items[i].kind == limit->kind && dropped->items[i].window == limit->window)
            return true;
    }
    return false;
}

/* Adds the texts of one member of the object, but for those that are dropped. */
static enum status take_present(const struct json_object *present, struct slice name,
                                const struct limits *dropped, struct arena *arena,
                                struct limits *limits)
{
    struct json_walk walk;
    struct json_member item;
    const struct json_member *found = NULL;
    for (size_t i = 0; present != NULL && i < present->count; i++) {
        if (json_key_equal(present->members[i].key, name))
            found = &present->members[i];
    }
    if (found == NULL || found->value.type != JSON_TYPE_ARRAY)
        return STATUS_OK;
    json_walk_init(&walk, found->value, NULL);
    while (json_walk_next(&walk, &item)) {
        struct slice text;
        struct limit limit;
        enum status status = json_string(item.value, arena, &text);
        if (status == STATUS_OK)
            status = limit_parse(text, &limit, NULL);
        if (status == STATUS_OK && !is_dropped(dropped, &limit))
            status = limits_add(limits, &limit, NULL);
        if (status != STATUS_OK)
            return STATUS_INVALID;
    }
    return STATUS_OK;
}

/* One of the two members, as it will be. */
static enum status write_limits(const struct level_edit *edit, bool is_money,
                                const struct json_object *present, struct arena *arena,
                                struct json_writer *writer)
{
    const struct slice name = is_money ? SLICE("budgets") : SLICE("limits");
    const bool clears = is_money ? edit->clears_budgets : edit->clears_limits;
    struct limits limits = {.count = 0};
    const enum status status =
        clears ? STATUS_OK : take_present(present, name, &edit->dropped, arena, &limits);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < edit->given.count; i++) {
        if ((edit->given.items[i].kind == LIMIT_MONEY) == is_money)
            put(&limits, &edit->given.items[i]);
    }
    json_write_key(writer, name);
    json_write_array(writer);
    for (size_t i = 0; i < limits.count; i++) {
        char text[LIMIT_TEXT_BYTES];
        json_write_string(writer, slice_of(text, limit_format(&limits.items[i], text)));
    }
    json_write_end(writer);
    return STATUS_OK;
}

enum status level_options_write(const struct level_edit *edit, const struct json_object *present,
                                struct arena *arena, struct json_writer *writer)
{
    const struct verb_options *options = edit->options;
    enum status status = STATUS_OK;
    write_list(writer, SLICE("models"), options->models);
    write_list(writer, SLICE("routes"), options->routes);
    write_list(writer, SLICE("networks"), options->networks);
    write_list(writer, SLICE("tags"), options->tags);
    if (options->warn_only || options->no_warn_only) {
        json_write_key(writer, SLICE("warn_only"));
        json_write_bool(writer, options->warn_only);
    }
    if (changes_limits(options))
        status = write_limits(edit, false, present, arena, writer);
    if (status == STATUS_OK && options->budgets.count > 0)
        status = write_limits(edit, true, present, arena, writer);
    return status;
}
