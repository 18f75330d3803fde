#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

#define CAP ((size_t)64 * 1024)

static void pieces_are_apart_and_fit_for_any_type(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, CAP);
    char *pieces[200];
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = arena_alloc(&arena, i + 1);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int)i, i + 1);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t j = 0; j <= i; j++)
            assert_int_equal((unsigned char)pieces[i][j], i);
    }
    arena_fini(&arena);
}

static void a_small_need_is_met_by_the_first_block_alone(void **state)
{
    (void)state;
    char first[256];
    struct arena arena;
    arena_init(&arena, first + 1, sizeof(first) - 1, CAP);
    alloc_fail_nth(0);
    const char *a = arena_alloc(&arena, 100), *b = arena_alloc(&arena, 100);
    alloc_fail_nth(-1);
    assert_true(a >= first + 1 && a + 100 <= b && b + 100 <= first + sizeof(first));
    assert_int_equal(arena.used_bytes, 0);
    const char *c = arena_alloc(&arena, 100);
    assert_non_null(c);
    assert_true(c + 100 <= first || c >= first + sizeof(first));
    arena_fini(&arena);
}

/* Whatever the first block's size and place, no byte outside of it is given out. */
static void a_first_block_of_any_size_and_place_is_kept_to(void **state)
{
    (void)state;
    _Alignas(16) char first[96];
    for (size_t from = 0; from < 32; from++) {
        for (size_t size = 0; from + size <= sizeof(first); size++) {
            struct arena arena;
            arena_init(&arena, first + from, size, 0);
            for (;;) {
                const char *piece = arena_alloc(&arena, 3);
                if (piece == NULL)
                    break;
                assert_true(piece >= first + from && piece + 3 <= first + from + size);
            }
            arena_fini(&arena);
        }
    }
}

static void the_cap_holds_for_all_blocks_together(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, CAP);
    size_t total = 0;
    while (arena_alloc(&arena, 1000) != NULL)
        total += 1000;
    assert_true(total <= CAP && total > CAP / 2);
    assert_true(arena.used_bytes <= CAP);
    arena_fini(&arena);
    assert_int_equal(arena.used_bytes, 0);
    assert_non_null(arena_alloc(&arena, 1000));
    arena_fini(&arena);
}

static void what_is_over_the_cap_or_the_address_space_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, CAP);
    assert_null(arena_alloc(&arena, CAP));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 16));
    assert_non_null(arena_alloc(&arena, CAP / 2));
    arena_fini(&arena);
    arena_init(&arena, NULL, 0, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX - 1));
    assert_non_null(arena_alloc(&arena, 1));
    arena_fini(&arena);
}

static void zeroed_memory_is_zero_also_where_the_first_block_was_not(void **state)
{
    (void)state;
    char first[64];
    static const char zeros[32];
    memset(first, 'x', sizeof(first));
    struct arena arena;
    arena_init(&arena, first, sizeof(first), CAP);
    const char *piece = arena_zeroed(&arena, sizeof(zeros));
    assert_non_null(piece);
    assert_memory_equal(piece, zeros, sizeof(zeros));
    arena_fini(&arena);
}

static void copies_and_formatted_texts_end_with_a_zero_byte(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, CAP);
    const struct slice copy = arena_copy(&arena, SLICE("a\0b"));
    assert_int_equal(copy.size, 3);
    assert_memory_equal(copy.data, "a\0b", 4);
    const struct slice nothing = arena_copy(&arena, (struct slice){0});
    assert_int_equal(nothing.size, 0);
    assert_string_equal(nothing.data, "");
    const struct slice text = arena_printf(&arena, "%d %s", 7, "seven");
    assert_int_equal(text.size, 7);
    assert_string_equal(text.data, "7 seven");
    assert_string_equal(arena_printf(&arena, "%s", "").data, "");
    arena_fini(&arena);
}

static void without_memory_there_is_no_data(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, NULL, 0, CAP);
    alloc_fail_nth(0);
    assert_null(arena_alloc(&arena, 1));
    alloc_fail_nth(0);
    assert_null(arena_zeroed(&arena, 1));
    alloc_fail_nth(0);
    assert_null(arena_copy(&arena, SLICE("abc")).data);
    alloc_fail_nth(0);
    assert_null(arena_printf(&arena, "abc").data);
    alloc_fail_nth(-1);
    assert_non_null(arena_alloc(&arena, 1));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_apart_and_fit_for_any_type),
        cmocka_unit_test(a_small_need_is_met_by_the_first_block_alone),
        cmocka_unit_test(a_first_block_of_any_size_and_place_is_kept_to),
        cmocka_unit_test(the_cap_holds_for_all_blocks_together),
        cmocka_unit_test(what_is_over_the_cap_or_the_address_space_is_refused),
        cmocka_unit_test(zeroed_memory_is_zero_also_where_the_first_block_was_not),
        cmocka_unit_test(copies_and_formatted_texts_end_with_a_zero_byte),
        cmocka_unit_test(without_memory_there_is_no_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
