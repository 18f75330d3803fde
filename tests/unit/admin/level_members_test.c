#include "admin/level_members.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "identity/rules.h"

static char memory[65536];
static struct arena arena;
static struct reason reason;

static int reset(void **state)
{
    (void)state;
    arena_init(&arena, memory, sizeof(memory), 0);
    return 0;
}

/* Puts the members of the JSON object into the rules. */
static enum status read_into(const char *json, struct store_rules *rules)
{
    struct body_member members[LEVEL_MEMBERS];
    level_members_init(members);
    yyjson_doc *document = yyjson_read(json, strlen(json), 0);
    assert_non_null(document);
    for (size_t i = 0; i < LEVEL_MEMBERS; i++)
        members[i].value = yyjson_obj_get(yyjson_doc_get_root(document), members[i].name);
    reason = (struct reason){""};
    const enum status status = level_members_read(members, &arena, rules, &reason);
    yyjson_doc_free(document);
    return status;
}

/* The members as they are written, an object. */
static const char *written(const struct store_rules *before, const struct store_rules *rules)
{
    static char text[32768];
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, sizeof(text) - 1);
    json_writer_init(&writer, &buffer);
    json_write_object(&writer);
    if (before == NULL)
        level_members_write(&writer, rules);
    else
        level_members_write_changes(&writer, before, rules);
    json_write_end(&writer);
    assert_int_equal(buffer_status(&buffer), STATUS_OK);
    memcpy(text, buffer.data, buffer.size);
    text[buffer.size] = '\0';
    buffer_fini(&buffer);
    return text;
}

#define FULL                                                                                       \
    "{\"models\":[\"a\",\"b*\"],\"routes\":[\"/v1/chat*\"],\"networks\":[\"10.0.0.0/8\"],"         \
    "\"tags\":[\"x\",\"y\"],\"limits\":[\"60req/min\",\"20parallel\"],"                            \
    "\"budgets\":[\"10usd/month\"],\"warn_only\":true}"
#define EMPTY                                                                                      \
    "{\"models\":null,\"routes\":null,\"networks\":null,\"tags\":null,\"limits\":[],"              \
    "\"budgets\":[],\"warn_only\":false}"

static void what_is_read_is_written_again(void **state)
{
    (void)state;
    struct store_rules rules = {.warn_only = false};
    assert_string_equal(written(NULL, &rules), EMPTY);
    assert_int_equal(read_into(FULL, &rules), STATUS_OK);
    assert_true(slice_equal(rules.models, SLICE("a,b*")));
    assert_string_equal(written(NULL, &rules), FULL);
    assert_int_equal(read_into(EMPTY, &rules), STATUS_OK);
    assert_null(rules.limits.data);
    assert_string_equal(written(NULL, &rules), EMPTY);
    assert_int_equal(read_into("{\"tags\":[],\"limits\":null,\"budgets\":null}", &rules),
                     STATUS_OK);
    assert_string_equal(written(NULL, &rules), EMPTY);
}

static void members_that_are_not_given_stay(void **state)
{
    (void)state;
    struct store_rules rules = {.warn_only = false};
    struct body_member members[LEVEL_MEMBERS];
    level_members_init(members);
    assert_false(level_members_are_given(members));
    assert_int_equal(read_into(FULL, &rules), STATUS_OK);
    assert_int_equal(read_into("{}", &rules), STATUS_OK);
    assert_string_equal(written(NULL, &rules), FULL);
    /* Limits and budgets are one text in the store. */
    assert_int_equal(read_into("{\"limits\":[\"5tok/hour\"]}", &rules), STATUS_OK);
    assert_non_null(
        strstr(written(NULL, &rules), "\"limits\":[\"5tok/hour\"],\"budgets\":[\"10usd/month\"]"));
    assert_int_equal(read_into("{\"budgets\":[]}", &rules), STATUS_OK);
    assert_non_null(strstr(written(NULL, &rules), "\"limits\":[\"5tok/hour\"],\"budgets\":[]"));
}

static void only_what_changed_is_told(void **state)
{
    (void)state;
    struct store_rules before = {.warn_only = false}, after;
    assert_int_equal(read_into(FULL, &before), STATUS_OK);
    after = before;
    assert_string_equal(written(&before, &after), "{}");
    assert_int_equal(read_into("{\"models\":null,\"warn_only\":false}", &after), STATUS_OK);
    assert_string_equal(written(&before, &after), "{\"models\":null,\"warn_only\":false}");
}

static void what_is_no_such_member_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{\"models\":\"a\"}",
        "{\"models\":[]}",
        "{\"models\":[1]}",
        "{\"models\":[null]}",
        "{\"models\":[\"a b\"]}",
        "{\"routes\":[]}",
        "{\"routes\":[\"/nowhere\"]}",
        "{\"routes\":{}}",
        "{\"networks\":[]}",
        "{\"networks\":[\"10.0.0.1/8\"]}",
        "{\"networks\":7}",
        "{\"tags\":[\"\"]}",
        "{\"tags\":true}",
        "{\"limits\":\"60req/min\"}",
        "{\"limits\":[60]}",
        "{\"limits\":[\"60req\"]}",
        "{\"limits\":[\"10usd/month\"]}",
        "{\"limits\":[\"60req/min\",\"70req/min\"]}",
        "{\"budgets\":[\"60req/min\"]}",
        "{\"budgets\":{}}",
        "{\"budgets\":[[]]}",
        "{\"warn_only\":null}",
        "{\"warn_only\":1}",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct store_rules rules = {.warn_only = false};
        if (read_into(wrong[i], &rules) != STATUS_INVALID || reason.text[0] == '\0')
            fail_msg("%s was not refused: %s", wrong[i], reason.text);
    }
}

static void a_list_ends_where_the_map_can_hold_no_more(void **state)
{
    (void)state;
    static char json[3 * IDENTITY_LIST_SIZE_MAX];
    for (size_t count = 1; count <= 2048; count += 2047 / 2) {
        struct store_rules rules = {.warn_only = false};
        size_t size = (size_t)snprintf(json, sizeof(json), "{\"tags\":[\"a\"");
        for (size_t i = 1; i < count; i++)
            size += (size_t)snprintf(json + size, sizeof(json) - size, ",\"a\"");
        (void)snprintf(json + size, sizeof(json) - size, "]}");
        assert_int_equal(read_into(json, &rules), STATUS_OK);
        assert_int_equal(rules.tags.size, 2 * count - 1);
    }
    struct store_rules rules = {.warn_only = false};
    size_t size = (size_t)snprintf(json, sizeof(json), "{\"tags\":[\"a\"");
    for (size_t i = 1; i < 2049; i++)
        size += (size_t)snprintf(json + size, sizeof(json) - size, ",\"a\"");
    (void)snprintf(json + size, sizeof(json) - size, "]}");
    assert_int_equal(read_into(json, &rules), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "tags"));
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    static const char *const each[] = {"{\"models\":[\"a\"]}", "{\"limits\":[\"60req/min\"]}"};
    for (size_t i = 0; i < 2; i++) {
        struct store_rules rules = {.warn_only = false};
        arena_init(&arena, NULL, 0, 1);
        assert_int_equal(read_into(each[i], &rules), STATUS_NO_MEMORY);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_read_is_written_again),
        TEST(members_that_are_not_given_stay),
        TEST(only_what_changed_is_told),
        TEST(what_is_no_such_member_is_refused_with_a_reason),
        TEST(a_list_ends_where_the_map_can_hold_no_more),
        TEST(without_memory_it_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
