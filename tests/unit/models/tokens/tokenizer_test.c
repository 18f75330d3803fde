#include "models/tokens/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <yyjson.h>
#include <zstd.h>

#include "base/alloc.h"
#include "models/tokens/counter.h"

#define GOLDEN_FILE  "tests/fixtures/tokens/golden.jsonl.zst"
#define GOLDEN_COUNT 427

static const struct tokenizer *load(enum token_encoding encoding)
{
    struct reason reason;
    assert_int_equal(tokenizer_load(encoding, &reason), STATUS_OK);
    assert_non_null(tokenizer_get(encoding));
    return tokenizer_get(encoding);
}

static uint64_t fingerprint(const uint32_t *ids, size_t count)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < count; i++) {
        for (unsigned shift = 0; shift < 32; shift += 8)
            hash = (hash ^ (ids[i] >> shift & 0xFF)) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static char *read_golden(size_t *size_out)
{
    static char packed[1 << 20];
    FILE *file = fopen(GOLDEN_FILE, "rb");
    assert_non_null(file);
    const size_t packed_size = fread(packed, 1, sizeof(packed), file);
    fclose(file);
    const size_t size = (size_t)ZSTD_getFrameContentSize(packed, packed_size);
    char *text = alloc_bytes(size);
    assert_non_null(text);
    assert_int_equal(ZSTD_decompress(text, size, packed, packed_size), size);
    *size_out = size;
    return text;
}

static void meets_vector(const struct tokenizer *tokenizer, struct slice text, yyjson_val *expected,
                         const char *name)
{
    uint32_t *ids = alloc_bytes((text.size + 1) * sizeof(*ids));
    size_t count;
    size_t index;
    size_t max;
    char hash[17];
    yyjson_val *id;
    struct buffer back;
    assert_int_equal(token_encode(tokenizer, text, ids, text.size, &count), STATUS_OK);
    snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)fingerprint(ids, count));
    if (count != yyjson_get_uint(yyjson_obj_get(expected, "count")) ||
        strcmp(hash, yyjson_get_str(yyjson_obj_get(expected, "fnv1a64"))) != 0)
        fail_msg("%s: %zu tokens, %s", name, count, hash);
    yyjson_arr_foreach(yyjson_obj_get(expected, "ids"), index, max, id)
        assert_int_equal(ids[index], yyjson_get_uint(id));
    buffer_init(&back, text.size);
    assert_int_equal(token_decode(tokenizer, ids, count, &back), STATUS_OK);
    assert_true(slice_equal(buffer_slice(&back), text));
    buffer_fini(&back);
    alloc_free(ids);
}

static void published_vectors_are_met_token_by_token(void **state)
{
    (void)state;
    const struct tokenizer *o200k = load(TOKEN_ENCODING_O200K);
    const struct tokenizer *cl100k = load(TOKEN_ENCODING_CL100K);
    size_t size;
    size_t lines = 0;
    char *golden = read_golden(&size);
    struct slice rest = slice_of(golden, size);
    for (; rest.size > 0; lines++) {
        const size_t end = slice_find_byte(rest, '\n');
        yyjson_doc *doc = yyjson_read(rest.data, end, 0);
        yyjson_val *root = yyjson_doc_get_root(doc);
        yyjson_val *text = yyjson_obj_get(root, "text");
        const char *name = yyjson_get_str(yyjson_obj_get(root, "id"));
        const struct slice bytes = slice_of(yyjson_get_str(text), yyjson_get_len(text));
        assert_int_equal(bytes.size, yyjson_get_uint(yyjson_obj_get(root, "bytes")));
        meets_vector(o200k, bytes, yyjson_obj_get(root, "o200k_base"), name);
        meets_vector(cl100k, bytes, yyjson_obj_get(root, "cl100k_base"), name);
        yyjson_doc_free(doc);
        rest = slice_from(rest, end + 1);
    }
    assert_int_equal(lines, GOLDEN_COUNT);
    alloc_free(golden);
}

