#include "admin/limit_operations.h"

#include "admin/list_page.h"
#include "admin/lookup.h"
#include "admin/member_writer.h"
#include "admin/operations.h"
#include "admin/usage_line.h"
#include "base/clock.h"
#include "policy/level.h"

#define LOOKED_AT_MAX 20000 /* teams, users or keys of one page */
/* A page that has come to this ends early, so that the item at hand and the end still fit. */
#define BYTES_MAX (ADMIN_ANSWER_BYTES_MAX / 2)

struct listing {
    struct operation *operation;
    struct json_writer writer;
    bool is_of_budgets;
    struct slice kind;      /* "team", "user" or "key" */
    struct store_page page; /* of the store */
    uint32_t limit;         /* things with limits on the page */
    uint32_t count;
    uint32_t looked_at;
    struct id last; /* looked at */
    bool has_more;
    uint64_t now_ns;
};

/* Something that may have limits. */
struct holder {
    const struct id *id;
    struct slice name;
    const struct level *level; /* NULL: it has none */
    const struct zone *zone;
};

/* --- Items --------------------------------------------------------------------------------------- */

static void write_money_state(struct json_writer *writer, const struct limit *limit,
                              const struct level_state *state)
{
    usage_write_money(writer, "amount", (int64_t)limit->amount);
    usage_write_money(writer, "spent", (int64_t)state->used);
    usage_write_money(writer, "held", (int64_t)state->held);
    usage_write_money(writer, "remaining", (int64_t)state->remaining);
}

static void write_count_state(struct json_writer *writer, const struct limit *limit,
                              const struct level_state *state)
{
    member_write_number(writer, SLICE("amount"), limit->amount);
    member_write_number(writer, SLICE("used"), state->used);
    member_write_number(writer, SLICE("remaining"), state->remaining);
}

static uint64_t reset_time(const struct listing *listing, const struct level_state *state)
{
    return state->reset_us != UINT64_MAX ? listing->operation->now_us + state->reset_us : 0;
}

static void write_item(struct listing *listing, const struct holder *holder, size_t index)
{
    struct json_writer *writer = &listing->writer;
    const struct limit *limit = level_limit(holder->level, index);
    struct level_state state;
    char text[LIMIT_TEXT_BYTES];
    const unsigned size = limit_format(limit, text);
    level_state(holder->level, index, holder->zone, listing->now_ns, listing->operation->now_us,
                &state);
    json_write_object(writer);
    member_write_text(writer, SLICE("level"), listing->kind);
    member_write_id(writer, SLICE("id"), holder->id);
    member_write_filled(writer, SLICE("name"), holder->name);
    member_write_text(writer, SLICE("limit"), slice_of(text, size));
    member_write_text(writer, SLICE("kind"), slice_from_text(limit_kind_name(limit->kind)));
    member_write_text(writer, SLICE("window"), slice_from_text(limit_window_name(limit->window)));
    if (listing->is_of_budgets)
        write_money_state(writer, limit, &state);
    else
        write_count_state(writer, limit, &state);
    member_write_time(writer, SLICE("reset_at"), reset_time(listing, &state));
    member_write_bool(writer, SLICE("warn_only"), level_is_warn_only(holder->level));
    json_write_end(writer);
}

static bool is_listed(const struct listing *listing, const struct holder *holder, size_t index)
{
    return (level_limit(holder->level, index)->kind == LIMIT_MONEY) == listing->is_of_budgets;
}

static bool has_any(const struct listing *listing, const struct holder *holder)
{
    for (size_t i = 0; i < level_count(holder->level); i++) {
        if (is_listed(listing, holder, i))
            return true;
    }
    return false;
}

/* All limits of one thing stand on one page: the cursor is its id. */
static enum status take_holder(struct listing *listing, const struct holder *holder)
{
    const bool is_full = listing->count == listing->limit || listing->looked_at == LOOKED_AT_MAX ||
                         listing->operation->answer->size > BYTES_MAX;
    if (is_full) {
        listing->has_more = true;
        return STATUS_AGAIN;
    }
    listing->looked_at++;
    listing->last = *holder->id;
    if (!has_any(listing, holder))
        return STATUS_OK;
    listing->count++;
    for (size_t i = 0; i < level_count(holder->level); i++) {
        if (is_listed(listing, holder, i))
            write_item(listing, holder, i);
    }
    return buffer_status(listing->operation->answer);
}

/* --- Who has them -------------------------------------------------------------------------------- */

