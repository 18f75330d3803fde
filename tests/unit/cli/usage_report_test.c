/* Reports as they are read, and their three forms. */
#include "cli/usage_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "json/read.h"

#define NUMBERS(requests, refused, input, output, cost)                                            \
    "\"requests\":" #requests ",\"answered\":1,\"refused\":" #refused                              \
    ",\"estimated\":0,\"unpriced\":0,\"input_tokens\":" #input ",\"output_tokens\":" #output       \
    ",\"cached_tokens\":0,\"cache_write_tokens\":0,\"reasoning_tokens\":0,\"audio_tokens\":0,"     \
    "\"cost\":\"0\",\"cost_nanousd\":" #cost
#define LINE(id, name, ...) "{\"id\":" id ",\"name\":" name "," NUMBERS(__VA_ARGS__) "}"
#define REPORT(by, items, rest, ...)                                                               \
    "{\"by\":" by ",\"since\":\"2026-01-01T00:00:00.000Z\",\"until\":null,\"items\":" items        \
    ",\"rest\":" rest ",\"total\":{\"id\":null,\"name\":null," NUMBERS(__VA_ARGS__) "}}"

#define TWO_MODELS                                                                                 \
    REPORT("\"model\"",                                                                            \
           "[" LINE("\"big\"", "null", 1234, 0, 5000, 10, 3000000000) "," LINE(                    \
               "\"small\\u001b[31m\"", "null", 1, 2, 7, 0, 1500000000) "]",                        \
           "null", 1235, 2, 5007, 10, 4500000000)

static struct arena arena;
static struct json_object answer;
static char written[65536];

static enum status read(const char *text, struct usage_report *report_out)
{
    struct json_error error;
    assert_int_equal(
        json_read_object(slice_from_text(text), &JSON_LIMITS_DEFAULT, &arena, &answer, &error),
        STATUS_OK);
    return usage_report_read(&answer, &arena, report_out);
}

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, NULL, 0, 1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static const char *take(FILE *file)
{
    rewind(file);
    written[fread(written, 1, sizeof(written) - 1, file)] = '\0';
    (void)fclose(file);
    return written;
}

static const char *table_of(const char *text, const struct usage_looks *looks)
{
    struct usage_report report;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(read(text, &report), STATUS_OK);
    assert_int_equal(usage_table_write(&report, looks, file), STATUS_OK);
    return take(file);
}

static void a_table_has_right_aligned_numbers_bars_and_a_total(void **state)
{
    const struct usage_looks plain = {.columns = 70};
    (void)state;
    assert_string_equal(table_of(TWO_MODELS, &plain),
                        "MODEL            REQUESTS  REFUSED  INPUT  OUTPUT     COST\n"
                        "big                 1,234        0  5,000      10  $3.0000  ##########\n"
                        "small\\u001b[31m         1        2      7       0  $1.5000  #####\n"
                        "total               1,235        2  5,007      10  $4.5000\n");
}

static void a_chart_can_have_blocks_and_colours(void **state)
{
    const struct usage_looks looks = {.has_looks = true, .is_utf8 = true, .columns = 70};
    (void)state;
    const char *text = table_of(TWO_MODELS, &looks);
    assert_non_null(strstr(text, "\033[36m██████████\033[0m\n"));
    assert_non_null(strstr(text, "\033[36m█████\033[0m\n"));
    assert_non_null(strstr(text, "\033[1mtotal "));
    assert_null(strstr(text, "\033[31m"));
}

static void a_narrow_terminal_has_no_bars(void **state)
{
    const struct usage_looks narrow = {.columns = 60};
    (void)state;
    assert_null(strchr(table_of(TWO_MODELS, &narrow), '#'));
}

static void without_costs_the_bars_are_of_tokens(void **state)
{
    const struct usage_looks looks = {.columns = 68};
    (void)state;
    const char *text = table_of(REPORT("\"day\"",
                                       "[" LINE("\"2026-01-01\"", "null", 1, 0, 50, 50, 0) "," LINE(
                                           "\"2026-01-02\"", "null", 1, 0, 20, 5, 0) "]",
                                       "null", 2, 0, 70, 55, 0),
                                &looks);
    assert_non_null(strstr(text, "2026-01-01"));
    assert_non_null(strstr(text, "  ####################\n"));
    assert_non_null(strstr(text, "  #####\n"));
}

static void one_line_for_all_needs_neither_a_chart_nor_a_total(void **state)
{
    const struct usage_looks looks = {.columns = 100};
    (void)state;
    assert_string_equal(
        table_of(REPORT("null", "[" LINE("null", "null", 3, 0, 5, 6, 7) "]", "null", 3, 0, 5, 6, 7),
                 &looks),
        "     REQUESTS  INPUT  OUTPUT        COST\n"
        "all         3      5       6  <$0.000001\n");
}

static void hours_are_shown_as_people_write_them(void **state)
{
    const struct usage_looks looks = {.columns = 100};
    (void)state;
    assert_non_null(strstr(
        table_of(REPORT("\"hour\"", "[" LINE("\"2026-01-01T13:00:00Z\"", "null", 1, 0, 1, 1, 1) "]",
                        "null", 1, 0, 1, 1, 1),
                 &looks),
        "\n2026-01-01 13:00  "));
}

