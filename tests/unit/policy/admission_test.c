#include "policy/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "base/clock.h"
#include "unit/policy/numbers.h"

#define NS_PER_S (1000 * NS_PER_MS)
#define NOW_NS   (1000 * NS_PER_S)
#define NOW_US   (UINT64_C(1795521600) * US_PER_S) /* noon in UTC */
#define USD      UINT64_C(1000000000)

static struct counters *counters;

static int set_up(void **state)
{
    (void)state;
    return counters_create(&counters, NULL) == STATUS_OK ? 0 : -1;
}

/* Whatever a test did, no record and no reference is lost. */
static int tear_down(void **state)
{
    (void)state;
    if (counters_used(counters) > 0)
        return -1;
    counters_destroy(&counters);
    return 0;
}

/* A request's levels, and what it took. */
struct fixture {
    struct admission_levels levels;
    struct admission_take takes[ADMISSION_TAKES_MAX];
    struct admission_grant grant;
    struct admission_refusal refusal;
};

static void set_level(struct fixture *fixture, enum level_kind kind, const char *text,
                      bool is_warn_only)
{
    struct limits limits;
    assert_int_equal(limits_parse(slice_from_text(text), &limits, NULL), STATUS_OK);
    assert_int_equal(level_create(counters, &limits, is_warn_only, NULL, &fixture->levels.of[kind]),
                     STATUS_OK);
}

/* One text for each level: "60req/min|…". */
static struct fixture *fixture_of(const char *key, const char *user, const char *team)
{
    static struct fixture fixture;
    memset(&fixture, 0, sizeof(fixture));
    set_level(&fixture, LEVEL_KEY, key, false);
    set_level(&fixture, LEVEL_USER, user, false);
    set_level(&fixture, LEVEL_TEAM, team, false);
    fixture.grant.takes = fixture.takes;
    return &fixture;
}

static void let_go(struct fixture *fixture)
{
    for (unsigned i = 0; i < LEVEL_KIND_COUNT; i++)
        level_unref(&fixture->levels.of[i]);
}

static struct admission_demand demand_of(uint64_t tokens, uint64_t cost_nanousd)
{
    return (struct admission_demand){NOW_NS, NOW_US, tokens, cost_nanousd};
}

static enum admission_verdict take(struct fixture *fixture, uint64_t tokens, uint64_t cost_nanousd)
{
    const struct admission_demand demand = demand_of(tokens, cost_nanousd);
    return admission_take(&fixture->levels, &demand, &fixture->grant, &fixture->refusal);
}

static enum admission_verdict check(struct fixture *fixture, uint64_t tokens, uint64_t cost_nanousd)
{
    const struct admission_demand demand = demand_of(tokens, cost_nanousd);
    return admission_check(&fixture->levels, &demand, &fixture->refusal);
}

static void settle(struct fixture *fixture, uint64_t tokens, uint64_t cost_nanousd)
{
    const struct admission_actual actual = {NOW_NS, tokens, cost_nanousd, false};
    admission_settle(&fixture->grant, &actual, NULL);
}

static struct level_state state_of(const struct fixture *fixture, enum level_kind kind,
                                   size_t index)
{
    struct level_state state;
    level_state(fixture->levels.of[kind], index, NULL, NOW_NS, NOW_US, &state);
    return state;
}

