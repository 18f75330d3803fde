#include "identity/key_memo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const unsigned char some_hash[KEY_HASH_SIZE] = {1, 2, 3, [KEY_HASH_SIZE - 1] = 4};

static void what_was_remembered_is_recalled(void **state)
{
    (void)state;
    struct key_memo memo = {0};
    unsigned char hash[KEY_HASH_SIZE];
    char text[KEY_MEMO_BYTES_MAX];
    memset(text, 'k', sizeof(text));
    for (size_t size = 1; size <= sizeof(text); size++) {
        memset(hash, 0, sizeof(hash));
        key_memo_remember(&memo, slice_of(text, size), some_hash);
        assert_true(key_memo_recall(&memo, slice_of(text, size), hash));
        assert_memory_equal(hash, some_hash, sizeof(hash));
    }
}

static void no_other_text_is_taken_for_it(void **state)
{
    (void)state;
    struct key_memo memo = {0};
    unsigned char hash[KEY_HASH_SIZE];
    char text[47];
    memset(text, 'k', sizeof(text));
    key_memo_remember(&memo, slice_of(text, sizeof(text)), some_hash);
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] ^= (char)(1 << i % 7);
        assert_false(key_memo_recall(&memo, slice_of(text, sizeof(text)), hash));
        text[i] = 'k';
        assert_false(key_memo_recall(&memo, slice_of(text, i), hash));
    }
    key_memo_remember(&memo, SLICE("another key"), some_hash);
    assert_false(key_memo_recall(&memo, slice_of(text, sizeof(text)), hash));
}

static void nothing_is_recalled_of_an_empty_memo_or_a_long_text(void **state)
{
    (void)state;
    struct key_memo memo = {0};
    unsigned char hash[KEY_HASH_SIZE];
    char text[KEY_MEMO_BYTES_MAX + 1] = {0};
    assert_false(key_memo_recall(&memo, (struct slice){0}, hash));
    assert_false(key_memo_recall(&memo, slice_of(text, 1), hash));
    key_memo_remember(&memo, slice_of(text, sizeof(text)), some_hash);
    assert_int_equal(memo.size, 0);
    assert_false(key_memo_recall(&memo, slice_of(text, sizeof(text)), hash));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_remembered_is_recalled),
        cmocka_unit_test(no_other_text_is_taken_for_it),
        cmocka_unit_test(nothing_is_recalled_of_an_empty_memo_or_a_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
