#include "gateway/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/alloc.h"

#define BODY_BYTES_MAX 8192

static const char *written(const struct error *error, enum error_style style)
{
    static char text[BODY_BYTES_MAX + 1];
    struct buffer body;
    buffer_init(&body, BODY_BYTES_MAX);
    assert_int_equal(error_write(error, style, &body), STATUS_OK);
    memcpy(text, body.data, body.size);
    text[body.size] = '\0';
    buffer_fini(&body);
    return text;
}

static void each_style_has_its_form(void **state)
{
    (void)state;
    const struct error error = {
        .kind = ERROR_MODEL_NOT_FOUND, .param = SLICE("model"), .message = "No \"x\"."};
    assert_string_equal(
        written(&error, ERROR_STYLE_OPENAI),
        "{\"error\":{\"message\":\"No \\\"x\\\".\",\"type\":\"invalid_request_error\","
        "\"param\":\"model\",\"code\":\"model_not_found\"}}");
    assert_string_equal(written(&error, ERROR_STYLE_DETAIL), "{\"detail\":\"No \\\"x\\\".\"}");
    assert_string_equal(written(&error, ERROR_STYLE_PLAIN), "No \"x\".\n");
}

/* Whatever goes wrong has a status, words of its own, and all four members. */
static void every_kind_is_complete(void **state)
{
    (void)state;
    for (enum error_kind kind = ERROR_NONE + 1; kind < ERROR_KIND_COUNT; kind++) {
        const struct error error = {.kind = kind};
        const unsigned http_status = error_http_status(&error, ERROR_STYLE_OPENAI);
        assert_true(http_status >= 400 && http_status < 600);
        assert_true(error_code(&error).size > 0);
        const char *text = written(&error, ERROR_STYLE_OPENAI);
        assert_null(strstr(text, "\"message\":\"\""));
        assert_null(strstr(text, "\"type\":\"\""));
        assert_non_null(strstr(text, "\"param\":null,"));
        assert_true(strlen(written(&error, ERROR_STYLE_PLAIN)) > 5);
        assert_null(strstr(written(&error, ERROR_STYLE_DETAIL), "\"detail\":\"\""));
    }
}

static void what_is_upstreams_fault_is_a_500_in_the_detail_style(void **state)
{
    (void)state;
    for (enum error_kind kind = ERROR_NONE + 1; kind < ERROR_KIND_COUNT; kind++) {
        const struct error error = {.kind = kind, .message = "names of our own"};
        const unsigned http_status = error_http_status(&error, ERROR_STYLE_DETAIL);
        const char *text = written(&error, ERROR_STYLE_DETAIL);
        if (error_is_upstreams(kind)) {
            assert_int_equal(http_status, 500);
            assert_string_equal(text, "{\"detail\":\"Internal server error\"}");
            assert_true(error_http_status(&error, ERROR_STYLE_OPENAI) >= 502);
        } else {
            assert_int_equal(http_status, error_http_status(&error, ERROR_STYLE_OPENAI));
        }
    }
}

static void the_detail_of_a_wrong_key_is_promised(void **state)
{
    (void)state;
    const struct error error = {.kind = ERROR_INVALID_KEY, .message = "Invalid API key: it is …"};
    assert_string_equal(written(&error, ERROR_STYLE_DETAIL), "{\"detail\":\"Invalid API key\"}");
    assert_int_equal(error_http_status(&error, ERROR_STYLE_DETAIL), 401);
}

static void what_was_given_comes_before_the_kinds_own(void **state)
{
    (void)state;
    const struct error error = {.kind = ERROR_INVALID_REQUEST,
                                .http_status = 422,
                                .code = SLICE("own_code"),
                                .body = SLICE("[1]")};
    assert_int_equal(error_http_status(&error, ERROR_STYLE_OPENAI), 422);
    assert_int_equal(error_http_status(&error, ERROR_STYLE_DETAIL), 422);
    assert_true(slice_equal(error_code(&error), SLICE("own_code")));
    assert_string_equal(written(&error, ERROR_STYLE_OPENAI), "[1]");
}

static void statuses_of_the_server_side_have_kinds(void **state)
{
    (void)state;
    static const unsigned statuses[] = {400, 401, 404, 405, 408, 413, 415, 417, 431, 501, 503, 505};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        const struct error error = {.kind = error_kind_for(statuses[i])};
        assert_int_equal(error_http_status(&error, ERROR_STYLE_OPENAI), statuses[i]);
    }
    assert_int_equal(error_kind_for(404), ERROR_NOT_FOUND);
    assert_int_equal(error_kind_for(599), ERROR_INTERNAL);
    assert_int_equal(error_kind_for(0), ERROR_INTERNAL);
}

static void a_body_that_does_not_fit_is_said(void **state)
{
    (void)state;
    const struct error error = {.kind = ERROR_INTERNAL};
    for (enum error_style style = ERROR_STYLE_OPENAI; style <= ERROR_STYLE_PLAIN; style++) {
        struct buffer body;
        buffer_init(&body, 10);
        assert_int_not_equal(error_write(&error, style, &body), STATUS_OK);
        buffer_fini(&body);
        buffer_init(&body, BODY_BYTES_MAX);
        alloc_fail_nth(0);
        assert_int_equal(error_write(&error, style, &body), STATUS_NO_MEMORY);
        alloc_fail_nth(-1);
        buffer_fini(&body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_style_has_its_form),
        cmocka_unit_test(every_kind_is_complete),
        cmocka_unit_test(what_is_upstreams_fault_is_a_500_in_the_detail_style),
        cmocka_unit_test(the_detail_of_a_wrong_key_is_promised),
        cmocka_unit_test(what_was_given_comes_before_the_kinds_own),
        cmocka_unit_test(statuses_of_the_server_side_have_kinds),
        cmocka_unit_test(a_body_that_does_not_fit_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
