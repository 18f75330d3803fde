#include "base/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/encoding.h"

#define PLAIN      "sk-a-credential-of-a-provider"
#define PLAIN_SIZE (sizeof(PLAIN) - 1)

static const unsigned char key[SEAL_KEY_SIZE] = {7, 1, 9};
static const struct slice place = {"row 1 of main", 13};

struct sealed {
    unsigned char nonce[SEAL_NONCE_SIZE];
    struct buffer text;
};

static void make(struct sealed *sealed, struct slice plain)
{
    buffer_init(&sealed->text, 4096);
    assert_int_equal(seal_make(key, place, plain, sealed->nonce, &sealed->text), STATUS_OK);
}

/* What opening comes to; what is opened must be PLAIN. */
static enum status open_with(const unsigned char *other_key, const unsigned char *nonce,
                             struct slice associated, struct slice text)
{
    struct buffer plain;
    buffer_init(&plain, 4096);
    const enum status status = seal_open(other_key, nonce, associated, text, &plain);
    assert_int_equal(plain.size, status == STATUS_OK ? PLAIN_SIZE : 0);
    if (status == STATUS_OK)
        assert_memory_equal(plain.data, PLAIN, PLAIN_SIZE);
    seal_wipe(&plain);
    return status;
}

static void what_is_sealed_opens_again(void **state)
{
    (void)state;
    struct sealed sealed;
    make(&sealed, SLICE(PLAIN));
    assert_int_equal(sealed.text.size, PLAIN_SIZE + SEAL_TAG_SIZE);
    assert_int_equal(open_with(key, sealed.nonce, place, buffer_slice(&sealed.text)), STATUS_OK);
    buffer_fini(&sealed.text);
}

