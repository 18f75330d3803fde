#include "json/read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "json/search.h"

/* The text copied to memory of exactly its size, so that a sanitizer sees a read beyond it. */
static struct slice exact_copy(struct slice text)
{
    char *copy = alloc_bytes(text.size + (text.size == 0));
    assert_non_null(copy);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    return slice_of(copy, text.size);
}

static enum status check(struct slice text, struct json_error *error)
{
    struct json_value value;
    const struct slice copy = exact_copy(text);
    const enum status status = json_check(copy, &JSON_LIMITS_DEFAULT, &value, error);
    alloc_free((void *)(uintptr_t)copy.data);
    return status;
}

static void what_the_grammar_allows_is_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.5e+10",
        "1E-2",
        "10",
        "\"\"",
        "[]",
        "{}",
        " [ ] ",
        "\t{\r\n} ",
        "[1,2]",
        "[[[]]]",
        "{\"a\":{\"b\":[{}]}}",
        "{\"a\":1,\"a\":2}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\"\x7F\"",
        "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80\"",
        "\"\xED\x9F\xBF\"",
        "\"\xEE\x80\x80\"",
        "\"\xF4\x8F\xBF\xBF\"",
        "[1 , \"2\" , null , { \"x\" : [ ] } ]",
        "123456789012345678901234567890.123456789e999999999",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct json_error error;
        if (check(slice_from_text(texts[i]), &error) != STATUS_OK)
            fail_msg("refused: %s: %s at %zu", texts[i], error.message, error.offset);
    }
}

static void what_the_grammar_forbids_is_refused_where_it_stands(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset;
        const char *message;
    } cases[] = {
        {"", 0, "unexpected end"},
        {"  ", 2, "unexpected end"},
        {"nul", 0, "invalid literal"},
        {"True", 0, "expected a value"},
        {"nullx", 4, "unexpected text after the value"},
        {"[1]]", 3, "unexpected text after the value"},
        {"\xEF\xBB\xBF{}", 0, "expected a value"},
        {"01", 1, "unexpected text after the value"},
        {"-", 1, "unexpected end"},
        {"-a", 1, "invalid number"},
        {"+1", 0, "expected a value"},
        {"1.", 2, "unexpected end"},
        {"1.e1", 2, "invalid number"},
        {".5", 0, "expected a value"},
        {"1e", 2, "unexpected end"},
        {"1e+", 3, "unexpected end"},
        {"0x10", 1, "unexpected text after the value"},
        {"NaN", 0, "expected a value"},
        {"[1,]", 3, "expected a value"},
        {"[,1]", 1, "expected a value"},
        {"[1 2]", 3, "expected ',' or ']'"},
        {"[1}", 2, "expected ',' or ']'"},
        {"{\"a\":1]", 6, "expected ',' or '}'"},
        {"{\"a\":1,}", 7, "expected a name in quotes"},
        {"{\"a\" 1}", 5, "expected ':'"},
        {"{a:1}", 1, "expected a name in quotes"},
        {"{'a':1}", 1, "expected a name in quotes"},
        {"{\"a\"}", 4, "expected ':'"},
        {"{\"a\":}", 5, "expected a value"},
        {"{\"a\":1", 6, "unexpected end"},
        {"[", 1, "unexpected end"},
        {"\"abc", 4, "unexpected end in a string"},
        {"\"a\nb\"", 2, "control character in a string"},
        {"\"a\tb\"", 2, "control character in a string"},
        {"\"\\x\"", 2, "invalid escape"},
        {"\"\\u12G4\"", 5, "invalid \\u escape"},
        {"\"\\u12", 5, "unexpected end"},
        {"\"\\", 2, "unexpected end"},
        {"\"a\x80\"", 2, "invalid UTF-8"},
        {"\"\xC0\xAF\"", 1, "invalid UTF-8"},
        {"\"\xC1\xBF\"", 1, "invalid UTF-8"},
        {"\"\xE0\x9F\xBF\"", 1, "invalid UTF-8"},
        {"\"\xED\xA0\x80\"", 1, "invalid UTF-8"},
        {"\"\xF0\x8F\xBF\xBF\"", 1, "invalid UTF-8"},
        {"\"\xF4\x90\x80\x80\"", 1, "invalid UTF-8"},
        {"\"\xF5\x80\x80\x80\"", 1, "invalid UTF-8"},
        {"\"\xC3", 1, "invalid UTF-8"},
        {"\"\xE2\x82", 1, "invalid UTF-8"},
        {"\"\xE2\x82\"", 1, "invalid UTF-8"},
        {"\"\xFF\"", 1, "invalid UTF-8"},
        {"[1] //x", 4, "unexpected text after the value"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct json_error error;
        if (check(slice_from_text(cases[i].text), &error) != STATUS_INVALID)
            fail_msg("accepted: %s", cases[i].text);
        assert_string_equal(error.message, cases[i].message);
        if (error.offset != cases[i].offset)
            fail_msg("%s: at %zu", cases[i].text, error.offset);
    }
}

