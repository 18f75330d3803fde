#include "telemetry/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct character {
    const char *bytes;
    size_t size;
    uint32_t code;
};

static void characters_of_each_length_are_read(void **state)
{
    (void)state;
    const struct character characters[] = {
        {"A", 1, 'A'},
        {"\x7f", 1, 0x7f},
        {"\xc2\x80", 2, 0x80},
        {"\xdf\xbf", 2, 0x7ff},
        {"\xe0\xa0\x80", 3, 0x800},
        {"\xed\x9f\xbf", 3, 0xd7ff},
        {"\xee\x80\x80", 3, 0xe000},
        {"\xef\xbf\xbf", 3, 0xffff},
        {"\xf0\x90\x80\x80", 4, 0x10000},
        {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
    };
    for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
        uint32_t code;
        const struct slice text = slice_from_text(characters[i].bytes);
        assert_int_equal(utf8_next(text, 0, &code), characters[i].size);
        assert_int_equal(code, characters[i].code);
    }
}

static void what_is_no_character_is_skipped_by_its_longest_start(void **state)
{
    (void)state;
    const struct character wrong[] = {
        {"\x80", 1, 0},             /* begins with a continuation */
        {"\xc0\xaf", 1, 0},         /* overlong */
        {"\xe0\x9f\xbf", 1, 0},     /* overlong */
        {"\xed\xa0\x80", 1, 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 1, 0}, /* above U+10FFFF */
        {"\xf0\x8f\xbf\xbf", 1, 0}, /* overlong */
        {"\xf5\x80", 1, 0},         /* never a first byte */
        {"\xff", 1, 0},
        {"\xc3", 1, 0}, /* cut */
        {"\xe2\x82", 2, 0},
        {"\xf0\x9f\x98", 3, 0},
        {"\xe2\x82"
         "A",
         2, 0},
        {"\xf0\x9f"
         "\xc3\xa9",
         2, 0},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        uint32_t code;
        assert_int_equal(utf8_next(slice_from_text(wrong[i].bytes), 0, &code), wrong[i].size);
        assert_int_equal(code, UTF8_INVALID);
    }
}

static void a_cut_at_any_byte_leaves_whole_characters(void **state)
{
    (void)state;
    const struct slice text = SLICE("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
    const size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
    assert_int_equal(sizeof(whole) / sizeof(whole[0]), text.size + 1);
    for (size_t size = 0; size <= text.size; size++)
        assert_int_equal(utf8_whole_size(slice_of(text.data, size)), whole[size]);
}

static void bytes_that_were_no_utf8_are_left_by_a_cut(void **state)
{
    (void)state;
    assert_int_equal(utf8_whole_size(SLICE("\x80\x80\x80\x80")), 4);
    assert_int_equal(utf8_whole_size(SLICE("a\xff")), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_of_each_length_are_read),
        cmocka_unit_test(what_is_no_character_is_skipped_by_its_longest_start),
        cmocka_unit_test(a_cut_at_any_byte_leaves_whole_characters),
        cmocka_unit_test(bytes_that_were_no_utf8_are_left_by_a_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