static void lines_without_a_place_are_added_up(void **state)
{
    const struct usage_looks looks = {.columns = 40};
    const char *text = REPORT("\"user\"", "[" LINE("\"1\"", "\"ada\"", 1, 0, 1, 1, 1) "]",
                              "{\"items\":12,"
                              "\"id\":null,\"name\":null," NUMBERS(24, 0, 2, 2, 2) "}",
                              25, 0, 3, 3, 3);
    struct usage_report report;
    (void)state;
    assert_non_null(strstr(table_of(text, &looks), "\n(12 more)"));
    assert_int_equal(read(text, &report), STATUS_OK);
    assert_int_equal(report.rest_items, 12);
    FILE *file = tmpfile();
    assert_int_equal(usage_csv_write(&report, file), STATUS_OK);
    assert_non_null(strstr(take(file), "\n\"\",\"(the rest)\",24,"));
    file = tmpfile();
    usage_json_write(&report, file);
    assert_non_null(strstr(take(file), "},{\"items\":12,"));
    assert_string_equal(written + strlen(written) - 3, "}]\n");
}

static void csv_is_quoted_and_holds_no_formula(void **state)
{
    struct usage_report report;
    FILE *file = tmpfile();
    (void)state;
    assert_int_equal(
        read(REPORT("\"key\"",
                    "[" LINE("\"=cmd\"", "\"a,\\\"b\\\"\\n\"", 1, 2, 3, 4, 1500000000) "]", "null",
                    1, 2, 3, 4, 1500000000),
             &report),
        STATUS_OK);
    assert_int_equal(usage_csv_write(&report, file), STATUS_OK);
    assert_string_equal(take(file),
                        "id,name,requests,answered,refused,estimated,unpriced,input_tokens,"
                        "output_tokens,cached_tokens,cache_write_tokens,reasoning_tokens,"
                        "audio_tokens,cost,cost_nanousd\n"
                        "\"'=cmd\",\"a,\"\"b\"\"\\n\",1,1,2,0,0,3,4,0,0,0,0,1.5,1500000000\n");
}

static void json_is_the_array_of_the_answer(void **state)
{
    struct usage_report report;
    FILE *file = tmpfile();
    (void)state;
    assert_int_equal(read(REPORT("null", "[ ]", "null", 0, 0, 0, 0, 0), &report), STATUS_OK);
    usage_json_write(&report, file);
    assert_string_equal(take(file), "[ ]\n");
}

static void what_is_no_report_is_refused(void **state)
{
    static const char *const texts[] = {
        "{}",
        "{\"items\":[]}",
        "{\"items\":7,\"total\":" LINE("null", "null", 1, 1, 1, 1, 1) "}",
        "{\"items\":[{}],\"total\":" LINE("null", "null", 1, 1, 1, 1, 1) "}",
        "{\"items\":[],\"total\":null}",
        "{\"by\":7,\"items\":[],\"total\":" LINE("null", "null", 1, 1, 1, 1, 1) "}",
        "{\"rest\":{},\"items\":[],\"total\":" LINE("null", "null", 1, 1, 1, 1, 1) "}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct usage_report report;
        assert_int_equal(read(texts[i], &report), STATUS_INVALID);
    }
}

static void a_table_without_memory_is_not_written(void **state)
{
    const struct usage_looks looks = {.columns = 100};
    struct usage_report report;
    (void)state;
    assert_int_equal(read(TWO_MODELS, &report), STATUS_OK);
    for (int nth = 0;; nth++) {
        FILE *file = tmpfile();
        alloc_fail_nth(nth);
        const enum status status = usage_table_write(&report, &looks, file);
        alloc_fail_nth(-1);
        const size_t size = strlen(take(file));
        if (status == STATUS_OK) {
            assert_true(nth > 0 && size > 0);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_int_equal(size, 0);
    }
}

static void csv_without_memory_is_not_written(void **state)
{
    struct usage_report report;
    (void)state;
    assert_int_equal(read(TWO_MODELS, &report), STATUS_OK);
    for (int nth = 0;; nth++) {
        FILE *file = tmpfile();
        alloc_fail_nth(nth);
        const enum status status = usage_csv_write(&report, file);
        alloc_fail_nth(-1);
        const size_t size = strlen(take(file));
        if (status == STATUS_OK) {
            assert_true(nth > 1 && size > 0);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_int_equal(size, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_table_has_right_aligned_numbers_bars_and_a_total, begin,
                                        end),
        cmocka_unit_test_setup_teardown(a_chart_can_have_blocks_and_colours, begin, end),
        cmocka_unit_test_setup_teardown(a_narrow_terminal_has_no_bars, begin, end),
        cmocka_unit_test_setup_teardown(without_costs_the_bars_are_of_tokens, begin, end),
        cmocka_unit_test_setup_teardown(one_line_for_all_needs_neither_a_chart_nor_a_total, begin,
                                        end),
        cmocka_unit_test_setup_teardown(hours_are_shown_as_people_write_them, begin, end),
        cmocka_unit_test_setup_teardown(lines_without_a_place_are_added_up, begin, end),
        cmocka_unit_test_setup_teardown(csv_is_quoted_and_holds_no_formula, begin, end),
        cmocka_unit_test_setup_teardown(json_is_the_array_of_the_answer, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_report_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_table_without_memory_is_not_written, begin, end),
        cmocka_unit_test_setup_teardown(csv_without_memory_is_not_written, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
