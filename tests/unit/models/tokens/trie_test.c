#include "models/tokens/trie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

#define STRINGS_MAX 512

struct strings {
    uint8_t bytes[4096];
    uint32_t offsets[STRINGS_MAX + 1];
    struct token_strings tokens;
};

static void add(struct strings *strings, const void *bytes, size_t size)
{
    const uint32_t count = strings->tokens.count++;
    strings->tokens.bytes = strings->bytes;
    strings->tokens.offsets = strings->offsets;
    memcpy(strings->bytes + strings->offsets[count], bytes, size);
    strings->offsets[count + 1] = strings->offsets[count] + (uint32_t)size;
}

static void add_all(struct strings *strings, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(strings, words[i], strlen(words[i]));
}

static uint32_t longest(const struct trie *trie, const char *text, size_t *size_out)
{
    const uint8_t *at = (const uint8_t *)text;
    return trie_longest(trie, at, at + strlen(text), size_out);
}

static const char *const words[] = {"a", "b", "c", "ab", "abc", "abcdef", "bc", "the", "then"};

static void the_longest_token_at_a_place_is_found(void **state)
{
    (void)state;
    struct strings strings = {0};
    struct trie trie;
    size_t size;
    add_all(&strings, words, sizeof(words) / sizeof(words[0]));
    assert_int_equal(trie_build(&trie, &strings.tokens), STATUS_OK);
    assert_int_equal(longest(&trie, "abcde", &size), 4);
    assert_int_equal(size, 3);
    assert_int_equal(longest(&trie, "abcdefg", &size), 5);
    assert_int_equal(size, 6);
    assert_int_equal(longest(&trie, "ba", &size), 1);
    assert_int_equal(longest(&trie, "thenthe", &size), 8);
    assert_int_equal(longest(&trie, "th", &size), TRIE_NO_TOKEN);
    assert_int_equal(size, 0);
    assert_int_equal(longest(&trie, "", &size), TRIE_NO_TOKEN);
    assert_int_equal(longest(&trie, "\xFF", &size), TRIE_NO_TOKEN);
    trie_fini(&trie);
}

static void every_byte_and_pair_of_bytes_finds_its_place(void **state)
{
    (void)state;
    struct strings strings = {0};
    struct trie trie;
    for (unsigned byte = 0; byte < 256; byte++)
        add(&strings, &(uint8_t){(uint8_t)byte}, 1);
    for (unsigned byte = 0; byte < 256; byte++)
        add(&strings, (uint8_t[]){(uint8_t)(byte * 7), (uint8_t)byte}, 2);
    assert_int_equal(trie_build(&trie, &strings.tokens), STATUS_OK);
    for (unsigned i = 0; i < 65536; i++) {
        const uint8_t text[] = {(uint8_t)(i >> 8), (uint8_t)i};
        size_t size;
        const bool is_pair = (uint8_t)(text[1] * 7) == text[0];
        assert_int_equal(trie_longest(&trie, text, text + 2, &size),
                         is_pair ? 256u + text[1] : text[0]);
        assert_int_equal(size, is_pair ? 2 : 1);
    }
    trie_fini(&trie);
}

static void tokens_that_are_empty_or_equal_are_refused(void **state)
{
    (void)state;
    struct strings strings = {0};
    struct trie trie;
    add_all(&strings, words, 3);
    add(&strings, "", 0);
    assert_int_equal(trie_build(&trie, &strings.tokens), STATUS_INVALID);
    strings = (struct strings){0};
    add_all(&strings, words, 3);
    add(&strings, "b", 1);
    assert_int_equal(trie_build(&trie, &strings.tokens), STATUS_INVALID);
}

static void without_memory_nothing_is_built_and_nothing_leaks(void **state)
{
    (void)state;
    struct strings strings = {0};
    struct trie trie;
    enum status status = STATUS_NO_MEMORY;
    int nth = 0;
    add_all(&strings, words, sizeof(words) / sizeof(words[0]));
    for (; nth < 7; nth++) {
        alloc_fail_nth(nth);
        status = trie_build(&trie, &strings.tokens);
        alloc_fail_nth(-1);
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_null(trie.cells);
    }
    assert_int_equal(trie_build(&trie, &strings.tokens), STATUS_OK);
    trie_fini(&trie);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_token_at_a_place_is_found),
        cmocka_unit_test(every_byte_and_pair_of_bytes_finds_its_place),
        cmocka_unit_test(tokens_that_are_empty_or_equal_are_refused),
        cmocka_unit_test(without_memory_nothing_is_built_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
