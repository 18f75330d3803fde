#include "json/value.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

static struct json_value number(const char *text)
{
    return (struct json_value){slice_from_text(text), JSON_TYPE_NUMBER};
}

static void whole_numbers_are_read_however_they_are_written(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"0.000", 0},
        {"0e99999999999999999999", 0},
        {"16", 16},
        {"16.0", 16},
        {"1.6e1", 16},
        {"160e-1", 16},
        {"1600E-2", 16},
        {"1e+3", 1000},
        {"18446744073709551615", UINT64_MAX},
        {"1.8446744073709551615e19", UINT64_MAX},
        {"1e19", UINT64_C(10000000000000000000)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = 77;
        assert_int_equal(json_u64(number(cases[i].text), &value), STATUS_OK);
        assert_true(value == cases[i].value);
    }
}

static void numbers_that_are_not_whole_or_do_not_fit_are_told_apart(void **state)
{
    (void)state;
    uint64_t value = 77;
    static const char *const fractions[] = {"1.5", "0.1", "1e-1", "-0.5", "1e-99999999999999999"};
    static const char *const misfits[] = {"-1",
                                          "18446744073709551616",
                                          "1e20",
                                          "-1e3",
                                          "1e99999999999999999999",
                                          "99999999999999999999999",
                                          "18446744073709551619100"};
    for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++)
        assert_int_equal(json_u64(number(fractions[i]), &value), STATUS_INVALID);
    for (size_t i = 0; i < sizeof(misfits) / sizeof(misfits[0]); i++)
        assert_int_equal(json_u64(number(misfits[i]), &value), STATUS_TOO_LARGE);
    assert_int_equal(json_u64((struct json_value){SLICE("\"1\""), JSON_TYPE_STRING}, &value),
                     STATUS_INVALID);
    assert_int_equal(value, 77);
}