/* draft-irtf-cfrg-xchacha-03, appendix A.3.1. */
static void it_is_the_cipher_that_it_says(void **state)
{
    (void)state;
    static const char text[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only "
        "one tip for the future, sunscreen would be it.";
    static const char hex[] =
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4e"
        "da7e"
        "39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b23835"
        "65d3"
        "fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49";
    unsigned char known_key[SEAL_KEY_SIZE], nonce[SEAL_NONCE_SIZE], associated[12];
    unsigned char sealed[(sizeof(hex) - 1) / 2];
    struct buffer plain;
    for (size_t i = 0; i < sizeof(known_key); i++)
        known_key[i] = (unsigned char)(0x80 + i);
    for (size_t i = 0; i < sizeof(nonce); i++)
        nonce[i] = (unsigned char)(0x40 + i);
    assert_int_equal(hex_decode(SLICE("50515253c0c1c2c3c4c5c6c7"), associated, 12), STATUS_OK);
    assert_int_equal(hex_decode(slice_from_text(hex), sealed, sizeof(sealed)), STATUS_OK);
    buffer_init(&plain, 4096);
    assert_int_equal(seal_open(known_key, nonce, slice_of(associated, 12),
                               slice_of(sealed, sizeof(sealed)), &plain),
                     STATUS_OK);
    assert_int_equal(plain.size, sizeof(text) - 1);
    assert_memory_equal(plain.data, text, sizeof(text) - 1);
    seal_wipe(&plain);
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct sealed sealed;
    make(&sealed, SLICE(PLAIN));
    for (size_t bit = 0; bit < 8 * sealed.text.size; bit++) {
        sealed.text.data[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(open_with(key, sealed.nonce, place, buffer_slice(&sealed.text)),
                         STATUS_INVALID);
        sealed.text.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof(sealed.nonce); bit++) {
        sealed.nonce[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(open_with(key, sealed.nonce, place, buffer_slice(&sealed.text)),
                         STATUS_INVALID);
        sealed.nonce[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * SEAL_KEY_SIZE; bit++) {
        unsigned char other[SEAL_KEY_SIZE];
        memcpy(other, key, sizeof(other));
        other[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_int_equal(open_with(other, sealed.nonce, place, buffer_slice(&sealed.text)),
                         STATUS_INVALID);
    }
    buffer_fini(&sealed.text);
}

static void another_place_or_a_part_is_refused(void **state)
{
    (void)state;
    struct sealed sealed;
    make(&sealed, SLICE(PLAIN));
    const struct slice text = buffer_slice(&sealed.text);
    assert_int_equal(open_with(key, sealed.nonce, SLICE("row 2 of main"), text), STATUS_INVALID);
    assert_int_equal(open_with(key, sealed.nonce, (struct slice){0}, text), STATUS_INVALID);
    for (size_t size = 0; size < text.size; size++)
        assert_int_equal(open_with(key, sealed.nonce, place, slice_of(text.data, size)),
                         STATUS_INVALID);
    buffer_fini(&sealed.text);
}

static void the_same_text_is_never_sealed_the_same(void **state)
{
    (void)state;
    struct sealed a, b;
    make(&a, SLICE(PLAIN));
    make(&b, SLICE(PLAIN));
    assert_memory_not_equal(a.nonce, b.nonce, SEAL_NONCE_SIZE);
    assert_memory_not_equal(a.text.data, b.text.data, a.text.size);
    buffer_fini(&a.text);
    buffer_fini(&b.text);
}

static void nothing_is_sealed_too(void **state)
{
    (void)state;
    struct sealed sealed;
    struct buffer plain;
    make(&sealed, (struct slice){0});
    buffer_init(&plain, 4096);
    assert_int_equal(sealed.text.size, SEAL_TAG_SIZE);
    assert_int_equal(seal_open(key, sealed.nonce, place, buffer_slice(&sealed.text), &plain),
                     STATUS_OK);
    assert_int_equal(plain.size, 0);
    seal_wipe(&plain);
    buffer_fini(&sealed.text);
}

static void what_does_not_fit_or_finds_no_memory_is_said(void **state)
{
    (void)state;
    unsigned char nonce[SEAL_NONCE_SIZE];
    struct sealed sealed;
    struct buffer small;
    buffer_init(&small, PLAIN_SIZE + SEAL_TAG_SIZE - 1);
    assert_int_equal(seal_make(key, place, SLICE(PLAIN), nonce, &small), STATUS_TOO_LARGE);
    assert_int_equal(small.size, 0);
    buffer_clear(&small);
    alloc_fail_nth(0);
    assert_int_equal(seal_make(key, place, SLICE("short"), nonce, &small), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    buffer_fini(&small);
    buffer_init(&small, 4096);
    make(&sealed, SLICE(PLAIN));
    alloc_fail_nth(0);
    assert_int_equal(seal_open(key, sealed.nonce, place, buffer_slice(&sealed.text), &small),
                     STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    buffer_fini(&small);
    buffer_fini(&sealed.text);
}

static void keys_are_told_apart_by_their_ids(void **state)
{
    (void)state;
    unsigned char id[SEAL_KEY_ID_SIZE], again[SEAL_KEY_ID_SIZE], other[SEAL_KEY_ID_SIZE];
    static const unsigned char other_key[SEAL_KEY_SIZE] = {7, 1, 8};
    seal_key_id(key, id);
    seal_key_id(key, again);
    seal_key_id(other_key, other);
    assert_memory_equal(id, again, sizeof(id));
    assert_memory_not_equal(id, other, sizeof(id));
    assert_memory_not_equal(id, key, sizeof(id));
}

static void a_key_is_read_in_each_of_its_forms(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "0001020304050607080910111213141516171819202122232425262728293031",
        "0001020304050607080910111213141516171819202122232425262728293031\r\n",
        "AAECAwQFBgcICRAREhMUFRYXGBkgISIjJCUmJygpMDE=",
        "AAECAwQFBgcICRAREhMUFRYXGBkgISIjJCUmJygpMDE=\n",
    };
    unsigned char expected[SEAL_KEY_SIZE], got[SEAL_KEY_SIZE];
    for (size_t i = 0; i < SEAL_KEY_SIZE; i++)
        expected[i] = (unsigned char)(i / 10 * 16 + i % 10);
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        memset(got, 0xff, sizeof(got));
        assert_int_equal(seal_key_read(slice_from_text(forms[i]), got), STATUS_OK);
        assert_memory_equal(got, expected, sizeof(got));
    }
    assert_int_equal(seal_key_read(slice_of(expected, sizeof(expected)), got), STATUS_OK);
    assert_memory_equal(got, expected, sizeof(got));
}

static void what_is_no_key_is_refused(void **state)
{
    (void)state;
    static const char whole[] = "0001020304050607080910111213141516171819202122232425262728293031";
    unsigned char got[SEAL_KEY_SIZE];
    for (size_t size = 0; size < sizeof(whole) - 1; size++) {
        if (size != SEAL_KEY_SIZE && size != 44 && size != 43)
            assert_int_equal(seal_key_read(slice_of(whole, size), got), STATUS_INVALID);
    }
    assert_int_equal(seal_key_read(SLICE("g0010203040506070809101112131415"
                                         "16171819202122232425262728293031"),
                                   got),
                     STATUS_INVALID);
    assert_int_equal(seal_key_read(SLICE("AAECAwQFBgcICRAREhMUFRYXGBkgISIjJCUmJygpMD=="), got),
                     STATUS_INVALID);
    alloc_fail_nth(0);
    assert_int_equal(seal_key_read(SLICE("AAECAwQFBgcICRAREhMUFRYXGBkgISIjJCUmJygpMDE="), got),
                     STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_opens_again),
        cmocka_unit_test(it_is_the_cipher_that_it_says),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(another_place_or_a_part_is_refused),
        cmocka_unit_test(the_same_text_is_never_sealed_the_same),
        cmocka_unit_test(nothing_is_sealed_too),
        cmocka_unit_test(what_does_not_fit_or_finds_no_memory_is_said),
        cmocka_unit_test(keys_are_told_apart_by_their_ids),
        cmocka_unit_test(a_key_is_read_in_each_of_its_forms),
        cmocka_unit_test(what_is_no_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
