#include "config/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

static void add(struct config_report *report, struct slice message, enum config_severity severity)
{
    const struct config_mistake mistake = {.file = SLICE("weir.yaml"),
                                           .line = 3,
                                           .column = 5,
                                           .severity = severity,
                                           .message = message,
                                           .suggestion = SLICE("do it")};
    config_report_add(report, &mistake);
}

static void check_text(const struct config_report *report, const char *wanted)
{
    struct buffer text;
    buffer_init(&text, (size_t)1 << 16);
    assert_int_equal(config_report_write(report, &text), STATUS_OK);
    assert_int_equal(text.size, strlen(wanted));
    assert_memory_equal(text.data, wanted, text.size);
    buffer_fini(&text);
}

static void a_mistake_is_a_line_with_place_and_suggestion(void **state)
{
    (void)state;
    struct config_report report;
    const struct config_mistake outside = {.file = SLICE("WEIR_LISTEN"),
                                           .message = SLICE("listen: bad")};
    config_report_init(&report);
    add(&report, SLICE("it is bad"), CONFIG_SEVERITY_ERROR);
    add(&report, SLICE("it is odd"), CONFIG_SEVERITY_WARNING);
    config_report_add(&report, &outside);

    check_text(&report, "weir.yaml:3:5: it is bad (do it)\n"
                        "weir.yaml:3:5: warning: it is odd (do it)\n"
                        "WEIR_LISTEN: listen: bad\n");
    assert_int_equal(report.error_count, 2);
    config_report_fini(&report);
}

static void what_is_quoted_from_a_file_stays_on_its_line(void **state)
{
    (void)state;
    struct config_report report;
    config_report_init(&report);
    add(&report, SLICE("'a\nb\x1b[31m\0c\x7f' is bad"), CONFIG_SEVERITY_ERROR);
    check_text(&report, "weir.yaml:3:5: 'a?b?[31m?c?' is bad (do it)\n");
    config_report_fini(&report);
}

static void add_at(struct config_report *report, uint32_t line, uint32_t column,
                   const char *message)
{
    const struct config_mistake mistake = {
        .file = SLICE("f"), .line = line, .column = column, .message = slice_from_text(message)};
    config_report_add(report, &mistake);
}

static void sorted_mistakes_stand_as_in_the_file_and_others_last(void **state)
{
    (void)state;
    struct config_report report;
    config_report_init(&report);
    config_report_sort(&report);
    add_at(&report, 0, 0, "a");
    add_at(&report, 7, 1, "b");
    add_at(&report, 2, 9, "c");
    add_at(&report, 2, 3, "d");
    add_at(&report, 0, 0, "e");
    add_at(&report, 7, 1, "f");
    config_report_sort(&report);
    check_text(&report, "f:2:3: d\nf:2:9: c\nf:7:1: b\nf:7:1: f\nf: a\nf: e\n");
    config_report_fini(&report);
}

static void the_first_hundred_are_kept_and_the_others_counted(void **state)
{
    (void)state;
    struct config_report report;
    struct buffer text;
    config_report_init(&report);
    buffer_init(&text, (size_t)1 << 16);
    for (size_t i = 0; i < CONFIG_MISTAKES_MAX + 3; i++)
        add(&report, SLICE("bad"), CONFIG_SEVERITY_ERROR);

    assert_int_equal(report.count, CONFIG_MISTAKES_MAX);
    assert_int_equal(report.error_count, CONFIG_MISTAKES_MAX + 3);
    assert_int_equal(report.left_out, 3);
    assert_int_equal(config_report_write(&report, &text), STATUS_OK);
    assert_true(slice_ends_with(buffer_slice(&text), SLICE("\n3 more mistakes are left out\n")));
    buffer_fini(&text);
    config_report_fini(&report);
}

static void a_mistake_counts_even_without_memory_for_its_words(void **state)
{
    (void)state;
    for (int nth = 0; nth < 8; nth++) {
        struct config_report report;
        config_report_init(&report);
        alloc_fail_nth(nth);
        add(&report, SLICE("bad"), CONFIG_SEVERITY_ERROR);
        alloc_fail_nth(-1);
        assert_int_equal(report.error_count, 1);
        assert_int_equal(report.count + report.left_out, 1);
        config_report_fini(&report);
    }
}

static void a_report_that_does_not_fit_says_so(void **state)
{
    (void)state;
    struct config_report report;
    struct buffer text;
    config_report_init(&report);
    buffer_init(&text, 10);
    add(&report, SLICE("bad"), CONFIG_SEVERITY_ERROR);
    assert_int_equal(config_report_write(&report, &text), STATUS_TOO_LARGE);
    buffer_fini(&text);
    config_report_fini(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mistake_is_a_line_with_place_and_suggestion),
        cmocka_unit_test(what_is_quoted_from_a_file_stays_on_its_line),
        cmocka_unit_test(sorted_mistakes_stand_as_in_the_file_and_others_last),
        cmocka_unit_test(the_first_hundred_are_kept_and_the_others_counted),
        cmocka_unit_test(a_mistake_counts_even_without_memory_for_its_words),
        cmocka_unit_test(a_report_that_does_not_fit_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
