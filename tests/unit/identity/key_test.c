#include "identity/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CHECK(text) key_check(text, NULL)

static void a_key_made_here_passes_the_check(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char text[KEY_TEXT_SIZE];
        key_make(text);
        assert_true(slice_starts_with(slice_of(text, sizeof(text)), SLICE("sk-weir-")));
        assert_int_equal(CHECK(slice_of(text, sizeof(text))), STATUS_OK);
    }
}

static void two_keys_differ(void **state)
{
    (void)state;
    char first[KEY_TEXT_SIZE], second[KEY_TEXT_SIZE];
    key_make(first);
    key_make(second);
    assert_memory_not_equal(first, second, KEY_TEXT_SIZE);
}

static void a_key_with_any_one_character_changed_is_refused(void **state)
{
    (void)state;
    char text[KEY_TEXT_SIZE];
    key_make(text);
    for (size_t i = sizeof("sk-weir-") - 1; i < sizeof(text); i++) {
        const char kept = text[i];
        text[i] = kept == 'a' ? 'b' : 'a';
        assert_int_equal(CHECK(slice_of(text, sizeof(text))), STATUS_INVALID);
        text[i] = kept;
    }
    assert_int_equal(CHECK(slice_of(text, sizeof(text))), STATUS_OK);
}

static void a_key_cut_anywhere_after_its_prefix_or_lengthened_is_refused(void **state)
{
    (void)state;
    char text[KEY_TEXT_SIZE + 1];
    key_make(text);
    text[KEY_TEXT_SIZE] = 'x';
    for (size_t size = sizeof("sk-weir-") - 1; size <= sizeof(text); size++) {
        if (size != KEY_TEXT_SIZE)
            assert_int_equal(CHECK(slice_of(text, size)), STATUS_INVALID);
    }
}

static void the_checksum_is_that_of_the_format(void **state)
{
    (void)state;
    /* CRC-32 of the first 41 characters, in base 62 with the digits 0-9, A-Z, a-z. */
    const struct slice text = SLICE("sk-weir-0000000000000000000000000000000001lnd0M");
    assert_int_equal(CHECK(text), STATUS_OK);
}

static void a_key_from_elsewhere_needs_no_checksum(void **state)
{
    (void)state;
    assert_int_equal(CHECK(SLICE("sk-proj-0123456789")), STATUS_OK);
    assert_int_equal(CHECK(SLICE("0123456789abcdef")), STATUS_OK);
    assert_int_equal(CHECK(SLICE("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~")), STATUS_OK);
}

static void a_key_from_elsewhere_is_16_to_256_printable_characters(void **state)
{
    (void)state;
    char text[KEY_TEXT_SIZE_MAX + 1];
    memset(text, 'k', sizeof(text));
    assert_int_equal(CHECK(slice_of(text, 0)), STATUS_INVALID);
    assert_int_equal(CHECK(slice_of(NULL, 0)), STATUS_INVALID);
    assert_int_equal(CHECK(slice_of(text, KEY_TEXT_SIZE_MIN - 1)), STATUS_INVALID);
    assert_int_equal(CHECK(slice_of(text, KEY_TEXT_SIZE_MIN)), STATUS_OK);
    assert_int_equal(CHECK(slice_of(text, KEY_TEXT_SIZE_MAX)), STATUS_OK);
    assert_int_equal(CHECK(slice_of(text, KEY_TEXT_SIZE_MAX + 1)), STATUS_INVALID);
    for (int byte = 0; byte < 256; byte++) {
        text[7] = (char)byte;
        const enum status wanted = byte > ' ' && byte <= '~' ? STATUS_OK : STATUS_INVALID;
        assert_int_equal(CHECK(slice_of(text, 32)), wanted);
    }
}

static void the_reason_never_quotes_the_key(void **state)
{
    (void)state;
    struct reason reason = {""};
    assert_int_equal(key_check(SLICE("sk-weir-hunter2"), &reason), STATUS_INVALID);
    assert_null(strstr(reason.text, "hunter2"));
    assert_int_equal(key_check(SLICE("hunter2"), &reason), STATUS_INVALID);
    assert_null(strstr(reason.text, "hunter2"));
}

static void the_hint_is_the_end_of_the_key(void **state)
{
    (void)state;
    assert_true(slice_equal(key_hint(SLICE("0123456789abcdef")), SLICE("cdef")));
}

static void a_token_is_told_from_what_is_none(void **state)
{
    (void)state;
    char text[KEY_TOKEN_SIZE + 1];
    key_make_token(text);
    text[KEY_TOKEN_SIZE] = 'x';
    assert_true(slice_starts_with(slice_of(text, KEY_TOKEN_SIZE), SLICE("weir-admin-")));
    for (size_t size = 0; size <= sizeof(text); size++)
        assert_int_equal(key_is_token(slice_of(text, size)), size == KEY_TOKEN_SIZE);
    for (size_t i = 0; i < KEY_TOKEN_SIZE; i++) {
        const char kept = text[i];
        text[i] = kept == 'a' ? 'b' : 'a';
        assert_false(key_is_token(slice_of(text, KEY_TOKEN_SIZE)));
        text[i] = kept;
    }
}

static void a_key_and_a_token_do_not_stand_in_for_each_other(void **state)
{
    (void)state;
    char key[KEY_TEXT_SIZE], token[KEY_TOKEN_SIZE];
    key_make(key);
    key_make_token(token);
    assert_false(key_is_token(slice_of(key, sizeof(key))));
    assert_int_equal(CHECK(slice_of(token, sizeof(token))), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_made_here_passes_the_check),
        cmocka_unit_test(two_keys_differ),
        cmocka_unit_test(a_key_with_any_one_character_changed_is_refused),
        cmocka_unit_test(a_key_cut_anywhere_after_its_prefix_or_lengthened_is_refused),
        cmocka_unit_test(the_checksum_is_that_of_the_format),
        cmocka_unit_test(a_key_from_elsewhere_needs_no_checksum),
        cmocka_unit_test(a_key_from_elsewhere_is_16_to_256_printable_characters),
        cmocka_unit_test(the_reason_never_quotes_the_key),
        cmocka_unit_test(the_hint_is_the_end_of_the_key),
        cmocka_unit_test(a_token_is_told_from_what_is_none),
        cmocka_unit_test(a_key_and_a_token_do_not_stand_in_for_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
