#include "models/tokens/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "models/tokens/tokenizer_internal.h"

#define TEXT_BYTES_MAX 700
#define RANDOM_TEXTS   3000

static const struct tokenizer *tokenizers[TOKEN_ENCODING_COUNT];

static int load_encodings(void **state)
{
    (void)state;
    struct reason reason;
    for (unsigned i = 0; i < TOKEN_ENCODING_COUNT; i++) {
        if (tokenizer_load((enum token_encoding)i, &reason) != STATUS_OK)
            return 1;
        tokenizers[i] = tokenizer_get((enum token_encoding)i);
    }
    return 0;
}

static int unload_encodings(void **state)
{
    (void)state;
    tokenizer_unload_all();
    return 0;
}

/* The definition, word for word: of all neighbours that make a token merge those that make the one
 * of the lowest rank, the leftmost of these first, until none do. */
static size_t merge_naively(const struct token_tables *tables, const uint8_t *text, size_t size,
                            uint32_t *tokens)
{
    size_t count = size;
    for (size_t i = 0; i < size; i++) {
        size_t one;
        tokens[i] = trie_longest(&tables->trie, text + i, text + i + 1, &one);
    }
    for (;;) {
        uint32_t best = TOKEN_NONE;
        size_t best_at = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            const uint32_t merged = merge_of(&tables->merges, tokens[i], tokens[i + 1]);
            if (merged < best) {
                best = merged;
                best_at = i;
            }
        }
        if (best == TOKEN_NONE)
            return count;
        tokens[best_at] = best;
        count--;
        memmove(tokens + best_at + 1, tokens + best_at + 2,
                (count - best_at - 1) * sizeof(*tokens));
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t random_text(uint64_t *random, uint8_t text[TEXT_BYTES_MAX])
{
    static const char *const alphabets[] = {
        "abcdefghijklmnopqrstuvwxyz", "ab", "a", " \n", "-=*#", "=", "/", "etaoinshrdlu ",
        "\xE4\xB8\xAD\xE5\x9B\xBD"};
    const uint64_t which = next_random(random) % 10;
    const size_t size =
        1 + next_random(random) %
                (next_random(random) % 8 == 0 ? TEXT_BYTES_MAX - 1 : PATH_SHORT_BYTES / 2);
    for (size_t i = 0; i < size; i++) {
        const uint64_t chance = next_random(random);
        text[i] = which == 9 ? (uint8_t)chance
                             : (uint8_t)alphabets[which][chance % strlen(alphabets[which])];
    }
    return size;
}

static void a_piece_becomes_the_tokens_that_merging_makes_of_it(void **state)
{
    (void)state;
    static const struct token_pause no_pause;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < RANDOM_TEXTS; i++) {
        const struct token_tables *tables = &tokenizers[i % TOKEN_ENCODING_COUNT]->tables;
        uint8_t text[TEXT_BYTES_MAX];
        uint32_t expected[TEXT_BYTES_MAX];
        uint32_t found[TEXT_BYTES_MAX];
        struct token_sink sink = {.ids = found, .capacity = TEXT_BYTES_MAX};
        struct path_window window = {0};
        const size_t size = random_text(&random, text);
        const size_t count = merge_naively(tables, text, size, expected);
        assert_int_equal(path_encode(tables, text, text + size, &window, &no_pause, &sink),
                         STATUS_OK);
        assert_int_equal(sink.count, count);
        assert_memory_equal(found, expected, count * sizeof(*found));
        path_window_fini(&window);
    }
}

static void what_does_not_fit_into_the_sink_is_counted(void **state)
{
    (void)state;
    static const struct token_pause no_pause;
    const uint8_t text[] = "qzxjkvqzxjkv";
    uint32_t ids[3] = {0, 0, 7};
    struct token_sink sink = {.ids = ids, .capacity = 2};
    struct path_window window = {0};
    assert_int_equal(
        path_encode(&tokenizers[0]->tables, text, text + 12, &window, &no_pause, &sink), STATUS_OK);
    assert_true(sink.count > 3);
    assert_int_equal(ids[2], 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_becomes_the_tokens_that_merging_makes_of_it),
        cmocka_unit_test(what_does_not_fit_into_the_sink_is_counted),
    };
    return cmocka_run_group_tests(tests, load_encodings, unload_encodings);
}
