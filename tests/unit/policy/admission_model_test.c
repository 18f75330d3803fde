/* Budgets against a simple model of them: random holds, extensions and settlements while windows end,
 * the clock is set and the process starts anew. */
#include "policy/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "unit/policy/numbers.h"
#include "unit/policy/zone_files.h"

#define NOW_NS      (1000 * 1000 * NS_PER_MS)
#define START_US    (UINT64_C(1774656000) * US_PER_S) /* 2026-03-28: summer begins in a day */
#define BUDGETS     4
#define AMOUNT      UINT64_C(1000)
#define OPEN_MAX    20
#define WINDOWS_MAX 4096
#define STEPS       100000

static const char budgets_text[] =
    "0.000001usd/hour,0.000015usd/day,0.000300usd/month,0.001500usd/total";
static const enum limit_window units[BUDGETS] = {LIMIT_WINDOW_HOUR, LIMIT_WINDOW_DAY,
                                                 LIMIT_WINDOW_MONTH, LIMIT_WINDOW_TOTAL};
static const uint64_t limits_nanousd[BUDGETS] = {AMOUNT, 15 * AMOUNT, 300 * AMOUNT, 1500 * AMOUNT};

/* --- the model ---------------------------------------------------------------------------------- */

struct cell {
    uint64_t number, spent, held;
    unsigned turn; /* how many windows the budget has entered before this one */
};

struct budget_model {
    struct cell cells[2];
    unsigned turns;
    /* What a ledger would say: by the window of the moment of opening, whatever the cells are. */
    uint64_t ledger_numbers[WINDOWS_MAX], ledger_spent[WINDOWS_MAX];
    size_t ledger_count;
};

struct open_request {
    bool is_open;
    struct admission_grant grant;
    struct admission_take takes[BUDGETS];
    uint64_t held;
    uint64_t numbers[BUDGETS]; /* of the ledger */
    unsigned turns[BUDGETS];
};

struct model {
    struct budget_model budgets[BUDGETS];
    struct open_request open[OPEN_MAX];
    const struct zone *zone;
    uint64_t now_us, seed;
    struct counters *counters;
    struct level *level;
    unsigned admitted, refused, late, restarts;
};

static struct model model;

static uint64_t number_at(unsigned budget, uint64_t time_us)
{
    struct window window;
    window_at(units[budget], model.zone, time_us, &window);
    return window.number;
}

/* The cell that counts for the number; NULL: none has it yet, nor a later window. */
static struct cell *peek(struct budget_model *budget, uint64_t number)
{
    struct cell *one = &budget->cells[0], *other = &budget->cells[1];
    if (one->number == number || other->number == number)
        return one->number == number ? one : other;
    struct cell *older = one->number <= other->number ? one : other;
    return number < older->number ? older : NULL;
}

static struct cell *enter(struct budget_model *budget, uint64_t number)
{
    struct cell *found = peek(budget, number);
    if (found == NULL) {
        found = budget->cells[0].number <= budget->cells[1].number ? &budget->cells[0]
                                                                   : &budget->cells[1];
        *found = (struct cell){.number = number, .turn = ++budget->turns};
    }
    return found;
}

static struct cell *cell_of(const struct open_request *request, unsigned budget)
{
    for (unsigned i = 0; i < 2; i++) {
        if (model.budgets[budget].cells[i].turn == request->turns[budget])
            return &model.budgets[budget].cells[i];
    }
    return NULL;
}

static void note_in_ledger(struct budget_model *budget, uint64_t number, uint64_t spent)
{
    size_t i = 0;
    while (i < budget->ledger_count && budget->ledger_numbers[i] != number)
        i++;
    if (i == budget->ledger_count) {
        assert_in_range(i, 0, WINDOWS_MAX - 1);
        budget->ledger_numbers[budget->ledger_count++] = number;
    }
    budget->ledger_spent[i] += spent;
}

static uint64_t ledger_says(const struct budget_model *budget, uint64_t number)
{
    for (size_t i = 0; i < budget->ledger_count; i++) {
        if (budget->ledger_numbers[i] == number)
            return budget->ledger_spent[i];
    }
    return 0;
}

