#include "models/tokens/merges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

#define WORDS_MAX 16

/* The bytes as tokens 0 to 255, and words from 256 on. */
struct vocabulary {
    uint8_t bytes[1024];
    uint32_t offsets[TOKEN_BYTES + WORDS_MAX + 1];
    struct token_strings strings;
    struct trie trie;
    struct merges merges;
};

static enum status build(struct vocabulary *vocabulary, const char *const *words, uint32_t count)
{
    *vocabulary = (struct vocabulary){0};
    uint32_t size = 0;
    for (; size < TOKEN_BYTES; size++) {
        vocabulary->bytes[size] = (uint8_t)size;
        vocabulary->offsets[size + 1] = size + 1;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t added = (uint32_t)strlen(words[i]);
        memcpy(vocabulary->bytes + size, words[i], added);
        size += added;
        vocabulary->offsets[TOKEN_BYTES + i + 1] = size;
    }
    vocabulary->strings =
        (struct token_strings){vocabulary->bytes, vocabulary->offsets, TOKEN_BYTES + count};
    assert_int_equal(trie_build(&vocabulary->trie, &vocabulary->strings), STATUS_OK);
    return merges_build(&vocabulary->merges, &vocabulary->strings, &vocabulary->trie);
}

static void destroy(struct vocabulary *vocabulary)
{
    merges_fini(&vocabulary->merges);
    trie_fini(&vocabulary->trie);
}

enum { AB = 256, BC, ABC, CD, ABCD };
static const char *const words[] = {"ab", "bc", "abc", "cd", "abcd"};

static void a_token_is_made_of_what_merges_into_it(void **state)
{
    (void)state;
    struct vocabulary vocabulary;
    assert_int_equal(build(&vocabulary, words, 5), STATUS_OK);
    const struct merges *merges = &vocabulary.merges;
    assert_int_equal(merge_of(merges, 'a', 'b'), AB);
    assert_int_equal(merge_of(merges, 'b', 'a'), TOKEN_NONE);
    assert_int_equal(merge_left(&merges->of[ABC]), AB); /* not a and bc: ab comes first */
    assert_int_equal(merge_right(&merges->of[ABC]), 'c');
    assert_int_equal(merge_of(merges, AB, 'c'), ABC);
    assert_int_equal(merge_of(merges, 'a', BC), TOKEN_NONE);
    assert_int_equal(merge_left(&merges->of[ABCD]), ABC);
    assert_int_equal(merge_of(merges, ABC, 'd'), ABCD);
    destroy(&vocabulary);
}

static void two_may_meet_if_no_merge_crosses_between_them(void **state)
{
    (void)state;
    struct vocabulary vocabulary;
    assert_int_equal(build(&vocabulary, words, 5), STATUS_OK);
    const struct merges *merges = &vocabulary.merges;
    assert_false(merges_may_meet(merges, 'a', 'b', false));
    assert_true(merges_may_meet(merges, 'b', 'a', false));
    assert_true(merges_may_meet(merges, AB, AB, false));
    assert_false(merges_may_meet(merges, AB, CD, false));  /* abc comes before cd */
    assert_false(merges_may_meet(merges, 'b', CD, false)); /* so does bc */
    assert_true(merges_may_meet(merges, ABCD, ABCD, true));
    assert_true(merges_may_meet(merges, ABC, CD, false));
    assert_false(merges_may_meet(merges, ABC, 'd', false));
    destroy(&vocabulary);
}

static void of_equal_merges_the_left_one_is_first(void **state)
{
    (void)state;
    static const char *const runs[] = {"aa", "aaa", "aaaa"};
    struct vocabulary vocabulary;
    assert_int_equal(build(&vocabulary, runs, 3), STATUS_OK);
    const struct merges *merges = &vocabulary.merges;
    assert_int_equal(merge_left(&merges->of[257]), 256); /* aa a, not a aa */
    assert_int_equal(merge_right(&merges->of[257]), 'a');
    assert_int_equal(merge_left(&merges->of[258]), 256);
    assert_int_equal(merge_right(&merges->of[258]), 256);
    assert_false(merges_may_meet(merges, 'a', 256, false));
    assert_false(merges_may_meet(merges, 256, 256, false));
    assert_false(merges_may_meet(merges, 258, 'a', false)); /* aa aaa comes before aaaa a */
    assert_true(merges_may_meet(merges, 258, 256, false));
    destroy(&vocabulary);
}

static void short_cuts_at_a_seam_never_mislead(void **state)
{
    (void)state;
    struct vocabulary vocabulary;
    assert_int_equal(build(&vocabulary, words, 5), STATUS_OK);
    const struct token_strings *strings = &vocabulary.strings;
    for (uint32_t left = 0; left < strings->count; left++) {
        for (uint32_t right = 0; right < strings->count; right++) {
            const uint8_t *at = strings->bytes + strings->offsets[right];
            const uint8_t *end = strings->bytes + strings->offsets[right + 1];
            const uint8_t last = strings->bytes[strings->offsets[left + 1] - 1];
            if (!merges_may_meet(&vocabulary.merges, left, right, false))
                assert_true((vocabulary.merges.of[left].openings & opening_of(at, end)) != 0);
            else
                assert_false(merge_at_seam(&vocabulary.merges, left, right, last, at[0]));
        }
    }
    destroy(&vocabulary);
}

static void a_token_that_nothing_makes_is_refused(void **state)
{
    (void)state;
    static const char *const orphans[] = {"ab", "xyz"};
    struct vocabulary vocabulary;
    assert_int_equal(build(&vocabulary, orphans, 2), STATUS_INVALID);
    destroy(&vocabulary);
}

static void without_memory_nothing_is_built_and_nothing_leaks(void **state)
{
    (void)state;
    struct vocabulary vocabulary;
    assert_int_equal(build(&vocabulary, words, 5), STATUS_OK);
    merges_fini(&vocabulary.merges);
    for (int nth = 0; nth < 5; nth++) {
        alloc_fail_nth(nth);
        assert_int_equal(merges_build(&vocabulary.merges, &vocabulary.strings, &vocabulary.trie),
                         STATUS_NO_MEMORY);
        alloc_fail_nth(-1);
        assert_null(vocabulary.merges.of);
    }
    destroy(&vocabulary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_made_of_what_merges_into_it),
        cmocka_unit_test(two_may_meet_if_no_merge_crosses_between_them),
        cmocka_unit_test(of_equal_merges_the_left_one_is_first),
        cmocka_unit_test(short_cuts_at_a_seam_never_mislead),
        cmocka_unit_test(a_token_that_nothing_makes_is_refused),
        cmocka_unit_test(without_memory_nothing_is_built_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