static void a_request_takes_of_all_limits_of_all_levels(void **state)
{
    (void)state;
    struct fixture *fixture =
        fixture_of("10req/min,1000tok/min", "2parallel,5usd/day", "3usd/month");
    assert_int_equal(admission_limit_count(&fixture->levels), 5);
    assert_int_equal(take(fixture, 300, 2 * USD), ADMISSION_ADMITTED);
    assert_int_equal(fixture->grant.count, 5);
    assert_int_equal(fixture->grant.now_us, NOW_US);
    assert_int_equal(state_of(fixture, LEVEL_KEY, 0).used, 1);
    assert_int_equal(state_of(fixture, LEVEL_KEY, 1).used, 300);
    assert_int_equal(state_of(fixture, LEVEL_USER, 0).used, 1);
    assert_int_equal(state_of(fixture, LEVEL_USER, 1).held, 2 * USD);
    assert_int_equal(state_of(fixture, LEVEL_TEAM, 0).held, 2 * USD);
    settle(fixture, 450, USD);
    assert_int_equal(state_of(fixture, LEVEL_KEY, 0).used, 1);
    assert_int_equal(state_of(fixture, LEVEL_KEY, 1).used, 450);
    assert_int_equal(state_of(fixture, LEVEL_USER, 0).used, 0);
    assert_int_equal(state_of(fixture, LEVEL_USER, 1).used, USD);
    assert_int_equal(state_of(fixture, LEVEL_TEAM, 0).used, USD);
    assert_int_equal(state_of(fixture, LEVEL_TEAM, 0).held, 0);
    let_go(fixture);
}

static void without_limits_everything_is_admitted(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("", "", "");
    assert_int_equal(take(fixture, UINT64_MAX, UINT64_MAX), ADMISSION_ADMITTED);
    assert_int_equal(fixture->grant.count, 0);
    assert_true(admission_extend(&fixture->grant, UINT64_MAX));
    settle(fixture, 0, 0);
    assert_true(admission_affordable(&fixture->levels, NOW_US) == UINT64_MAX);
    let_go(fixture);
}

static void a_refusal_takes_nothing_and_names_the_limit(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("10req/min", "1parallel", "3usd/month");
    struct fixture other = *fixture;
    other.grant.takes = other.takes;
    assert_int_equal(take(&other, 0, USD), ADMISSION_ADMITTED);
    assert_int_equal(take(fixture, 0, USD), ADMISSION_PARALLEL);
    assert_int_equal(fixture->refusal.level, LEVEL_USER);
    assert_int_equal(fixture->refusal.limit.kind, LIMIT_PARALLEL);
    assert_int_equal(fixture->grant.count, 0);
    settle(&other, 0, USD);
    assert_int_equal(take(fixture, 0, 2 * USD + 1), ADMISSION_BUDGET);
    assert_int_equal(fixture->refusal.level, LEVEL_TEAM);
    assert_int_equal(fixture->refusal.available, 2 * USD);
    assert_int_equal(fixture->refusal.retry_after_ns, (6 * 86400 + 43200) * NS_PER_S);
    assert_int_equal(state_of(fixture, LEVEL_KEY, 0).used, 1);
    assert_int_equal(state_of(fixture, LEVEL_USER, 0).used, 0);
    assert_int_equal(state_of(fixture, LEVEL_TEAM, 0).held, 0);
    let_go(fixture);
}

static void what_can_never_fit_is_said_before_all_else(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("1req/min", "1000tok/min", "3usd/month");
    assert_int_equal(take(fixture, 0, 0), ADMISSION_ADMITTED);
    settle(fixture, 0, 0);
    assert_int_equal(check(fixture, 1000, 3 * USD), ADMISSION_RATE);
    assert_int_equal(check(fixture, 1001, USD), ADMISSION_TOO_LARGE);
    assert_int_equal(fixture->refusal.level, LEVEL_USER);
    assert_int_equal(check(fixture, 1, 3 * USD + 1), ADMISSION_TOO_LARGE);
    assert_int_equal(fixture->refusal.level, LEVEL_TEAM);
    assert_int_equal(check(fixture, 1001, 3 * USD + 1), ADMISSION_TOO_LARGE);
    assert_int_equal(fixture->refusal.level, LEVEL_USER);
    let_go(fixture);
}