/* A bad byte must be found wherever it stands in a block of the vector search. */
static void a_bad_byte_is_found_at_every_place_of_a_string(void **state)
{
    (void)state;
    static const char bad[] = {'\x01', '\x1F', '\n', '\x80', '\xFF', '\0'};
    char text[80];
    for (size_t size = 3; size < sizeof(text); size++) {
        for (size_t place = 1; place < size - 1; place++) {
            for (size_t i = 0; i < sizeof(bad); i++) {
                struct json_error error;
                memset(text, 'a', size);
                text[0] = text[size - 1] = '"';
                assert_int_equal(check(slice_of(text, size), &error), STATUS_OK);
                text[place] = bad[i];
                assert_int_equal(check(slice_of(text, size), &error), STATUS_INVALID);
                assert_int_equal(error.offset, place);
            }
        }
    }
}

/* The offset of the first byte that cannot stand in a string, one character after the other. */
static size_t first_wrong(struct slice text)
{
    size_t at = 0;
    while (at < text.size) {
        uint32_t code;
        const size_t size = json_utf8_next(text.data + at, text.data + text.size, &code);
        if (size == 0 || code < 0x20)
            break;
        at += size;
    }
    return at;
}

/* Whole characters of one to four bytes, shifted by each number of bytes, with each byte of the
 * text damaged in turn: what is refused, and where, must not depend on the place in a block. */
static void a_damaged_character_is_found_at_every_place(void **state)
{
    (void)state;
    static const char *const fillers[] = {"\xD0\x9F",         "\xE4\xB8\xAD",
                                          "\xE0\xA4\x95",     "\xED\x95\x9C",
                                          "\xF0\x9F\x98\x80", "a\xC3\xA9\xE2\x82\xAC"};
    static const char damage[] = {'\x80', '\xBF', '\xC0', '\xE0', '\xED', '\xFF', '\x01'};
    for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++) {
        const size_t step = strlen(fillers[i]);
        for (size_t shift = 0; shift < 16; shift++) {
            char text[128];
            struct json_error error;
            size_t size = 1 + shift;
            memset(text, '"', 1);
            memset(text + 1, 'a', shift);
            for (; size < 70; size += step)
                memcpy(text + size, fillers[i], step);
            text[size++] = '"';
            assert_int_equal(check(slice_of(text, size), &error), STATUS_OK);
            for (size_t place = 1; place < size - 1; place++) {
                const char good = text[place];
                text[place] = damage[(place + shift) % sizeof(damage)];
                const size_t wrong = first_wrong(slice_of(text, size));
                assert_int_equal(check(slice_of(text, size), &error),
                                 wrong == size ? STATUS_OK : STATUS_INVALID);
                if (wrong < size)
                    assert_int_equal(error.offset, wrong);
                text[place] = good;
            }
        }
    }
}

static void a_text_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    static const char text[] = "{\"model\":\"m\\u00e9\xC3\xA9\",\"stream\":true,\"n\":-1.5e3,"
                               "\"messages\":[{\"role\":\"user\",\"content\":[1,null,{}]}]}";
    struct json_error error;
    assert_int_equal(check(slice_from_text(text), &error), STATUS_OK);
    for (size_t size = 0; size < sizeof(text) - 1; size++)
        assert_int_equal(check(slice_of(text, size), &error), STATUS_INVALID);
}

static struct slice nested(char *text, size_t levels, char open, char close)
{
    memset(text, open, levels);
    memset(text + levels, close, levels);
    return slice_of(text, 2 * levels);
}

