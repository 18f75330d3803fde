#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <yyjson.h>

#include "telemetry/log_format.h"

static const struct log_service service = {{"1.2.3", 5}, 4711};

static void fill_access(struct log_view *view)
{
    struct log_access access;
    log_access_init(&access);
    *view = (struct log_view){
        .time_us = 1700000000123456,
        .kind = LOG_KIND_ACCESS,
        .level = LOG_LEVEL_INFO,
        .figures = access.figures,
    };
    view->figures.status = 200;
    view->figures.http_minor = 1;
    view->figures.duration_ns = 812345678;
    view->text[ACCESS_TEXT_METHOD].bytes = SLICE("POST");
    view->text[ACCESS_TEXT_PATH].bytes = SLICE("/v1/chat/completions");
}

/* The line without its line feed; it holds no other. */
static struct slice line_of(struct buffer *line, const struct log_view *view)
{
    buffer_init(line, LOG_LINE_MAX);
    log_json_append(line, view, &service);
    assert_int_equal(buffer_status(line), STATUS_OK);
    assert_int_equal(slice_find_byte(buffer_slice(line), '\n'), line->size - 1);
    return slice_of(line->data, line->size - 1);
}

static void assert_line(const struct log_view *view, const char *expected)
{
    struct buffer line;
    const struct slice text = line_of(&line, view);
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.data, expected, text.size);
    buffer_fini(&line);
}

static bool line_has(const struct log_view *view, const char *part)
{
    struct buffer line;
    const struct slice text = line_of(&line, view);
    const bool has = slice_find(text, slice_from_text(part)) < text.size;
    buffer_fini(&line);
    return has;
}

static void a_message_is_one_object(void **state)
{
    (void)state;
    const struct log_view view = {
        .time_us = 1700000000123456,
        .kind = LOG_KIND_MESSAGE,
        .level = LOG_LEVEL_ERROR,
        .part = SLICE("config"),
        .message = {SLICE("line 3: \"x\"\nis no key"), false},
    };
    assert_line(&view, "{\"@timestamp\":\"2023-11-14T22:13:20.123456Z\",\"log.level\":\"error\","
                       "\"message\":\"line 3: \\\"x\\\"\\nis no key\",\"ecs.version\":\"8.11.0\","
                       "\"service.name\":\"weir\",\"service.version\":\"1.2.3\","
                       "\"process.pid\":4711,\"event.dataset\":\"weir.log\","
                       "\"log.logger\":\"config\"}");
}

static void a_bare_request_says_what_is_known(void **state)
{
    (void)state;
    struct log_view view;
    fill_access(&view);
    assert_line(&view, "{\"@timestamp\":\"2023-11-14T22:13:20.123456Z\",\"log.level\":\"info\","
                       "\"message\":\"POST /v1/chat/completions 200\",\"ecs.version\":\"8.11.0\","
                       "\"service.name\":\"weir\",\"service.version\":\"1.2.3\","
                       "\"process.pid\":4711,\"event.dataset\":\"weir.access\","
                       "\"http.response.status_code\":200,\"http.version\":\"1.1\","
                       "\"event.outcome\":\"success\",\"weir.outcome\":\"completed\","
                       "\"weir.stream\":false,\"weir.attempts\":0,\"event.duration\":812345678,"
                       "\"http.request.body.bytes\":0,\"http.response.body.bytes\":0,"
                       "\"http.request.method\":\"POST\",\"url.path\":\"/v1/chat/completions\"}");
}

static void a_whole_request_says_everything(void **state)
{
    (void)state;
    static const char *const names[] = {
        "@timestamp",
        "log.level",
        "message",
        "ecs.version",
        "service.name",
        "service.version",
        "process.pid",
        "event.dataset",
        "http.request.id",
        "http.response.status_code",
        "http.version",
        "client.ip",
        "event.outcome",
        "weir.outcome",
        "weir.stream",
        "weir.attempts",
        "weir.upstream.reused",
        "weir.upstream.replaced",
        "event.duration",
        "weir.first_byte",
        "http.request.body.bytes",
        "http.response.body.bytes",
        "weir.usage.input_tokens",
        "weir.usage.output_tokens",
        "weir.usage.cached_tokens",
        "weir.usage.cache_write_tokens",
        "weir.usage.reasoning_tokens",
        "http.request.method",
        "url.path",
        "user_agent.original",
        "user.id",
        "user.name",
        "weir.key.id",
        "weir.model",
        "weir.provider",
        "weir.target.model",
        "weir.client.request_id",
        "weir.upstream.request_id",
        "trace.id",
        "error.code",
        "error.message",
    };
    struct log_view view;
    fill_access(&view);
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++)
        view.text[i].bytes = SLICE("0123456789abcdef0123456789abcdef");
    view.figures.request_id = id_make(view.time_us);
    view.figures.client_ip_size = 4;
    view.figures.attempts = 1;
    view.figures.first_byte_ns = view.figures.input_tokens = view.figures.output_tokens = 1;
    view.figures.cached_tokens = view.figures.cache_write_tokens = 1;
    view.figures.reasoning_tokens = 0;

    struct buffer line;
    const struct slice text = line_of(&line, &view);
    yyjson_doc *document = yyjson_read(text.data, text.size, 0);
    assert_non_null(document);
    yyjson_val *root = yyjson_doc_get_root(document);
    assert_int_equal(yyjson_obj_size(root), sizeof(names) / sizeof(names[0]));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (yyjson_obj_get(root, names[i]) == NULL)
            fail_msg("%s is missing", names[i]);
    }
    yyjson_doc_free(document);
    buffer_fini(&line);
}

