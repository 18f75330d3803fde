#include "base/encoding.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

/* --- Hexadecimal --- */

static void every_byte_survives_hexadecimal(void **state)
{
    (void)state;
    unsigned char bytes[256], back[256];
    char text[512];
    for (unsigned i = 0; i < 256; i++)
        bytes[i] = (unsigned char)i;
    hex_encode(bytes, sizeof(bytes), text);
    assert_memory_equal(text, "000102", 6);
    assert_memory_equal(text + 2 * 0xab, "abacad", 6);
    assert_int_equal(hex_decode(slice_of(text, sizeof(text)), back, sizeof(back)), STATUS_OK);
    assert_memory_equal(back, bytes, sizeof(bytes));
}

/* Four bytes at a time and the rest one by one, which nobody should notice. */
static void bytes_of_every_length_have_the_same_digits(void **state)
{
    (void)state;
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[13];
    char text[2 * sizeof(bytes) + 1], expected[2 * sizeof(bytes)];
    for (unsigned value = 0; value < 256; value++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (unsigned char)(value + 37 * i);
            expected[2 * i] = digits[bytes[i] / 16];
            expected[2 * i + 1] = digits[bytes[i] % 16];
        }
        for (size_t size = 0; size <= sizeof(bytes); size++) {
            memset(text, '!', sizeof(text));
            hex_encode(bytes, size, text);
            assert_memory_equal(text, expected, 2 * size);
            assert_int_equal(text[2 * size], '!');
        }
    }
}

static void hexadecimal_digits_may_be_of_either_case(void **state)
{
    (void)state;
    unsigned char bytes[3];
    assert_int_equal(hex_decode(SLICE("aBcDeF"), bytes, 3), STATUS_OK);
    assert_memory_equal(bytes, "\xab\xcd\xef", 3);
}

static void each_byte_is_a_hexadecimal_digit_or_refused(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        const char digit = (char)i;
        const bool is_digit = (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f') ||
                              (digit >= 'A' && digit <= 'F');
        const char high[2] = {digit, '0'}, low[2] = {'0', digit};
        const enum status expected = is_digit ? STATUS_OK : STATUS_INVALID;
        unsigned char byte;
        assert_int_equal(hex_decode(slice_of(high, 2), &byte, 1), expected);
        assert_int_equal(hex_decode(slice_of(low, 2), &byte, 1), expected);
    }
}

static void hexadecimal_of_another_length_is_refused(void **state)
{
    (void)state;
    unsigned char bytes[2];
    assert_int_equal(hex_decode(SLICE("abc"), bytes, 2), STATUS_INVALID);
    assert_int_equal(hex_decode(SLICE("abcde"), bytes, 2), STATUS_INVALID);
    assert_int_equal(hex_decode((struct slice){0}, bytes, 2), STATUS_INVALID);
    assert_int_equal(hex_decode((struct slice){0}, bytes, 0), STATUS_OK);
}

/* --- Base64 --- */

/* RFC 4648 section 10. */
static const struct vector {
    struct slice plain, text;
} vectors[] = {
    {{"", 0}, {"", 0}},
    {{"f", 1}, {"Zg==", 4}},
    {{"fo", 2}, {"Zm8=", 4}},
    {{"foo", 3}, {"Zm9v", 4}},
    {{"foob", 4}, {"Zm9vYg==", 8}},
    {{"fooba", 5}, {"Zm9vYmE=", 8}},
    {{"foobar", 6}, {"Zm9vYmFy", 8}},
    {{"\xff\xef\xbe\x00", 4}, {"/+++AA==", 8}},
};

static void the_vectors_of_the_rfc_hold_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        struct buffer out;
        buffer_init(&out, 100);
        assert_int_equal(base64_encode(vectors[i].plain, &out), STATUS_OK);
        assert_true(slice_equal(buffer_slice(&out), vectors[i].text));
        buffer_clear(&out);
        assert_int_equal(base64_decode(vectors[i].text, &out), STATUS_OK);
        assert_true(slice_equal(buffer_slice(&out), vectors[i].plain));
        buffer_fini(&out);
    }
}

