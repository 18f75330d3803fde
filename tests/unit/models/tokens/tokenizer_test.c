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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors_are_met_token_by_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
