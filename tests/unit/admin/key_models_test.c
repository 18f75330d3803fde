#include "admin/key_models.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "identity/rules.h"

static char memory[16384];
static struct arena arena;

/* Reads a JSON value; the text holds until the next call. */
static enum status read_models(const char *json, struct slice *models)
{
    yyjson_doc *document = yyjson_read(json, strlen(json), 0);
    assert_non_null(document);
    arena_init(&arena, memory, sizeof(memory), 0);
    const enum status status = key_models_read(yyjson_doc_get_root(document), &arena, models, NULL);
    yyjson_doc_free(document);
    return status;
}

static void an_array_becomes_a_text_with_commas(void **state)
{
    (void)state;
    struct slice models;
    assert_int_equal(read_models("[\"gpt*\",\"llama-3.1\",\"*\"]", &models), STATUS_OK);
    assert_true(slice_equal(models, SLICE("gpt*,llama-3.1,*")));
    assert_int_equal(read_models("[\"org/model:7b\"]", &models), STATUS_OK);
    assert_true(slice_equal(models, SLICE("org/model:7b")));
}

static void null_stands_for_all_models(void **state)
{
    (void)state;
    struct slice models;
    assert_int_equal(read_models("null", &models), STATUS_OK);
    assert_null(models.data);
}

static void what_is_no_list_of_patterns_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"[]",
                                        "\"gpt\"",
                                        "{}",
                                        "1",
                                        "[1]",
                                        "[null]",
                                        "[\"\"]",
                                        "[\"a,b\"]",
                                        "[\"a*b\"]",
                                        "[\"**\"]",
                                        "[\"a b\"]",
                                        "[\"a\\n\"]",
                                        "[\"a\\u0000\"]",
                                        "[[\"a\"]]"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct slice models;
        assert_int_equal(read_models(wrong[i], &models), STATUS_INVALID);
    }
}

static void the_list_ends_where_the_map_can_hold_no_more(void **state)
{
    (void)state;
    static char json[IDENTITY_LIST_SIZE_MAX + 16];
    struct slice models;
    (void)snprintf(json, sizeof(json), "[\"%0*d\"]", IDENTITY_LIST_SIZE_MAX - 1, 1);
    assert_int_equal(read_models(json, &models), STATUS_OK);
    assert_int_equal(models.size, IDENTITY_LIST_SIZE_MAX - 1);
    (void)snprintf(json, sizeof(json), "[\"%0*d\"]", IDENTITY_LIST_SIZE_MAX, 1);
    assert_int_equal(read_models(json, &models), STATUS_INVALID);
}

static void what_was_read_is_written_back(void **state)
{
    (void)state;
    static const char *const lists[] = {"null", "[\"a\"]", "[\"a\",\"b*\",\"c\"]"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct slice models;
        struct buffer text;
        struct json_writer writer;
        char expected[64];
        assert_int_equal(read_models(lists[i], &models), STATUS_OK);
        buffer_init(&text, 256);
        json_writer_init(&writer, &text);
        json_write_object(&writer);
        key_models_write(&writer, SLICE("models"), models);
        json_write_end(&writer);
        (void)snprintf(expected, sizeof(expected), "{\"models\":%s}", lists[i]);
        assert_true(slice_equal(buffer_slice(&text), slice_from_text(expected)));
        buffer_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_becomes_a_text_with_commas),
        cmocka_unit_test(null_stands_for_all_models),
        cmocka_unit_test(what_is_no_list_of_patterns_is_refused),
        cmocka_unit_test(the_list_ends_where_the_map_can_hold_no_more),
        cmocka_unit_test(what_was_read_is_written_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