static void of_several_refusals_the_one_that_lasts_is_told(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("1req/min", "1parallel,2usd/day", "3usd/month");
    assert_int_equal(take(fixture, 0, 2 * USD), ADMISSION_ADMITTED);
    assert_int_equal(check(fixture, 0, 0), ADMISSION_RATE);
    assert_int_equal(check(fixture, 0, USD), ADMISSION_BUDGET);
    assert_int_equal(fixture->refusal.limit.window, LIMIT_WINDOW_DAY);
    assert_int_equal(check(fixture, 0, 2 * USD), ADMISSION_BUDGET);
    assert_int_equal(fixture->refusal.limit.window, LIMIT_WINDOW_MONTH);
    settle(fixture, 0, 2 * USD);
    set_level(fixture, LEVEL_MODEL, "1parallel", false);
    let_go(fixture);
    fixture = fixture_of("1parallel", "", "");
    assert_int_equal(take(fixture, 0, 0), ADMISSION_ADMITTED);
    assert_int_equal(check(fixture, 0, 0), ADMISSION_PARALLEL);
    assert_true(fixture->refusal.retry_after_ns == UINT64_MAX);
    settle(fixture, 0, 0);
    let_go(fixture);
}

/* The grant is of before: it has nothing of the user's budget, and of the team's another window. */
static void a_request_counts_in_budgets_that_came_while_it_ran(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("9usd/day", "5req/min", "9usd/month");
    const struct window window = {1, 0, UINT64_MAX};
    assert_int_equal(take(fixture, 0, USD), ADMISSION_ADMITTED);
    struct admission_levels levels = fixture->levels;
    set_level(fixture, LEVEL_USER, "5usd/total,7req/min", false);
    const struct admission_levels now = fixture->levels;
    level_seed(now.of[LEVEL_USER], 0, &window, 7);
    level_forget_spending(now.of[LEVEL_TEAM], 0);
    struct window month;
    window_at(LIMIT_WINDOW_MONTH, zone_utc(), NOW_US, &month);
    level_seed(now.of[LEVEL_TEAM], 0, &month, 5);
    admission_settle_late(&now, &fixture->grant, 100);
    settle(fixture, 0, 100);
    assert_int_equal(state_of(fixture, LEVEL_KEY, 0).used, 100);
    assert_int_equal(state_of(fixture, LEVEL_USER, 0).used, 107);
    assert_int_equal(state_of(fixture, LEVEL_TEAM, 0).used, 105);
    assert_int_equal(state_of(fixture, LEVEL_TEAM, 0).held, 0);
    level_unref(&levels.of[LEVEL_USER]);
    let_go(fixture);
}

static void a_total_budget_that_is_spent_never_comes_back(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("1usd/total", "", "");
    assert_int_equal(take(fixture, 0, USD), ADMISSION_ADMITTED);
    settle(fixture, 0, USD);
    assert_int_equal(take(fixture, 0, 1), ADMISSION_BUDGET);
    assert_true(fixture->refusal.retry_after_ns == UINT64_MAX);
    assert_int_equal(fixture->refusal.available, 0);
    assert_int_equal(take(fixture, 0, 0), ADMISSION_ADMITTED);
    settle(fixture, 0, 0);
    let_go(fixture);
}

static void the_longest_wait_of_all_rates_is_told_and_suffices(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("1req/min", "6req/hour", "100tok/min");
    assert_int_equal(take(fixture, 100, 0), ADMISSION_ADMITTED);
    settle(fixture, 400, 0);
    assert_int_equal(check(fixture, 50, 0), ADMISSION_RATE);
    assert_int_equal(fixture->refusal.level, LEVEL_KEY);
    const uint64_t wait_ns = fixture->refusal.retry_after_ns;
    assert_int_equal(wait_ns, 210 * NS_PER_S);
    struct admission_demand demand = demand_of(50, 0);
    demand.now_ns += wait_ns - 1;
    assert_int_equal(admission_check(&fixture->levels, &demand, &fixture->refusal), ADMISSION_RATE);
    demand.now_ns++;
    assert_int_equal(admission_take(&fixture->levels, &demand, &fixture->grant, &fixture->refusal),
                     ADMISSION_ADMITTED);
    settle(fixture, 50, 0);
    let_go(fixture);
}

static void what_was_never_called_is_given_back_whole(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("10req/min,1000tok/min,1parallel,5usd/day", "", "");
    const struct admission_actual nothing = {.now_ns = NOW_NS, .is_void = true};
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(take(fixture, 1000, 5 * USD), ADMISSION_ADMITTED);
        admission_settle(&fixture->grant, &nothing, NULL);
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(state_of(fixture, LEVEL_KEY, i).used, 0);
    let_go(fixture);
}

