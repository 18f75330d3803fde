#include "admin/limit_operations.h"

#include "admin/limit_state.h"
#include "admin/list_page.h"
#include "admin/lookup.h"
#include "admin/member_writer.h"
#include "admin/operations.h"
#include "base/clock.h"

#define LOOKED_AT_MAX 20000 /* teams, users or keys of one page */
/* A page that has come to this ends early, so that the item at hand and the end still fit. */
#define BYTES_MAX (ADMIN_ANSWER_BYTES_MAX / 2)

struct listing {
    struct operation *operation;
    struct json_writer writer;
    bool is_of_budgets;
    enum level_kind kind;
    struct store_page page; /* of the store */
    uint32_t limit;         /* things with limits on the page */
    uint32_t count;
    uint32_t looked_at;
    struct id last; /* looked at */
    bool has_more;
    struct limit_moment moment;
};

/* All limits of one thing stand on one page: the cursor is its id. */
static enum status take_owner(struct listing *listing, const struct limit_owner *owner)
{
    const bool is_full = listing->count == listing->limit || listing->looked_at == LOOKED_AT_MAX ||
                         listing->operation->answer->size > BYTES_MAX;
    if (is_full) {
        listing->has_more = true;
        return STATUS_AGAIN;
    }
    listing->looked_at++;
    listing->last = *owner->id;
    if (!limit_state_has(owner, listing->is_of_budgets))
        return STATUS_OK;
    listing->count++;
    limit_state_write(&listing->writer, owner, &listing->moment, listing->is_of_budgets);
    return buffer_status(listing->operation->answer);
}

/* --- Who has them -------------------------------------------------------------------------------- */

static enum status visit_team(void *context, const struct store_team *stored)
{
    struct listing *listing = context;
    const struct identity_team *team =
        identity_map_find_team(listing->operation->context->map, &stored->id);
    const struct limit_owner owner = {
        .kind = LEVEL_TEAM,
        .id = &stored->id,
        .name = stored->name,
        .level = identity_rules_level(identity_team_rules(team)),
        .zone = identity_team_zone(team),
    };
    return take_owner(listing, &owner);
}

static enum status visit_user(void *context, const struct store_user *stored)
{
    struct listing *listing = context;
    const struct identity_user *user =
        identity_map_find_user(listing->operation->context->map, &stored->id);
    struct limit_owner owner = {.kind = LEVEL_USER, .id = &stored->id, .name = stored->name};
    if (user != NULL) {
        owner.level = identity_rules_level(identity_user_rules(user));
        owner.zone = identity_team_zone(identity_user_team(user));
    }
    return take_owner(listing, &owner);
}

static enum status visit_key(void *context, const struct store_key *stored)
{
    struct listing *listing = context;
    const struct identity_key *key =
        identity_map_find_key(listing->operation->context->map, stored->hash);
    struct limit_owner owner = {.kind = LEVEL_KEY, .id = &stored->id, .name = stored->name};
    if (key != NULL) {
        owner.level = identity_rules_level(key->rules);
        owner.zone = identity_team_zone(identity_key_team(key));
    }
    return take_owner(listing, &owner);
}

/* What the configuration limits stands on one page. */
static void write_configured(struct listing *listing)
{
    const struct snapshot *snapshot = listing->operation->context->snapshot;
    const struct config *config = snapshot->config;
    struct limit_owner owner = {.kind = listing->kind, .level = snapshot->levels.gateway};
    if (listing->kind == LEVEL_GATEWAY)
        limit_state_write(&listing->writer, &owner, &listing->moment, listing->is_of_budgets);
    for (size_t i = 0; listing->kind == LEVEL_MODEL && i < config->rules.count; i++) {
        owner.name = config->rules.items[i].name;
        owner.level = snapshot->levels.rules[i];
        limit_state_write(&listing->writer, &owner, &listing->moment, listing->is_of_budgets);
    }
    for (size_t i = 0; listing->kind == LEVEL_PROVIDER && i < config->provider_count; i++) {
        owner.name = config->providers[i].name;
        owner.level = snapshot->levels.providers[i];
        limit_state_write(&listing->writer, &owner, &listing->moment, listing->is_of_budgets);
    }
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
    if (listing->kind > LEVEL_TEAM) {
        write_configured(listing);
        return STATUS_OK;
    }
    if (listing->kind == LEVEL_USER)
        return store_users_list(store, own, page, visit_user, listing, reason);
    if (listing->kind == LEVEL_TEAM)
        return own != NULL ? visit_own_team(listing, own, reason)
                           : store_teams_list(store, page, visit_team, listing, reason);
    return own != NULL ? store_keys_list_of_team(store, own, page, visit_key, listing, reason)
                       : store_keys_list(store, NULL, page, visit_key, listing, reason);
}

/* --- Lists --------------------------------------------------------------------------------------- */

static bool find_kind(struct slice name, enum level_kind *kind_out)
{
    for (int kind = 0; kind < LEVEL_KIND_COUNT; kind++) {
        *kind_out = (enum level_kind)kind;
        if (slice_equal(name, slice_from_text(level_kind_name(*kind_out))))
            return true;
    }
    return false;
}

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
    if (!find_kind(target_parameter(&operation->target, SLICE("level")), &listing->kind))
        return operation_problem(operation, 400,
                                 "level is key, user, team, model, provider or gateway");
    if (listing->kind > LEVEL_TEAM && lookup_own_team(operation) != NULL)
        return operation_problem(operation, 403, "a team_admin sees key, user and team");
    if (after.data != NULL && id_parse(after, &listing->page.after) != STATUS_OK)
        return operation_problem(operation, 400, "after is an id, as `next` of the page before");
    listing->page.limit = LOOKED_AT_MAX + 1;
    if (operation->context->map == NULL ||
        (listing->kind > LEVEL_TEAM && operation->context->snapshot == NULL))
        return operation_problem(operation, 503, "no server runs that counts");
    return 0;
}

static unsigned list(struct operation *operation, bool is_of_budgets)
{
    struct listing listing = {
        .operation = operation,
        .is_of_budgets = is_of_budgets,
        .moment = {clock_monotonic_ns(), operation->now_us},
    };
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