static void nesting_is_limited_to_the_stated_depth(void **state)
{
    (void)state;
    char text[2 * (JSON_DEPTH_LIMIT + 1)];
    struct json_error error;
    struct json_value value;
    assert_int_equal(check(nested(text, 64, '[', ']'), &error), STATUS_OK);
    assert_int_equal(check(nested(text, 65, '[', ']'), &error), STATUS_TOO_LARGE);
    assert_string_equal(error.message, "deeper than 64 levels");
    assert_int_equal(error.offset, 64);

    struct json_limits limits = JSON_LIMITS_DEFAULT;
    limits.depth_max = JSON_DEPTH_LIMIT;
    assert_int_equal(json_check(nested(text, JSON_DEPTH_LIMIT, '[', ']'), &limits, &value, &error),
                     STATUS_OK);
    assert_int_equal(
        json_check(nested(text, JSON_DEPTH_LIMIT + 1, '[', ']'), &limits, &value, &error),
        STATUS_TOO_LARGE);
}

static void brackets_and_braces_must_match_at_every_level(void **state)
{
    (void)state;
    struct json_error error;
    char text[512] = "";
    size_t size = 0;
    for (int i = 0; i < 40; i++) /* [{"":[{"": … */
        size += (size_t)snprintf(text + size, sizeof(text) - size, "[{\"\":");
    text[size++] = '1';
    const size_t middle = size;
    for (int i = 0; i < 40; i++) {
        text[size++] = '}';
        text[size++] = ']';
    }
    struct json_limits limits = JSON_LIMITS_DEFAULT;
    struct json_value value;
    limits.depth_max = 80;
    assert_int_equal(json_check(slice_of(text, size), &limits, &value, &error), STATUS_OK);
    for (size_t i = middle; i < size; i++) {
        text[i] = text[i] == '}' ? ']' : '}';
        assert_int_equal(json_check(slice_of(text, size), &limits, &value, &error), STATUS_INVALID);
        assert_int_equal(error.offset, i);
        text[i] = text[i] == '}' ? ']' : '}';
    }
}

/* --- members --- */

static enum status read_in(struct arena *arena, struct slice text, struct json_object *object)
{
    struct json_error error;
    return json_read_object(text, &JSON_LIMITS_DEFAULT, arena, object, &error);
}

static void assert_text(struct slice slice, const char *text)
{
    if (!slice_equal(slice, slice_from_text(text)))
        fail_msg("'%.*s' is not '%s'", SLICE_ARGS(slice), text);
}

static void members_are_spans_of_the_original_bytes(void **state)
{
    (void)state;
    struct arena arena;
    struct json_object object;
    arena_init(&arena, NULL, 0, 1 << 16);
    const struct slice text =
        SLICE(" { \"a\" : -1.50 , \"\\u0062\":\"x\\n\",\"c\":[ 1, {\"d\":[2]} ] ,\"d\":{\"x\":0} ,"
              "\"e\":null,\"f\":false,\"g\":[]} ");
    assert_int_equal(read_in(&arena, text, &object), STATUS_OK);
    static const struct {
        const char *key, *raw;
        enum json_type type;
    } expected[] = {
        {"a", "-1.50", JSON_TYPE_NUMBER},
        {"\\u0062", "\"x\\n\"", JSON_TYPE_STRING},
        {"c", "[ 1, {\"d\":[2]} ]", JSON_TYPE_ARRAY},
        {"d", "{\"x\":0}", JSON_TYPE_OBJECT},
        {"e", "null", JSON_TYPE_NULL},
        {"f", "false", JSON_TYPE_BOOL},
        {"g", "[]", JSON_TYPE_ARRAY},
    };
    assert_int_equal(object.count, 7);
    for (size_t i = 0; i < object.count; i++) {
        assert_text(object.members[i].key, expected[i].key);
        assert_text(object.members[i].value.raw, expected[i].raw);
        assert_int_equal(object.members[i].value.type, expected[i].type);
    }
    assert_int_equal(object.members[2].element_count, 2);
    assert_int_equal(object.members[2].element_types,
                     1 << JSON_TYPE_NUMBER | 1 << JSON_TYPE_OBJECT);
    assert_int_equal(object.members[3].element_count, 0);
    assert_int_equal(object.members[6].element_count, 0);
    assert_ptr_equal(object.text.data, text.data);
    arena_fini(&arena);
}

static void only_an_object_has_members(void **state)
{
    (void)state;
    struct arena arena;
    struct json_object object;
    struct json_error error;
    arena_init(&arena, NULL, 0, 1 << 16);
    assert_int_equal(read_in(&arena, SLICE("{}"), &object), STATUS_OK);
    assert_int_equal(object.count, 0);
    assert_int_equal(read_in(&arena, SLICE(""), &object), STATUS_INVALID);
    assert_int_equal(
        json_read_object(SLICE(" [{}]"), &JSON_LIMITS_DEFAULT, &arena, &object, &error),
        STATUS_INVALID);
    assert_string_equal(error.message, "expected an object");
    assert_int_equal(error.offset, 1);
    arena_fini(&arena);
}

