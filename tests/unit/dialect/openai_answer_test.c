#include "dialect/openai_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/dialect/fixture.h"

static struct openai_answer answer;

static enum status read_slice(struct slice body)
{
    return openai_answer_read(body, &JSON_LIMITS_DEFAULT, &answer);
}

static enum status read_text(const char *body)
{
    return read_slice(slice_from_text(body));
}

static void real_answers_give_their_usage(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t input, output;
    } cases[] = {
        {"llama.cpp-chat.json", 23, 6},
        {"llama.cpp-chat-tools.json", 150, 31},
        {"llama.cpp-embeddings.json", 1, 0},
        {"llama-cpp-python-chat.json", 33, 6},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_slice(fixture(cases[i].name)), STATUS_OK);
        assert_true(answer.has_usage);
        assert_true(answer.usage.tokens[OPENAI_TOKENS_INPUT] == cases[i].input);
        assert_true(answer.usage.tokens[OPENAI_TOKENS_OUTPUT] == cases[i].output);
        assert_true(slice_equal(answer.model.raw, SLICE("\"smollm2-135m\"")));
        assert_null(answer.error.raw.data);
    }
}

static void an_answer_without_usage_says_so(void **state)
{
    (void)state;
    assert_int_equal(read_text(" {\"id\":\"x\",\"usage\":null} \n"), STATUS_OK);
    assert_false(answer.has_usage);
    assert_true(slice_equal(answer.id.raw, SLICE("\"x\"")));
    assert_null(answer.choices.raw.data);
    assert_int_equal(read_text("{}"), STATUS_OK);
    assert_false(answer.has_usage);
    assert_int_equal(read_text("{\"error\":{\"code\":400}}"), STATUS_OK);
    assert_int_equal(answer.error.type, JSON_TYPE_OBJECT);
}

static void usage_inside_of_other_members_is_not_taken(void **state)
{
    (void)state;
    assert_int_equal(read_text("{\"choices\":[{\"usage\":{\"prompt_tokens\":1}}],"
                               "\"x\":\"\\\"usage\\\":{\"}"),
                     STATUS_OK);
    assert_false(answer.has_usage);
    assert_true(slice_equal(answer.choices.raw, SLICE("[{\"usage\":{\"prompt_tokens\":1}}]")));
}

static void what_is_no_object_or_broken_where_it_matters_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        " ",
        "{",
        "null",
        "[{}]",
        "Internal Server Error",
        "{\"usage\":{\"a\":1}",
        "{\"a\" 1}",
        "{\"usage\":{\"prompt_tokens\":01}}",

        "{\"a\":1]}",
        "{\"usage\":{\"prompt_tokens\":1}}{\"usage\":{\"prompt_tokens\":2}}",
        "{\"a\":\"}",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        if (read_text(bodies[i]) != STATUS_PROTOCOL)
            fail_msg("accepted: %s", bodies[i]);
    }
}

static void an_answer_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    const struct slice body = fixture("llama.cpp-chat.json");
    for (size_t size = 0; size < body.size; size++) {
        char *copy = alloc_bytes(size + (size == 0));
        assert_non_null(copy);
        memcpy(copy, body.data, size);
        assert_int_equal(read_slice(slice_of(copy, size)), STATUS_PROTOCOL);
        alloc_free(copy);
    }
}

static void the_tap_reads_the_usage_however_the_answer_is_split(void **state)
{
    (void)state;
    static const char *const names[] = {"llama.cpp-chat.json", "llama.cpp-embeddings.json"};
    static const uint64_t input[] = {23, 1};
    for (size_t i = 0; i < 2; i++) {
        const struct slice body = fixture(names[i]);
        for (size_t step = 1; step < 200; step += 13) {
            struct openai_answer_tap tap;
            struct openai_usage usage;
            openai_answer_tap_init(&tap);
            assert_false(openai_answer_tap_usage(&tap, &usage));
            for (size_t at = 0; at < body.size; at += step) {
                const size_t left = body.size - at;
                openai_answer_tap_feed(&tap, slice_of(body.data + at, left < step ? left : step));
            }
            assert_true(openai_answer_tap_usage(&tap, &usage));
            assert_true(usage.tokens[OPENAI_TOKENS_INPUT] == input[i]);
        }
    }
}

static void the_tap_takes_no_broken_usage(void **state)
{
    (void)state;
    struct openai_answer_tap tap;
    struct openai_usage usage;
    openai_answer_tap_init(&tap);
    openai_answer_tap_feed(&tap, SLICE("{\"usage\":{\"prompt_tokens\":1 2},\"x\":1}"));
    assert_false(openai_answer_tap_usage(&tap, &usage));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_answers_give_their_usage),
        cmocka_unit_test(an_answer_without_usage_says_so),
        cmocka_unit_test(usage_inside_of_other_members_is_not_taken),
        cmocka_unit_test(what_is_no_object_or_broken_where_it_matters_is_refused),
        cmocka_unit_test(an_answer_cut_off_anywhere_is_refused),
        cmocka_unit_test(the_tap_reads_the_usage_however_the_answer_is_split),
        cmocka_unit_test(the_tap_takes_no_broken_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
