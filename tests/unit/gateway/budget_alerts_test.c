#include "gateway/budget_alerts.h"

#include "unit/gateway/gateway_fixture.h"

#include "base/alloc.h"
#include "gateway/request.h"

static const char yaml[] =
    "listen: [\"127.0.0.1:%u\"]\n"
    "workers: 1\n"
    "providers: { ours: { base_url: 'http://127.0.0.1:9/v1', api_key: k } }\n"
    "models: [{ name: 'gpt*', targets: [ours] }]\n";

static struct gateway_fixture fixture;
static struct request request;

static int open_gateway(void **state)
{
    (void)state;
    gateway_fixture_open(&fixture, yaml, gateway_fixture_port());
    request = (struct request){.worker = fixture.worker,
                               .rule = &fixture.gateway.snapshot->config->rules.items[0]};
    return 0;
}

static void tell(enum level_kind kind, unsigned percent)
{
    struct admission_alert alert = {
        .level_kind = kind, .percent = percent, .spent_nanousd = percent * UINT64_C(10000000)};
    assert_int_equal(limit_parse(SLICE("1usd/day"), &alert.limit, NULL), STATUS_OK);
    budget_alerts_tell(&request, &alert);
}

static void alerts_are_logged_counted_and_kept_the_oldest_first(void **state)
{
    (void)state;
    tell(LEVEL_MODEL, 50);
    tell(LEVEL_GATEWAY, 80);
    tell(LEVEL_MODEL, 100);
    struct budget_alert *alert = budget_alerts_take(&fixture.gateway.alerts);
    assert_int_equal(alert->level, LEVEL_MODEL);
    assert_int_equal(alert->percent, 50);
    assert_int_equal(alert->spent_nanousd, 500000000);
    assert_int_equal(alert->limit.amount, 1000000000);
    assert_int_equal(alert->time_us, loop_realtime_us(fixture.worker->loop));
    assert_string_equal(alert->name, "gpt*");
    budget_alert_free(&alert);
    assert_int_equal(alert->level, LEVEL_GATEWAY);
    assert_string_equal(alert->name, "");
    budget_alert_free(&alert);
    assert_int_equal(alert->percent, 100);
    budget_alert_free(&alert);
    assert_null(alert);
    assert_null(budget_alerts_take(&fixture.gateway.alerts));
    assert_int_equal(metric_read(&fixture.worker->metrics->budget_alerts[LEVEL_MODEL]), 2);
    assert_int_equal(metric_read(&fixture.worker->metrics->budget_alerts[LEVEL_GATEWAY]), 1);
    gateway_fixture_close(&fixture);
    assert_non_null(strstr(fixture.log_text, "model gpt* has spent 50% of its budget of 1 USD per "
                                             "day: 0.5 USD"));
    assert_non_null(strstr(fixture.log_text, "gateway has spent 80% of its budget"));
}

static void no_more_wait_than_may_and_what_is_taken_makes_room(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        size_t count = 0;
        for (int i = 0; i < BUDGET_ALERTS_MAX + 5; i++)
            tell(LEVEL_GATEWAY, 50);
        struct budget_alert *alert = budget_alerts_take(&fixture.gateway.alerts);
        for (; alert != NULL; count++)
            budget_alert_free(&alert);
        assert_int_equal(count, BUDGET_ALERTS_MAX);
    }
    gateway_fixture_close(&fixture);
}

static void an_alert_that_cannot_be_kept_is_logged_all_the_same(void **state)
{
    (void)state;
    alloc_fail_nth(0);
    tell(LEVEL_GATEWAY, 50);
    alloc_fail_nth(-1);
    assert_null(budget_alerts_take(&fixture.gateway.alerts));
    assert_int_equal(atomic_load(&fixture.gateway.alerts.waiting), 0);
    gateway_fixture_close(&fixture);
    assert_non_null(strstr(fixture.log_text, "gateway has spent 50%"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(alerts_are_logged_counted_and_kept_the_oldest_first, open_gateway),
        cmocka_unit_test_setup(no_more_wait_than_may_and_what_is_taken_makes_room, open_gateway),
        cmocka_unit_test_setup(an_alert_that_cannot_be_kept_is_logged_all_the_same, open_gateway),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
