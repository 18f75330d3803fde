#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "telemetry/log_format.h"

#define MS (UINT64_C(1) * NS_PER_MS)

static const struct log_style plain = {false, 0};

/* 12:34:56.789 UTC of some day. */
#define NOON_US UINT64_C(1700051696789000)

static void fill_access(struct log_view *view)
{
    struct log_access access;
    log_access_init(&access);
    *view = (struct log_view){
        .time_us = NOON_US,
        .kind = LOG_KIND_ACCESS,
        .level = LOG_LEVEL_INFO,
        .figures = access.figures,
    };
    view->figures.status = 200;
    view->figures.duration_ns = 812 * MS;
    view->text[ACCESS_TEXT_METHOD].bytes = SLICE("POST");
    view->text[ACCESS_TEXT_PATH].bytes = SLICE("/v1/chat/completions");
    view->text[ACCESS_TEXT_MODEL].bytes = SLICE("gpt-4o-mini");
    view->text[ACCESS_TEXT_PROVIDER].bytes = SLICE("local");
    view->text[ACCESS_TEXT_TARGET_MODEL].bytes = SLICE("smollm2");
    view->text[ACCESS_TEXT_USER_NAME].bytes = SLICE("demo");
}

static void assert_line(const struct log_view *view, const struct log_style *style,
                        const char *expected)
{
    struct buffer line;
    buffer_init(&line, LOG_LINE_MAX);
    log_text_append(&line, view, style);
    assert_int_equal(buffer_append_byte(&line, '\0'), STATUS_OK);
    assert_string_equal(line.data, expected);
    buffer_fini(&line);
}

static void a_request_is_one_readable_line(void **state)
{
    (void)state;
    struct log_view view;
    fill_access(&view);
    view.figures.first_byte_ns = 40 * MS;
    view.figures.input_tokens = 61;
    view.figures.output_tokens = 74;
    assert_line(&view, &plain,
                "12:34:56.789 200 POST /v1/chat/completions gpt-4o-mini \xe2\x86\x92 local/smollm2 "
                "812 ms (first 40 ms) in 61 out 74 user=demo\n");
}

static void shorter_requests_are_padded_to_the_same_columns(void **state)
{
    (void)state;
    struct log_view view;
    fill_access(&view);
    view.text[ACCESS_TEXT_METHOD].bytes = SLICE("GET");
    view.text[ACCESS_TEXT_PATH].bytes = SLICE("/v1/models");
    view.text[ACCESS_TEXT_MODEL].bytes = SLICE("");
    view.text[ACCESS_TEXT_PROVIDER].bytes = SLICE("");
    view.figures.duration_ns = 200000;
    assert_line(&view, &plain,
                "12:34:56.789 200 GET  /v1/models                                       "
                "0.2 ms user=demo\n");
}

static void trouble_comes_last_and_in_words(void **state)
{
    (void)state;
    struct log_view view;
    fill_access(&view);
    view.figures.status = 502;
    view.figures.outcome = OUTCOME_UPSTREAM_FAILED;
    view.figures.attempts = 2;
    view.figures.upstream_replaced = true;
    view.level = LOG_LEVEL_WARN;
    view.text[ACCESS_TEXT_ERROR_CODE].bytes = SLICE("upstream_error");
    view.text[ACCESS_TEXT_ERROR_MESSAGE].bytes = SLICE("connection\nrefused");
    assert_line(&view, &plain,
                "12:34:56.789 502 POST /v1/chat/completions gpt-4o-mini \xe2\x86\x92 local/smollm2 "
                "812 ms user=demo attempts=2 replaced upstream_failed code=upstream_error: "
                "connection\\nrefused\n");
}

static void a_request_without_an_answer_has_no_status(void **state)
{
    (void)state;
    struct log_view view = {.kind = LOG_KIND_ACCESS, .level = LOG_LEVEL_INFO};
    fill_access(&view);
    view.figures.status = 0;
    view.figures.outcome = OUTCOME_CLIENT_GONE;
    assert_line(&view, &plain,
                "12:34:56.789 --- POST /v1/chat/completions gpt-4o-mini \xe2\x86\x92 local/smollm2 "
                "812 ms user=demo client_gone\n");
}

static void durations_keep_six_columns(void **state)
{
    (void)state;
    const struct {
        uint64_t duration_ns;
        const char *text;
    } durations[] = {
        {0, "0.0 ms"},
        {199999, "0.1 ms"},
        {9999999, "9.9 ms"},
        {10 * MS, " 10 ms"},
        {999 * MS, "999 ms"},
        {1000 * MS, "1.00 s"},
        {9999 * MS, "9.99 s"},
        {10000 * MS, "10.0 s"},
        {99999 * MS, "99.9 s"},
        {100000 * MS, " 100 s"},
        {UINT64_MAX, "18446744073 s"},
    };
    for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
        struct buffer line;
        struct log_view view;
        fill_access(&view);
        view.text[ACCESS_TEXT_USER_NAME].bytes = SLICE("");
        view.figures.duration_ns = durations[i].duration_ns;
        buffer_init(&line, LOG_LINE_MAX);
        log_text_append(&line, &view, &plain);
        buffer_consume(&line, line.size - strlen(durations[i].text) - 2);
        assert_int_equal(line.data[0], ' ');
        assert_memory_equal(line.data + 1, durations[i].text, strlen(durations[i].text));
        buffer_fini(&line);
    }
}

static void a_message_names_its_level_and_part(void **state)
{
    (void)state;
    struct log_view view = {
        .time_us = NOON_US,
        .kind = LOG_KIND_MESSAGE,
        .level = LOG_LEVEL_INFO,
        .part = SLICE("config"),
        .message = {SLICE("reloaded\x1b[2J"), true},
    };
    assert_line(&view, &plain, "12:34:56.789 info  config: reloaded\\u001b[2J\xe2\x80\xa6\n");
    view.part = SLICE("");
    view.level = LOG_LEVEL_ERROR;
    assert_line(&view, &plain, "12:34:56.789 error reloaded\\u001b[2J\xe2\x80\xa6\n");
}

static void the_time_is_the_local_one(void **state)
{
    (void)state;
    struct log_view view = {
        .time_us = NOON_US, .kind = LOG_KIND_MESSAGE, .message = {SLICE("m"), false}};
    view.level = LOG_LEVEL_INFO;
    assert_line(&view, &(struct log_style){false, 7200}, "14:34:56.789 info  m\n");
    assert_line(&view, &(struct log_style){false, -46800}, "23:34:56.789 info  m\n");
    view.time_us = 0;
    assert_line(&view, &(struct log_style){false, -3600}, "23:00:00.000 info  m\n");
}

static void colour_surrounds_and_never_stays(void **state)
{
    (void)state;
    const struct log_style style = {true, 0};
    const struct log_view view = {
        .time_us = NOON_US,
        .kind = LOG_KIND_MESSAGE,
        .level = LOG_LEVEL_WARN,
        .message = {SLICE("m"), false},
    };
    assert_line(&view, &style, "\033[2m12:34:56.789\033[0m \033[33mwarn \033[0m m\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_one_readable_line),
        cmocka_unit_test(shorter_requests_are_padded_to_the_same_columns),
        cmocka_unit_test(trouble_comes_last_and_in_words),
        cmocka_unit_test(a_request_without_an_answer_has_no_status),
        cmocka_unit_test(durations_keep_six_columns),
        cmocka_unit_test(a_message_names_its_level_and_part),
        cmocka_unit_test(the_time_is_the_local_one),
        cmocka_unit_test(colour_surrounds_and_never_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