static void a_budget_that_only_warns_holds_nothing_and_never_refuses(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("", "", "");
    set_level(fixture, LEVEL_MODEL, "1usd/day,100req/min", true);
    assert_true(admission_has_budget(&fixture->levels));
    assert_false(admission_has_hard_budget(&fixture->levels));
    assert_int_equal(take(fixture, 0, 5 * USD), ADMISSION_ADMITTED);
    assert_true(admission_extend(&fixture->grant, 7 * USD));
    assert_int_equal(state_of(fixture, LEVEL_MODEL, 0).held, 0);
    settle(fixture, 0, 3 * USD);
    assert_int_equal(state_of(fixture, LEVEL_MODEL, 0).used, 3 * USD);
    assert_int_equal(take(fixture, 0, UINT64_MAX), ADMISSION_ADMITTED);
    settle(fixture, 0, UINT64_MAX);
    assert_int_equal(take(fixture, 0, USD), ADMISSION_ADMITTED);
    settle(fixture, 0, USD);
    assert_true(admission_affordable(&fixture->levels, NOW_US) == UINT64_MAX);
    let_go(fixture);
}

static void an_extension_is_held_everywhere_or_nowhere(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("9usd/day,10req/min", "5usd/day", "7usd/month");
    assert_int_equal(take(fixture, 0, 2 * USD), ADMISSION_ADMITTED);
    assert_true(admission_extend(&fixture->grant, 3 * USD));
    assert_false(admission_extend(&fixture->grant, 1));
    assert_int_equal(state_of(fixture, LEVEL_KEY, 0).held, 5 * USD);
    assert_int_equal(state_of(fixture, LEVEL_USER, 0).held, 5 * USD);
    assert_int_equal(state_of(fixture, LEVEL_TEAM, 0).held, 5 * USD);
    assert_int_equal(admission_affordable(&fixture->levels, NOW_US), 0);
    settle(fixture, 0, 4 * USD);
    assert_int_equal(state_of(fixture, LEVEL_KEY, 0).used, 4 * USD);
    assert_int_equal(state_of(fixture, LEVEL_KEY, 0).held, 0);
    assert_int_equal(admission_affordable(&fixture->levels, NOW_US), USD);
    assert_int_equal(admission_affordable(&fixture->levels, NOW_US + 12 * 3600 * US_PER_S),
                     3 * USD);
    let_go(fixture);
}

/* One level in two places: each by itself has room, both have not, as when another request comes
 * between reading and taking. */
