#include "audit/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static struct audit_keys keys;

static int set_up(void **state)
{
    (void)state;
    static const unsigned char secret[MAC_SIZE] = {1, 2, 3};
    return audit_keys_init(secret, &keys, NULL) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    audit_keys_fini(&keys);
    return 0;
}

static void make_segment(struct segment *segment, const char *bytes)
{
    static const unsigned char hash[STORE_HASH_SIZE] = {9};
    segment_begin(segment, 5);
    segment_add(segment, slice_from_text(bytes), hash);
}

static enum status check(const struct segment *segment, const struct store_audit_entry *entry)
{
    return checkpoint_check(keys.public_key, segment, entry, NULL);
}

static void a_signature_holds_for_its_segment_alone(void **state)
{
    (void)state;
    char text[CHECKPOINT_DETAILS_BYTES];
    struct segment segment, other;
    struct store_audit_entry entry = {.number = 7, .timestamp_us = 8};
    make_segment(&segment, "some entries");
    make_segment(&other, "other entries");
    assert_int_equal(checkpoint_write(&keys, &segment, false, &entry, text, NULL), STATUS_OK);
    assert_int_equal(check(&segment, &entry), STATUS_OK);
    assert_int_equal(check(&other, &entry), STATUS_INVALID);
    other = segment;
    other.first++;
    assert_int_equal(check(&other, &entry), STATUS_INVALID);
}

static void every_changed_byte_of_a_checkpoint_is_found(void **state)
{
    (void)state;
    char text[CHECKPOINT_DETAILS_BYTES];
    struct segment segment;
    struct store_audit_entry entry = {.number = 7, .timestamp_us = 8};
    make_segment(&segment, "some entries");
    assert_int_equal(checkpoint_write(&keys, &segment, false, &entry, text, NULL), STATUS_OK);
    for (size_t i = 0; i < entry.details.size; i++) {
        /* Signs between the values are not looked at: the entry's own hash covers them. */
        const bool is_sign = strchr("{}\",:", text[i]) != NULL;
        text[i] ^= 1;
        if (!is_sign)
            assert_int_not_equal(check(&segment, &entry), STATUS_OK);
        text[i] ^= 1;
    }
    entry.number++;
    assert_int_equal(check(&segment, &entry), STATUS_INVALID);
    entry.number--;
    entry.timestamp_us++;
    assert_int_equal(check(&segment, &entry), STATUS_INVALID);
    entry.timestamp_us--;
    entry.previous_hash[31] ^= 1;
    assert_int_equal(check(&segment, &entry), STATUS_INVALID);
    entry.previous_hash[31] ^= 1;
    assert_int_equal(check(&segment, &entry), STATUS_OK);
}

static void another_key_does_not_check(void **state)
{
    (void)state;
    char text[CHECKPOINT_DETAILS_BYTES];
    static const unsigned char secret[MAC_SIZE] = {1, 2, 4};
    struct audit_keys others;
    struct segment segment;
    struct store_audit_entry entry = {.number = 7, .timestamp_us = 8};
    make_segment(&segment, "some entries");
    assert_int_equal(audit_keys_init(secret, &others, NULL), STATUS_OK);
    assert_int_equal(checkpoint_write(&others, &segment, false, &entry, text, NULL), STATUS_OK);
    assert_int_equal(check(&segment, &entry), STATUS_INVALID);
    audit_keys_fini(&others);
}

static void a_damaged_segment_is_not_signed(void **state)
{
    (void)state;
    char text[CHECKPOINT_DETAILS_BYTES];
    struct segment segment;
    struct store_audit_entry entry = {.number = 7, .timestamp_us = 8};
    make_segment(&segment, "some entries");
    assert_int_equal(checkpoint_write(&keys, &segment, true, &entry, text, NULL), STATUS_OK);
    assert_true(slice_equal(entry.details, SLICE("{\"first\":5,\"damaged\":true}")));
    assert_int_equal(check(&segment, &entry), STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_signature_holds_for_its_segment_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_changed_byte_of_a_checkpoint_is_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_key_does_not_check, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_segment_is_not_signed, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
