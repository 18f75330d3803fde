#include "gateway/models_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/alloc.h"

static void a_list_copies_its_names(void **state)
{
    (void)state;
    char text[] = "gpt-4o";
    const struct slice names[] = {slice_of(text, 6), SLICE(""), SLICE("org/name:7b")};
    struct models_list *list = models_list_create(names, 3);
    assert_non_null(list);
    memset(text, 'x', 6);
    assert_int_equal(list->count, 3);
    assert_true(models_list_has(list, SLICE("gpt-4o")));
    assert_true(models_list_has(list, SLICE("org/name:7b")));
    assert_true(models_list_has(list, SLICE("")));
    assert_false(models_list_has(list, SLICE("xxxxxx")));
    assert_false(models_list_has(list, SLICE("GPT-4o")));
    assert_false(models_list_has(list, SLICE("gpt-4")));
    models_list_unref(&list);
    assert_null(list);
}

static void nothing_is_in_an_empty_list_or_in_none(void **state)
{
    (void)state;
    struct models_list *list = models_list_create(NULL, 0);
    assert_false(models_list_has(list, SLICE("a")));
    models_list_unref(&list);
    assert_false(models_list_has(NULL, SLICE("a")));
    models_list_unref(&list); /* there is none any more */
}

static void the_last_holder_frees_it(void **state)
{
    (void)state;
    struct models_list *list = models_list_create(&SLICE("a"), 1);
    struct models_list *other = models_list_ref(list);
    assert_ptr_equal(other, list);
    models_list_unref(&list);
    assert_true(models_list_has(other, SLICE("a")));
    assert_int_equal(other->references, 1);
    models_list_unref(&other);
}

static void without_memory_there_is_none(void **state)
{
    (void)state;
    alloc_fail_nth(0);
    assert_null(models_list_create(&SLICE("a"), 1));
    alloc_fail_nth(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_copies_its_names),
        cmocka_unit_test(nothing_is_in_an_empty_list_or_in_none),
        cmocka_unit_test(the_last_holder_frees_it),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