static void what_fails_on_the_way_is_given_back(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("10req/min,1000tok/min,5parallel", "10usd/day", "");
    fixture->levels.of[LEVEL_GATEWAY] = level_ref(fixture->levels.of[LEVEL_USER]);
    assert_int_equal(check(fixture, 100, 6 * USD), ADMISSION_ADMITTED);
    assert_int_equal(take(fixture, 100, 6 * USD), ADMISSION_BUDGET);
    assert_int_equal(fixture->refusal.level, LEVEL_GATEWAY);
    assert_int_equal(fixture->refusal.available, 10 * USD);
    assert_int_equal(fixture->grant.count, 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(state_of(fixture, LEVEL_KEY, i).used, 0);
    assert_int_equal(state_of(fixture, LEVEL_USER, 0).held, 0);
    assert_int_equal(take(fixture, 100, 5 * USD), ADMISSION_ADMITTED);
    assert_false(admission_extend(&fixture->grant, 1));
    assert_int_equal(state_of(fixture, LEVEL_USER, 0).held, 10 * USD);
    settle(fixture, 100, USD);
    assert_int_equal(state_of(fixture, LEVEL_USER, 0).used, 2 * USD);
    assert_int_equal(state_of(fixture, LEVEL_USER, 0).held, 0);
    let_go(fixture);
}

static void a_rate_that_is_taken_meanwhile_refuses_too(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("3parallel", "100tok/min", "");
    fixture->levels.of[LEVEL_GATEWAY] = level_ref(fixture->levels.of[LEVEL_USER]);
    assert_int_equal(take(fixture, 60, 0), ADMISSION_RATE);
    assert_true(fixture->refusal.retry_after_ns > 0);
    assert_int_equal(state_of(fixture, LEVEL_KEY, 0).used, 0);
    assert_int_equal(state_of(fixture, LEVEL_USER, 0).used, 0);
    let_go(fixture);
    fixture = fixture_of("1parallel", "", "");
    fixture->levels.of[LEVEL_GATEWAY] = level_ref(fixture->levels.of[LEVEL_KEY]);
    assert_int_equal(take(fixture, 0, 0), ADMISSION_PARALLEL);
    assert_int_equal(state_of(fixture, LEVEL_KEY, 0).used, 0);
    let_go(fixture);
}

static void a_request_belongs_to_the_window_in_which_it_was_opened(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("5usd/day", "", "");
    struct fixture other = *fixture;
    other.grant.takes = other.takes;
    struct admission_demand tomorrow = demand_of(0, 4 * USD);
    tomorrow.now_us += 86400 * US_PER_S;
    assert_int_equal(take(fixture, 0, 3 * USD), ADMISSION_ADMITTED);
    assert_int_equal(admission_take(&other.levels, &tomorrow, &other.grant, &other.refusal),
                     ADMISSION_ADMITTED);
    assert_true(admission_extend(&fixture->grant, 2 * USD));
    settle(fixture, 0, 5 * USD);
    assert_int_equal(state_of(fixture, LEVEL_KEY, 0).used, 5 * USD);
    assert_int_equal(admission_affordable(&fixture->levels, tomorrow.now_us), USD);
    settle(&other, 0, 0);
    assert_int_equal(admission_affordable(&fixture->levels, tomorrow.now_us), 5 * USD);
    let_go(fixture);
}

/* --- alerts ------------------------------------------------------------------------------------- */

struct told {
    unsigned percents[16];
    size_t count;
    struct admission_alert last;
};

static void note_alert(void *context, const struct admission_alert *alert)
{
    struct told *told = context;
    assert_in_range(told->count, 0, 15);
    told->percents[told->count++] = alert->percent;
    told->last = *alert;
}

static void each_share_is_told_once_in_a_window(void **state)
{
    (void)state;
    static const uint8_t percents[] = {50, 80, 100, 120};
    struct told told = {.count = 0};
    const struct admission_alerts alerts = {percents, 4, note_alert, &told};
    struct fixture *fixture = fixture_of("", "100req/min,10usd/day", "");
    static const uint64_t costs[] = {4, 1, 1, 4, 0}; /* 40, 50, 60, 100 % */
    static const size_t counts[] = {0, 1, 1, 3, 3};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(take(fixture, 0, 0), ADMISSION_ADMITTED);
        const struct admission_actual actual = {NOW_NS, 0, costs[i] * USD, false};
        admission_settle(&fixture->grant, &actual, &alerts);
        assert_int_equal(told.count, counts[i]);
    }
    assert_true(told.percents[0] == 50 && told.percents[1] == 80 && told.percents[2] == 100);
    assert_int_equal(told.last.level_kind, LEVEL_USER);
    assert_int_equal(told.last.limit.amount, 10 * USD);
    assert_int_equal(told.last.spent_nanousd, 10 * USD);
    struct admission_demand tomorrow = demand_of(0, 6 * USD);
    tomorrow.now_us += 86400 * US_PER_S;
    assert_int_equal(
        admission_take(&fixture->levels, &tomorrow, &fixture->grant, &fixture->refusal),
        ADMISSION_ADMITTED);
    const struct admission_actual actual = {NOW_NS, 0, 6 * USD, false};
    admission_settle(&fixture->grant, &actual, &alerts);
    assert_int_equal(told.count, 4);
    assert_int_equal(told.percents[3], 50);
    let_go(fixture);
}

