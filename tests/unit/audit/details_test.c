#include "audit/details.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static const char example[] =
    "{\"rows\":12,\"hash\":\"00ff\",\"tags\":\"\",\"none\":null,\"last\":7}";

static void members_are_found(void **state)
{
    (void)state;
    const struct slice details = slice_from_text(example);
    struct slice value;
    uint64_t number = 0;
    unsigned char bytes[2];
    assert_int_equal(details_u64(details, "rows", &number), STATUS_OK);
    assert_int_equal(number, 12);
    assert_int_equal(details_u64(details, "last", &number), STATUS_OK);
    assert_int_equal(number, 7);
    assert_int_equal(details_hex(details, "hash", bytes, 2), STATUS_OK);
    assert_int_equal(bytes[1], 0xff);
    assert_int_equal(details_find(details, "tags", &value), STATUS_OK);
    assert_int_equal(value.size, 0);
}

static void what_is_missing_or_of_another_kind_is_told(void **state)
{
    (void)state;
    const struct slice details = slice_from_text(example);
    struct slice value;
    uint64_t number = 0;
    unsigned char bytes[2];
    assert_int_equal(details_find(details, "none", &value), STATUS_NOT_FOUND);
    assert_int_equal(details_find(details, "row", &value), STATUS_NOT_FOUND);
    assert_int_equal(details_find(details, "ows", &value), STATUS_NOT_FOUND);
    assert_int_equal(details_u64(details, "hash", &number), STATUS_INVALID);
    assert_int_equal(details_hex(details, "hash", bytes, 1), STATUS_INVALID);
    assert_int_equal(details_find((struct slice){NULL, 0}, "rows", &value), STATUS_NOT_FOUND);
}

/* Each cut lies in memory of its own, so that a sanitizer sees a byte too far. */
static void details_may_be_cut_anywhere(void **state)
{
    (void)state;
    static const char *const names[] = {"rows", "hash", "tags", "none", "last"};
    for (size_t size = 0; size < sizeof(example); size++) {
        char *copy = test_malloc(size + 1);
        memcpy(copy + 1, example, size);
        for (size_t i = 0; i < 5; i++) {
            struct slice value = {NULL, 0};
            if (details_find(slice_of(copy + 1, size), names[i], &value) == STATUS_OK)
                assert_true(value.data + value.size <= copy + 1 + size);
        }
        test_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_found),
        cmocka_unit_test(what_is_missing_or_of_another_kind_is_told),
        cmocka_unit_test(details_may_be_cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
