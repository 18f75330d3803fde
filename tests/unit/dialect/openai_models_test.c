#include "dialect/openai_models.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/dialect/fixture.h"

static char first[4096];
static struct openai_models models;

static enum status read_slice(struct slice body)
{
    struct arena arena;
    arena_init(&arena, first, sizeof(first), 0);
    return openai_models_read(body, &JSON_LIMITS_DEFAULT, 4, &arena, &models);
}

static enum status read_text(const char *body)
{
    return read_slice(slice_from_text(body));
}

static void real_lists_give_their_names(void **state)
{
    (void)state;
    static const char *const names[] = {"llama.cpp-models.json", "llama-cpp-python-models.json"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(read_slice(fixture(names[i])), STATUS_OK);
        assert_int_equal(models.count, 1);
        assert_true(slice_equal(models.names[0], SLICE("smollm2-135m")));
    }
}

static void names_that_cannot_be_used_are_left_out(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"data\":[{\"id\":\"a\"},{\"id\":\"\"},{\"id\":7},{}]}"),
                     STATUS_OK);
    assert_int_equal(models.count, 1);
    assert_int_equal(read_text("{\"data\":[3,{\"id\":\"x\\n\"},{\"id\":\"b\\u0062\"}]}"),
                     STATUS_OK);
    assert_int_equal(models.count, 1);
    assert_true(slice_equal(models.names[0], SLICE("bb")));
    assert_int_equal(read_text("{\"data\":[]}"), STATUS_OK);
    assert_int_equal(models.count, 0);
}

static void no_more_names_than_asked_for_are_read(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"data\":[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"},"
                               "{\"id\":\"d\"},{\"id\":\"e\"}]}"),
                     STATUS_OK);
    assert_int_equal(models.count, 4);
}

static void another_answer_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "", "null", "[]", "{}", "{\"data\":{}}", "{\"data\":[{\"id\":\"a\"}]", "{\"error\":{}}"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
        assert_int_equal(read_text(bodies[i]), STATUS_PROTOCOL);
}

static void an_exhausted_arena_is_said(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, 0);
    assert_int_equal(openai_models_read(SLICE("{\"data\":[{\"id\":\"a\"}]}"), &JSON_LIMITS_DEFAULT,
                                        4, &arena, &models),
                     STATUS_NO_MEMORY);
    arena_init(&arena, first, 3 * sizeof(struct slice), 0);
    assert_int_equal(
        openai_models_read(SLICE("{\"data\":[{\"id\":\"\\u0061bcdefghijklmnopqrstuvwxyz\"}]}"),
                           &JSON_LIMITS_DEFAULT, 4, &arena, &models),
        STATUS_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_lists_give_their_names),
        cmocka_unit_test(names_that_cannot_be_used_are_left_out),
        cmocka_unit_test(no_more_names_than_asked_for_are_read),
        cmocka_unit_test(another_answer_is_refused),
        cmocka_unit_test(an_exhausted_arena_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