static void a_share_of_another_limit_is_told_anew(void **state)
{
    (void)state;
    static const uint8_t percents[] = {50, 80};
    struct told told = {.count = 0};
    const struct admission_alerts alerts = {percents, 2, note_alert, &told};
    const struct admission_actual actual = {NOW_NS, 0, 6 * USD, false};
    struct fixture *fixture = fixture_of("10usd/day", "", "");
    struct limits limits = {.items = {{20 * USD, LIMIT_MONEY, LIMIT_WINDOW_DAY}}, .count = 1};
    assert_int_equal(take(fixture, 0, 0), ADMISSION_ADMITTED);
    admission_settle(&fixture->grant, &actual, &alerts);
    assert_int_equal(told.count, 1);
    struct level *former = fixture->levels.of[LEVEL_KEY];
    assert_int_equal(level_create(counters, &limits, false, former, &fixture->levels.of[LEVEL_KEY]),
                     STATUS_OK);
    level_succeed(fixture->levels.of[LEVEL_KEY], former, NOW_NS);
    level_unref(&former);
    assert_int_equal(take(fixture, 0, 0), ADMISSION_ADMITTED);
    admission_settle(&fixture->grant, &actual, &alerts); /* 12 of 20 */
    assert_int_equal(told.count, 2);
    assert_int_equal(told.percents[1], 50);
    assert_int_equal(told.last.limit.amount, 20 * USD);
    let_go(fixture);
}

static void holds_alone_reach_no_share(void **state)
{
    (void)state;
    static const uint8_t percents[] = {50};
    struct told told = {.count = 0};
    const struct admission_alerts alerts = {percents, 1, note_alert, &told};
    struct fixture *fixture = fixture_of("10usd/day", "", "");
    struct fixture other = *fixture;
    other.grant.takes = other.takes;
    assert_int_equal(take(&other, 0, 8 * USD), ADMISSION_ADMITTED);
    assert_int_equal(take(fixture, 0, USD), ADMISSION_ADMITTED);
    const struct admission_actual actual = {NOW_NS, 0, USD, false};
    admission_settle(&fixture->grant, &actual, &alerts);
    assert_int_equal(told.count, 0);
    settle(&other, 0, 0);
    let_go(fixture);
}

/* --- what is nearest ---------------------------------------------------------------------------- */

static void the_limit_with_the_least_share_left_is_the_nearest(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("10req/min", "100req/hour,3parallel", "1000tok/min");
    struct admission_nearest nearest = {0};
    assert_int_equal(take(fixture, 600, 0), ADMISSION_ADMITTED);
    assert_true(admission_nearest(&fixture->levels, LIMIT_REQUESTS, NOW_NS, &nearest));
    assert_true(nearest.limit == 10 && nearest.remaining == 9);
    assert_int_equal(nearest.reset_ns, 6 * NS_PER_S);
    assert_true(
        admission_nearest(&fixture->levels, LIMIT_REQUESTS, NOW_NS + 5 * NS_PER_S + 999, &nearest));
    assert_int_equal(nearest.limit, 10);
    assert_true(
        admission_nearest(&fixture->levels, LIMIT_REQUESTS, NOW_NS + 6 * NS_PER_S, &nearest));
    assert_true(nearest.limit == 100 && nearest.remaining == 99);
    assert_true(admission_nearest(&fixture->levels, LIMIT_TOKENS, NOW_NS, &nearest));
    assert_true(nearest.limit == 1000 && nearest.remaining == 400);
    assert_true(admission_nearest(&fixture->levels, LIMIT_PARALLEL, NOW_NS, &nearest));
    assert_true(nearest.limit == 3 && nearest.remaining == 2 && nearest.reset_ns == 0);
    settle(fixture, 600, 0);
    let_go(fixture);
    fixture = fixture_of("10usd/day", "", "");
    nearest.limit = 42;
    assert_false(admission_nearest(&fixture->levels, LIMIT_REQUESTS, NOW_NS, &nearest));
    assert_int_equal(nearest.limit, 42);
    let_go(fixture);
}

static void levels_have_names(void **state)
{
    (void)state;
    assert_string_equal(level_kind_name(LEVEL_KEY), "key");
    assert_string_equal(level_kind_name(LEVEL_GATEWAY), "gateway");
}

/* --- threads ------------------------------------------------------------------------------------ */

