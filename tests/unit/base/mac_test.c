#include "base/mac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

static void it_is_hmac_sha_256_however_often_it_is_taken(void **state)
{
    (void)state;
    static const unsigned char key[MAC_SIZE] = {1, 2, 3, 4, 5};
    unsigned char text[300], mac_got[MAC_SIZE], expected[MAC_SIZE];
    struct mac mac;
    mac_init(&mac, key);
    for (size_t size = 0; size < sizeof(text); size++) {
        text[size] = (unsigned char)size;
        mac_of(&mac, slice_of(text, size), mac_got);
        assert_non_null(HMAC(EVP_sha256(), key, MAC_SIZE, text, size, expected, NULL));
        assert_memory_equal(mac_got, expected, MAC_SIZE);
        sha256_of(slice_of(text, size), mac_got);
        assert_int_equal(EVP_Digest(text, size, expected, NULL, EVP_sha256(), NULL), 1);
        assert_memory_equal(mac_got, expected, MAC_SIZE);
    }
    mac_fini(&mac);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_hmac_sha_256_however_often_it_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
