#include "telemetry/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "telemetry/utf8.h"

typedef void (*escape_function)(struct buffer *out, struct slice text);

static void assert_escaped(escape_function escape, struct slice text, const char *expected)
{
    struct buffer out;
    buffer_init(&out, 4096);
    escape(&out, text);
    assert_int_equal(buffer_status(&out), STATUS_OK);
    assert_int_equal(out.size, strlen(expected));
    if (out.size > 0)
        assert_memory_equal(out.data, expected, out.size);
    buffer_fini(&out);
}

static void json_escapes_what_ends_a_string_or_a_line(void **state)
{
    (void)state;
    assert_escaped(escape_json, SLICE(""), "");
    assert_escaped(escape_json, SLICE("plain /v1?x"), "plain /v1?x");
    assert_escaped(escape_json, SLICE("\"\\\n\r\t"), "\\\"\\\\\\n\\r\\t");
    assert_escaped(escape_json, SLICE("a\0b\x1b[2J\x7f"), "a\\u0000b\\u001b[2J\\u007f");
    assert_escaped(escape_json, SLICE("\xc2\x9b"), "\\u009b");
    assert_escaped(escape_json, SLICE("\xe2\x80\xa8|\xe2\x80\xae|\xe2\x81\xa6"),
                   "\\u2028|\\u202e|\\u2066");
    assert_escaped(escape_json, SLICE("caf\xc3\xa9 \xf0\x9f\x98\x80"),
                   "caf\xc3\xa9 \xf0\x9f\x98\x80");
}

static void bytes_that_are_no_utf8_become_replacements(void **state)
{
    (void)state;
    assert_escaped(escape_json,
                   SLICE("a\xff"
                         "b"),
                   "a\xef\xbf\xbd"
                   "b");
    assert_escaped(escape_json, SLICE("\xe2\x82"), "\xef\xbf\xbd");
    assert_escaped(escape_json, SLICE("\xc0\""), "\xef\xbf\xbd\\\"");
    assert_escaped(escape_plain, SLICE("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void plain_text_keeps_quotes_and_shows_controls(void **state)
{
    (void)state;
    assert_escaped(escape_plain, SLICE("say \"hi\"\n\x1b[31m"), "say \"hi\"\\n\\u001b[31m");
}

static void a_word_is_quoted_when_it_has_to_be(void **state)
{
    (void)state;
    assert_escaped(escape_word, SLICE("demo"), "demo");
    assert_escaped(escape_word, SLICE(""), "\"\"");
    assert_escaped(escape_word, SLICE("a b"), "\"a b\"");
    assert_escaped(escape_word, SLICE("a\" x=\"y"), "\"a\\\" x=\\\"y\"");
    assert_escaped(escape_word, SLICE("\xc3\xa9"), "\"\xc3\xa9\"");
}

static void labels_know_three_escapes_and_no_numbers(void **state)
{
    (void)state;
    assert_escaped(escape_label, SLICE("a\"b\\c\nd"), "a\\\"b\\\\c\\nd");
    assert_escaped(escape_label, SLICE("\r\t\x01"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

/* Every pair of bytes: the result is UTF-8 without a control character, and within the bound. */
static void no_two_bytes_get_through_unharmed(void **state)
{
    (void)state;
    const escape_function functions[] = {escape_json, escape_plain, escape_word, escape_label};
    struct buffer out;
    buffer_init(&out, 64);
    for (unsigned pair = 0; pair < 65536; pair++) {
        const char bytes[] = {(char)(pair >> 8), (char)pair};
        buffer_clear(&out);
        functions[pair % 4](&out, slice_of(bytes, 2));
        assert_true(out.size <= 2 * ESCAPE_GROWTH + 2);
        for (size_t at = 0; at < out.size;) {
            uint32_t code;
            at += utf8_next(buffer_slice(&out), at, &code);
            assert_true(code != UTF8_INVALID && code >= 0x20 && (code < 0x7f || code > 0x9f));
        }
    }
    buffer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_escapes_what_ends_a_string_or_a_line),
        cmocka_unit_test(bytes_that_are_no_utf8_become_replacements),
        cmocka_unit_test(plain_text_keeps_quotes_and_shows_controls),
        cmocka_unit_test(a_word_is_quoted_when_it_has_to_be),
        cmocka_unit_test(labels_know_three_escapes_and_no_numbers),
        cmocka_unit_test(no_two_bytes_get_through_unharmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
