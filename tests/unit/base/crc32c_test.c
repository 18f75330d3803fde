#include "base/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void the_examples_of_rfc_3720_hold(void **state)
{
    (void)state;
    unsigned char bytes[32];
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(crc32c(0, bytes, 32), 0x46dd794e);
}

static void the_table_gives_the_same_whatever_the_size_and_the_split(void **state)
{
    (void)state;
    unsigned char bytes[67];
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        const uint32_t whole = crc32c(0, bytes, size);
        assert_int_equal(whole, crc32c_by_table(0, bytes, size));
        for (size_t split = 0; split <= size; split++)
            assert_int_equal(whole, crc32c(crc32c(0, bytes, split), bytes + split, size - split));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_rfc_3720_hold),
        cmocka_unit_test(the_table_gives_the_same_whatever_the_size_and_the_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
