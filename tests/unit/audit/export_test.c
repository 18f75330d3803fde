#include "unit/audit/audit_fixture.h"

#include "audit/export.h"

static enum status keep_line(void *context, struct slice line)
{
    return buffer_append(context, line);
}

static enum status stop(void *context, struct slice line)
{
    (void)context;
    (void)line;
    return STATUS_CANCELLED;
}

static void an_entry_is_one_line_of_json(void **state)
{
    (void)state;
    struct store_audit_entry entry = {
        .number = 7,
        .timestamp_us = UINT64_C(1763942400123456),
        .actor = SLICE("admin.sock"),
        .action = SLICE("key.create"),
        .details = SLICE("{\"name\":\"a\nb\"}"),
    };
    memset(entry.hash, 0xab, sizeof(entry.hash));
    struct buffer line;
    buffer_init(&line, 4096);
    assert_int_equal(audit_export_entry(&entry, &line), STATUS_OK);
    const char *expected = "{\"number\":7,\"timestamp_us\":1763942400123456,"
                           "\"time\":\"2025-11-24T00:00:00.123456Z\","
                           "\"actor\":\"admin.sock\",\"action\":\"key.create\",\"subject\":\"\","
                           "\"details\":\"{\\\"name\\\":\\\"a\\nb\\\"}\","
                           "\"previous_hash\":\""
                           "0000000000000000000000000000000000000000000000000000000000000000\","
                           "\"hash\":\""
                           "abababababababababababababababababababababababababababababababab\"}\n";
    assert_int_equal(line.size, strlen(expected));
    assert_memory_equal(line.data, expected, line.size);
    buffer_fini(&line);
}

static size_t count_lines(const struct buffer *lines)
{
    size_t count = 0;
    for (size_t i = 0; i < lines->size; i++)
        count += lines->data[i] == '\n';
    return count;
}

static void all_entries_or_those_from_one_on_are_written(void **state)
{
    (void)state;
    struct buffer lines;
    buffer_init(&lines, 1024 * 1024);
    append_up_to(300);
    assert_int_equal(audit_export(&fixture.store, 1, keep_line, &lines, NULL), STATUS_OK);
    assert_int_equal(count_lines(&lines), 300);
    buffer_clear(&lines);
    assert_int_equal(audit_export(&fixture.store, 299, keep_line, &lines, NULL), STATUS_OK);
    assert_int_equal(count_lines(&lines), 2);
    buffer_fini(&lines);
}

static void the_writer_can_stop_it(void **state)
{
    (void)state;
    append_up_to(3);
    assert_int_equal(audit_export(&fixture.store, 1, stop, NULL, NULL), STATUS_CANCELLED);
}

static void it_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    struct buffer lines;
    buffer_init(&lines, 1024 * 1024);
    append_up_to(3);
    assert_int_equal(buffer_reserve(&lines, 65536), STATUS_OK);
    enum status status = STATUS_NO_MEMORY;
    int nth = 0;
    for (; status == STATUS_NO_MEMORY && nth < 50; nth++) {
        buffer_clear(&lines);
        alloc_fail_nth(nth);
        status = audit_export(&fixture.store, 1, keep_line, &lines, NULL);
        alloc_fail_nth(-1);
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(nth > 1);
    assert_int_equal(count_lines(&lines), 3);
    buffer_fini(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_entry_is_one_line_of_json),
        TEST(all_entries_or_those_from_one_on_are_written),
        TEST(the_writer_can_stop_it),
        TEST(it_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
