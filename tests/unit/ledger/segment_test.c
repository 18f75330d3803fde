#include "ledger/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "ledger/record.h"

#define SIZE SEGMENT_BYTES_MIN

static _Alignas(64) char bytes[SIZE];
static const struct segment_identity identity = {7, 3, 5};
static uint32_t seed;

/* Appends records of the sizes 1, 9, 17 … to the segment; returns the end. */
static size_t fill(uint64_t sequence, unsigned count)
{
    size_t offset = SEGMENT_PAGE_BYTES;
    for (unsigned i = 0; i < count; i++) {
        struct segment_record_head *head = (void *)(bytes + offset);
        const size_t size = 1 + i * 8 % 200;
        memset(head + 1, (int)(i + sequence), size);
        segment_publish(head, seed, sequence + i, RECORD_CLOSED, size);
        offset += segment_record_bytes(size);
    }
    return offset;
}

static int make_segment(void **state)
{
    (void)state;
    memset(bytes, 0, sizeof(bytes));
    seed = segment_seed(identity.generation, identity.worker);
    segment_write_header(bytes, &identity, SIZE);
    return 0;
}

static struct segment_reader reader_from(uint64_t sequence)
{
    return (struct segment_reader){slice_of(bytes, SIZE), SEGMENT_PAGE_BYTES, sequence, seed};
}

static void what_is_published_is_read_in_its_order(void **state)
{
    (void)state;
    struct segment_reader reader = reader_from(1);
    struct segment_record record;
    const size_t end = fill(1, 100);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(segment_next(&reader, &record), STATUS_OK);
        assert_int_equal(record.kind, RECORD_CLOSED);
        assert_int_equal(record.sequence, i + 1);
        assert_int_equal(record.payload.size, 1 + i * 8 % 200);
        assert_int_equal((unsigned char)record.payload.data[0], i + 1);
    }
    assert_int_equal(reader.offset, end);
    assert_int_equal(segment_next(&reader, &record), STATUS_AGAIN);
}

static void a_copy_is_sound_only_of_what_has_not_changed_since_it_was_read(void **state)
{
    (void)state;
    struct segment_reader reader = reader_from(1);
    struct segment_record record;
    _Alignas(16) char copy[256];
    fill(1, 20);
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(segment_next(&reader, &record), STATUS_OK);
        char *last =
            bytes + record.offset + sizeof(struct segment_record_head) + record.payload.size - 1;
        assert_true(segment_copy(&reader, &record, (void *)copy));
        assert_memory_equal(copy + sizeof(struct segment_record_head), record.payload.data,
                            record.payload.size);
        *last ^= 1;
        assert_false(segment_copy(&reader, &record, (void *)copy));
        *last ^= 1;
    }
    memset(bytes, 0, sizeof(bytes)); /* as where the file was cut short */
    assert_false(segment_copy(&reader, &record, (void *)copy));
}

static void a_former_lap_ends_the_log_and_is_not_resumed_with(void **state)
{
    (void)state;
    struct segment_record record;
    fill(1, 200);
    fill(1000, 3);
    struct segment_reader reader = reader_from(1000);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(segment_next(&reader, &record), STATUS_OK);
    assert_int_equal(segment_next(&reader, &record), STATUS_AGAIN);
    assert_int_equal(segment_resume(&reader), STATUS_NOT_FOUND);
}

static void another_workers_record_with_the_expected_number_is_not_taken(void **state)
{
    (void)state;
    struct segment_reader reader = reader_from(1);
    struct segment_record record;
    fill(1, 20);
    reader.seed = segment_seed(identity.generation, identity.worker + 1);
    assert_int_equal(segment_next(&reader, &record), STATUS_PROTOCOL);
    assert_int_equal(segment_resume(&reader), STATUS_NOT_FOUND);
    reader.seed = segment_seed(identity.generation + 1, identity.worker);
    assert_int_equal(segment_next(&reader, &record), STATUS_PROTOCOL);
    assert_int_equal(segment_resume(&reader), STATUS_NOT_FOUND);
}

static void a_reader_that_expects_no_number_takes_the_first_record(void **state)
{
    (void)state;
    struct segment_reader reader = reader_from(0);
    struct segment_record record;
    fill(77, 2);
    assert_int_equal(segment_next(&reader, &record), STATUS_OK);
    assert_int_equal(record.sequence, 77);
    assert_int_equal(reader.sequence, 78);
}

/* Reads all, over damage; each record must be as it was written. Returns how many were read. */
static unsigned read_over_damage(struct segment_reader reader, unsigned count)
{
    struct segment_record record;
    unsigned found = 0;
    for (;;) {
        enum status status = segment_next(&reader, &record);
        if (status == STATUS_AGAIN || status == STATUS_PROTOCOL)
            status = segment_resume(&reader);
        else if (status == STATUS_OK) {
            assert_in_range(record.sequence, 1, count);
            const unsigned i = (unsigned)record.sequence - 1;
            assert_int_equal(record.payload.size, 1 + i * 8 % 200);
            for (size_t at = 0; at < record.payload.size; at++)
                assert_int_equal((unsigned char)record.payload.data[at], i + 1);
            found++;
        }
        if (status != STATUS_OK)
            return found;
    }
}

