#include "http/media.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_media_type_is_compared_without_case_and_parameters(void **state)
{
    (void)state;
    assert_true(media_is_event_stream(SLICE("text/event-stream")));
    assert_true(media_is_event_stream(SLICE(" Text/Event-Stream ;charset=utf-8")));
    assert_false(media_is_event_stream(SLICE("text/event-streams")));
    assert_false(media_is_event_stream(SLICE("")));
    assert_true(media_is(SLICE("text/plain; a=\"text/html\""), SLICE("text/plain")));
}

static void json_has_a_name_and_a_suffix(void **state)
{
    (void)state;
    assert_true(media_is_json(SLICE("application/json")));
    assert_true(media_is_json(SLICE("APPLICATION/JSON; charset=utf-8")));
    assert_true(media_is_json(SLICE("application/problem+json")));
    assert_true(media_is_json(SLICE("application/vnd.x+JSON;v=1")));
    assert_false(media_is_json(SLICE("application/jsonl")));
    assert_false(media_is_json(SLICE("text/json")));
    assert_false(media_is_json(SLICE("application+json")));
    assert_false(media_is_json(SLICE("+json")));
    assert_false(media_is_json(SLICE("")));
    assert_false(media_is_json(SLICE(";application/json")));
}

/* Joins the members with '|'. */
static void check_members(const char *value, const char *expected)
{
    char joined[128] = "";
    size_t size = 0;
    struct slice rest = slice_from_text(value), member;
    while (media_list_next(&rest, &member)) {
        if (size > 0)
            joined[size++] = '|';
        memcpy(joined + size, member.data, member.size);
        size += member.size;
    }
    joined[size] = '\0';
    assert_string_equal(joined, expected);
    assert_false(media_list_next(&rest, &member));
}

static void a_list_is_split_at_commas_outside_of_quotes(void **state)
{
    (void)state;
    check_members("", "");
    check_members("a", "a");
    check_members(" a ,\tb,c ", "a|b|c");
    check_members(",, ,a,, b,", "a|b");
    check_members("a=\"b,c\", d", "a=\"b,c\"|d");
    check_members("a=\"b\\\",c\", d", "a=\"b\\\",c\"|d");
    check_members("a=\"b, c", "a=\"b, c");
    check_members("\"\\", "\"\\");
    check_members("a\\,b", "a\\|b");
}

static void a_token_is_looked_for_in_the_whole_list(void **state)
{
    (void)state;
    assert_true(media_list_has(SLICE("keep-alive, Close"), SLICE("close")));
    assert_false(media_list_has(SLICE("closed, not-close"), SLICE("close")));
    assert_false(media_list_has(SLICE("\"close\""), SLICE("close")));
    assert_false(media_list_has(SLICE(""), SLICE("close")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_media_type_is_compared_without_case_and_parameters),
        cmocka_unit_test(json_has_a_name_and_a_suffix),
        cmocka_unit_test(a_list_is_split_at_commas_outside_of_quotes),
        cmocka_unit_test(a_token_is_looked_for_in_the_whole_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