static bool model_fits(uint64_t cost)
{
    for (unsigned i = 0; i < BUDGETS; i++) {
        const struct cell *cell = peek(&model.budgets[i], number_at(i, model.now_us));
        const uint64_t committed = cell == NULL ? 0 : cell->spent + cell->held;
        if (cost > 0 && committed + cost > limits_nanousd[i])
            return false;
    }
    return true;
}

/* --- operations --------------------------------------------------------------------------------- */

static struct admission_levels levels_now(void)
{
    return (struct admission_levels){.of = {model.level}, .zones = {model.zone}};
}

static void open_one(void)
{
    struct open_request *request = &model.open[number_below(&model.seed, OPEN_MAX)];
    const struct admission_levels levels = levels_now();
    const struct admission_demand demand = {NOW_NS, model.now_us, 1,
                                            number_below(&model.seed, AMOUNT / 4)};
    struct admission_refusal refusal;
    if (request->is_open)
        return;
    request->grant.takes = request->takes;
    const bool fits = model_fits(demand.cost_nanousd);
    const enum admission_verdict verdict =
        admission_take(&levels, &demand, &request->grant, &refusal);
    assert_int_equal(verdict, fits ? ADMISSION_ADMITTED : ADMISSION_BUDGET);
    model.admitted += fits;
    model.refused += !fits;
    if (!fits)
        return;
    request->is_open = true;
    request->held = demand.cost_nanousd;
    for (unsigned i = 0; i < BUDGETS; i++) {
        request->numbers[i] = number_at(i, model.now_us);
        struct cell *cell = enter(&model.budgets[i], request->numbers[i]);
        cell->held += demand.cost_nanousd;
        request->turns[i] = cell->turn;
    }
}

static void extend_one(void)
{
    struct open_request *request = &model.open[number_below(&model.seed, OPEN_MAX)];
    const uint64_t cost = number_below(&model.seed, AMOUNT / 10);
    bool fits = true;
    if (!request->is_open)
        return;
    for (unsigned i = 0; i < BUDGETS; i++) {
        const struct cell *cell = cell_of(request, i);
        fits &= cost == 0 || cell == NULL || cell->spent + cell->held + cost <= limits_nanousd[i];
    }
    assert_int_equal(admission_extend(&request->grant, cost), fits);
    if (!fits)
        return;
    request->held += cost;
    for (unsigned i = 0; i < BUDGETS; i++) {
        struct cell *cell = cell_of(request, i);
        if (cell != NULL)
            cell->held += cost;
    }
}

static void settle_request(struct open_request *request)
{
    const uint64_t spent = number_below(&model.seed, request->held + 1);
    const struct admission_actual actual = {NOW_NS, 1, spent, false};
    admission_settle(&request->grant, &actual, NULL);
    request->is_open = false;
    for (unsigned i = 0; i < BUDGETS; i++) {
        struct cell *cell = cell_of(request, i);
        note_in_ledger(&model.budgets[i], request->numbers[i], spent);
        model.late += cell == NULL;
        if (cell == NULL)
            continue;
        cell->held -= request->held;
        cell->spent += spent;
    }
}

static void settle_one(void)
{
    struct open_request *request = &model.open[number_below(&model.seed, OPEN_MAX)];
    if (request->is_open)
        settle_request(request);
}

static void move_clock(void)
{
    static const uint64_t steps_s[] = {30, 30, 30, 3600, 3600, 86400};
    const uint64_t step_us = steps_s[number_below(&model.seed, 6)] * US_PER_S;
    if (number_below(&model.seed, 100) > 3)
        model.now_us += number_below(&model.seed, 900 * US_PER_S);
    else if (number_below(&model.seed, 2) == 0)
        model.now_us += step_us;
    else
        model.now_us -= step_us;
}

static void begin(void)
{
    struct limits limits;
    assert_int_equal(limits_parse(slice_from_text(budgets_text), &limits, NULL), STATUS_OK);
    assert_int_equal(counters_create(&model.counters, NULL), STATUS_OK);
    assert_int_equal(level_create(model.counters, &limits, false, NULL, &model.level), STATUS_OK);
}