#define THREADS 8
#define TURNS   25000
#define OPEN    4

struct stress {
    struct fixture *shared;
    _Atomic unsigned in_flight, most, refused;
};

/* One of the requests that a thread has open. */
struct stress_request {
    struct admission_take takes[8];
    struct admission_grant grant;
};

static void stress_take(struct stress *stress, struct stress_request *request)
{
    const struct admission_demand demand = demand_of(1, USD);
    struct admission_refusal refusal;
    request->grant.takes = request->takes;
    if (admission_take(&stress->shared->levels, &demand, &request->grant, &refusal) !=
        ADMISSION_ADMITTED) {
        stress->refused++;
        return;
    }
    const unsigned in_flight = ++stress->in_flight;
    if (in_flight > stress->most)
        stress->most = in_flight;
}

static void stress_settle(struct stress *stress, struct stress_request *request)
{
    const struct admission_actual nothing = {.now_ns = NOW_NS, .is_void = true};
    if (request->grant.count == 0)
        return;
    stress->in_flight--;
    admission_settle(&request->grant, &nothing, NULL);
}

/* Each thread wants several at once, so that all together want more than fit. */
static void *take_and_settle(void *argument)
{
    struct stress *stress = argument;
    struct stress_request requests[OPEN] = {0};
    uint64_t seed = (uint64_t)(uintptr_t)&seed;
    for (unsigned i = 0; i < TURNS; i++) {
        struct stress_request *request = &requests[number_below(&seed, OPEN)];
        stress_settle(stress, request);
        stress_take(stress, request);
        if (number_below(&seed, 16) == 0)
            (void)sched_yield();
    }
    for (size_t i = 0; i < OPEN; i++)
        stress_settle(stress, &requests[i]);
    return NULL;
}

static void run_stress(struct fixture *fixture)
{
    struct stress stress = {.shared = fixture};
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_settle, &stress), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(stress.most, 10);
    assert_true(stress.refused > 0);
    for (unsigned kind = 0; kind < LEVEL_KIND_COUNT; kind++) {
        for (size_t i = 0; i < level_count(fixture->levels.of[kind]); i++) {
            const struct level_state state = state_of(fixture, (enum level_kind)kind, i);
            assert_true(state.used == 0 && state.held == 0);
        }
    }
}

static void eight_threads_at_a_budget_worth_ten_are_never_more_than_ten(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("20parallel,20usd/day", "1000000tok/min", "10usd/day");
    run_stress(fixture);
    let_go(fixture);
}

static void eight_threads_at_ten_in_flight_are_never_more_than_ten(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_of("1000req/min", "10parallel,20usd/month", "12usd/total");
    run_stress(fixture);
    let_go(fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_takes_of_all_limits_of_all_levels),
        TEST(without_limits_everything_is_admitted),
        TEST(a_refusal_takes_nothing_and_names_the_limit),
        TEST(what_can_never_fit_is_said_before_all_else),
        TEST(of_several_refusals_the_one_that_lasts_is_told),
        TEST(a_request_counts_in_budgets_that_came_while_it_ran),
        TEST(a_total_budget_that_is_spent_never_comes_back),
        TEST(the_longest_wait_of_all_rates_is_told_and_suffices),
        TEST(what_was_never_called_is_given_back_whole),
        TEST(a_budget_that_only_warns_holds_nothing_and_never_refuses),
        TEST(an_extension_is_held_everywhere_or_nowhere),
        TEST(a_request_belongs_to_the_window_in_which_it_was_opened),
        TEST(each_share_is_told_once_in_a_window),
        TEST(what_fails_on_the_way_is_given_back),
        TEST(a_rate_that_is_taken_meanwhile_refuses_too),
        TEST(a_share_of_another_limit_is_told_anew),
        TEST(holds_alone_reach_no_share),
        TEST(the_limit_with_the_least_share_left_is_the_nearest),
        TEST(levels_have_names),
        TEST(eight_threads_at_a_budget_worth_ten_are_never_more_than_ten),
        TEST(eight_threads_at_ten_in_flight_are_never_more_than_ten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