static void an_endless_number_is_not_read(void **state)
{
    (void)state;
    char text[JSON_NUMBER_BYTES_MAX + 2];
    uint64_t whole;
    double real;
    memset(text, '1', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(json_u64(number(text), &whole), STATUS_TOO_LARGE);
    assert_int_equal(json_double(number(text), &real), STATUS_TOO_LARGE);
    text[sizeof(text) - 2] = '\0';
    assert_int_equal(json_double(number(text), &real), STATUS_OK);
    assert_true(isinf(real) && real > 0); /* 512 digits */
}

static void doubles_are_near_enough(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } cases[] = {
        {"0", 0},
        {"0.7", 0.7},
        {"-2", -2},
        {"1.5e3", 1500},
        {"1e-7", 1e-7},
        {"123.456", 123.456},
        {"1e308", 1e308},
        {"2.5e-308", 2.5e-308},
        {"9007199254740993", 9007199254740992.0},
        {"0.1000000000000000055511151231257827", 0.1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double value;
        assert_int_equal(json_double(number(cases[i].text), &value), STATUS_OK);
        assert_true(fabs(value - cases[i].value) <= fabs(cases[i].value) * 1e-14);
    }
    double value;
    assert_int_equal(json_double(number("-1e999999999999"), &value), STATUS_OK);
    assert_true(isinf(value) && value < 0);
    assert_int_equal(json_double(number("1e-999999999999"), &value), STATUS_OK);
    assert_true(value == 0);
}

static void booleans_are_booleans_only(void **state)
{
    (void)state;
    bool value = false;
    assert_int_equal(json_bool((struct json_value){SLICE("true"), JSON_TYPE_BOOL}, &value),
                     STATUS_OK);
    assert_true(value);
    assert_int_equal(json_bool((struct json_value){SLICE("false"), JSON_TYPE_BOOL}, &value),
                     STATUS_OK);
    assert_false(value);
    assert_int_equal(json_bool(number("1"), &value), STATUS_INVALID);
    assert_true(json_is_null((struct json_value){SLICE("null"), JSON_TYPE_NULL}));
}

static void escapes_become_their_characters(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *text;
    } cases[] = {
        {"plain \xC3\xA9", "plain \xC3\xA9"},
        {"\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t"},
        {"\\u0041\\u00e9\\u20AC", "A\xC3\xA9\xE2\x82\xAC"},
        {"\\ud83d\\uDE00!", "\xF0\x9F\x98\x80!"},
        {"\\ud800", "\xEF\xBF\xBD"},
        {"\\ud800\\n", "\xEF\xBF\xBD\n"},
        {"\\ud800\\u0041", "\xEF\xBF\xBD"
                           "A"},
        {"\\udc00\\ud83d\\ude00", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
        {"\\ud800\\ud83d\\ude00", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
        {"\\uDBFF\\uDFFF", "\xF4\x8F\xBF\xBF"},
    };
    char first[512];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct arena arena;
        struct slice text;
        arena_init(&arena, first, sizeof(first), 0);
        assert_int_equal(json_unescape(slice_from_text(cases[i].raw), &arena, &text), STATUS_OK);
        if (!slice_equal(text, slice_from_text(cases[i].text)))
            fail_msg("%s became %.*s", cases[i].raw, SLICE_ARGS(text));
    }
}

static void a_string_without_escapes_is_not_copied(void **state)
{
    (void)state;
    struct arena arena;
    struct slice text;
    const struct slice raw = SLICE("\"gpt-4o\"");
    arena_init(&arena, NULL, 0, 0);
    assert_int_equal(json_string((struct json_value){raw, JSON_TYPE_STRING}, &arena, &text),
                     STATUS_OK);
    assert_ptr_equal(text.data, raw.data + 1);
    assert_int_equal(text.size, 6);
    assert_int_equal(json_string(number("1"), &arena, &text), STATUS_INVALID);
    assert_int_equal(
        json_string((struct json_value){SLICE("\"\\n\""), JSON_TYPE_STRING}, &arena, &text),
        STATUS_NO_MEMORY);
}

static void keys_are_compared_unescaped(void **state)
{
    (void)state;
    assert_true(json_key_equal(SLICE("model"), SLICE("model")));
    assert_true(json_key_equal(SLICE("mod\\u0065l"), SLICE("model")));
    assert_true(json_key_equal(SLICE("\\u006d\\u006F\\u0064\\u0065\\u006c"), SLICE("model")));
    assert_false(json_key_equal(SLICE("Model"), SLICE("model")));
    assert_false(json_key_equal(SLICE("mode"), SLICE("model")));
    assert_false(json_key_equal(SLICE("models"), SLICE("model")));
    assert_false(json_key_equal(SLICE("model\\u0000"), SLICE("model")));
    assert_false(json_key_equal(SLICE("mode\\u006c\\u006c"), SLICE("model")));
    assert_false(json_key_equal(SLICE(""), SLICE("model")));
    assert_false(json_key_equal((struct slice){0}, SLICE("model")));
    assert_false(json_key_equal(SLICE("model_name"), SLICE("model")));
    assert_true(json_key_equal(SLICE("mode\\u006c"), SLICE("model")));
    assert_true(json_key_equal(SLICE("\\u00e9"), SLICE("\xC3\xA9")));
    assert_true(json_key_is_plain(SLICE("model")));
    assert_false(json_key_is_plain(SLICE("mode\\u006c")));
    assert_false(json_key_is_plain(SLICE("\xC3\xA9")));
}

/* Keys of an answer that is only skimmed are compared unchecked. */
static void a_key_of_any_bytes_is_compared_within_its_bounds(void **state)
{
    (void)state;
    static const char *const keys[] = {"\\",          "usag\\",         "us\\u",
                                       "us\\u006",    "us\\u0061g\x80", "us\\ud83d\\u",
                                       "\\u00zzsage", "us\\u0061g\xC3"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const size_t size = strlen(keys[i]);
        char *copy = alloc_bytes(size);
        assert_non_null(copy);
        memcpy(copy, keys[i], size);
        assert_false(json_key_equal(slice_of(copy, size), SLICE("usage")));
        assert_false(json_key_equal_nocase(slice_of(copy, size), SLICE("usage")));
        assert_false(json_key_equal(slice_of(copy, size), SLICE("a")));
        alloc_free(copy);
    }
}

static void case_is_folded_as_the_most_lenient_readers_do(void **state)
{
    (void)state;
    assert_true(json_key_equal_nocase(SLICE("mOdEl"), SLICE("model")));
    assert_true(json_key_equal_nocase(SLICE("\\u004DODEL"), SLICE("model")));
    assert_true(json_key_equal_nocase(SLICE("me\xC5\xBF\xC5\xBF"
                                            "ages"),
                                      SLICE("messages")));
    assert_true(json_key_equal_nocase(SLICE("max_to\xE2\x84\xAA"
                                            "ens"),
                                      SLICE("max_tokens")));
    assert_true(json_key_equal_nocase(SLICE("\\u017Ftream"), SLICE("stream")));
    assert_false(json_key_equal_nocase(SLICE("mode"), SLICE("model")));
    assert_false(json_key_equal_nocase(SLICE("models"), SLICE("model")));
    assert_false(json_key_equal_nocase(SLICE("m\xC3\x96"
                                             "del"),
                                       SLICE("model")));
    assert_false(json_key_equal_nocase(SLICE("max-tokens"), SLICE("max_tokens")));
    assert_false(json_key_equal_nocase(SLICE(""), SLICE("n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_read_however_they_are_written),
        cmocka_unit_test(numbers_that_are_not_whole_or_do_not_fit_are_told_apart),
        cmocka_unit_test(an_endless_number_is_not_read),
        cmocka_unit_test(doubles_are_near_enough),
        cmocka_unit_test(booleans_are_booleans_only),
        cmocka_unit_test(escapes_become_their_characters),
        cmocka_unit_test(a_string_without_escapes_is_not_copied),
        cmocka_unit_test(keys_are_compared_unescaped),
        cmocka_unit_test(a_key_of_any_bytes_is_compared_within_its_bounds),
        cmocka_unit_test(case_is_folded_as_the_most_lenient_readers_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
