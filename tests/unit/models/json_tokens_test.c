#include "models/json_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "json/read.h"
#include "json/value.h"

#define LONG_BYTES 20000

static const struct tokenizer *tokenizer;

static int load_encoding(void **state)
{
    (void)state;
    struct reason reason;
    if (tokenizer_load(TOKEN_ENCODING_O200K, &reason) != STATUS_OK)
        return 1;
    tokenizer = tokenizer_get(TOKEN_ENCODING_O200K);
    return 0;
}

static int unload_encoding(void **state)
{
    (void)state;
    tokenizer_unload_all();
    return 0;
}

static uint64_t tokens_of_json(struct slice json)
{
    struct token_counter counter;
    struct json_value value;
    struct json_error error;
    assert_int_equal(json_check(json, &JSON_LIMITS_DEFAULT, &value, &error), STATUS_OK);
    token_counter_init(&counter, tokenizer, (struct token_pause){0});
    assert_int_equal(json_tokens_count(&counter, value), STATUS_OK);
    const uint64_t count = token_counter_total(&counter);
    token_counter_fini(&counter);
    return count;
}

static uint64_t tokens_of_text(struct slice text)
{
    uint64_t count;
    assert_int_equal(token_count(tokenizer, text, (struct token_pause){0}, &count), STATUS_OK);
    return count;
}

static void escapes_count_as_what_they_stand_for(void **state)
{
    (void)state;
    assert_int_equal(tokens_of_json(SLICE("\"\\u0048ello,\\u0020world!\"")), 4);
    assert_int_equal(tokens_of_json(SLICE("\"a\\n\\tb\\\"c\\\\d\\/e\"")),
                     tokens_of_text(SLICE("a\n\tb\"c\\d/e")));
    assert_int_equal(tokens_of_json(SLICE("\"\\ud83d\\ude00\"")),
                     tokens_of_text(SLICE("\xF0\x9F\x98\x80")));
    assert_int_equal(tokens_of_json(SLICE("\"\\ud83d x\"")),
                     tokens_of_text(SLICE("\xEF\xBF\xBD x")));
}

static void only_strings_lose_their_quotes(void **state)
{
    (void)state;
    assert_int_equal(tokens_of_json(SLICE("null")), 0);
    assert_int_equal(tokens_of_json(SLICE("\"\"")), 0);
    assert_int_equal(tokens_of_json(SLICE("true")), tokens_of_text(SLICE("true")));
    assert_int_equal(tokens_of_json(SLICE("{\"a\": [1, 2]}")),
                     tokens_of_text(SLICE("{\"a\": [1, 2]}")));
}

/* Escapes at every distance from the ends of the blocks that are unescaped at once. */
static void long_strings_count_the_same_wherever_their_blocks_end(void **state)
{
    (void)state;
    static const char *const units[] = {"ab\\n", "\\ud83d\\ude00", "\xE4\xB8\xAD\\t", "\\u4e2dx",
                                        "\xF0\x9F\x98\x80\\\\"};
    char *json = alloc_bytes(LONG_BYTES + 64);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        for (size_t shift = 0; shift < 16; shift++) {
            struct arena arena;
            struct slice text;
            size_t size = 0;
            json[size++] = '"';
            for (size_t j = 0; j < shift; j++)
                json[size++] = 'x';
            for (; size < LONG_BYTES; size += strlen(units[i]))
                memcpy(json + size, units[i], strlen(units[i]));
            json[size++] = '"';
            arena_init(&arena, NULL, 0, 2 * LONG_BYTES);
            assert_int_equal(json_unescape(slice_of(json + 1, size - 2), &arena, &text), STATUS_OK);
            assert_int_equal(tokens_of_json(slice_of(json, size)), tokens_of_text(text));
            arena_fini(&arena);
        }
    }
    alloc_free(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_count_as_what_they_stand_for),
        cmocka_unit_test(only_strings_lose_their_quotes),
        cmocka_unit_test(long_strings_count_the_same_wherever_their_blocks_end),
    };
    return cmocka_run_group_tests(tests, load_encoding, unload_encoding);
}
