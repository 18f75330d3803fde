#include "cli/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

static const char *const titles[] = {"NAME", "ID"};
static char written[16384];

/* What the table looks like. */
static const char *text_of(const struct table *table, bool is_bold)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    table_write(table, is_bold, file);
    rewind(file);
    written[fread(written, 1, sizeof(written) - 1, file)] = '\0';
    (void)fclose(file);
    return written;
}

static void add(struct table *table, const char *first, const char *second)
{
    const struct slice cells[] = {slice_from_text(first), slice_from_text(second)};
    assert_int_equal(table_add(table, cells), STATUS_OK);
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    struct table table;
    (void)state;
    table_init(&table, titles, 2);
    add(&table, "alice", "1");
    add(&table, "bo", "22");
    assert_string_equal(text_of(&table, false), "NAME   ID\n"
                                                "alice  1\n"
                                                "bo     22\n");
    table_fini(&table);
}

static void a_table_without_rows_has_its_titles(void **state)
{
    struct table table;
    (void)state;
    table_init(&table, titles, 2);
    assert_string_equal(text_of(&table, false), "NAME  ID\n");
    assert_string_equal(text_of(&table, true), "\033[1mNAME  ID\033[0m\n");
    table_fini(&table);
}

static void an_empty_cell_is_a_dash(void **state)
{
    struct table table;
    (void)state;
    table_init(&table, titles, 2);
    add(&table, "", "");
    assert_string_equal(text_of(&table, false), "NAME  ID\n-     -\n");
    table_fini(&table);
}

static void width_counts_characters(void **state)
{
    struct table table;
    (void)state;
    table_init(&table, titles, 2);
    add(&table, "Jürgen", "1");
    add(&table, "Andrew", "2");
    assert_string_equal(text_of(&table, false), "NAME    ID\n"
                                                "Jürgen  1\n"
                                                "Andrew  2\n");
    table_fini(&table);
}

static void what_steers_a_terminal_is_escaped(void **state)
{
    struct table table;
    (void)state;
    table_init(&table, titles, 2);
    add(&table, "a\033[2Jb", "x\ny");
    add(&table,
        "\xc2\x9b"
        "31m",
        "\xff");
    const char *text = text_of(&table, false);
    assert_null(strchr(text, '\033'));
    assert_null(strstr(text, "\xc2\x9b"));
    assert_non_null(strstr(text, "a\\u001b[2Jb  x\\ny\n"));
    assert_null(strchr(text, '\xff'));
    table_fini(&table);
}

static void a_zero_byte_does_not_shift_the_cells_behind_it(void **state)
{
    struct table table;
    (void)state;
    table_init(&table, titles, 2);
    const struct slice cells[] = {slice_of("a\0b", 3), SLICE("c")};
    assert_int_equal(table_add(&table, cells), STATUS_OK);
    assert_string_equal(text_of(&table, false), "NAME      ID\na\\u0000b  c\n");
    table_fini(&table);
}

static void a_long_text_is_cut_between_characters(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 100);
    table_append_text(&out, SLICE("äöüß"), 4);
    assert_true(slice_equal(buffer_slice(&out), SLICE("äöüß")));
    buffer_clear(&out);
    table_append_text(&out, SLICE("äöüßx"), 4);
    assert_true(slice_equal(buffer_slice(&out), SLICE("äöü…")));
    buffer_clear(&out);
    table_append_text(&out, SLICE(""), 4);
    assert_int_equal(out.size, 0);
    buffer_fini(&out);
}

static void a_cell_longer_than_the_limit_is_cut(void **state)
{
    struct table table;
    static char cell[TABLE_CELL_CHARS_MAX + 2];
    (void)state;
    memset(cell, 'x', sizeof(cell) - 1);
    table_init(&table, titles, 2);
    add(&table, cell, "1");
    assert_int_equal(table.widths[0], TABLE_CELL_CHARS_MAX);
    assert_non_null(strstr(text_of(&table, false), "x…  1\n"));
    table_fini(&table);
}

static void a_row_without_memory_is_not_passed_over_in_silence(void **state)
{
    struct table table;
    const struct slice cells[] = {SLICE("a"), SLICE("b")};
    (void)state;
    table_init(&table, titles, 2);
    alloc_fail_nth(0);
    assert_int_equal(table_add(&table, cells), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_int_equal(table.row_count, 0);
    table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(a_table_without_rows_has_its_titles),
        cmocka_unit_test(an_empty_cell_is_a_dash),
        cmocka_unit_test(width_counts_characters),
        cmocka_unit_test(what_steers_a_terminal_is_escaped),
        cmocka_unit_test(a_zero_byte_does_not_shift_the_cells_behind_it),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(a_cell_longer_than_the_limit_is_cut),
        cmocka_unit_test(a_row_without_memory_is_not_passed_over_in_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
