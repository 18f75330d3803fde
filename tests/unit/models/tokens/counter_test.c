#include "models/tokens/counter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

#define LONG_BYTES ((size_t)300000)

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

static uint64_t count_whole(const struct tokenizer *tokenizer, struct slice text)
{
    uint64_t count;
    assert_int_equal(token_count(tokenizer, text, (struct token_pause){0}, &count), STATUS_OK);
    return count;
}

static uint64_t count_cut(const struct tokenizer *tokenizer, struct slice text, size_t size)
{
    struct token_counter counter;
    token_counter_init(&counter, tokenizer, (struct token_pause){0});
    for (size_t at = 0; at < text.size; at += size) {
        const size_t left = text.size - at;
        assert_int_equal(
            token_counter_add(&counter, slice_of(text.data + at, left < size ? left : size)),
            STATUS_OK);
    }
    assert_int_equal(token_counter_finish(&counter), STATUS_OK);
    const uint64_t count = token_counter_total(&counter);
    token_counter_fini(&counter);
    return count;
}

static const char *const tricky[] = {
    "",
    "a",
    "'",
    "x'",
    "it's we'Re they'LL I'\xC5\xBF 'r",
    "\n \n  \t\r\n   x",
    "  \n\n  ",
    "\xE4\xB8\xAD\xE6\x96\x87"
    "ABC abc\xCC\x81 !\xCC\x81",
    "//path/\r\n/\n/x",
    "12345 1\xC2\xB2"
    "3",
    "\xF0\x9F\x98\x80\xF0\x9F\x98",
    "\xFF\xC3(\xED\xA0\x80",
    "antidisestablishmentarianism-pneumonoultramicroscopicsilicovolcanoconiosis",
};

static void however_a_text_is_cut_its_count_is_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(tricky) / sizeof(tricky[0]); i++) {
        const struct slice text = slice_from_text(tricky[i]);
        for (unsigned encoding = 0; encoding < TOKEN_ENCODING_COUNT; encoding++) {
            const uint64_t whole = count_whole(tokenizers[encoding], text);
            for (size_t size = 1; size <= text.size; size++)
                assert_int_equal(count_cut(tokenizers[encoding], text, size), whole);
        }
    }
}

static void a_count_goes_on_over_several_texts(void **state)
{
    (void)state;
    struct token_counter counter;
    token_counter_init(&counter, tokenizers[TOKEN_ENCODING_O200K], (struct token_pause){0});
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(token_counter_add(&counter, SLICE("Hello, ")), STATUS_OK);
        assert_int_equal(token_counter_add(&counter, SLICE("world!")), STATUS_OK);
        assert_int_equal(token_counter_finish(&counter), STATUS_OK);
        assert_int_equal(token_counter_total(&counter), 4 * i);
    }
    assert_int_equal(token_counter_finish(&counter), STATUS_OK);
    assert_int_equal(token_counter_total(&counter), 12);
    token_counter_fini(&counter);
}

/* --- long words ------------------------------------------------------------------------------ */

static char *make_text(const char *letters, size_t size)
{
    uint64_t random = 88172645463325252u;
    const size_t count = strlen(letters);
    char *text = alloc_bytes(size);
    assert_non_null(text);
    for (size_t i = 0; i < size; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        text[i] = letters[random % count];
    }
    return text;
}

static void a_word_of_many_letters_is_counted_in_windows_as_it_would_be_whole(void **state)
{
    (void)state;
    static const char *const alphabets[] = {
        "a", " ", "abcdefghijklmnopqrstuvwxyz", "ab", "-=#*", "\n ", "\xE4\xB8\xAD"};
    for (size_t i = 0; i < sizeof(alphabets) / sizeof(alphabets[0]); i++) {
        char *data = make_text(alphabets[i], LONG_BYTES);
        for (unsigned encoding = 0; encoding < TOKEN_ENCODING_COUNT; encoding++) {
            const struct slice text = slice_of(data, LONG_BYTES);
            const uint64_t whole = count_whole(tokenizers[encoding], text);
            assert_true(whole > 0 && whole <= LONG_BYTES);
            assert_int_equal(count_cut(tokenizers[encoding], text, 100003), whole);
        }
        alloc_free(data);
    }
}

