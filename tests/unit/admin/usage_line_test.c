#include "admin/usage_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/read.h"

#define WHOLE                                                                                      \
    "{\"id\":\"a\\\"b\",\"name\":null,\"requests\":1,\"answered\":2,\"refused\":3,"                \
    "\"estimated\":4,\"unpriced\":5,\"input_tokens\":6,\"output_tokens\":7,"                       \
    "\"cached_tokens\":8,\"cache_write_tokens\":9,\"reasoning_tokens\":10,"                        \
    "\"audio_tokens\":11,\"cost\":\"0.000000012\",\"cost_nanousd\":12}"

static const struct store_report_line stored = {
    .id = {"a\"b", 3},
    .requests = 1,
    .answered = 2,
    .refused = 3,
    .estimated = 4,
    .unpriced = 5,
    .tokens = {6, 7, 8, 9, 10, 11},
    .cost_nanousd = 12,
};

static enum status read(const char *text, struct usage_line *line_out)
{
    static char memory[4096];
    struct arena arena;
    struct json_value value;
    struct json_error error;
    assert_int_equal(json_check(slice_from_text(text), &JSON_LIMITS_DEFAULT, &value, &error),
                     STATUS_OK);
    arena_init(&arena, memory, sizeof(memory), sizeof(memory));
    return usage_line_read(value, &arena, line_out);
}

static void a_line_is_written_and_read_back(void **state)
{
    struct buffer text;
    struct json_writer writer;
    struct usage_line line = usage_line_of(&stored), back;
    (void)state;
    buffer_init(&text, 4096);
    json_writer_init(&writer, &text);
    usage_line_write(&writer, &line);
    assert_int_equal(buffer_append_byte(&text, '\0'), STATUS_OK);
    assert_string_equal(text.data, WHOLE);
    assert_int_equal(read(text.data, &back), STATUS_OK);
    assert_true(slice_equal(back.id, stored.id));
    assert_int_equal(back.name.size, 0);
    assert_memory_equal(back.counts, line.counts, sizeof(back.counts));
    assert_int_equal(back.cost_nanousd, 12);
    buffer_fini(&text);
}

static void a_line_without_one_of_its_numbers_is_none(void **state)
{
    static const char *const members[] = {"\"requests\":1", "\"refused\":3", "\"audio_tokens\":11",
                                          "\"cost_nanousd\":12"};
    struct usage_line line;
    (void)state;
    assert_int_equal(read(WHOLE, &line), STATUS_OK);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        char text[sizeof(WHOLE)] = WHOLE;
        char *at = strstr(text, members[i]);
        assert_non_null(at);
        at[1] = 'X'; /* another name */
        assert_int_equal(read(text, &line), STATUS_INVALID);
    }
    assert_int_equal(read("{}", &line), STATUS_INVALID);
    assert_int_equal(read("[1]", &line), STATUS_INVALID);
    assert_int_equal(read("null", &line), STATUS_INVALID);
    assert_int_equal(read("{\"requests\":-1}", &line), STATUS_INVALID);
    assert_int_equal(read("{\"requests\":\"1\"}", &line), STATUS_INVALID);
    assert_int_equal(read("{\"cost_nanousd\":9223372036854775808}", &line), STATUS_INVALID);
    assert_int_equal(read("{\"id\":7}", &line), STATUS_INVALID);
}

static void sums_of_money_stop_at_the_largest(void **state)
{
    struct usage_line sum = usage_line_of(&stored), line = usage_line_of(&stored);
    (void)state;
    usage_line_add(&sum, &line);
    assert_int_equal(sum.cost_nanousd, 24);
    assert_int_equal(sum.counts[USAGE_REQUESTS], 2);
    assert_int_equal(sum.counts[USAGE_AUDIO], 22);
    line.cost_nanousd = INT64_MAX - 23;
    usage_line_add(&sum, &line);
    assert_int_equal(sum.cost_nanousd, INT64_MAX);
}

static void a_line_is_empty_when_nobody_asked(void **state)
{
    struct usage_line line = {0};
    (void)state;
    assert_true(usage_line_is_empty(&line));
    line.counts[USAGE_REFUSED] = 1;
    assert_false(usage_line_is_empty(&line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_written_and_read_back),
        cmocka_unit_test(a_line_without_one_of_its_numbers_is_none),
        cmocka_unit_test(sums_of_money_stop_at_the_largest),
        cmocka_unit_test(a_line_is_empty_when_nobody_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
