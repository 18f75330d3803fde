#include "json/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "json/read.h"
#include "json/value.h"

static void assert_text(const struct buffer *buffer, const char *text)
{
    if (!slice_equal(buffer_slice(buffer), slice_from_text(text)))
        fail_msg("'%.*s' is not '%s'", SLICE_ARGS(buffer_slice(buffer)), text);
}

static void commas_and_brackets_fall_into_place(void **state)
{
    (void)state;
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, 1024);
    json_writer_init(&writer, &buffer);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("a"));
    json_write_array(&writer);
    json_write_u64(&writer, UINT64_MAX);
    json_write_i64(&writer, INT64_MIN);
    json_write_i64(&writer, 7);
    json_write_array(&writer);
    json_write_end(&writer);
    json_write_object(&writer);
    json_write_end(&writer);
    json_write_null(&writer);
    json_write_end(&writer);
    json_write_key(&writer, SLICE("b\""));
    json_write_bool(&writer, true);
    json_write_key(&writer, SLICE("c"));
    json_write_raw(&writer, SLICE("1.50"));
    json_write_key(&writer, SLICE("d"));
    json_write_string(&writer, SLICE("x"));
    json_write_end(&writer);
    assert_int_equal(buffer_status(&buffer), STATUS_OK);
    assert_text(&buffer, "{\"a\":[18446744073709551615,-9223372036854775808,7,[],{},null],"
                         "\"b\\\"\":true,\"c\":1.50,\"d\":\"x\"}");
    buffer_fini(&buffer);
}

static void every_level_keeps_its_own_commas(void **state)
{
    (void)state;
    struct buffer buffer;
    struct json_writer writer;
    struct json_value value;
    struct json_error error;
    buffer_init(&buffer, 1024);
    json_writer_init(&writer, &buffer);
    for (int i = 0; i < JSON_WRITE_DEPTH_MAX; i++) {
        json_write_array(&writer);
        json_write_u64(&writer, 1);
    }
    for (int i = 0; i < JSON_WRITE_DEPTH_MAX; i++) {
        json_write_u64(&writer, 2);
        json_write_end(&writer);
    }
    assert_int_equal(json_check(buffer_slice(&buffer), &JSON_LIMITS_DEFAULT, &value, &error),
                     STATUS_OK);
    assert_true(slice_ends_with(buffer_slice(&buffer), SLICE(",2],2],2]")));
    buffer_fini(&buffer);
}

static void what_needs_it_is_escaped_and_nothing_else(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1024);
    assert_int_equal(json_append_string(&buffer, SLICE("\"\\/\b\f\n\r\t\x01\x1F\x7F \xC3\xA9\xF0"
                                                       "\x9F\x98\x80")),
                     STATUS_OK);
    assert_text(&buffer, "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F \xC3\xA9\xF0\x9F\x98\x80\"");
    buffer_clear(&buffer);
    assert_int_equal(json_append_string(&buffer, (struct slice){"a\0b", 3}), STATUS_OK);
    assert_text(&buffer, "\"a\\u0000b\"");
    buffer_clear(&buffer);
    assert_int_equal(json_append_string(&buffer, (struct slice){0}), STATUS_OK);
    assert_text(&buffer, "\"\"");
    buffer_fini(&buffer);
}

static void bytes_that_are_no_utf8_become_replacement_characters(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 1024);
    assert_int_equal(json_append_string(&buffer, SLICE("a\x80z\xC3")), STATUS_OK);
    assert_text(&buffer, "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\"");
    buffer_fini(&buffer);
}

/* Any bytes at all: what is written is JSON, and text that is UTF-8 reads back as it was. */
static void every_pair_of_bytes_gives_valid_json(void **state)
{
    (void)state;
    struct buffer buffer;
    char first[64];
    buffer_init(&buffer, 1024);
    for (unsigned pair = 0; pair < 0x10000; pair++) {
        const char bytes[2] = {(char)(pair >> 8), (char)(pair & 0xFF)};
        struct json_value value;
        struct json_error error;
        struct arena arena;
        struct slice text;
        buffer_clear(&buffer);
        arena_init(&arena, first, sizeof(first), 0);
        assert_int_equal(json_append_string(&buffer, slice_of(bytes, 2)), STATUS_OK);
        assert_int_equal(json_check(buffer_slice(&buffer), &JSON_LIMITS_DEFAULT, &value, &error),
                         STATUS_OK);
        assert_int_equal(json_string(value, &arena, &text), STATUS_OK);
        if (pair >> 8 < 0x80 && (pair & 0xFF) < 0x80)
            assert_true(slice_equal(text, slice_of(bytes, 2)));
    }
    buffer_fini(&buffer);
}

static void a_string_that_does_not_fit_adds_nothing(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 8);
    assert_int_equal(json_append_string(&buffer, SLICE("1234567")), STATUS_TOO_LARGE);
    assert_int_equal(buffer.size, 0);
    buffer_fini(&buffer);
    buffer_init(&buffer, 8);
    alloc_fail_nth(0);
    assert_int_equal(json_append_string(&buffer, SLICE("1")), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_int_equal(buffer.size, 0);
    buffer_fini(&buffer);
}

static void a_string_is_quoted_into_an_arena(void **state)
{
    (void)state;
    char first[32];
    struct arena arena;
    arena_init(&arena, first, sizeof(first), 0);
    assert_true(slice_equal(json_quote(SLICE("a\"b"), &arena), SLICE("\"a\\\"b\"")));
    assert_null(json_quote(SLICE("longer than what the arena has left"), &arena).data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_brackets_fall_into_place),
        cmocka_unit_test(every_level_keeps_its_own_commas),
        cmocka_unit_test(what_needs_it_is_escaped_and_nothing_else),
        cmocka_unit_test(bytes_that_are_no_utf8_become_replacement_characters),
        cmocka_unit_test(every_pair_of_bytes_gives_valid_json),
        cmocka_unit_test(a_string_that_does_not_fit_adds_nothing),
        cmocka_unit_test(a_string_is_quoted_into_an_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
