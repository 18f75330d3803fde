#include "models/catalogue_csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

#define NAMES 4

static struct catalogue_key key_of(const char *provider, const char *model, const char *from)
{
    return (struct catalogue_key){
        {slice_from_text(provider), slice_from_text(model), {0}, {0}, slice_from_text(from)}};
}

static void lines_end_with_a_line_feed_or_the_text(void **state)
{
    (void)state;
    struct slice text = SLICE("a\n\nb"), line;
    assert_true(catalogue_csv_next(&text, &line));
    assert_true(slice_equal(line, SLICE("a")));
    assert_true(catalogue_csv_next(&text, &line));
    assert_int_equal(line.size, 0);
    assert_true(catalogue_csv_next(&text, &line));
    assert_true(slice_equal(line, SLICE("b")));
    assert_false(catalogue_csv_next(&text, &line));
    text = SLICE("a\n");
    assert_true(catalogue_csv_next(&text, &line));
    assert_false(catalogue_csv_next(&text, &line));
}

static void a_line_has_exactly_the_fields_that_are_wanted(void **state)
{
    (void)state;
    struct slice fields[3];
    assert_int_equal(catalogue_csv_split(SLICE("a,,c"), fields, 3), STATUS_OK);
    assert_true(slice_equal(fields[0], SLICE("a")));
    assert_int_equal(fields[1].size, 0);
    assert_true(slice_equal(fields[2], SLICE("c")));
    assert_int_equal(catalogue_csv_split(SLICE(",,"), fields, 3), STATUS_OK);
    assert_int_equal(catalogue_csv_split(SLICE("a,b"), fields, 3), STATUS_INVALID);
    assert_int_equal(catalogue_csv_split(SLICE("a,b,c,"), fields, 3), STATUS_INVALID);
    assert_int_equal(catalogue_csv_split(SLICE(""), fields, 3), STATUS_INVALID);
}

static void keys_are_compared_field_by_field(void **state)
{
    (void)state;
    const struct catalogue_key key = key_of("b", "m", "2026-01-01");
    const struct slice same = SLICE("b,m,,,2026-01-01,rest");
    assert_int_equal(catalogue_csv_compare(same, &key, CATALOGUE_KEY_FIELDS), 0);
    assert_true(catalogue_csv_compare(SLICE("a,z,,,2027-01-01"), &key, NAMES) < 0);
    assert_true(catalogue_csv_compare(SLICE("b,m-1,,,"), &key, NAMES) > 0);
    /* '-' comes before ',', but the name that ends comes before the one that goes on. */
    assert_true(catalogue_csv_compare(SLICE("b,l-1,,,"), &key, NAMES) < 0);
    assert_true(catalogue_csv_compare(SLICE("b,m,r,,"), &key, NAMES) > 0);
    assert_true(catalogue_csv_compare(SLICE("b,m,,,2025"), &key, CATALOGUE_KEY_FIELDS) < 0);
    assert_int_equal(catalogue_csv_compare(SLICE("b,m,,,2025"), &key, NAMES), 0);
    assert_true(catalogue_csv_compare(SLICE(""), &key, NAMES) < 0);
    assert_true(catalogue_csv_compare(SLICE("\xff"), &key, NAMES) > 0);
}

/* Lines of ten bytes with the names 00, 02, 04 …, so that odd ones are absent. */
static void each_line_is_found_and_what_is_absent_is_found_before_the_next(void **state)
{
    (void)state;
    for (unsigned count = 0; count <= 50; count++) {
        char text[500];
        for (unsigned i = 0; i < count; i++) {
            memcpy(text + (size_t)i * 10, "p,00,,,x,\n", 10);
            text[i * 10 + 2] = (char)('0' + i * 2 / 10);
            text[i * 10 + 3] = (char)('0' + i * 2 % 10);
        }
        for (unsigned wanted = 0; wanted < 100; wanted++) {
            const char model[] = {(char)('0' + wanted / 10), (char)('0' + wanted % 10), '\0'};
            const struct catalogue_key key = key_of("p", model, "");
            const struct slice rest =
                catalogue_csv_seek(slice_of(text, (size_t)count * 10), &key, NAMES);
            const unsigned line = (wanted + 1) / 2 < count ? (wanted + 1) / 2 : count;
            assert_ptr_equal(rest.data, text + (size_t)line * 10);
            assert_int_equal(rest.size, ((size_t)count - line) * 10);
        }
    }
}

static void the_first_of_equal_lines_is_found(void **state)
{
    (void)state;
    const struct slice text = SLICE("a,m,,,1\nb,m,,,1\nb,m,,,2\nb,m,,,3\nb,n,,,1");
    const struct catalogue_key key = key_of("b", "m", "2");
    assert_int_equal(catalogue_csv_seek(text, &key, NAMES).data - text.data, 8);
    assert_int_equal(catalogue_csv_seek(text, &key, CATALOGUE_KEY_FIELDS).data - text.data, 16);
}

/* Every text of five of these bytes, in memory of exactly its size: nothing is read beyond it, and
 * the search ends. */
static void no_text_leads_a_search_astray(void **state)
{
    (void)state;
    const char bytes[] = {'a', 'b', ',', '\n', '\0'};
    const struct catalogue_key keys[] = {key_of("", "", ""), key_of("a", "b", ""),
                                         key_of("b", "a", "a")};
    for (unsigned number = 0; number < 3125; number++) {
        char *text = alloc_bytes(5);
        assert_non_null(text);
        for (unsigned i = 0, rest = number; i < 5; i++, rest /= 5)
            text[i] = bytes[rest % 5];
        for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
            const struct slice rest = catalogue_csv_seek(slice_of(text, 5), &keys[i], NAMES);
            assert_true(rest.size <= 5 && rest.data + rest.size == text + 5);
            assert_true(rest.size == 5 || rest.data[-1] == '\n' || rest.size == 0);
        }
        alloc_free(text);
    }
    assert_int_equal(catalogue_csv_seek((struct slice){0}, &keys[1], NAMES).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_with_a_line_feed_or_the_text),
        cmocka_unit_test(a_line_has_exactly_the_fields_that_are_wanted),
        cmocka_unit_test(keys_are_compared_field_by_field),
        cmocka_unit_test(each_line_is_found_and_what_is_absent_is_found_before_the_next),
        cmocka_unit_test(the_first_of_equal_lines_is_found),
        cmocka_unit_test(no_text_leads_a_search_astray),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
