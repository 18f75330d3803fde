#include "admin/level_members.h"

#include <string.h>

#include "admin/level_items.h"
#include "admin/member_writer.h"
#include "identity/rules.h"
#include "policy/limit.h"

enum { MODELS, ROUTES, NETWORKS, TAGS, LIMITS, BUDGETS, WARN_ONLY };

static const char *const names[LEVEL_MEMBERS] = {
    [MODELS] = "models", [ROUTES] = "routes",   [NETWORKS] = "networks",   [TAGS] = "tags",
    [LIMITS] = "limits", [BUDGETS] = "budgets", [WARN_ONLY] = "warn_only",
};

/* The members that are lists of items. */
static const struct list {
    level_item_reader *read;
    bool may_be_empty; /* which is as null; else it would say "nothing at all" */
    const char *form;
} lists[] = {
    [MODELS] = {level_item_model, false, "models is an array of names, or null for all models"},
    [ROUTES] = {level_item_route, false, "routes is an array of paths, or null for all routes"},
    [NETWORKS] = {level_item_network, false,
                  "networks is an array of texts such as \"10.0.0.0/8\", or null for all networks"},
    [TAGS] = {level_item_tag, true, "tags is an array of words, or null for none"},
};

#define LIST_COUNT (sizeof(lists) / sizeof(lists[0]))

void level_members_init(struct body_member members_out[LEVEL_MEMBERS])
{
    for (size_t i = 0; i < LEVEL_MEMBERS; i++)
        members_out[i] = (struct body_member){names[i], NULL};
}

bool level_members_are_given(const struct body_member members[LEVEL_MEMBERS])
{
    for (size_t i = 0; i < LEVEL_MEMBERS; i++) {
        if (members[i].value != NULL)
            return true;
    }
    return false;
}

/* --- Lists ---------------------------------------------------------------------------------------- */

static struct slice text_of(yyjson_val *value)
{
    return slice_of(yyjson_get_str(value), yyjson_get_len(value));
}

/* Appends the items to `joined`, which holds IDENTITY_LIST_SIZE_MAX bytes. */
static enum status join(const struct body_member *member, const struct list *list, char *joined,
                        size_t *size_out, struct reason *reason)
{
    char text[LEVEL_ITEM_BYTES_MAX];
    size_t size = 0, item_size = 0;
    yyjson_arr_iter iterator = yyjson_arr_iter_with(member->value);
    yyjson_val *value;
    while ((value = yyjson_arr_iter_next(&iterator)) != NULL) {
        if (!yyjson_is_str(value)) {
            reason_set(reason, "%s", list->form);
            return STATUS_INVALID;
        }
        const enum status status = list->read(text_of(value), text, &item_size, reason);
        if (status != STATUS_OK)
            return status;
        if (item_size + 1 > IDENTITY_LIST_SIZE_MAX - size) {
            reason_set(reason, "the %s have at most %d bytes together", member->name,
                       IDENTITY_LIST_SIZE_MAX);
            return STATUS_INVALID;
        }
        if (size > 0)
            joined[size++] = ',';
        memcpy(joined + size, text, item_size);
        size += item_size;
    }
    *size_out = size;
    return STATUS_OK;
}

static enum status read_list(const struct body_member *member, const struct list *list,
                             struct arena *arena, struct slice *list_out, struct reason *reason)
{
    *list_out = slice_of(NULL, 0);
    if (yyjson_is_null(member->value))
        return STATUS_OK;
    const size_t count = yyjson_arr_size(member->value);
    if (!yyjson_is_arr(member->value) || (count == 0 && !list->may_be_empty)) {
        reason_set(reason, "%s", list->form);
        return STATUS_INVALID;
    }
    char *joined = count > 0 ? arena_alloc(arena, IDENTITY_LIST_SIZE_MAX) : NULL;
    if (count > 0 && joined == NULL) {
        reason_set(reason, "out of memory");
        return STATUS_NO_MEMORY;
    }
    size_t size = 0;
    const enum status status = join(member, list, joined, &size, reason);
    if (status == STATUS_OK && count > 0)
        *list_out = slice_of(joined, size);
    return status;
}

/* --- Limits --------------------------------------------------------------------------------------- */

static bool is_budget(const struct limit *limit)
{
    return limit->kind == LIMIT_MONEY;
}

static enum status read_limit(struct slice text, bool is_money, struct limits *limits,
                              struct reason *reason)
{
    struct limit limit;
    enum status status = limit_parse(text, &limit, reason);
    if (status == STATUS_OK && is_budget(&limit) != is_money) {
        reason_set(reason,
                   is_money ? "'%.*s' is a limit, not a budget; one is such as 10usd/month"
                            : "'%.*s' is a budget, not a limit; one is such as 60req/min",
                   (int)text.size, text.data);
        return STATUS_INVALID;
    }
    if (status == STATUS_OK)
        status = limits_add(limits, &limit, reason);
    return status;
}

/* Those of the other sort stay. */
static void keep_others(struct limits *limits, bool is_money)
{
    const struct limits before = *limits;
    limits->count = 0;
    for (size_t i = 0; i < before.count; i++) {
        if (is_budget(&before.items[i]) != is_money)
            limits->items[limits->count++] = before.items[i];
    }
}

static enum status refuse_limits(const struct body_member *member, bool is_money,
                                 struct reason *reason)
{
    reason_set(reason, "%s is an array of texts such as \"%s\", or null for none", member->name,
               is_money ? "10usd/month" : "60req/min");
    return STATUS_INVALID;
}

