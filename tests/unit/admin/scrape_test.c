#include "admin/scrape.h"

#include "unit/gateway/gateway_fixture.h"

#include "support/loop_fixture.h"

static const char yaml[] = "listen: [\"127.0.0.1:%u\"]\n"
                           "workers: 1\n"
                           "models: []\n";

struct stage {
    struct gateway_fixture gateway;
    struct service *service;
    struct buffer text;
    enum status status;
    bool is_done;
};

static struct stage stage;

static int open_stage(void **state)
{
    (void)state;
    stage = (struct stage){.status = STATUS_INVALID};
    gateway_fixture_open(&stage.gateway, yaml, gateway_fixture_port());
    assert_int_equal(service_create("metrics", &stage.service), STATUS_OK);
    return 0;
}

static int close_stage(void **state)
{
    (void)state;
    buffer_fini(&stage.text);
    service_destroy(&stage.service);
    gateway_fixture_close(&stage.gateway);
    return 0;
}

static void scrape_once(void *unused)
{
    const struct admin_server_config config = {.loop = stage.gateway.worker->loop,
                                               .gateway = &stage.gateway.gateway,
                                               .metrics = stage.service};
    (void)unused;
    stage.status = scrape(&config, &stage.text);
    stage.is_done = true;
}

static enum status scraped(size_t bytes_max)
{
    buffer_init(&stage.text, bytes_max);
    stage.is_done = false;
    loop_fixture_run(stage.gateway.worker->loop, scrape_once, NULL);
    loop_fixture_until_set(stage.gateway.worker->loop, &stage.is_done);
    return stage.status;
}

static bool has(const char *part)
{
    const struct slice text = buffer_slice(&stage.text);
    return slice_find(text, slice_from_text(part)) < text.size;
}

static void the_metrics_are_there_with_those_that_the_process_knows(void **state)
{
    (void)state;
    assert_int_equal(scraped(SCRAPE_BYTES_MAX), STATUS_OK);
    assert_true(has("# TYPE weir_requests_in_flight gauge\n"));
    assert_true(has("\nweir_requests_in_flight 0\n"));
    assert_true(has("weir_log"));
    assert_true(has("weir_body_memory_bytes"));
}

static void a_text_that_has_no_room_is_no_half_answer(void **state)
{
    (void)state;
    assert_int_not_equal(scraped(1000), STATUS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_metrics_are_there_with_those_that_the_process_knows),
        TEST(a_text_that_has_no_room_is_no_half_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
