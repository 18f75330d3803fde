#include "telemetry/log_redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KEY "sk-weir-0Ab9zZ0Ab9zZ0Ab9zZ0Ab9zZ0Ab9zZ0Ab9zZabc"

static void assert_text(struct log_text text, struct slice expected)
{
    assert_int_equal(text.bytes.size, expected.size);
    assert_memory_equal(text.bytes.data, expected.data, expected.size);
}

static void a_record_without_a_secret_is_shown_as_it_is(void **state)
{
    (void)state;
    struct log_redacted redacted;
    struct log_view access = {.kind = LOG_KIND_ACCESS};
    struct log_view message = {.kind = LOG_KIND_MESSAGE, .message = {SLICE("started"), false}};
    access.text[ACCESS_TEXT_MODEL].bytes = SLICE("weir-model");
    assert_ptr_equal(log_redact(&access, &redacted), &access);
    assert_ptr_equal(log_redact(&message, &redacted), &message);
}

static void a_secret_in_any_text_of_a_request_is_hidden(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++) {
        struct log_redacted redacted;
        struct log_view view = {.kind = LOG_KIND_ACCESS, .time_us = 7};
        for (unsigned j = 0; j < ACCESS_TEXT_COUNT; j++)
            view.text[j].bytes = j == i ? SLICE("no " KEY "!") : SLICE("other");
        const struct log_view *shown = log_redact(&view, &redacted);
        assert_int_equal(shown->time_us, 7);
        for (unsigned j = 0; j < ACCESS_TEXT_COUNT; j++)
            assert_text(shown->text[j], j == i ? SLICE("no sk-weir-…!") : SLICE("other"));
    }
}

static void a_secret_in_a_message_is_hidden(void **state)
{
    (void)state;
    struct log_redacted redacted;
    const struct log_view view = {.kind = LOG_KIND_MESSAGE,
                                  .message = {SLICE("no user " KEY), true}};
    const struct log_view *shown = log_redact(&view, &redacted);
    assert_text(shown->message, SLICE("no user sk-weir-…"));
    assert_false(shown->message.is_cut);
}

static void the_longest_texts_fit(void **state)
{
    (void)state;
    static char text[ACCESS_TEXT_COUNT][320];
    struct log_redacted redacted;
    struct log_view view = {.kind = LOG_KIND_MESSAGE};
    view.message.bytes = slice_of(text, LOG_MESSAGE_SIZE - 1);
    memset(text, 'x', sizeof(text));
    memcpy(text, KEY, sizeof(KEY) - 1);
    const struct log_view *shown = log_redact(&view, &redacted);
    assert_text(shown->message, SLICE("sk-weir-…"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_without_a_secret_is_shown_as_it_is),
        cmocka_unit_test(a_secret_in_any_text_of_a_request_is_hidden),
        cmocka_unit_test(a_secret_in_a_message_is_hidden),
        cmocka_unit_test(the_longest_texts_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