static enum status read_limits(const struct body_member *member, bool is_money,
                               struct limits *limits, struct reason *reason)
{
    if (member->value == NULL)
        return STATUS_OK;
    keep_others(limits, is_money);
    if (yyjson_is_null(member->value))
        return STATUS_OK;
    if (!yyjson_is_arr(member->value))
        return refuse_limits(member, is_money, reason);
    yyjson_arr_iter iterator = yyjson_arr_iter_with(member->value);
    yyjson_val *value;
    while ((value = yyjson_arr_iter_next(&iterator)) != NULL) {
        if (!yyjson_is_str(value))
            return refuse_limits(member, is_money, reason);
        if (read_limit(text_of(value), is_money, limits, reason) != STATUS_OK)
            return STATUS_INVALID;
    }
    return STATUS_OK;
}

static enum status read_all_limits(const struct body_member members[LEVEL_MEMBERS],
                                   struct arena *arena, struct store_rules *rules,
                                   struct reason *reason)
{
    struct limits limits;
    char text[LIMITS_TEXT_BYTES];
    if (members[LIMITS].value == NULL && members[BUDGETS].value == NULL)
        return STATUS_OK;
    enum status status = limits_parse(rules->limits, &limits, reason);
    if (status == STATUS_OK)
        status = read_limits(&members[LIMITS], false, &limits, reason);
    if (status == STATUS_OK)
        status = read_limits(&members[BUDGETS], true, &limits, reason);
    if (status != STATUS_OK)
        return status;
    rules->limits = slice_of(NULL, 0);
    if (limits.count == 0)
        return STATUS_OK;
    rules->limits = arena_copy(arena, slice_of(text, limits_format(&limits, text)));
    if (rules->limits.data != NULL)
        return STATUS_OK;
    reason_set(reason, "out of memory");
    return STATUS_NO_MEMORY;
}

/* --- All ------------------------------------------------------------------------------------------ */

static struct slice *list_of(struct store_rules *rules, size_t member)
{
    struct slice *const places[] = {&rules->models, &rules->routes, &rules->networks, &rules->tags};
    return places[member];
}

static struct slice list_in(const struct store_rules *rules, size_t member)
{
    struct store_rules copy = *rules;
    return *list_of(&copy, member);
}

enum status level_members_read(const struct body_member members[LEVEL_MEMBERS], struct arena *arena,
                               struct store_rules *rules, struct reason *reason)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < LIST_COUNT && status == STATUS_OK; i++) {
        if (members[i].value != NULL)
            status = read_list(&members[i], &lists[i], arena, list_of(rules, i), reason);
    }
    if (status == STATUS_OK)
        status = read_all_limits(members, arena, rules, reason);
    if (status != STATUS_OK || members[WARN_ONLY].value == NULL)
        return status;
    if (!yyjson_is_bool(members[WARN_ONLY].value)) {
        reason_set(reason, "warn_only is true or false");
        return STATUS_INVALID;
    }
    rules->warn_only = yyjson_get_bool(members[WARN_ONLY].value);
    return STATUS_OK;
}

/* The next of a list's items; data is NULL at its end. */
static struct slice next_item(struct slice *rest)
{
    if (rest->size == 0)
        return slice_of(NULL, 0);
    const size_t end = slice_find_byte(*rest, ',');
    const struct slice item = slice_of(rest->data, end);
    *rest = slice_from(*rest, end < rest->size ? end + 1 : end);
    return item;
}

static void write_list(struct json_writer *writer, size_t member, struct slice list)
{
    struct slice item;
    json_write_key(writer, slice_from_text(names[member]));
    if (list.size == 0) {
        json_write_null(writer);
        return;
    }
    json_write_array(writer);
    while ((item = next_item(&list)).data != NULL)
        json_write_string(writer, item);
    json_write_end(writer);
}

/* A text that is no limit, which only a database that was changed by hand has, is shown among the
 * limits. */
static void write_limits(struct json_writer *writer, size_t member, struct slice list)
{
    struct slice item;
    json_write_key(writer, slice_from_text(names[member]));
    json_write_array(writer);
    while ((item = next_item(&list)).data != NULL) {
        struct limit limit;
        const bool is_money = limit_parse(item, &limit, NULL) == STATUS_OK && is_budget(&limit);
        if (is_money == (member == BUDGETS))
            json_write_string(writer, item);
    }
    json_write_end(writer);
}

void level_members_write(struct json_writer *writer, const struct store_rules *rules)
{
    for (size_t i = 0; i < LIST_COUNT; i++)
        write_list(writer, i, list_in(rules, i));
    write_limits(writer, LIMITS, rules->limits);
    write_limits(writer, BUDGETS, rules->limits);
    member_write_bool(writer, slice_from_text(names[WARN_ONLY]), rules->warn_only);
}

void level_members_write_changes(struct json_writer *writer, const struct store_rules *before,
                                 const struct store_rules *after)
{
    for (size_t i = 0; i < LIST_COUNT; i++) {
        if (!slice_equal(list_in(before, i), list_in(after, i)))
            write_list(writer, i, list_in(after, i));
    }
    if (!slice_equal(before->limits, after->limits)) {
        write_limits(writer, LIMITS, after->limits);
        write_limits(writer, BUDGETS, after->limits);
    }
    if (before->warn_only != after->warn_only)
        member_write_bool(writer, slice_from_text(names[WARN_ONLY]), after->warn_only);
}
