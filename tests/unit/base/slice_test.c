#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct slice nothing = {0};

static void a_slice_of_a_literal_leaves_its_final_zero_out(void **state)
{
    (void)state;
    assert_int_equal(SLICE("abc").size, 3);
    assert_int_equal(SLICE("").size, 0);
    assert_int_equal(SLICE("a\0b").size, 3);
    assert_int_equal(slice_from_text("abc").size, 3);
}

static void empty_slices_are_equal_wherever_they_point(void **state)
{
    (void)state;
    assert_true(slice_equal(nothing, SLICE("")));
    assert_true(slice_equal(slice_of("abc", 0), nothing));
    assert_true(slice_equal_nocase(nothing, SLICE("")));
    assert_false(slice_equal(nothing, SLICE("a")));
}

static void equality_looks_at_every_byte(void **state)
{
    (void)state;
    assert_true(slice_equal(SLICE("a\0b"), SLICE("a\0b")));
    assert_false(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
    assert_false(slice_equal(SLICE("abc"), SLICE("abC")));
    assert_false(slice_equal(SLICE("abc"), SLICE("ab")));
}

static void equality_without_case_looks_beyond_a_zero_byte(void **state)
{
    (void)state;
    assert_true(slice_equal_nocase(SLICE("a\0b"), SLICE("A\0B")));
    assert_false(slice_equal_nocase(SLICE("a\0b"), SLICE("a\0c")));
}

/* All pairs of bytes: only letters of ASCII have a case. */
static void case_is_that_of_ascii_letters_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        for (unsigned j = 0; j < 256; j++) {
            const char a = (char)i, b = (char)j;
            const bool is_letter = (i | 0x20) >= 'a' && (i | 0x20) <= 'z';
            const bool same = i == j || (is_letter && (i ^ j) == 0x20);
            assert_int_equal(slice_equal_nocase(slice_of(&a, 1), slice_of(&b, 1)), same);
        }
    }
}

static void the_rest_from_an_offset_on(void **state)
{
    (void)state;
    assert_true(slice_equal(slice_from(SLICE("abc"), 1), SLICE("bc")));
    assert_int_equal(slice_from(SLICE("abc"), 3).size, 0);
    assert_null(slice_from(nothing, 0).data);
}

static void beginnings_and_ends(void **state)
{
    (void)state;
    assert_true(slice_starts_with(SLICE("abc"), SLICE("ab")));
    assert_true(slice_starts_with(SLICE("abc"), SLICE("abc")));
    assert_false(slice_starts_with(SLICE("ab"), SLICE("abc")));
    assert_false(slice_starts_with(SLICE("abc"), SLICE("b")));
    assert_true(slice_ends_with(SLICE("abc"), SLICE("bc")));
    assert_false(slice_ends_with(SLICE("abc"), SLICE("ab")));
    assert_false(slice_ends_with(SLICE("c"), SLICE("bc")));
}

static void everything_begins_and_ends_with_nothing(void **state)
{
    (void)state;
    assert_true(slice_starts_with(SLICE("abc"), nothing));
    assert_true(slice_ends_with(SLICE("abc"), nothing));
    assert_true(slice_starts_with(nothing, nothing));
    assert_true(slice_ends_with(nothing, nothing));
    assert_true(slice_ends_with(nothing, SLICE("")));
}

static void the_first_byte_is_found(void **state)
{
    (void)state;
    assert_int_equal(slice_find_byte(SLICE("abcb"), 'b'), 1);
    assert_int_equal(slice_find_byte(SLICE("abc"), 'd'), 3);
    assert_int_equal(slice_find_byte(SLICE("a\0c"), '\0'), 1);
    assert_int_equal(slice_find_byte(nothing, 'a'), 0);
}

