#include "identity/key_hasher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/hmac.h>

#include "base/alloc.h"

static const unsigned char pepper[PEPPER_SIZE] = {1, 2, 3, 4, 5};

static void the_hash_is_hmac_sha_256_however_often_it_is_taken(void **state)
{
    (void)state;
    struct key_hasher *hasher = NULL;
    assert_int_equal(key_hasher_create(pepper, &hasher), STATUS_OK);
    char text[300];
    for (size_t size = 0; size < sizeof(text); size++) {
        text[size] = (char)('a' + size % 26);
        unsigned char hash[KEY_HASH_SIZE], expected[KEY_HASH_SIZE];
        assert_int_equal(key_hasher_hash(hasher, slice_of(text, size), hash), STATUS_OK);
        assert_non_null(HMAC(EVP_sha256(), pepper, PEPPER_SIZE, (const unsigned char *)text, size,
                             expected, NULL));
        assert_memory_equal(hash, expected, KEY_HASH_SIZE);
    }
    key_hasher_destroy(&hasher);
    assert_null(hasher);
}

static void another_pepper_gives_another_hash(void **state)
{
    (void)state;
    static const unsigned char other[PEPPER_SIZE] = {1, 2, 3, 4, 6};
    struct key_hasher *first = NULL, *second = NULL;
    unsigned char first_hash[KEY_HASH_SIZE], second_hash[KEY_HASH_SIZE];
    assert_int_equal(key_hasher_create(pepper, &first), STATUS_OK);
    assert_int_equal(key_hasher_create(other, &second), STATUS_OK);
    assert_int_equal(key_hasher_hash(first, SLICE("a key"), first_hash), STATUS_OK);
    assert_int_equal(key_hasher_hash(second, SLICE("a key"), second_hash), STATUS_OK);
    assert_memory_not_equal(first_hash, second_hash, KEY_HASH_SIZE);
    key_hasher_destroy(&first);
    key_hasher_destroy(&second);
}

static void create_without_memory_says_so(void **state)
{
    (void)state;
    struct key_hasher *hasher = NULL;
    alloc_fail_nth(0);
    assert_int_equal(key_hasher_create(pepper, &hasher), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_null(hasher);
    key_hasher_destroy(&hasher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_hmac_sha_256_however_often_it_is_taken),
        cmocka_unit_test(another_pepper_gives_another_hash),
        cmocka_unit_test(create_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
