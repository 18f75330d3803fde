#include "json/walk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

static struct json_value object_of(const char *text)
{
    return (struct json_value){slice_from_text(text), JSON_TYPE_OBJECT};
}

static struct json_value array_of(const char *text)
{
    return (struct json_value){slice_from_text(text), JSON_TYPE_ARRAY};
}

static void assert_text(struct slice slice, const char *text)
{
    if (!slice_equal(slice, slice_from_text(text)))
        fail_msg("'%.*s' is not '%s'", SLICE_ARGS(slice), text);
}

static void the_members_of_an_object_come_one_after_the_other(void **state)
{
    (void)state;
    struct json_walk walk;
    struct json_member member;
    json_walk_init(
        &walk, object_of("{ \"a\" : [1,{\"x\":\"]}\\\"\"}] ,\"b\\\"c\":\"s\\\\\" , \"\":-1e5\n}"),
        NULL);
    assert_true(json_walk_next(&walk, &member));
    assert_text(member.key, "a");
    assert_text(member.value.raw, "[1,{\"x\":\"]}\\\"\"}]");
    assert_int_equal(member.value.type, JSON_TYPE_ARRAY);
    assert_true(json_walk_next(&walk, &member));
    assert_text(member.key, "b\\\"c");
    assert_text(member.value.raw, "\"s\\\\\"");
    assert_true(json_walk_next(&walk, &member));
    assert_text(member.key, "");
    assert_text(member.value.raw, "-1e5");
    assert_false(json_walk_next(&walk, &member));
    assert_false(json_walk_next(&walk, &member));
    assert_false(walk.is_broken);
}

static void the_elements_of_an_array_have_no_key(void **state)
{
    (void)state;
    static const char *const expected[] = {"null", "[]", "\"\"", "{}", "true"};
    struct json_walk walk;
    struct json_member member;
    size_t count = 0;
    json_walk_init(&walk, array_of("[null,[], \"\" ,{},true ]"), NULL);
    while (json_walk_next(&walk, &member)) {
        assert_int_equal(member.key.size, 0);
        assert_text(member.value.raw, expected[count++]);
    }
    assert_int_equal(count, 5);
    assert_false(walk.is_broken);
}

static void what_is_empty_or_no_container_has_nothing(void **state)
{
    (void)state;
    struct json_walk walk;
    struct json_member member;
    const struct json_value values[] = {object_of("{}"),
                                        object_of("{ \t}"),
                                        array_of("[]"),
                                        {SLICE("\"[1]\""), JSON_TYPE_STRING},
                                        {.type = JSON_TYPE_NULL}};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        json_walk_init(&walk, values[i], NULL);
        assert_false(json_walk_next(&walk, &member));
        assert_false(walk.is_broken);
    }
}

static void text_that_is_no_json_ends_the_walk(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{a:1}",       "{\"a\"}",      "{\"a\" 1}", "{\"a\":}",   "{\"a\":1,}",
        "{\"a\":1 2}", "{\"a\":\"}",   "{\"a}",     "{\"a\":[1}", "{,}",
        "{\"a\":[}",   "{\"a\":\"\\}", "{\"a\":x}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct json_walk walk;
        struct json_member member;
        json_walk_init(&walk, object_of(texts[i]), NULL);
        while (json_walk_next(&walk, &member))
            ;
        if (!walk.is_broken)
            fail_msg("went through: %s", texts[i]);
    }
}

/* In memory of exactly the text's size, so that a sanitizer sees a read beyond it. */
static void a_text_cut_off_anywhere_is_never_read_beyond_its_end(void **state)
{
    (void)state;
    static const char text[] =
        "{\"abc\\\"def\":[1,\"\\\\\",{\"long enough for a block\":[[\"}\"]]}],\"b\":12345}";
    for (size_t size = 0; size < sizeof(text); size++) {
        char *copy = alloc_bytes(size + (size == 0));
        assert_non_null(copy);
        memcpy(copy, text, size);
        struct json_walk walk;
        struct json_member member;
        json_walk_init(&walk, (struct json_value){slice_of(copy, size), JSON_TYPE_OBJECT}, NULL);
        while (json_walk_next(&walk, &member))
            assert_true(member.value.raw.data + member.value.raw.size <= copy + size);
        alloc_free(copy);
    }
}