static void end(void)
{
    level_unref(&model.level);
    assert_int_equal(counters_used(model.counters), 0);
    counters_destroy(&model.counters);
}

/* All requests end, or die with the process; then what the ledger says holds. */
static void restart(void)
{
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (model.open[i].is_open)
            settle_request(&model.open[i]);
    }
    end();
    begin();
    model.restarts++;
    for (unsigned i = 0; i < BUDGETS; i++) {
        struct budget_model *budget = &model.budgets[i];
        struct window now, before;
        window_at(units[i], model.zone, model.now_us, &now);
        budget->cells[0] = budget->cells[1] = (struct cell){0};
        if (window_before(units[i], model.zone, &now, &before)) {
            const uint64_t spent = ledger_says(budget, before.number);
            level_seed(model.level, i, &before, spent);
            enter(budget, before.number)->spent = spent;
        }
        const uint64_t spent = ledger_says(budget, now.number);
        level_seed(model.level, i, &now, spent);
        enter(budget, now.number)->spent = spent;
    }
}

/* A level that follows another has the same counters. */
static void replace_level(void)
{
    struct limits limits;
    struct level *former = model.level;
    assert_int_equal(limits_parse(slice_from_text(budgets_text), &limits, NULL), STATUS_OK);
    assert_int_equal(level_create(model.counters, &limits, false, former, &model.level), STATUS_OK);
    level_unref(&former);
}

static void assert_as_the_model(uint64_t time_us)
{
    for (unsigned i = 0; i < BUDGETS; i++) {
        const struct cell *cell = peek(&model.budgets[i], number_at(i, time_us));
        struct level_state state;
        level_state(model.level, i, model.zone, NOW_NS, time_us, &state);
        assert_int_equal(state.used, cell == NULL ? 0 : cell->spent);
        assert_int_equal(state.held, cell == NULL ? 0 : cell->held);
        /* Spent before a restart in windows that the clock had mixed up may be more. */
        if (model.restarts == 0)
            assert_in_range(state.used + state.held, 0, limits_nanousd[i]);
    }
}

static void step(bool may_restart)
{
    const uint64_t choice = number_below(&model.seed, 1000);
    if (choice < 400)
        open_one();
    else if (choice < 500)
        extend_one();
    else if (choice < 850)
        settle_one();
    else if (choice < 990)
        move_clock();
    else if (choice < 998 || !may_restart)
        replace_level();
    else
        restart();
    assert_as_the_model(model.now_us);
    assert_as_the_model(model.now_us - 3600 * US_PER_S);
}

static void run(const char *zone, uint64_t seed, bool may_restart)
{
    memset(&model, 0, sizeof(model));
    model.zone = zone_of(zone);
    model.now_us = START_US;
    model.seed = seed;
    begin();
    for (unsigned i = 0; i < STEPS; i++)
        step(may_restart);
    for (size_t i = 0; i < OPEN_MAX; i++) {
        if (model.open[i].is_open)
            settle_request(&model.open[i]);
    }
    for (unsigned i = 0; i < BUDGETS; i++) {
        for (unsigned j = 0; j < 2; j++)
            assert_int_equal(model.budgets[i].cells[j].held, 0);
    }
    assert_as_the_model(model.now_us);
    assert_true(model.admitted > 1000 && model.refused > 100 && model.late > 10);
    assert_int_equal(model.restarts > 0, may_restart);
    end();
}

static void budgets_do_what_a_simple_model_does(void **state)
{
    (void)state;
    run("Europe/Berlin", 1, false);
    run("America/New_York", 2, false);
    run("Australia/Lord_Howe", 3, false);
}

static void after_a_restart_what_the_ledger_says_holds(void **state)
{
    (void)state;
    run("Europe/Berlin", 4, true);
    run("UTC", 5, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budgets_do_what_a_simple_model_does),
        cmocka_unit_test(after_a_restart_what_the_ledger_says_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
