#include "store/sqlite/rules_row.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void rules_are_kept_beyond_the_row_or_memory_is_wanting(void **state)
{
    (void)state;
    char text[] = "abc";
    /* Each text takes its bytes, and a zero byte, rounded up to any type. */
    for (size_t cap = 0; cap <= 5 * 16; cap += 16) {
        char memory[5 * 16 + 16];
        struct arena arena;
        struct store_rules rules = {
            .models = slice_of(text, 3),
            .routes = slice_of(text, 2),
            .networks = slice_of(text, 1),
            .tags = slice_of(text, 3),
            .limits = slice_of(text, 3),
        };
        text[0] = 'a';
        arena_init(&arena, memory, cap, 0);
        const bool kept = rules_keep(&rules, &arena);
        text[0] = 'x';
        assert_int_equal(kept, cap == 5 * 16);
        if (kept)
            assert_true(slice_equal(rules.limits, SLICE("abc")));
        arena_fini(&arena);
    }
}

static void what_is_null_stays_null(void **state)
{
    (void)state;
    struct arena arena;
    struct store_rules rules = {.warn_only = true};
    arena_init(&arena, NULL, 0, 0);
    assert_true(rules_keep(&rules, &arena));
    assert_null(rules.models.data);
    assert_null(rules.limits.data);
    assert_true(rules.warn_only);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_kept_beyond_the_row_or_memory_is_wanting),
        cmocka_unit_test(what_is_null_stays_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
