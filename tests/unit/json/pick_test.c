#include "json/pick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KEPT_BYTES 24

/* Feeds the text in pieces of `step` bytes and gives what was kept, in static storage. */
static struct slice picked(struct slice text, size_t step)
{
    static char kept[KEPT_BYTES];
    struct json_pick pick;
    json_pick_init(&pick, SLICE("usage"), kept, sizeof(kept));
    for (size_t at = 0; at < text.size; at += step) {
        const size_t left = text.size - at;
        json_pick_feed(&pick, slice_of(text.data + at, left < step ? left : step));
    }
    return json_pick_value(&pick);
}

static void the_member_is_found_however_the_text_is_split(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value; /* NULL: nothing */
    } cases[] = {
        {"{\"usage\":{\"a\":[1,2]}}", "{\"a\":[1,2]}"},
        {" {\"x\":\"\\\\\",\"usage\":{\"a\":\"}\\\"\"},\"y\":[{}]}", "{\"a\":\"}\\\"\"}"},
        {"{\"usage\":1,\"usage\":22}", "22"},
        {"{\"usage\" : null }", " null "},
        {"{\"usage\":\"usage\"}", "\"usage\""},
        {"{\"a\":{\"usage\":1},\"b\":[\"usage\",{\"usage\":3}],\"c\":\"\\\"usage\\\":4\"}", NULL},
        {"{\"usage2\":1,\"usag\":2,\"us\\u0061ge\":3,\"\":4}", NULL},
        {"{\"a key that is longer than the room for one\":1,\"usage\":5}", "5"},
        {"{\"usage\":[1,", NULL},
        {"{\"usage\":7", NULL},
        {"{\"usage\":1,\"usage\":[2", NULL},
        {"[{\"usage\":1}]", NULL},
        {"{\"a\":]{\"usage\":1}", NULL},
        {"{\"a\":1}{\"usage\":1}", NULL},
        {"{usage:1}", NULL},
        {"{\"usage\":\"a value that is too long to be kept\",\"b\":1}", NULL},
        {"{\"usage\":\"a value that is too long to be kept\",\"usage\":3}", "3"},
        {"{\"usage\":123456789012345678901234}", "123456789012345678901234"},
        {"{\"usage\":1234567890123456789012345}", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct slice text = slice_from_text(cases[i].text);
        for (size_t step = 1; step <= text.size + 1; step++) {
            const struct slice value = picked(text, step);
            const bool is_right = cases[i].value == NULL
                                      ? value.data == NULL
                                      : slice_equal(value, slice_from_text(cases[i].value));
            if (!is_right)
                fail_msg("%s by %zu: '%.*s'", cases[i].text, step, SLICE_ARGS(value));
        }
    }
}

static void every_split_in_two_gives_the_same(void **state)
{
    (void)state;
    static const char text[] = "{\"id\":\"a\\\"b\",\"data\":[[0.1,-2e5],{\"usage\":[]}],"
                               "\"usage\":{\"total\":\"\\\\\"} , \"z\":\"usage\"}";
    for (size_t split = 0; split < sizeof(text); split++) {
        char kept[KEPT_BYTES];
        struct json_pick pick;
        json_pick_init(&pick, SLICE("usage"), kept, sizeof(kept));
        json_pick_feed(&pick, slice_of(text, split));
        json_pick_feed(&pick, slice_of(text + split, sizeof(text) - 1 - split));
        assert_true(slice_equal(json_pick_value(&pick), SLICE("{\"total\":\"\\\\\"} ")));
    }
}

static void nothing_is_complete_before_the_value_is_over(void **state)
{
    (void)state;
    char kept[KEPT_BYTES];
    struct json_pick pick;
    json_pick_init(&pick, SLICE("n"), kept, sizeof(kept));
    json_pick_feed(&pick, SLICE("{\"n\":12"));
    assert_null(json_pick_value(&pick).data);
    json_pick_feed(&pick, SLICE("3"));
    assert_null(json_pick_value(&pick).data);
    json_pick_feed(&pick, SLICE(","));
    assert_true(slice_equal(json_pick_value(&pick), SLICE("123")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_member_is_found_however_the_text_is_split),
        cmocka_unit_test(every_split_in_two_gives_the_same),
        cmocka_unit_test(nothing_is_complete_before_the_value_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
