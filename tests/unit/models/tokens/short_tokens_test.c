#include "models/tokens/short_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

static const uint8_t bytes[] = "aab\0abcdefghabcdefghi";
static const uint32_t offsets[] = {0, 1, 3, 4, 12, 21};
static const struct token_strings strings = {bytes, offsets, 5};

static uint32_t find(const struct short_tokens *table, const char *text, size_t size)
{
    uint8_t padded[64];
    memset(padded, '#', sizeof(padded)); /* what is behind the piece does not count */
    memcpy(padded, text, size);
    return short_token(table, padded, size);
}

static void tokens_of_up_to_eight_bytes_are_found_by_all_their_bytes(void **state)
{
    (void)state;
    struct short_tokens table;
    assert_int_equal(short_tokens_build(&table, &strings), STATUS_OK);
    assert_int_equal(find(&table, "a", 1), 0);
    assert_int_equal(find(&table, "ab", 2), 1);
    assert_int_equal(find(&table, "\0", 1), 2);
    assert_int_equal(find(&table, "abcdefgh", 8), 3);
    assert_int_equal(find(&table, "abcdefg", 7), TRIE_NO_TOKEN);
    assert_int_equal(find(&table, "b", 1), TRIE_NO_TOKEN);
    assert_int_equal(find(&table, "a\0", 2), TRIE_NO_TOKEN);
    assert_int_equal(find(&table, "\0\0", 2), TRIE_NO_TOKEN);
    short_tokens_fini(&table);
}

static void without_memory_nothing_is_built(void **state)
{
    (void)state;
    struct short_tokens table;
    for (int nth = 0; nth < 2; nth++) {
        alloc_fail_nth(nth);
        assert_int_equal(short_tokens_build(&table, &strings), STATUS_NO_MEMORY);
        alloc_fail_nth(-1);
        assert_null(table.keys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_of_up_to_eight_bytes_are_found_by_all_their_bytes),
        cmocka_unit_test(without_memory_nothing_is_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