static void each_flipped_byte_costs_one_record_at_most(void **state)
{
    (void)state;
    const unsigned count = 60;
    const size_t end = fill(1, count);
    for (size_t at = SEGMENT_PAGE_BYTES; at < end; at++) {
        for (unsigned bit = 0; bit < 8; bit += 3) {
            bytes[at] = (char)(bytes[at] ^ 1 << bit);
            assert_in_range(read_over_damage(reader_from(1), count), count - 1, count);
            bytes[at] = (char)(bytes[at] ^ 1 << bit);
        }
    }
}

static void a_segment_cut_anywhere_gives_the_records_before_the_cut(void **state)
{
    (void)state;
    const unsigned count = 60;
    const size_t end = fill(1, count);
    for (size_t size = 0; size <= end; size++) {
        struct segment_reader reader = reader_from(1);
        reader.segment = slice_of(bytes, size);
        const unsigned found = read_over_damage(reader, count);
        assert_true(found <= count && (found == count) == (size == end));
    }
}

static void sizes_and_numbers_out_of_nowhere_lead_nowhere(void **state)
{
    (void)state;
    struct segment_record record;
    static const uint64_t words[] = {UINT64_MAX, UINT64_C(1) << 20 | 0xfffff, UINT64_C(1) << 20,
                                     UINT64_C(1) << 63, 0xfffff};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        for (size_t offset = SIZE - 64; offset < SIZE; offset += 16) {
            struct segment_reader reader = reader_from(0);
            reader.offset = offset;
            memcpy(bytes + offset, &words[i], sizeof(words[i]));
            assert_int_not_equal(segment_next(&reader, &record), STATUS_OK);
            assert_int_equal(segment_resume(&reader), STATUS_NOT_FOUND);
        }
    }
}

static void a_record_of_another_version_is_refused_not_passed_over(void **state)
{
    (void)state;
    struct segment_reader reader = reader_from(1);
    struct segment_record record;
    struct segment_record_head *head = (void *)(bytes + SEGMENT_PAGE_BYTES);
    const size_t size = 24;
    segment_publish(head, seed, 1, RECORD_CLOSED, size);
    head->version = RECORD_VERSION + 1;
    const uint64_t first[2] = {UINT64_C(1) << 20 | size,
                               (uint64_t)head->kind | (uint64_t)head->version << 16};
    head->crc = crc32c(crc32c(seed, first, sizeof(first)), head + 1, size);
    assert_int_equal(segment_next(&reader, &record), STATUS_UNSUPPORTED);
    assert_int_equal(reader.offset, SEGMENT_PAGE_BYTES);
}

static void a_header_says_whose_segment_it_is(void **state)
{
    (void)state;
    struct segment_identity found;
    assert_int_equal(segment_read_header(slice_of(bytes, SIZE), &found, NULL), STATUS_OK);
    assert_int_equal(found.generation, 7);
    assert_int_equal(found.worker, 3);
    assert_int_equal(found.number, 5);
}

static void a_damaged_or_short_header_is_refused(void **state)
{
    (void)state;
    struct segment_identity found;
    for (size_t at = 0; at < 48; at++) {
        bytes[at] ^= 4;
        const enum status status = segment_read_header(slice_of(bytes, SIZE), &found, NULL);
        assert_int_equal(status, at >= 8 && at < 12 ? STATUS_UNSUPPORTED : STATUS_INVALID);
        bytes[at] ^= 4;
    }
    for (size_t size = 0; size < SEGMENT_PAGE_BYTES; size += 16)
        assert_int_equal(segment_read_header(slice_of(bytes, size), &found, NULL), STATUS_INVALID);
}

static void a_file_shorter_than_its_header_says_is_cut(void **state)
{
    (void)state;
    for (size_t size = 0; size < SIZE; size += 16)
        assert_true(segment_is_cut(slice_of(bytes, size)));
    assert_false(segment_is_cut(slice_of(bytes, SIZE)));
    bytes[33] ^= 1; /* in the size: what a damaged header says does not count */
    assert_false(segment_is_cut(slice_of(bytes, SIZE - 16)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_published_is_read_in_its_order, make_segment),
        cmocka_unit_test_setup(a_copy_is_sound_only_of_what_has_not_changed_since_it_was_read,
                               make_segment),
        cmocka_unit_test_setup(a_former_lap_ends_the_log_and_is_not_resumed_with, make_segment),
        cmocka_unit_test_setup(another_workers_record_with_the_expected_number_is_not_taken,
                               make_segment),
        cmocka_unit_test_setup(a_reader_that_expects_no_number_takes_the_first_record,
                               make_segment),
        cmocka_unit_test_setup(each_flipped_byte_costs_one_record_at_most, make_segment),
        cmocka_unit_test_setup(a_segment_cut_anywhere_gives_the_records_before_the_cut,
                               make_segment),
        cmocka_unit_test_setup(sizes_and_numbers_out_of_nowhere_lead_nowhere, make_segment),
        cmocka_unit_test_setup(a_record_of_another_version_is_refused_not_passed_over,
                               make_segment),
        cmocka_unit_test_setup(a_header_says_whose_segment_it_is, make_segment),
        cmocka_unit_test_setup(a_damaged_or_short_header_is_refused, make_segment),
        cmocka_unit_test_setup(a_file_shorter_than_its_header_says_is_cut, make_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
