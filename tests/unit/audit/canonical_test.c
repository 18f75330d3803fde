#include "audit/canonical.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/alloc.h"

static void the_bytes_of_an_entry_are_as_documented(void **state)
{
    (void)state;
    struct store_audit_entry entry = {
        .number = 0x0102,
        .timestamp_us = 0x0304,
        .actor = SLICE("a"),
        .action = SLICE("bc"),
        .details = SLICE("{}"),
    };
    memset(entry.previous_hash, 0x55, sizeof(entry.previous_hash));
    memset(entry.hash, 0x77, sizeof(entry.hash));
    struct buffer bytes;
    buffer_init(&bytes, 4096);
    assert_int_equal(canonical_entry(&entry, &bytes), STATUS_OK);
    static const char expected[] = "\0\0\0\012weir.entry\1"
                                   "UUUUUUUUUUUUUUUUUUUUUUUUUUUUUUUU"
                                   "\0\0\0\0\0\0\1\2\0\0\0\0\0\0\3\4"
                                   "\0\0\0\1"
                                   "a\0\0\0\2"
                                   "bc\0\0\0\0\0\0\0\2{}";
    assert_int_equal(bytes.size, sizeof(expected) - 1);
    assert_memory_equal(bytes.data, expected, bytes.size);
    buffer_fini(&bytes);
}

static void texts_that_are_split_otherwise_have_other_bytes(void **state)
{
    (void)state;
    const struct store_usage a = {.model = SLICE("ab"), .provider = SLICE("c")};
    const struct store_usage b = {.model = SLICE("a"), .provider = SLICE("bc")};
    struct buffer one, other;
    buffer_init(&one, 4096);
    buffer_init(&other, 4096);
    assert_int_equal(canonical_usage(&a, &one), STATUS_OK);
    assert_int_equal(canonical_usage(&b, &other), STATUS_OK);
    assert_int_equal(one.size, other.size);
    assert_memory_not_equal(one.data, other.data, one.size);
    buffer_fini(&one);
    buffer_fini(&other);
}

/* No column was forgotten: whichever byte of the struct's values differs, the bytes differ. */
static void every_column_of_a_row_counts(void **state)
{
    (void)state;
    struct store_usage row = {0};
    struct buffer empty, bytes;
    buffer_init(&empty, 4096);
    buffer_init(&bytes, 4096);
    assert_int_equal(canonical_usage(&row, &empty), STATUS_OK);
    size_t columns = 0;
#define COUNTS(member, value)                                                                      \
    do {                                                                                           \
        row = (struct store_usage){0};                                                             \
        row.member = value;                                                                        \
        assert_int_equal(canonical_usage(&row, &bytes), STATUS_OK);                                \
        assert_false(slice_equal(buffer_slice(&empty), buffer_slice(&bytes)));                     \
        columns++;                                                                                 \
    } while (0)
    COUNTS(id.bytes[15], 1);
    COUNTS(timestamp_us, 1);
    COUNTS(user_id.bytes[15], 1);
    COUNTS(key_id.bytes[15], 1);
    COUNTS(team_id.bytes[15], 1);
    COUNTS(route, SLICE("x"));
    COUNTS(model, SLICE("x"));
    COUNTS(provider, SLICE("x"));
    COUNTS(target_model, SLICE("x"));
    for (int i = 0; i < STORE_TOKENS_COUNT; i++)
        COUNTS(tokens[i], STORE_UNKNOWN);
    COUNTS(cost_nanousd, 1);
    COUNTS(price_id, SLICE("x"));
    COUNTS(status, 1);
    COUNTS(outcome, SLICE("x"));
    COUNTS(answered, true);
    COUNTS(estimated, true);
    COUNTS(attempts, 1);
    COUNTS(cache, SLICE("x"));
    COUNTS(context, SLICE("x"));
    COUNTS(stream, true);
    COUNTS(latency_us, 1);
    COUNTS(first_byte_us, 1);
    COUNTS(client_request_id, SLICE("x"));
    COUNTS(provider_request_id, SLICE("x"));
    COUNTS(idempotency_hash, SLICE("x"));
    COUNTS(metadata, SLICE("x"));
    COUNTS(batch, 1);
    assert_int_equal(columns, 26 + STORE_TOKENS_COUNT);
    /* A new column has to be hashed, and tested here; then this size is right again. */
    assert_int_equal(sizeof(struct store_usage), 368);
    buffer_fini(&empty);
    buffer_fini(&bytes);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    static char text[5000];
    const struct store_usage row = {.metadata = slice_of(text, sizeof(text))};
    struct buffer bytes;
    buffer_init(&bytes, 4096);
    assert_int_equal(canonical_usage(&row, &bytes), STATUS_TOO_LARGE);
    const struct store_audit_entry entry = {.details = slice_of(text, SIZE_MAX - 3)};
    assert_int_equal(canonical_entry(&entry, &bytes), STATUS_TOO_LARGE);
    alloc_fail_nth(0);
    const struct store_usage small = {.batch = 1};
    assert_int_equal(canonical_usage(&small, &bytes), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    buffer_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_of_an_entry_are_as_documented),
        cmocka_unit_test(texts_that_are_split_otherwise_have_other_bytes),
        cmocka_unit_test(every_column_of_a_row_counts),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
