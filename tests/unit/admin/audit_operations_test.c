#include "admin/audit_operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/admin/data_dir.h"

static int open_context(void **state)
{
    if (data_dir_make(state) != 0)
        return -1;
    *state = data_dir_open(true);
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    return data_dir_remove(state);
}

static unsigned list(struct admin_context *context, const char *query, const char **answer_out)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "/admin/v1/audit%s", query);
    return operate(context, "GET", path, "", answer_out);
}

static void make_users(struct admin_context *context, int count)
{
    for (int i = 0; i < count; i++) {
        char body[64];
        data_dir_now_us += US_PER_S;
        (void)snprintf(body, sizeof(body), "{\"name\":\"user-%d\"}", i);
        assert_int_equal(operate(context, "POST", "/admin/v1/users", body, NULL), 201);
    }
}

static int count_of(const char *answer, const char *text)
{
    int count = 0;
    for (const char *at = answer; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

static void pages_of_any_size_give_every_entry_once_newest_first(void **state)
{
    const char *answer = NULL;
    make_users(*state, 6);
    for (int limit = 1; limit < 10; limit++) {
        char after[32] = "", query[128];
        int seen = 0;
        unsigned long last = 1000;
        do {
            (void)snprintf(query, sizeof(query), "?action=user.create&limit=%d%s%s", limit,
                           after[0] != '\0' ? "&after=" : "", after);
            assert_int_equal(list(*state, query, &answer), 200);
            for (const char *at = answer; (at = strstr(at, "\"number\":")) != NULL; at++) {
                const unsigned long number = strtoul(at + 9, NULL, 10);
                assert_in_range(number, 1, last - 1);
                last = number;
            }
            seen += count_of(answer, "\"number\":");
            const char *next = strstr(answer, "\"next\":\"");
            (void)snprintf(after, sizeof(after), "%.*s",
                           next != NULL ? (int)strcspn(next + 8, "\"") : 0,
                           next != NULL ? next + 8 : "");
        } while (after[0] != '\0');
        assert_int_equal(seen, 6);
    }
}

static void entries_are_narrowed_by_actor_action_and_time(void **state)
{
    struct admin_context *context = *state;
    const char *answer = NULL;
    make_users(context, 2);
    context->actor = SLICE("somebody");
    make_users(context, 0);
    data_dir_now_us += 3600 * US_PER_S;
    assert_int_equal(operate(context, "POST", "/admin/v1/users", "{\"name\":\"last\"}", NULL), 201);
    assert_int_equal(list(context, "?actor=somebody", &answer), 200);
    assert_int_equal(count_of(answer, "\"number\":"), 1);
    assert_non_null(strstr(answer, "\"actor\":\"somebody\",\"action\":\"user.create\""));
    assert_int_equal(list(context, "?since=30m", &answer), 200);
    assert_int_equal(count_of(answer, "user.create"), 1);
    assert_int_equal(list(context, "?until=2026-01-31T12:00:02Z&action=user.create", &answer), 200);
    assert_int_equal(count_of(answer, "\"number\":"), 1);
    assert_int_equal(list(context, "?actor=nobody", &answer), 200);
    assert_string_equal(answer, "{\"items\":[],\"next\":null}");
}

static void a_chain_without_entries_is_an_empty_list(void **state)
{
    const char *answer = NULL;
    assert_int_equal(list(*state, "", &answer), 200);
    assert_string_equal(answer, "{\"items\":[],\"next\":null}");
}

static void wrong_parameters_are_400(void **state)
{
    static const char *const bad[] = {"?after=x",
                                      "?after=",
                                      "?after=-1",
                                      "?limit=0",
                                      "?since=x",
                                      "?until=",
                                      "?after=9223372036854775808",
                                      "?user=x"};
    make_users(*state, 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(list(*state, bad[i], NULL), 400);
    assert_int_equal(list(*state, "?after=9223372036854775807&limit=1", NULL), 200);
    assert_int_equal(list(*state, "?after=1", NULL), 200);
    assert_int_equal(list(*state, "?after=0", NULL), 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_of_any_size_give_every_entry_once_newest_first),
        TEST(entries_are_narrowed_by_actor_action_and_time),
        TEST(a_chain_without_entries_is_an_empty_list),
        TEST(wrong_parameters_are_400),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