static void the_first_needle_is_found(void **state)
{
    (void)state;
    assert_int_equal(slice_find(SLICE("ababc"), SLICE("abc")), 2);
    assert_int_equal(slice_find(SLICE("ababc"), SLICE("abd")), 5);
    assert_int_equal(slice_find(SLICE("ab"), SLICE("abc")), 2);
    assert_int_equal(slice_find(nothing, SLICE("a")), 0);
    assert_int_equal(slice_find(SLICE("abc"), nothing), 0);
}

static void a_slice_is_found_wherever_it_stands(void **state)
{
    (void)state;
    char text[70];
    for (size_t size = 1; size <= sizeof(text); size++) {
        for (size_t needle_size = 1; needle_size <= size; needle_size++) {
            const struct slice needle = slice_of("needleneedleneedleneedleneedleneedleneedleneed"
                                                 "leneedleneedleneedleneed",
                                                 needle_size);
            for (size_t at = 0; at + needle_size <= size; at++) {
                memset(text, 'n', at); /* which looks like one that begins */
                memset(text + at, 'x', size - at);
                memcpy(text + at, needle.data, needle_size);
                const size_t found = slice_find(slice_of(text, size), needle);
                assert_int_equal(found, needle_size == 1 ? 0 : at);
                text[at + needle_size - 1] = 'x';
                if (needle_size > 1)
                    assert_int_equal(slice_find(slice_of(text, size), needle), size);
            }
        }
    }
}

static void spaces_and_tabs_are_trimmed_and_nothing_else(void **state)
{
    (void)state;
    assert_true(slice_equal(slice_trim(SLICE(" \ta b\t ")), SLICE("a b")));
    assert_true(slice_equal(slice_trim(SLICE("\ra\n")), SLICE("\ra\n")));
    assert_int_equal(slice_trim(SLICE(" \t ")).size, 0);
    assert_int_equal(slice_trim(nothing).size, 0);
}

static void a_number_is_digits_up_to_the_largest(void **state)
{
    (void)state;
    static const struct {
        struct slice text;
        uint64_t value;
    } cases[] = {
        {{"0", 1}, 0},
        {{"007", 3}, 7},
        {{"18446744073709551615", 20}, UINT64_MAX},
        {{"000000000000000000000000000018446744073709551615", 48}, UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = 1;
        assert_int_equal(slice_to_u64(cases[i].text, &value), STATUS_OK);
        assert_int_equal(value, cases[i].value);
    }
}

static void what_is_no_number_is_refused_and_writes_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "+1",
                                        "-1",
                                        " 1",
                                        "1 ",
                                        "1a",
                                        "x",
                                        "/",
                                        "1:2",
                                        "0x1",
                                        "18446744073709551616",
                                        "99999999999999999999",
                                        "184467440737095516150"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint64_t value = 42;
        assert_int_equal(slice_to_u64(slice_from_text(texts[i]), &value), STATUS_INVALID);
        assert_int_equal(value, 42);
    }
    uint64_t value;
    assert_int_equal(slice_to_u64(SLICE("1\0"), &value), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_of_a_literal_leaves_its_final_zero_out),
        cmocka_unit_test(empty_slices_are_equal_wherever_they_point),
        cmocka_unit_test(equality_looks_at_every_byte),
        cmocka_unit_test(equality_without_case_looks_beyond_a_zero_byte),
        cmocka_unit_test(case_is_that_of_ascii_letters_alone),
        cmocka_unit_test(the_rest_from_an_offset_on),
        cmocka_unit_test(beginnings_and_ends),
        cmocka_unit_test(everything_begins_and_ends_with_nothing),
        cmocka_unit_test(the_first_byte_is_found),
        cmocka_unit_test(the_first_needle_is_found),
        cmocka_unit_test(a_slice_is_found_wherever_it_stands),
        cmocka_unit_test(spaces_and_tabs_are_trimmed_and_nothing_else),
        cmocka_unit_test(a_number_is_digits_up_to_the_largest),
        cmocka_unit_test(what_is_no_number_is_refused_and_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