static size_t write_members(char *text, size_t count)
{
    size_t size = 0;
    text[size++] = '{';
    for (size_t i = 0; i < count; i++) {
        memcpy(text + size, "\"k\":1,", 6);
        size += 6;
    }
    text[size - 1] = '}';
    return size;
}

static void the_count_of_members_is_limited(void **state)
{
    (void)state;
    static char text[6 * (JSON_MEMBERS_DEFAULT + 1) + 2];
    struct arena arena;
    struct json_object object;
    struct json_error error;
    arena_init(&arena, NULL, 0, 1 << 20);
    size_t size = write_members(text, JSON_MEMBERS_DEFAULT);
    assert_int_equal(read_in(&arena, slice_of(text, size), &object), STATUS_OK);
    assert_int_equal(object.count, JSON_MEMBERS_DEFAULT);
    size = write_members(text, JSON_MEMBERS_DEFAULT + 1);
    assert_int_equal(
        json_read_object(slice_of(text, size), &JSON_LIMITS_DEFAULT, &arena, &object, &error),
        STATUS_TOO_LARGE);
    assert_string_equal(error.message, "more than 1024 members");
    arena_fini(&arena);
}

/* Fails the first allocation, then the second, ..., until the reader gets through. */
static void reading_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    static char text[6 * 1000 + 2];
    const size_t size = write_members(text, 1000);
    for (int nth = 0;; nth++) {
        struct arena arena;
        struct json_object object;
        arena_init(&arena, NULL, 0, 1 << 20);
        alloc_fail_nth(nth);
        const enum status status = read_in(&arena, slice_of(text, size), &object);
        alloc_fail_nth(-1);
        arena_fini(&arena);
        if (status == STATUS_OK) {
            assert_true(nth > 3);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
}

/* --- pauses --- */

static void count_pause(void *context)
{
    ++*(unsigned *)context;
}

/* Whatever a long text consists of, a pause comes about every 256 KiB, and the outcome is that
 * without pauses. */
static void long_work_gives_way_about_every_256_kib(void **state)
{
    (void)state;
    static const char *const fillers[] = {"a", "\\n", "\xE2\x82\xAC", " "};
    static const char *const heads[] = {"[\"", "[\"", "[\"", "["};
    static const char *const tails[] = {"\"]", "\"]", "\"]", "1]"};
    const size_t size_about = 10 * JSON_PAUSE_BYTES + 1234;
    char *text = alloc_bytes(size_about + 16);
    assert_non_null(text);
    for (size_t i = 0; i < 4; i++) {
        size_t size = strlen(heads[i]);
        memcpy(text, heads[i], size);
        const size_t step = strlen(fillers[i]);
        for (; size + step < size_about; size += step)
            memcpy(text + size, fillers[i], step);
        memcpy(text + size, tails[i], 2);
        size += 2;
        unsigned pauses = 0;
        struct json_limits limits = JSON_LIMITS_DEFAULT;
        struct json_value value;
        struct json_error error;
        limits.pause = count_pause;
        limits.pause_context = &pauses;
        assert_int_equal(json_check(slice_of(text, size), &limits, &value, &error), STATUS_OK);
        assert_int_equal(pauses, 10);
        text[size - 1] = '!';
        assert_int_equal(json_check(slice_of(text, size), &limits, &value, &error), STATUS_INVALID);
    }
    alloc_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_grammar_allows_is_read),
        cmocka_unit_test(what_the_grammar_forbids_is_refused_where_it_stands),
        cmocka_unit_test(a_bad_byte_is_found_at_every_place_of_a_string),
        cmocka_unit_test(a_damaged_character_is_found_at_every_place),
        cmocka_unit_test(a_text_cut_off_anywhere_is_refused),
        cmocka_unit_test(nesting_is_limited_to_the_stated_depth),
        cmocka_unit_test(brackets_and_braces_must_match_at_every_level),
        cmocka_unit_test(members_are_spans_of_the_original_bytes),
        cmocka_unit_test(only_an_object_has_members),
        cmocka_unit_test(the_count_of_members_is_limited),
        cmocka_unit_test(reading_survives_the_failure_of_each_allocation),
        cmocka_unit_test(long_work_gives_way_about_every_256_kib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
