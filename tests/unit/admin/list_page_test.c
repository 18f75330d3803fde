#include "admin/list_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/admin/data_dir.h"

#define USER_COUNT 7

static int open_context(void **state)
{
    if (data_dir_make(state) != 0)
        return -1;
    struct admin_context *context = data_dir_open(false);
    for (int i = 0; i < USER_COUNT; i++) {
        char body[64];
        data_dir_now_us += US_PER_MS;
        (void)snprintf(body, sizeof(body), "{\"name\":\"user-%d\"}", i);
        if (operate(context, "POST", "/admin/v1/users", body, NULL) != 201)
            return -1;
    }
    *state = context;
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    return data_dir_remove(state);
}

static unsigned count_items(const char *answer)
{
    unsigned count = 0;
    for (const char *at = answer; (at = strstr(at, "\"name\":\"user-")) != NULL; at++)
        count++;
    return count;
}

/* Follows `next` from page to page; every user comes once, in order, whatever the size. */
static void pages_of_any_size_give_every_item_once(void **state)
{
    for (unsigned limit = 1; limit <= USER_COUNT + 1; limit++) {
        char after[64] = "00000000-0000-0000-0000-000000000000";
        unsigned seen = 0;
        for (bool has_more = true; has_more;) {
            char path[128], wanted[64];
            const char *answer = NULL;
            (void)snprintf(path, sizeof(path), "/admin/v1/users?limit=%u&after=%s", limit, after);
            assert_int_equal(operate(*state, "GET", path, "", &answer), 200);
            (void)snprintf(wanted, sizeof(wanted), "\"name\":\"user-%u\"", seen);
            assert_non_null(strstr(answer, wanted));
            assert_true(count_items(answer) <= limit);
            seen += count_items(answer);
            has_more = strstr(answer, "\"next\":null") == NULL;
            assert_int_equal(has_more, seen < USER_COUNT);
            if (has_more)
                answer_member(answer, "next", after, sizeof(after));
        }
        assert_int_equal(seen, USER_COUNT);
    }
}

static void a_limit_or_a_cursor_that_is_none_is_refused(void **state)
{
    static const char *const wrong[] = {
        "limit=0", "limit=10001",  "limit=-1", "limit=",         "limit=x",
        "after=",  "after=user-1", "page=2",   "limit=1&limit=2"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "/admin/v1/users?%s", wrong[i]);
        assert_int_equal(operate(*state, "GET", path, "", NULL), 400);
    }
    assert_int_equal(operate(*state, "GET", "/admin/v1/users?limit=10000", "", NULL), 200);
}

static void a_page_ends_early_when_its_bytes_are_many(void **state)
{
    struct buffer answer;
    struct list_page list;
    const struct id id = {{1}};
    struct operation operation = {.context = *state, .answer = &answer};
    buffer_init(&answer, ADMIN_ANSWER_BYTES_MAX);
    assert_int_equal(list_page_begin(&list, &operation), 0);
    assert_true(list_page_takes(&list, &id));
    json_write_raw(&list.writer, SLICE("1"));
    assert_int_equal(buffer_reserve(&answer, ADMIN_ANSWER_BYTES_MAX / 2 + 1), STATUS_OK);
    memset(answer.data + answer.size, ' ', ADMIN_ANSWER_BYTES_MAX / 2 + 1);
    answer.size += ADMIN_ANSWER_BYTES_MAX / 2 + 1;
    assert_false(list_page_takes(&list, &id));
    assert_int_equal(list_page_end(&list, STATUS_AGAIN, NULL), 200);
    const struct slice end = SLICE("],\"next\":\"01000000-0000-0000-0000-000000000000\"}");
    assert_true(slice_ends_with(buffer_slice(&answer), end));
    buffer_fini(&answer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pages_of_any_size_give_every_item_once),
        TEST(a_limit_or_a_cursor_that_is_none_is_refused),
        TEST(a_page_ends_early_when_its_bytes_are_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
