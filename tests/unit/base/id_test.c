#include "base/id.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define TIME_US UINT64_C(1769903999123456)

static void an_id_bears_version_variant_and_time(void **state)
{
    (void)state;
    for (int i = 0; i < 64; i++) { /* whatever the random bits are */
        const struct id id = id_make(TIME_US);
        uint64_t ms = 0;
        for (int j = 0; j < 6; j++)
            ms = ms << 8 | id.bytes[j];
        assert_int_equal(ms, TIME_US / 1000);
        assert_int_equal(id.bytes[6] >> 4, 7);
        assert_int_equal(id.bytes[8] >> 6, 2);
        assert_int_equal((id.bytes[6] & 15) << 6 | id.bytes[7] >> 2, 456);
    }
}

static void ids_are_ordered_by_the_microsecond(void **state)
{
    (void)state;
    static const uint64_t steps_us[] = {1, 63, 64, 543, 1, 999, 1000, 1000000, 86400000000};
    uint64_t at_us = TIME_US;
    struct id last = id_make(at_us);
    for (size_t i = 0; i < sizeof(steps_us) / sizeof(steps_us[0]); i++) {
        at_us += steps_us[i];
        const struct id next = id_make(at_us);
        assert_true(memcmp(last.bytes, next.bytes, sizeof(last.bytes)) < 0);
        last = next;
    }
}

static void ids_of_one_moment_differ(void **state)
{
    (void)state;
    struct id ids[256];
    for (size_t i = 0; i < 256; i++) {
        ids[i] = id_make(TIME_US);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(ids[i].bytes, ids[j].bytes, sizeof(ids[i].bytes));
    }
}

static void the_earliest_and_the_latest_time_fit(void **state)
{
    (void)state;
    static const unsigned char zeros[6], ones[6] = {255, 255, 255, 255, 255, 255};
    const uint64_t latest_us = (UINT64_C(1) << 48) * 1000 - 1;
    struct id id = id_make(0);
    assert_memory_equal(id.bytes, zeros, 6);
    id = id_make(latest_us);
    assert_memory_equal(id.bytes, ones, 6);
    assert_int_equal(id.bytes[6] >> 4, 7);
}

static void an_id_has_the_usual_form(void **state)
{
    (void)state;
    static const struct id id = {{0x01, 0x9c, 0x15, 0xab, 0xcd, 0xef, 0x70, 0x12, 0x80, 0x34, 0x56,
                                  0x78, 0x9a, 0xbc, 0xde, 0xf0}};
    char text[ID_TEXT_SIZE + 1];
    text[ID_TEXT_SIZE] = '!';
    id_format(&id, text);
    assert_memory_equal(text, "019c15ab-cdef-7012-8034-56789abcdef0!", sizeof(text));
}

static void a_written_id_is_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < 64; i++) {
        char text[ID_TEXT_SIZE];
        struct id id = id_make(TIME_US + (uint64_t)i), back;
        id_format(&id, text);
        assert_int_equal(id_parse(slice_of(text, sizeof(text)), &back), STATUS_OK);
        assert_memory_equal(back.bytes, id.bytes, sizeof(id.bytes));
    }
    struct id id;
    assert_int_equal(id_parse(SLICE("019C15AB-CDEF-7012-8034-56789ABCDEF0"), &id), STATUS_OK);
}

static void a_text_that_is_wrong_anywhere_is_no_id(void **state)
{
    (void)state;
    static const char sound[] = "019c15ab-cdef-7012-8034-56789abcdef0";
    struct id id;
    for (size_t i = 0; i < ID_TEXT_SIZE; i++) {
        char text[ID_TEXT_SIZE];
        memcpy(text, sound, sizeof(text));
        text[i] = text[i] == '-' ? '0' : '-';
        assert_int_equal(id_parse(slice_of(text, sizeof(text)), &id), STATUS_INVALID);
        text[i] = 'g';
        assert_int_equal(id_parse(slice_of(text, sizeof(text)), &id), STATUS_INVALID);
        assert_int_equal(id_parse(slice_of(sound, i), &id), STATUS_INVALID);
    }
    assert_int_equal(id_parse(slice_of(sound, sizeof(sound)), &id), STATUS_INVALID);
    assert_int_equal(id_parse((struct slice){0}, &id), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_bears_version_variant_and_time),
        cmocka_unit_test(ids_are_ordered_by_the_microsecond),
        cmocka_unit_test(ids_of_one_moment_differ),
        cmocka_unit_test(the_earliest_and_the_latest_time_fit),
        cmocka_unit_test(an_id_has_the_usual_form),
        cmocka_unit_test(a_written_id_is_read_back),
        cmocka_unit_test(a_text_that_is_wrong_anywhere_is_no_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