/* Where the container at the front ends, byte by byte; 0 if it does not. */
static size_t end_of_container(const char *text, size_t size)
{
    bool is_in_string = false, is_escaped = false;
    size_t depth = 0;
    for (size_t i = 0; i < size; i++) {
        const char byte = text[i];
        const bool is_plain = !is_in_string;
        if (byte == '"' && !is_escaped)
            is_in_string = !is_in_string;
        is_escaped = byte == '\\' && !is_escaped;
        if (is_plain && (byte == '[' || byte == '{'))
            depth++;
        if (is_plain && (byte == ']' || byte == '}') && --depth == 0)
            return i + 1;
    }
    return 0;
}

/* Brackets, quotes and backslashes in all places of the stretches that are read at once. */
static void a_container_ends_where_its_bracket_does_whatever_lies_in_its_strings(void **state)
{
    (void)state;
    static const char bytes[] = "[{}]\"\"\\\\\\aaaaaaaaaaaaaaaaaaaa";
    char text[302];
    uint32_t random = 1;
    for (unsigned round = 0; round < 20000; round++) {
        const size_t size = 2 + round % (sizeof(text) - 2);
        const size_t kinds = round % 3 == 0 ? 9 : sizeof(bytes) - 1; /* more of them, or fewer */
        text[0] = text[1] = '[';
        for (size_t i = 2; i < size; i++) {
            random = random * 1664525 + 1013904223;
            text[i] = bytes[(random >> 16) % kinds];
        }
        struct json_walk walk;
        struct json_member member;
        const size_t end = end_of_container(text + 1, size - 1);
        json_walk_init(&walk, (struct json_value){slice_of(text, size + 1), JSON_TYPE_ARRAY}, NULL);
        text[size] = ']';
        const bool is_found = json_walk_next(&walk, &member) || member.value.raw.size > 0;
        assert_int_equal(is_found ? member.value.raw.size : 0, end);
    }
}

static void the_last_member_of_a_name_is_found(void **state)
{
    (void)state;
    struct json_value value;
    const struct json_value object = object_of("{\"a\":1,\"b\":{\"c\":9},\"\\u0061\":2}");
    assert_true(json_find(object, SLICE("a"), NULL, &value));
    assert_text(value.raw, "2");
    assert_true(json_find(object, SLICE("b"), NULL, &value));
    assert_text(value.raw, "{\"c\":9}");
    assert_false(json_find(object, SLICE("c"), NULL, &value));
    assert_false(json_find(array_of("[\"a\",1]"), SLICE("a"), NULL, &value));
}

static void count_pause(void *context)
{
    ++*(unsigned *)context;
}

static void a_long_walk_gives_way(void **state)
{
    (void)state;
    const size_t size = 4 * JSON_PAUSE_BYTES + 100;
    char *text = alloc_bytes(size);
    assert_non_null(text);
    static const char fillers[] = {'a', '1', '1', ' '};
    static const char *const heads[] = {"[\"", "[[", "[1", "[1"};
    static const char *const tails[] = {"\"]", "]]", "1]", " ]"};
    for (size_t i = 0; i < 4; i++) {
        unsigned pauses = 0;
        struct json_limits limits = JSON_LIMITS_DEFAULT;
        struct json_walk walk;
        struct json_member member;
        limits.pause = count_pause;
        limits.pause_context = &pauses;
        memset(text, fillers[i], size);
        memcpy(text, heads[i], 2);
        memcpy(text + size - 2, tails[i], 2);
        json_walk_init(&walk, (struct json_value){slice_of(text, size), JSON_TYPE_ARRAY}, &limits);
        assert_true(json_walk_next(&walk, &member));
        assert_int_equal(member.value.raw.size, i < 3 ? size - 2 : 1);
        assert_false(json_walk_next(&walk, &member));
        assert_int_equal(pauses, 4);
    }
    alloc_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_members_of_an_object_come_one_after_the_other),
        cmocka_unit_test(the_elements_of_an_array_have_no_key),
        cmocka_unit_test(what_is_empty_or_no_container_has_nothing),
        cmocka_unit_test(text_that_is_no_json_ends_the_walk),
        cmocka_unit_test(a_text_cut_off_anywhere_is_never_read_beyond_its_end),
        cmocka_unit_test(a_container_ends_where_its_bracket_does_whatever_lies_in_its_strings),
        cmocka_unit_test(the_last_member_of_a_name_is_found),
        cmocka_unit_test(a_long_walk_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