static enum status visit_team(void *context, const struct store_team *stored)
{
    struct listing *listing = context;
    const struct identity_team *team =
        identity_map_find_team(listing->operation->context->map, &stored->id);
    const struct holder holder = {
        .id = &stored->id,
        .name = stored->name,
        .level = identity_rules_level(identity_team_rules(team)),
        .zone = identity_team_zone(team),
    };
    return take_holder(listing, &holder);
}

static enum status visit_user(void *context, const struct store_user *stored)
{
    struct listing *listing = context;
    const struct identity_user *user =
        identity_map_find_user(listing->operation->context->map, &stored->id);
    struct holder holder = {.id = &stored->id, .name = stored->name};
    if (user != NULL) {
        holder.level = identity_rules_level(identity_user_rules(user));
        holder.zone = identity_team_zone(identity_user_team(user));
    }
    return take_holder(listing, &holder);
}

static enum status visit_key(void *context, const struct store_key *stored)
{
    struct listing *listing = context;
    const struct identity_key *key =
        identity_map_find_key(listing->operation->context->map, stored->hash);
    struct holder holder = {.id = &stored->id, .name = stored->name};
    if (key != NULL) {
        holder.level = identity_rules_level(key->rules);
        holder.zone = identity_team_zone(identity_key_team(key));
    }
    return take_holder(listing, &holder);
}

/* A team_admin sees the limits of its own team as well. */
static enum status visit_own_team(struct listing *listing, const struct id *team_id,
                                  struct reason *reason)
{
    struct store_team team;
    char id[ID_TEXT_SIZE];
    id_format(team_id, id);
    const enum status status =
        lookup_team(listing->operation, slice_of(id, sizeof(id)), &team, reason);
    return status == STATUS_OK ? visit_team(listing, &team) : status;
}

static enum status visit_all(struct listing *listing, struct reason *reason)
{
    struct operation *operation = listing->operation;
    struct store *store = operation->context->store;
    const struct store_page *page = &listing->page;
    const struct id *own = lookup_own_team(operation);
    if (slice_equal(listing->kind, SLICE("user")))
        return store_users_list(store, own, page, visit_user, listing, reason);
    if (slice_equal(listing->kind, SLICE("team")))
        return own != NULL ? visit_own_team(listing, own, reason)
                           : store_teams_list(store, page, visit_team, listing, reason);
    return own != NULL ? store_keys_list_of_team(store, own, page, visit_key, listing, reason)
                       : store_keys_list(store, NULL, page, visit_key, listing, reason);
}

/* --- Lists --------------------------------------------------------------------------------------- */

/* Returns 0 or the problem's status. */
static unsigned read_query(struct listing *listing)
{
    static const struct slice parameters[] = {{"level", 5}, {"limit", 5}, {"after", 5}};
    struct operation *operation = listing->operation;
    const struct slice after = target_parameter(&operation->target, SLICE("after"));
    unsigned failed = operation_check_parameters(operation, parameters, 3);
    if (failed == 0)
        failed = list_page_read_limit(operation, &listing->limit);
    if (failed != 0)
        return failed;
    listing->kind = target_parameter(&operation->target, SLICE("level"));
    if (!slice_equal(listing->kind, SLICE("team")) && !slice_equal(listing->kind, SLICE("user")) &&
        !slice_equal(listing->kind, SLICE("key")))
        return operation_problem(operation, 400, "level is team, user or key");
    if (after.data != NULL && id_parse(after, &listing->page.after) != STATUS_OK)
        return operation_problem(operation, 400, "after is an id, as `next` of the page before");
    listing->page.limit = LOOKED_AT_MAX + 1;
    if (operation->context->map == NULL)
        return operation_problem(operation, 503, "no server runs that counts");
    return 0;
}

static unsigned list(struct operation *operation, bool is_of_budgets)
{
    struct listing listing = {
        .operation = operation, .is_of_budgets = is_of_budgets, .now_ns = clock_monotonic_ns()};
    struct json_writer *writer = &listing.writer;
    struct reason reason = {""};
    const unsigned failed = read_query(&listing);
    if (failed != 0)
        return failed;
    json_writer_init(writer, operation->answer);
    json_write_object(writer);
    json_write_key(writer, SLICE("items"));
    json_write_array(writer);
    const enum status status = visit_all(&listing, &reason);
    if (status != STATUS_OK && status != STATUS_AGAIN)
        return operation_failed(operation, status, &reason);
    json_write_end(writer);
    if (listing.has_more)
        member_write_id(writer, SLICE("next"), &listing.last);
    else
        member_write_text(writer, SLICE("next"), slice_of(NULL, 0));
    json_write_end(writer);
    return 200;
}

unsigned limits_list(struct operation *operation)
{
    return list(operation, false);
}

unsigned budgets_list(struct operation *operation)
{
    return list(operation, true);
}
