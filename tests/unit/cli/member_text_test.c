#include "cli/member_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "json/read.h"

#define NOW_US (UINT64_C(1769860800) * US_PER_S) /* 2026-01-31T12:00:00Z */

static struct arena arena;

static int open_arena(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 65536);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct slice text_of(const char *name, const char *json, enum member_form form)
{
    struct json_value value;
    struct json_error error;
    assert_int_equal(json_check(slice_from_text(json), &JSON_LIMITS_DEFAULT, &value, &error),
                     STATUS_OK);
    return member_text(slice_from_text(name), value, form, NOW_US, &arena);
}

static void says(const char *name, const char *json, enum member_form form, const char *expected)
{
    const struct slice text = text_of(name, json, form);
    assert_non_null(text.data);
    assert_true(slice_equal(text, slice_from_text(expected)));
}

static void values_read_as_people_write_them(void **state)
{
    (void)state;
    says("disabled", "true", MEMBER_FORM_CELL, "yes");
    says("disabled", "false", MEMBER_FORM_CELL, "no");
    says("name", "null", MEMBER_FORM_CELL, "");
    says("name", "\"a\\u00e9\\n\"", MEMBER_FORM_CELL, "aé\n");
    says("keys_deleted", "-12.50", MEMBER_FORM_CELL, "-12.50");
    says("other", "{\"a\":1}", MEMBER_FORM_CELL, "{\"a\":1}");
}

static void lists_are_joined_by_commas(void **state)
{
    (void)state;
    says("models", "[]", MEMBER_FORM_CELL, "");
    says("models", "[\"a\"]", MEMBER_FORM_CELL, "a");
    says("models", "[ \"a*\" , \"\\u0062\", 3, null ]", MEMBER_FORM_LINE, "a*,b,3,null");
    says("models", "[\"\",\"\"]", MEMBER_FORM_LINE, "");
}

static void times_are_distances_in_cells_and_both_in_lines(void **state)
{
    (void)state;
    says("last_used_at", "\"2026-01-31T11:57:00.000Z\"", MEMBER_FORM_CELL, "3 min ago");
    says("expires_at", "\"2026-05-01T12:00:00.000Z\"", MEMBER_FORM_LINE,
         "2026-05-01T12:00:00.000Z (in 90 days)");
    says("last_used_at", "null", MEMBER_FORM_LINE, "");
    says("created_at", "\"soon\"", MEMBER_FORM_CELL, "soon");
    says("name", "\"2026-01-31T11:57:00.000Z\"", MEMBER_FORM_CELL, "2026-01-31T11:57:00.000Z");
}

static void without_memory_there_is_no_text(void **state)
{
    static const char *const values[] = {"\"a\\u0062\"", "[\"a\"]", "[\"a\\u0062\"]"};
    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        alloc_fail_nth(0);
        const struct slice text = text_of("name", values[i], MEMBER_FORM_CELL);
        alloc_fail_nth(-1);
        assert_null(text.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_read_as_people_write_them, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(lists_are_joined_by_commas, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(times_are_distances_in_cells_and_both_in_lines, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(without_memory_there_is_no_text, open_arena, close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