static void room_for_too_few_tokens_is_said_and_filled(void **state)
{
    (void)state;
    const struct tokenizer *tokenizer = load(TOKEN_ENCODING_O200K);
    uint32_t ids[5] = {0, 0, 0, 0, 7};
    size_t count;
    assert_int_equal(token_encode(tokenizer, SLICE("Hello, world!"), ids, 4, &count), STATUS_OK);
    assert_int_equal(count, 4);
    assert_int_equal(ids[0], 13225);
    assert_int_equal(token_encode(tokenizer, SLICE("Hello, world!!?x"), ids, 4, &count),
                     STATUS_TOO_LARGE);
    assert_true(count > 4);
    assert_int_equal(ids[0], 13225);
    assert_int_equal(ids[4], 7);
    assert_int_equal(token_encode(tokenizer, SLICE(""), NULL, 0, &count), STATUS_OK);
    assert_int_equal(count, 0);
}

static void a_special_text_is_plain_text(void **state)
{
    (void)state;
    const struct tokenizer *tokenizer = load(TOKEN_ENCODING_CL100K);
    uint32_t ids[16];
    size_t count;
    assert_int_equal(token_encode(tokenizer, SLICE("<|endoftext|>"), ids, 16, &count), STATUS_OK);
    assert_true(count > 1);
}

static void numbers_that_are_no_tokens_are_refused(void **state)
{
    (void)state;
    const struct tokenizer *tokenizer = load(TOKEN_ENCODING_O200K);
    static const uint32_t special = 199999;
    static const uint32_t last = 199997;
    struct buffer text;
    buffer_init(&text, 3);
    assert_int_equal(token_decode(tokenizer, &special, 1, &text), STATUS_INVALID);
    assert_int_equal(token_decode(tokenizer, &(uint32_t){UINT32_MAX}, 1, &text), STATUS_INVALID);
    assert_int_equal(token_decode(tokenizer, &last, 1, &text), STATUS_TOO_LARGE);
    buffer_fini(&text);
}

static void an_encoding_is_there_once_it_is_loaded_and_stays_the_same(void **state)
{
    (void)state;
    tokenizer_unload_all();
    assert_null(tokenizer_get(TOKEN_ENCODING_CL100K));
    const struct tokenizer *tokenizer = load(TOKEN_ENCODING_CL100K);
    assert_null(tokenizer_get(TOKEN_ENCODING_O200K));
    assert_ptr_equal(load(TOKEN_ENCODING_CL100K), tokenizer);
    assert_true(tokenizer_memory_bytes(tokenizer) < (size_t)6 << 20);
    assert_string_equal(token_encoding_name(TOKEN_ENCODING_CL100K), "cl100k_base");
}

static void without_memory_loading_says_so_and_can_be_tried_again(void **state)
{
    (void)state;
    struct reason reason;
    enum status status = STATUS_NO_MEMORY;
    int nth = 0;
    tokenizer_unload_all();
    for (; status != STATUS_OK; nth++) {
        alloc_fail_nth(nth);
        status = tokenizer_load(TOKEN_ENCODING_CL100K, &reason);
        alloc_fail_nth(-1);
        if (status != STATUS_OK) {
            assert_int_equal(status, STATUS_NO_MEMORY);
            assert_string_equal(reason.text, "no memory for the encoding cl100k_base");
            assert_null(tokenizer_get(TOKEN_ENCODING_CL100K));
        }
    }
    assert_true(nth > 12);
    tokenizer_unload_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_are_met_token_by_token),
        cmocka_unit_test(room_for_too_few_tokens_is_said_and_filled),
        cmocka_unit_test(a_special_text_is_plain_text),
        cmocka_unit_test(numbers_that_are_no_tokens_are_refused),
        cmocka_unit_test(an_encoding_is_there_once_it_is_loaded_and_stays_the_same),
        cmocka_unit_test(without_memory_loading_says_so_and_can_be_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
