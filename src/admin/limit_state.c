#include "admin/limit_state.h"

#include "admin/member_writer.h"
#include "admin/usage_line.h"
#include "base/clock.h"

#define YEAR_10000_US (UINT64_C(253402300800) * US_PER_S)

static void write_figures(struct json_writer *writer, const struct limit *limit,
                          const struct level_state *state)
{
    if (limit->kind == LIMIT_MONEY) {
        usage_write_money(writer, "amount", (int64_t)limit->amount);
        usage_write_money(writer, "spent", (int64_t)state->used);
        usage_write_money(writer, "held", (int64_t)state->held);
        usage_write_money(writer, "remaining", (int64_t)state->remaining);
        return;
    }
    member_write_number(writer, SLICE("amount"), limit->amount);
    member_write_number(writer, SLICE("used"), state->used);
    member_write_number(writer, SLICE("remaining"), state->remaining);
}

/* 0: never. */
static uint64_t moment_of(uint64_t wait_us, uint64_t now_us)
{
    return wait_us < YEAR_10000_US - now_us ? now_us + wait_us : 0;
}

static void write_one(struct json_writer *writer, const struct limit_owner *owner, size_t index,
                      const struct limit_moment *moment)
{
    const struct limit *limit = level_limit(owner->level, index);
    char text[LIMIT_TEXT_BYTES];
    struct level_state state;
    level_state(owner->level, index, owner->zone, moment->now_ns, moment->now_us, &state);
    json_write_object(writer);
    member_write_text(writer, SLICE("level"), slice_from_text(level_kind_name(owner->kind)));
    if (owner->id != NULL)
        member_write_id(writer, SLICE("id"), owner->id);
    else
        member_write_text(writer, SLICE("id"), (struct slice){0});
    member_write_filled(writer, SLICE("name"), owner->name);
    member_write_text(writer, SLICE("limit"), slice_of(text, limit_format(limit, text)));
    member_write_text(writer, SLICE("kind"), slice_from_text(limit_kind_name(limit->kind)));
    member_write_text(writer, SLICE("window"), slice_from_text(limit_window_name(limit->window)));
    write_figures(writer, limit, &state);
    member_write_time(writer, SLICE("reset_at"), moment_of(state.reset_us, moment->now_us));
    member_write_bool(writer, SLICE("warn_only"), level_is_warn_only(owner->level));
    json_write_end(writer);
}

static bool is_wanted(const struct limit_owner *owner, size_t index, bool are_budgets)
{
    return (level_limit(owner->level, index)->kind == LIMIT_MONEY) == are_budgets;
}

bool limit_state_has(const struct limit_owner *owner, bool are_budgets)
{
    for (size_t i = 0; i < level_count(owner->level); i++) {
        if (is_wanted(owner, i, are_budgets))
            return true;
    }
    return false;
}

void limit_state_write(struct json_writer *writer, const struct limit_owner *owner,
                       const struct limit_moment *moment, bool are_budgets)
{
    for (size_t i = 0; i < level_count(owner->level); i++) {
        if (is_wanted(owner, i, are_budgets))
            write_one(writer, owner, i, moment);
    }
}