static void outcomes_are_told_in_ecs_words_too(void **state)
{
    (void)state;
    struct log_view view;
    fill_access(&view);
    view.figures.status = 429;
    assert_true(line_has(&view, "\"event.outcome\":\"failure\",\"weir.outcome\":\"completed\""));
    view.figures.status = 200;
    view.figures.outcome = OUTCOME_CLIENT_GONE;
    assert_true(line_has(&view, "\"event.outcome\":\"unknown\",\"weir.outcome\":\"client_gone\""));
    view.figures.outcome = OUTCOME_UPSTREAM_BROKEN;
    assert_true(
        line_has(&view, "\"event.outcome\":\"failure\",\"weir.outcome\":\"upstream_broken\""));
}

static void addresses_of_both_families_are_written(void **state)
{
    (void)state;
    struct log_view view;
    fill_access(&view);
    assert_false(line_has(&view, "client.ip"));
    memcpy(view.figures.client_ip, (const unsigned char[]){192, 0, 2, 7}, 4);
    view.figures.client_ip_size = 4;
    assert_true(line_has(&view, "\"client.ip\":\"192.0.2.7\""));
    memset(view.figures.client_ip, 0, 16);
    view.figures.client_ip[15] = 1;
    view.figures.client_ip_size = 16;
    assert_true(line_has(&view, "\"client.ip\":\"::1\""));
}

static void a_replaced_connection_is_said(void **state)
{
    (void)state;
    struct log_view view;
    fill_access(&view);
    view.figures.attempts = 2;
    view.figures.upstream_replaced = true;
    assert_true(line_has(&view, "\"weir.attempts\":2,\"weir.upstream.reused\":false,"
                                "\"weir.upstream.replaced\":true"));
}

static void a_trace_id_that_is_none_is_left_out(void **state)
{
    (void)state;
    struct log_view view;
    fill_access(&view);
    view.text[ACCESS_TEXT_TRACE_ID].bytes = SLICE("4bf92f3577b34da6a3ce929d0e0e4736");
    assert_true(line_has(&view, "\"trace.id\":\"4bf92f3577b34da6a3ce929d0e0e4736\""));
    view.text[ACCESS_TEXT_TRACE_ID].is_cut = true;
    assert_false(line_has(&view, "trace.id"));
    view.text[ACCESS_TEXT_TRACE_ID] =
        (struct log_text){SLICE("4bf92f3577b34da6a3ce929d0e0e473"), false};
    assert_false(line_has(&view, "trace.id"));
    view.text[ACCESS_TEXT_TRACE_ID].bytes = SLICE("4bf92f3577b34da6a3ce929d0e0e473g");
    assert_false(line_has(&view, "trace.id"));
    view.text[ACCESS_TEXT_TRACE_ID].bytes = SLICE("4bf92f3577b34da6a3ce929d0e0e4736-");
    assert_false(line_has(&view, "trace.id"));
}

static void a_cut_text_ends_in_an_ellipsis_and_no_half_character(void **state)
{
    (void)state;
    struct log_view view;
    fill_access(&view);
    view.text[ACCESS_TEXT_MODEL] = (struct log_text){SLICE("mod\xc3"), true};
    assert_true(line_has(&view, "\"weir.model\":\"mod\xe2\x80\xa6\""));
}

/* Whatever bytes a client sends, wherever they land: one line, one object, of bounded size. */
static void no_bytes_break_the_object_or_the_bound(void **state)
{
    (void)state;
    static char bytes[320];
    static const size_t bounds[ACCESS_TEXT_COUNT] = {16, 256, 192, 64,  128, 64, 128,
                                                     64, 128, 128, 128, 32,  64, 320};
    for (unsigned byte = 0; byte < 256; byte++) {
        struct log_view view;
        fill_access(&view);
        memset(bytes, (int)byte, sizeof(bytes));
        memset(&view.figures, 0, sizeof(view.figures));
        for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++)
            view.text[i] = (struct log_text){slice_of(bytes, bounds[i]), true};
        struct buffer line;
        const struct slice text = line_of(&line, &view);
        yyjson_doc *document = yyjson_read(text.data, text.size, 0);
        assert_non_null(document);
        yyjson_doc_free(document);
        buffer_fini(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_one_object),
        cmocka_unit_test(a_bare_request_says_what_is_known),
        cmocka_unit_test(a_whole_request_says_everything),
        cmocka_unit_test(outcomes_are_told_in_ecs_words_too),
        cmocka_unit_test(addresses_of_both_families_are_written),
        cmocka_unit_test(a_replaced_connection_is_said),
        cmocka_unit_test(a_trace_id_that_is_none_is_left_out),
        cmocka_unit_test(a_cut_text_ends_in_an_ellipsis_and_no_half_character),
        cmocka_unit_test(no_bytes_break_the_object_or_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