/* The tokens of a long word, checked against what the definition says of them: no two neighbours
 * may be merged, wherever the windows end. Two neighbours that may meet encode to themselves. */
static void the_tokens_of_a_long_word_encode_to_themselves_in_pairs(void **state)
{
    (void)state;
    const struct tokenizer *tokenizer = tokenizers[TOKEN_ENCODING_O200K];
    const size_t size = 100000;
    char *data = make_text("abcdefghijklmnopqrstuvwxyz", size);
    uint32_t *ids = alloc_bytes(size * sizeof(*ids));
    size_t count;
    assert_int_equal(token_encode(tokenizer, slice_of(data, size), ids, size, &count), STATUS_OK);
    for (size_t i = 0; i + 1 < count; i++) {
        struct buffer pair;
        uint32_t again[64];
        size_t again_count;
        buffer_init(&pair, 1024);
        assert_int_equal(token_decode(tokenizer, ids + i, 2, &pair), STATUS_OK);
        assert_int_equal(token_encode(tokenizer, buffer_slice(&pair), again, 64, &again_count),
                         STATUS_OK);
        assert_int_equal(again_count, 2);
        assert_memory_equal(again, ids + i, 2 * sizeof(*ids));
        buffer_fini(&pair);
    }
    alloc_free(ids);
    alloc_free(data);
}

/* --- giving way ------------------------------------------------------------------------------ */

static void count_pause(void *context)
{
    ++*(unsigned *)context;
}

static void a_long_count_pauses_and_a_short_one_does_not(void **state)
{
    (void)state;
    static const char *const alphabets[] = {"a", " ", "ab cd", "-", "\n "};
    unsigned pauses = 0;
    const struct token_pause pause = {count_pause, &pauses};
    uint64_t count;
    assert_int_equal(token_count(tokenizers[0], SLICE("Hello, world!"), pause, &count), STATUS_OK);
    assert_int_equal(pauses, 0);
    for (size_t i = 0; i < sizeof(alphabets) / sizeof(alphabets[0]); i++) {
        char *data = make_text(alphabets[i], LONG_BYTES);
        pauses = 0;
        assert_int_equal(token_count(tokenizers[0], slice_of(data, LONG_BYTES), pause, &count),
                         STATUS_OK);
        assert_true(pauses >= LONG_BYTES / TOKEN_PAUSE_BYTES - 1);
        alloc_free(data);
    }
}

/* --- no memory ------------------------------------------------------------------------------- */

static void without_memory_a_count_says_so_and_leaks_nothing(void **state)
{
    (void)state;
    char *data = make_text("a", 40000);
    enum status status = STATUS_NO_MEMORY;
    int nth = 0;
    for (; status != STATUS_OK; nth++) {
        struct token_counter counter;
        token_counter_init(&counter, tokenizers[0], (struct token_pause){0});
        alloc_fail_nth(nth);
        status = token_counter_add(&counter, slice_of(data, 40000));
        if (status == STATUS_OK)
            status = token_counter_finish(&counter);
        alloc_fail_nth(-1);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
        token_counter_fini(&counter);
    }
    assert_true(nth > 3);
    alloc_free(data);
}

static void a_text_of_short_words_needs_no_memory(void **state)
{
    (void)state;
    uint64_t count;
    alloc_fail_nth(0);
    assert_int_equal(token_count(tokenizers[0], SLICE("The quick brown fox, unflappable."),
                                 (struct token_pause){0}, &count),
                     STATUS_OK);
    alloc_fail_nth(-1);
    assert_true(count > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(however_a_text_is_cut_its_count_is_the_same),
        cmocka_unit_test(a_count_goes_on_over_several_texts),
        cmocka_unit_test(a_word_of_many_letters_is_counted_in_windows_as_it_would_be_whole),
        cmocka_unit_test(the_tokens_of_a_long_word_encode_to_themselves_in_pairs),
        cmocka_unit_test(a_long_count_pauses_and_a_short_one_does_not),
        cmocka_unit_test(without_memory_a_count_says_so_and_leaks_nothing),
        cmocka_unit_test(a_text_of_short_words_needs_no_memory),
    };
    return cmocka_run_group_tests(tests, load_encodings, unload_encodings);
}
