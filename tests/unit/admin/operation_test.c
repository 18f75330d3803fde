#include "admin/operation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

static enum status name_status(struct slice name)
{
    struct reason reason = {""};
    const enum status status = operation_check_name(name, &reason);
    assert_int_equal(status == STATUS_OK, reason.text[0] == '\0');
    return status;
}

static void a_name_is_what_a_person_would_call_one(void **state)
{
    (void)state;
    assert_int_equal(name_status(SLICE("ada")), STATUS_OK);
    assert_int_equal(name_status(SLICE("Ada Lovelace <ada@example.org>")), STATUS_OK);
    assert_int_equal(name_status(SLICE("\xc3\xa9\xe4\xb8\xad")), STATUS_OK);
    assert_int_equal(name_status(SLICE("a/b?c%d")), STATUS_OK);
}

static void a_name_that_would_confuse_is_refused(void **state)
{
    (void)state;
    char long_name[129];
    memset(long_name, 'a', sizeof(long_name));
    assert_int_equal(name_status(slice_of(long_name, 128)), STATUS_OK);
    assert_int_equal(name_status(slice_of(long_name, 129)), STATUS_INVALID);
    assert_int_equal(name_status(SLICE("")), STATUS_INVALID);
    assert_int_equal(name_status(slice_of(NULL, 0)), STATUS_INVALID);
    assert_int_equal(name_status(SLICE(" a")), STATUS_INVALID);
    assert_int_equal(name_status(SLICE("a\t")), STATUS_INVALID);
    assert_int_equal(name_status(SLICE("a\0b")), STATUS_INVALID);
    assert_int_equal(name_status(SLICE("a\x7f")), STATUS_INVALID);
    assert_int_equal(name_status(SLICE("01234567-89ab-cdef-0123-456789ABCDEF")), STATUS_INVALID);
    assert_int_equal(name_status(SLICE("sk-weir-x")), STATUS_INVALID);
}

static void a_problem_replaces_what_was_written(void **state)
{
    (void)state;
    struct buffer answer;
    struct operation operation = {.answer = &answer};
    buffer_init(&answer, 4096);
    buffer_append(&answer, SLICE("{\"half\":"));
    assert_int_equal(operation_problem(&operation, 404, "no %s", "\"x\""), 404);
    const struct slice expected = SLICE("{\"type\":\"about:blank\",\"title\":\"Not Found\","
                                        "\"status\":404,\"detail\":\"no \\\"x\\\"\"}");
    assert_true(slice_equal(buffer_slice(&answer), expected));
    buffer_fini(&answer);
}

static void every_status_has_an_http_status_for_a_failure(void **state)
{
    (void)state;
    struct buffer answer;
    struct operation operation = {.answer = &answer};
    const struct reason reason = {""};
    buffer_init(&answer, 4096);
    for (int status = STATUS_AGAIN; status < STATUS_COUNT; status++)
        assert_in_range(operation_failed(&operation, (enum status)status, &reason), 400, 503);
    assert_int_equal(operation_failed(&operation, STATUS_DENIED, &reason), 500);
    assert_int_equal(operation_failed(&operation, STATUS_IO, &reason), 500);
    buffer_fini(&answer);
}

static void reading_a_body_without_memory_is_503(void **state)
{
    (void)state;
    struct buffer answer;
    struct body_member member = {"name", NULL};
    struct operation operation = {.answer = &answer, .body = SLICE("{\"name\":\"ada\"}")};
    buffer_init(&answer, 4096);
    alloc_fail_nth(0);
    assert_int_equal(operation_read_body(&operation, &member, 1), 503);
    alloc_fail_nth(-1);
    assert_int_equal(operation_read_body(&operation, &member, 1), 0);
    assert_true(slice_equal(body_text(&member), SLICE("ada")));
    yyjson_doc_free(operation.document);
    buffer_fini(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_what_a_person_would_call_one),
        cmocka_unit_test(a_name_that_would_confuse_is_refused),
        cmocka_unit_test(a_problem_replaces_what_was_written),
        cmocka_unit_test(every_status_has_an_http_status_for_a_failure),
        cmocka_unit_test(reading_a_body_without_memory_is_503),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
