#include "admin/member_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void members_of_every_kind_are_written(void **state)
{
    (void)state;
    struct buffer text;
    struct json_writer writer;
    const struct id id = {{0xab}};
    buffer_init(&text, 4096);
    json_writer_init(&writer, &text);
    json_write_object(&writer);
    member_write_text(&writer, SLICE("text"), SLICE("a"));
    member_write_text(&writer, SLICE("empty"), SLICE(""));
    member_write_text(&writer, SLICE("none"), slice_of(NULL, 0));
    member_write_filled(&writer, SLICE("filled"), SLICE("b"));
    member_write_filled(&writer, SLICE("unfilled"), SLICE(""));
    member_write_id(&writer, SLICE("id"), &id);
    member_write_time(&writer, SLICE("time"), 1769860800123456);
    member_write_time(&writer, SLICE("never"), 0);
    member_write_bool(&writer, SLICE("yes"), true);
    member_write_bool(&writer, SLICE("no"), false);
    member_write_number(&writer, SLICE("number"), UINT64_MAX);
    json_write_end(&writer);
    const struct slice expected =
        SLICE("{\"text\":\"a\",\"empty\":\"\",\"none\":null,"
              "\"filled\":\"b\",\"unfilled\":null,"
              "\"id\":\"ab000000-0000-0000-0000-000000000000\","
              "\"time\":\"2026-01-31T12:00:00.123Z\",\"never\":null,\"yes\":true,\"no\":false,"
              "\"number\":18446744073709551615}");
    assert_true(slice_equal(buffer_slice(&text), expected));
    buffer_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_of_every_kind_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