static void bytes_of_every_length_survive_base64(void **state)
{
    (void)state;
    unsigned char bytes[256];
    for (unsigned i = 0; i < 256; i++)
        bytes[i] = (unsigned char)(i * 7 + 3);
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        struct buffer text, back;
        buffer_init(&text, 1000);
        buffer_init(&back, 1000);
        assert_int_equal(base64_encode(slice_of(bytes, size), &text), STATUS_OK);
        assert_int_equal(text.size, (size + 2) / 3 * 4);
        assert_int_equal(base64_decode(buffer_slice(&text), &back), STATUS_OK);
        assert_true(slice_equal(buffer_slice(&back), slice_of(bytes, size)));
        buffer_fini(&text);
        buffer_fini(&back);
    }
}

static void what_is_no_base64_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Z",    "Zg",   "Zg=",    "Z===",     "====",     "Zg==Zg==",
        "Zm=v", "=m9v", "Zm9v\n", "Zm 9",     "Zm9-",     "Zm9_",
        "Zm9.", "Zh==", "Zm9=",   "Zm9vY===", "Zm9v====", "Zg==\xff\xff\xff\xff",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct buffer out;
        buffer_init(&out, 100);
        assert_int_equal(base64_decode(slice_from_text(texts[i]), &out), STATUS_INVALID);
        buffer_fini(&out);
    }
    struct buffer out;
    buffer_init(&out, 100);
    assert_int_equal(base64_decode(SLICE("Zm9\0"), &out), STATUS_INVALID);
    buffer_fini(&out);
}

static void base64_that_does_not_fit_is_too_large(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 7);
    assert_int_equal(base64_encode(SLICE("foobar"), &out), STATUS_TOO_LARGE);
    buffer_fini(&out);
    buffer_init(&out, 5);
    assert_int_equal(base64_decode(SLICE("Zm9vYmFy"), &out), STATUS_TOO_LARGE);
    buffer_fini(&out);
}

static void base64_without_memory_says_so(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 100);
    alloc_fail_nth(0);
    assert_int_equal(base64_encode(SLICE("foo"), &out), STATUS_NO_MEMORY);
    buffer_clear(&out);
    buffer_fini(&out);
    alloc_fail_nth(0);
    assert_int_equal(base64_decode(SLICE("Zm9v"), &out), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    buffer_fini(&out);
}

/* --- CRC-32 --- */

static uint32_t crc_bit_by_bit(const unsigned char *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return ~crc;
}

static void the_checksum_is_that_of_ieee_802_3(void **state)
{
    (void)state;
    unsigned char bytes[256];
    assert_int_equal(crc32_of(SLICE("123456789")), UINT32_C(0xCBF43926));
    assert_int_equal(crc32_of((struct slice){0}), 0);
    for (unsigned i = 0; i < 256; i++) {
        bytes[i] = (unsigned char)(255 - i);
        assert_int_equal(crc32_of(slice_of(bytes, i + 1)), crc_bit_by_bit(bytes, i + 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_survives_hexadecimal),
        cmocka_unit_test(bytes_of_every_length_have_the_same_digits),
        cmocka_unit_test(hexadecimal_digits_may_be_of_either_case),
        cmocka_unit_test(each_byte_is_a_hexadecimal_digit_or_refused),
        cmocka_unit_test(hexadecimal_of_another_length_is_refused),
        cmocka_unit_test(the_vectors_of_the_rfc_hold_both_ways),
        cmocka_unit_test(bytes_of_every_length_survive_base64),
        cmocka_unit_test(what_is_no_base64_is_refused),
        cmocka_unit_test(base64_that_does_not_fit_is_too_large),
        cmocka_unit_test(base64_without_memory_says_so),
        cmocka_unit_test(the_checksum_is_that_of_ieee_802_3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
