#include "admin/list_offset.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/admin/priced_context.h"

#define PRICES "/admin/v1/prices"
#define COUNT  7

static void make_prices(struct admin_context *context)
{
    for (int i = 0; i < COUNT; i++) {
        char body[128];
        (void)snprintf(body, sizeof(body),
                       "{\"provider\":\"local\",\"model\":\"m%d\",\"prices\":{\"input\":\"1\"}}",
                       i);
        assert_int_equal(operate(context, "POST", PRICES, body, NULL), 200);
    }
}

static int count_of(const char *text, const char *part)
{
    int count = 0;
    for (; (text = strstr(text, part)) != NULL; text++)
        count++;
    return count;
}

static void pages_of_any_size_come_to_the_whole_list(void **state)
{
    const char *answer;
    make_prices(*state);
    assert_int_equal(operate(*state, "GET", PRICES, "", &answer), 200);
    const int whole = count_of(answer, "\"provider\":");
    assert_true(whole >= COUNT);
    for (int limit = 1; limit <= whole + 1; limit++) {
        int after = 0, seen = 0, next = 0;
        do {
            char path[64];
            (void)snprintf(path, sizeof(path), PRICES "?limit=%d&after=%d", limit, after);
            assert_int_equal(operate(*state, "GET", path, "", &answer), 200);
            const int count = count_of(answer, "\"provider\":");
            assert_in_range(count, 1, limit);
            seen += count;
            const char *at = strstr(answer, "\"next\":\"");
            next = at != NULL ? (int)strtol(at + 8, NULL, 10) : 0;
            assert_true(next == 0 || next == after + limit);
            after = next;
        } while (next > 0);
        assert_int_equal(seen, whole);
    }
}

static void behind_the_end_there_is_nothing(void **state)
{
    const char *answer;
    assert_int_equal(operate(*state, "GET", PRICES "?after=4294967295", "", &answer), 200);
    assert_string_equal(answer, "{\"items\":[],\"next\":null}");
}

static void parameters_that_are_none_are_refused(void **state)
{
    static const char *const lists[] = {"prices", "prices/gpt-x", "secrets", "providers", "models"};
    static const char *const wrong[] = {"limit=0",  "limit=x",          "limit=10001", "after=x",
                                        "after=-1", "after=4294967296", "page=2"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++) {
            char path[64];
            (void)snprintf(path, sizeof(path), "/admin/v1/%s?%s", lists[i], wrong[j]);
            assert_int_equal(operate(*state, "GET", path, "", NULL), 400);
        }
    }
}

static void each_list_keeps_to_its_limit(void **state)
{
    static const struct {
        const char *list;
        bool has_several;
    } cases[] = {{"prices/gpt-x", true}, {"prices", true}, {"providers", true}, {"models", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[64];
        const char *answer;
        (void)snprintf(path, sizeof(path), "/admin/v1/%s?limit=1", cases[i].list);
        assert_int_equal(operate(*state, "GET", path, "", &answer), 200);
        assert_int_equal(strstr(answer, "],\"next\":\"1\"}") != NULL, cases[i].has_several);
        assert_int_equal(strstr(answer, "],\"next\":null}") == NULL, cases[i].has_several);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, priced_open, priced_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_of_any_size_come_to_the_whole_list),
        TEST(behind_the_end_there_is_nothing),
        TEST(parameters_that_are_none_are_refused),
        TEST(each_list_keeps_to_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
