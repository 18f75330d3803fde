#include "admin/limit_state.h"

#include <stdio.h>

#include "admin/member_writer.h"
#include "base/clock.h"
#include "models/price_decimal.h"

#define NANOUSD_DIGITS 9
#define NAME_BYTES     32
#define YEAR_10000_US  (UINT64_C(253402300800) * US_PER_S)

/* `name` in dollars, and `name`_nanousd. */
static void write_money(struct json_writer *writer, struct slice name, uint64_t nanousd)
{
    char text[PRICE_DECIMAL_TEXT_BYTES], exact[NAME_BYTES];
    const unsigned size = price_decimal_format(nanousd, NANOUSD_DIGITS, text);
    const int exact_size = snprintf(exact, sizeof(exact), "%.*s_nanousd", SLICE_ARGS(name));
    member_write_text(writer, name, slice_of(text, size));
    member_write_number(writer, slice_of(exact, (size_t)exact_size), nanousd);
}

static void write_figures(struct json_writer *writer, const struct limit *limit,
                          const struct level_state *state)
{
    if (limit->kind == LIMIT_MONEY) {
        write_money(writer, SLICE("spent"), state->used);
        write_money(writer, SLICE("held"), state->held);
        write_money(writer, SLICE("remaining"), state->remaining);
        return;
    }
    member_write_number(writer, SLICE("used"), state->used);
    member_write_number(writer, SLICE("remaining"), state->remaining);
}

/* 0: never. */
static uint64_t moment_of(uint64_t wait_us, uint64_t now_us)
{
    return wait_us < YEAR_10000_US - now_us ? now_us + wait_us : 0;
}

static void write_one(struct json_writer *writer, const struct limit_owner *owner,
                      const struct level *level, size_t index, const struct limit_moment *moment)
{
    const struct limit *limit = level_limit(level, index);
    const bool is_budget = limit->kind == LIMIT_MONEY;
    char text[LIMIT_TEXT_BYTES];
    struct level_state state;
    level_state(level, index, owner->zone, moment->now_ns, moment->now_us, &state);
    json_write_object(writer);
    member_write_text(writer, SLICE("level"), slice_from_text(level_kind_name(owner->kind)));
    if (owner->id != NULL)
        member_write_id(writer, SLICE("id"), owner->id);
    else
        member_write_text(writer, SLICE("id"), (struct slice){0});
    member_write_filled(writer, SLICE("name"), owner->name);
    member_write_text(writer, is_budget ? SLICE("budget") : SLICE("limit"),
                      slice_of(text, limit_format(limit, text)));
    if (is_budget)
        member_write_bool(writer, SLICE("warn_only"), level_is_warn_only(level));
    write_figures(writer, limit, &state);
    member_write_time(writer, SLICE("reset_at"), moment_of(state.reset_us, moment->now_us));
    json_write_end(writer);
}

void limit_state_write(struct json_writer *writer, const struct limit_owner *owner,
                       const struct level *level, const struct limit_moment *moment,
                       bool are_budgets)
{
    for (size_t i = 0; i < level_count(level); i++) {
        if ((level_limit(level, i)->kind == LIMIT_MONEY) == are_budgets)
            write_one(writer, owner, level, i, moment);
    }
}
