#include "telemetry/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_fresh_record_knows_nothing(void **state)
{
    (void)state;
    struct log_access access;
    memset(&access, 0xa5, sizeof(access));
    log_access_init(&access);
    assert_int_equal(access.figures.duration_ns, 0);
    assert_int_equal(access.figures.response_body_bytes, 0);
    assert_true(access.figures.first_byte_ns == ACCESS_UNKNOWN);
    assert_true(access.figures.input_tokens == ACCESS_UNKNOWN);
    assert_true(access.figures.output_tokens == ACCESS_UNKNOWN);
    assert_true(access.figures.cached_tokens == ACCESS_UNKNOWN);
    assert_true(access.figures.cache_write_tokens == ACCESS_UNKNOWN);
    assert_true(access.figures.reasoning_tokens == ACCESS_UNKNOWN);
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++)
        assert_int_equal(access.text[i].size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_fresh_record_knows_nothing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
