#include "http/inflate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/buffer.h"

#define PLAIN_MAX (512 * 1024)

static const enum content_coding codings[] = {CONTENT_CODING_GZIP, CONTENT_CODING_BR,
                                              CONTENT_CODING_ZSTD, CONTENT_CODING_DEFLATE};

#define CODING_COUNT (sizeof(codings) / sizeof(codings[0]))

/* --- Encoding --- */

static size_t encode_zlib(struct slice plain, int window_bits, char *out, size_t out_size)
{
    z_stream zlib = {0};
    assert_int_equal(deflateInit2(&zlib, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    zlib.next_in = (Bytef *)(uintptr_t)plain.data;
    zlib.avail_in = (uInt)plain.size;
    zlib.next_out = (Bytef *)out;
    zlib.avail_out = (uInt)out_size;
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    const size_t size = zlib.total_out;
    deflateEnd(&zlib);
    return size;
}

static size_t encode_brotli(struct slice plain, char *out, size_t out_size)
{
    size_t size = out_size;
    assert_true(BrotliEncoderCompress(5, 22, BROTLI_MODE_TEXT, plain.size,
                                      (const uint8_t *)plain.data, &size, (uint8_t *)out));
    return size;
}

static size_t encode(enum content_coding coding, struct slice plain, char *out, size_t out_size)
{
    switch (coding) {
    case CONTENT_CODING_GZIP:
        return encode_zlib(plain, 15 + 16, out, out_size);
    case CONTENT_CODING_DEFLATE:
        return encode_zlib(plain, 15, out, out_size);
    case CONTENT_CODING_BR:
        return encode_brotli(plain, out, out_size);
    default:
        return ZSTD_compress(out, out_size, plain.data, plain.size, 3);
    }
}

/* --- Decoding --- */

/* Feeds pieces of `piece_size` into steps of `step_size`, gathers in `plain`. */
static enum status decode(struct inflate *inflate, struct slice encoded, size_t piece_size,
                          size_t step_size, struct buffer *plain)
{
    static char output[64 * 1024];
    enum status status = STATUS_OK;
    while (encoded.size > 0) {
        const size_t size = piece_size < encoded.size ? piece_size : encoded.size;
        struct slice input = slice_of(encoded.data, size);
        encoded = slice_from(encoded, size);
        do {
            size_t written;
            status = inflate_step(inflate, &input, output, step_size, &written);
            assert_true(written <= step_size);
            if (status == STATUS_OK || status == STATUS_AGAIN)
                buffer_append(plain, slice_of(output, written));
        } while (status == STATUS_AGAIN);
        if (status != STATUS_OK)
            return status;
        assert_int_equal(input.size, 0);
    }
    return inflate_finish(inflate);
}

static enum status decode_all(enum content_coding coding, struct slice encoded, size_t piece_size,
                              uint64_t output_max, struct buffer *plain)
{
    struct inflate *inflate;
    buffer_clear(plain);
    assert_int_equal(inflate_create(coding, output_max, &inflate), STATUS_OK);
    const enum status status = decode(inflate, encoded, piece_size, 64 * 1024, plain);
    inflate_destroy(&inflate);
    assert_null(inflate);
    return status;
}

/* --- Tests --- */

static struct buffer plain;
static char encoded[PLAIN_MAX];
static char text[PLAIN_MAX]; /* compresses well, but not to nothing */

static int set_up(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof(text); i++) {
        seed = seed * 1664525 + 1013904223;
        text[i] = "abcdefgh"[seed >> 29];
    }
    buffer_init(&plain, PLAIN_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buffer_fini(&plain);
    return 0;
}

static void each_coding_gives_back_what_was_encoded(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 1000, 100000, PLAIN_MAX};
    for (size_t i = 0; i < CODING_COUNT; i++) {
        for (size_t n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
            const struct slice body = slice_of(text, sizes[n]);
            const size_t size = encode(codings[i], body, encoded, sizeof(encoded));
            assert_int_equal(
                decode_all(codings[i], slice_of(encoded, size), SIZE_MAX, PLAIN_MAX, &plain),
                STATUS_OK);
            assert_true(slice_equal(buffer_slice(&plain), body));
        }
    }
}

static void decoding_does_not_depend_on_pieces_and_steps(void **state)
{
    (void)state;
    static const size_t step_sizes[] = {1, 7, 1000, 64 * 1024};
    const struct slice body = slice_of(text, 3000);
    for (size_t i = 0; i < CODING_COUNT; i++) {
        const size_t size = encode(codings[i], body, encoded, sizeof(encoded));
        for (size_t n = 0; n < sizeof(step_sizes) / sizeof(step_sizes[0]); n++) {
            for (size_t piece = 1; piece < 40; piece += 13) {
                struct inflate *inflate;
                buffer_clear(&plain);
                assert_int_equal(inflate_create(codings[i], PLAIN_MAX, &inflate), STATUS_OK);
                assert_int_equal(
                    decode(inflate, slice_of(encoded, size), piece, step_sizes[n], &plain),
                    STATUS_OK);
                assert_true(slice_equal(buffer_slice(&plain), body));
                inflate_destroy(&inflate);
            }
        }
    }
}

static void one_byte_over_the_cap_is_refused(void **state)
{
    (void)state;
    const struct slice body = slice_of(text, 100000);
    for (size_t i = 0; i < CODING_COUNT; i++) {
        const size_t size = encode(codings[i], body, encoded, sizeof(encoded));
        const struct slice input = slice_of(encoded, size);
        assert_int_equal(decode_all(codings[i], input, SIZE_MAX, body.size, &plain), STATUS_OK);
        assert_int_equal(decode_all(codings[i], input, SIZE_MAX, body.size - 1, &plain),
                         STATUS_TOO_LARGE);
        assert_int_equal(decode_all(codings[i], input, SIZE_MAX, 0, &plain), STATUS_TOO_LARGE);
    }
}

/* 64 MiB of zeros; only what one step writes is ever in memory. */
static void a_bomb_stops_at_the_cap(void **state)
{
    (void)state;
    static char zeros[1024 * 1024], output[64 * 1024];
    z_stream zlib = {0};
    assert_int_equal(deflateInit2(&zlib, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
    zlib.next_out = (Bytef *)encoded;
    zlib.avail_out = sizeof(encoded);
    for (unsigned i = 0; i < 64; i++) {
        zlib.next_in = (Bytef *)zeros;
        zlib.avail_in = sizeof(zeros);
        assert_int_equal(deflate(&zlib, i < 63 ? Z_NO_FLUSH : Z_FINISH),
                         i < 63 ? Z_OK : Z_STREAM_END);
    }
    struct slice input = slice_of(encoded, zlib.total_out);
    deflateEnd(&zlib);
    struct inflate *inflate;
    uint64_t total = 0;
    size_t written;
    enum status status;
    assert_int_equal(inflate_create(CONTENT_CODING_GZIP, 32 * 1024 * 1024, &inflate), STATUS_OK);
    do {
        status = inflate_step(inflate, &input, output, sizeof(output), &written);
        total += written;
    } while (status == STATUS_AGAIN);
    assert_int_equal(status, STATUS_TOO_LARGE);
    assert_true(total <= 32 * 1024 * 1024 + sizeof(output));
    inflate_destroy(&inflate);
}

static void a_body_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    const struct slice body = slice_of(text, 300);
    for (size_t i = 0; i < CODING_COUNT; i++) {
        const size_t size = encode(codings[i], body, encoded, sizeof(encoded));
        for (size_t cut = 0; cut < size; cut++)
            assert_int_equal(
                decode_all(codings[i], slice_of(encoded, cut), SIZE_MAX, PLAIN_MAX, &plain),
                STATUS_INVALID);
    }
}

static void what_follows_the_end_is_refused(void **state)
{
    (void)state;
    const struct slice body = slice_of(text, 300);
    for (size_t i = 0; i < CODING_COUNT; i++) {
        const size_t size = encode(codings[i], body, encoded, sizeof(encoded));
        memcpy(encoded + size, "garbage", 7);
        for (size_t piece = 1; piece <= size + 7; piece += size + 6) {
            const enum status status =
                decode_all(codings[i], slice_of(encoded, size + 7), piece, PLAIN_MAX, &plain);
            assert_int_equal(status, STATUS_INVALID);
        }
    }
}

static void a_second_stream_of_deflate_or_br_is_refused(void **state)
{
    (void)state;
    static const enum content_coding of_one[] = {CONTENT_CODING_DEFLATE, CONTENT_CODING_BR};
    for (size_t i = 0; i < 2; i++) {
        size_t size = encode(of_one[i], SLICE("abc"), encoded, sizeof(encoded));
        size += encode(of_one[i], SLICE("def"), encoded + size, sizeof(encoded) - size);
        assert_int_equal(
            decode_all(of_one[i], slice_of(encoded, size), SIZE_MAX, PLAIN_MAX, &plain),
            STATUS_INVALID);
    }
}

static void another_coding_is_not_taken_for_this_one(void **state)
{
    (void)state;
    const struct slice body = slice_of(text, 300);
    for (size_t i = 0; i < CODING_COUNT; i++) {
        for (size_t k = 0; k < CODING_COUNT; k++) {
            const size_t size = encode(codings[k], body, encoded, sizeof(encoded));
            const enum status status =
                decode_all(codings[i], slice_of(encoded, size), SIZE_MAX, PLAIN_MAX, &plain);
            if (i != k)
                assert_int_equal(status, STATUS_INVALID);
        }
        assert_int_equal(decode_all(codings[i],
                                    SLICE("{\"model\":\"gpt-4o-mini\",\"messages\":[]}"), SIZE_MAX,
                                    PLAIN_MAX, &plain),
                         STATUS_INVALID);
    }
}

static void members_of_gzip_and_frames_of_zstd_may_follow_each_other(void **state)
{
    (void)state;
    static const enum content_coding of_members[] = {CONTENT_CODING_GZIP, CONTENT_CODING_ZSTD};
    for (size_t i = 0; i < 2; i++) {
        size_t size = encode(of_members[i], SLICE("abc"), encoded, sizeof(encoded));
        size += encode(of_members[i], SLICE(""), encoded + size, sizeof(encoded) - size);
        size += encode(of_members[i], SLICE("def"), encoded + size, sizeof(encoded) - size);
        for (size_t piece = 1; piece <= size; piece++) {
            const struct slice input = slice_of(encoded, size);
            assert_int_equal(decode_all(of_members[i], input, piece, 6, &plain), STATUS_OK);
            assert_true(slice_equal(buffer_slice(&plain), SLICE("abcdef")));
            assert_int_equal(decode_all(of_members[i], input, piece, 5, &plain), STATUS_TOO_LARGE);
        }
    }
}

static size_t encode_zstd_with_window(int window_log)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_inBuffer input = {text, 1000, 0};
    ZSTD_outBuffer output = {encoded, sizeof(encoded), 0};
    ZSTD_compressStream2(context, &output, &input, ZSTD_e_flush); /* so the size is not known */
    assert_int_equal(ZSTD_compressStream2(context, &output, &input, ZSTD_e_end), 0);
    ZSTD_freeCCtx(context);
    return output.pos;
}

static void a_window_over_8_mib_is_refused(void **state)
{
    (void)state;
    const size_t allowed = encode_zstd_with_window(23);
    assert_int_equal(
        decode_all(CONTENT_CODING_ZSTD, slice_of(encoded, allowed), SIZE_MAX, PLAIN_MAX, &plain),
        STATUS_OK);
    const size_t large = encode_zstd_with_window(24);
    assert_int_equal(
        decode_all(CONTENT_CODING_ZSTD, slice_of(encoded, large), SIZE_MAX, PLAIN_MAX, &plain),
        STATUS_TOO_LARGE);
    /* RFC 7932 has no such window; the large-window extension starts with 0x11. */
    assert_int_equal(
        decode_all(CONTENT_CODING_BR, SLICE("\x11\x1e\x03"), SIZE_MAX, PLAIN_MAX, &plain),
        STATUS_INVALID);
}

static enum status parsed(const char *value, enum content_coding *coding_out)
{
    return content_coding_parse(slice_from_text(value), coding_out);
}

static void one_known_coding_is_accepted_and_no_more(void **state)
{
    (void)state;
    enum content_coding coding;
    assert_int_equal(parsed("", &coding), STATUS_OK);
    assert_int_equal(coding, CONTENT_CODING_IDENTITY);
    assert_int_equal(parsed("identity", &coding), STATUS_OK);
    assert_int_equal(coding, CONTENT_CODING_IDENTITY);
    assert_int_equal(parsed(" GZip ,", &coding), STATUS_OK);
    assert_int_equal(coding, CONTENT_CODING_GZIP);
    assert_int_equal(parsed("x-gzip", &coding), STATUS_OK);
    assert_int_equal(coding, CONTENT_CODING_GZIP);
    assert_int_equal(parsed("br", &coding), STATUS_OK);
    assert_int_equal(coding, CONTENT_CODING_BR);
    assert_int_equal(parsed("zstd", &coding), STATUS_OK);
    assert_int_equal(coding, CONTENT_CODING_ZSTD);
    assert_int_equal(parsed("deflate", &coding), STATUS_OK);
    assert_int_equal(coding, CONTENT_CODING_DEFLATE);
    assert_int_equal(parsed("gzip, gzip", &coding), STATUS_UNSUPPORTED);
    assert_int_equal(parsed("identity, gzip", &coding), STATUS_UNSUPPORTED);
    assert_int_equal(parsed("compress", &coding), STATUS_UNSUPPORTED);
    assert_int_equal(parsed("gzip;q=1", &coding), STATUS_UNSUPPORTED);
}

static enum status of_fields(const char *first, const char *second, enum content_coding *coding_out)
{
    struct http_header items[2] = {
        {SLICE("content-encoding"), slice_from_text(first), HTTP_HEADER_CONTENT_ENCODING},
        {SLICE("content-encoding"), slice_from_text(second), HTTP_HEADER_CONTENT_ENCODING}};
    struct http_fields fields = {.items = items, .count = 2, .capacity = 2};
    fields.first[HTTP_HEADER_CONTENT_ENCODING] = 1;
    return content_coding_of(&fields, coding_out);
}

static void a_second_field_is_a_second_coding(void **state)
{
    (void)state;
    enum content_coding coding;
    const struct http_fields none = {0};
    assert_int_equal(content_coding_of(&none, &coding), STATUS_OK);
    assert_int_equal(coding, CONTENT_CODING_IDENTITY);
    assert_int_equal(of_fields("gzip", "", &coding), STATUS_OK);
    assert_int_equal(coding, CONTENT_CODING_GZIP);
    assert_int_equal(of_fields("", "br", &coding), STATUS_OK);
    assert_int_equal(coding, CONTENT_CODING_BR);
    assert_int_equal(of_fields("gzip", "br", &coding), STATUS_UNSUPPORTED);
    assert_int_equal(of_fields("gzip", "x", &coding), STATUS_UNSUPPORTED);
    assert_int_equal(of_fields("x", "gzip", &coding), STATUS_UNSUPPORTED);
}

/* Fails the first allocation, then the second, ..., until decoding gets through. */
static void decoding_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    const struct slice body = slice_of(text, 3000);
    buffer_clear(&plain);
    assert_int_equal(buffer_reserve(&plain, body.size), STATUS_OK);
    for (size_t i = 0; i < CODING_COUNT; i++) {
        const size_t size = encode(codings[i], body, encoded, sizeof(encoded));
        enum status status = STATUS_NO_MEMORY;
        int nth = 0;
        for (; status != STATUS_OK; nth++) {
            struct inflate *inflate = NULL;
            buffer_clear(&plain);
            alloc_fail_nth(nth);
            status = inflate_create(codings[i], PLAIN_MAX, &inflate);
            assert_true((status == STATUS_OK) == (inflate != NULL));
            if (status == STATUS_OK)
                status = decode(inflate, slice_of(encoded, size), 100, 1000, &plain);
            alloc_fail_nth(-1);
            assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
            inflate_destroy(&inflate);
        }
        assert_true(nth >= 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_coding_gives_back_what_was_encoded),
        cmocka_unit_test(decoding_does_not_depend_on_pieces_and_steps),
        cmocka_unit_test(one_byte_over_the_cap_is_refused),
        cmocka_unit_test(a_bomb_stops_at_the_cap),
        cmocka_unit_test(a_body_cut_at_any_byte_is_refused),
        cmocka_unit_test(what_follows_the_end_is_refused),
        cmocka_unit_test(a_second_stream_of_deflate_or_br_is_refused),
        cmocka_unit_test(another_coding_is_not_taken_for_this_one),
        cmocka_unit_test(members_of_gzip_and_frames_of_zstd_may_follow_each_other),
        cmocka_unit_test(a_window_over_8_mib_is_refused),
        cmocka_unit_test(one_known_coding_is_accepted_and_no_more),
        cmocka_unit_test(a_second_field_is_a_second_coding),
        cmocka_unit_test(decoding_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
