#include "ledger/open_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/ledger/fixture.h"

static struct open_set set;

static int clear(void **state)
{
    (void)state;
    open_set_fini(&set);
    return 0;
}

static enum status add(unsigned number)
{
    const struct id id = fixture_id(number);
    return open_set_add(&set, &id, slice_of(&number, sizeof(number)), number / 10);
}

static enum status count(void *context, struct open_request *request)
{
    (void)request;
    ++*(unsigned *)context;
    return STATUS_OK;
}

static void a_request_is_found_until_it_is_taken(void **state)
{
    (void)state;
    unsigned seen = 0;
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(add(i), STATUS_OK);
    assert_int_equal(add(5), STATUS_OK); /* it is there already */
    assert_int_equal(set.count, 1000);
    assert_int_equal(open_set_each(&set, count, &seen), STATUS_OK);
    assert_int_equal(seen, 1000);
    for (unsigned i = 0; i < 1000; i++) {
        const struct id id = fixture_id(i);
        struct open_request *request = open_set_find(&set, &id);
        assert_non_null(request);
        assert_memory_equal(request->opened.data, &i, sizeof(i));
        assert_int_equal(request->segment, i / 10);
        assert_ptr_equal(open_set_take(&set, &id), request);
        assert_true(request->is_taken);
        assert_null(open_set_find(&set, &id));
        assert_null(open_set_take(&set, &id));
        open_request_free(request);
    }
    assert_int_equal(set.count, 0);
}

static void without_memory_a_request_is_not_added_and_nothing_else_changes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        for (int nth = 0;; nth++) {
            alloc_fail_nth(nth);
            const enum status status = add(i);
            alloc_fail_nth(-1);
            if (status == STATUS_OK)
                break;
            assert_int_equal(status, STATUS_NO_MEMORY);
            assert_int_equal(set.count, i);
        }
    }
    assert_int_equal(set.count, 300);
}

static struct slice attempt_payload(unsigned number)
{
    static char payload[RECORD_ATTEMPT_MAX];
    const struct record_attempt attempt = fixture_attempt(fixture_id(1), number);
    return slice_of(payload, record_write_attempt(&attempt, payload));
}

static void an_attempt_counts_once_and_only_so_many_are_kept(void **state)
{
    (void)state;
    const struct id id = fixture_id(1);
    assert_int_equal(add(1), STATUS_OK);
    struct open_request *request = open_set_find(&set, &id);
    for (unsigned i = 1; i < 30; i++) {
        assert_int_equal(open_request_add_attempt(request, attempt_payload(i)), STATUS_OK);
        assert_int_equal(open_request_add_attempt(request, attempt_payload(i)), STATUS_OK);
        assert_int_equal(request->attempt_count, i < OPEN_ATTEMPTS_MAX ? i : OPEN_ATTEMPTS_MAX);
    }
}

static void what_is_stored_gives_the_request_back(void **state)
{
    (void)state;
    const struct id id = fixture_id(1);
    struct buffer stored;
    struct open_set again = {0};
    buffer_init(&stored, 100000);
    assert_int_equal(add(1), STATUS_OK);
    struct open_request *request = open_set_find(&set, &id);
    assert_int_equal(open_request_add_attempt(request, attempt_payload(1)), STATUS_OK);
    assert_int_equal(open_request_add_attempt(request, attempt_payload(2)), STATUS_OK);
    assert_int_equal(open_request_write(request, &stored), STATUS_OK);
    const struct slice whole = slice_of(stored.data, stored.size);
    assert_int_equal(open_set_add_stored(&again, &id, whole), STATUS_OK);
    const struct open_request *found = open_set_find(&again, &id);
    assert_true(found->is_stored);
    assert_true(slice_equal(found->opened, request->opened));
    assert_int_equal(found->attempt_count, 2);
    assert_int_equal(found->attempts_stored, 2);
    assert_true(slice_equal(found->attempts[1], request->attempts[1]));
    open_set_fini(&again);
    for (size_t cut = 0; cut < whole.size; cut++) {
        (void)!open_set_add_stored(&again, &id, slice_of(whole.data, cut));
        open_set_fini(&again);
    }
    buffer_fini(&stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_request_is_found_until_it_is_taken, clear),
        cmocka_unit_test_teardown(without_memory_a_request_is_not_added_and_nothing_else_changes,
                                  clear),
        cmocka_unit_test_teardown(an_attempt_counts_once_and_only_so_many_are_kept, clear),
        cmocka_unit_test_teardown(what_is_stored_gives_the_request_back, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
