#include "json/splice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "json/read.h"

static char first[4096];
static struct arena arena;
static struct json_object object;
static struct json_splice splice;

static void start(const char *text)
{
    struct json_error error;
    arena_init(&arena, first, sizeof(first), 0);
    assert_int_equal(
        json_read_object(slice_from_text(text), &JSON_LIMITS_DEFAULT, &arena, &object, &error),
        STATUS_OK);
    json_splice_init(&splice, object.text);
}

static struct json_value root(void)
{
    return (struct json_value){slice_from(object.text, slice_find_byte(object.text, '{')),
                               JSON_TYPE_OBJECT};
}

/* The result is the text, JSON as before, and its size is what the pieces say. */
static void assert_result(const char *text)
{
    struct json_pieces pieces;
    struct json_value value;
    struct json_error error;
    struct buffer buffer;
    buffer_init(&buffer, 4096);
    json_splice_finish(&splice, &pieces);
    assert_int_equal(json_pieces_append(&pieces, &buffer), STATUS_OK);
    if (!slice_equal(buffer_slice(&buffer), slice_from_text(text)))
        fail_msg("'%.*s' is not '%s'", SLICE_ARGS(buffer_slice(&buffer)), text);
    assert_int_equal(pieces.size, buffer.size);
    assert_int_equal(json_check(buffer_slice(&buffer), &JSON_LIMITS_DEFAULT, &value, &error),
                     STATUS_OK);
    buffer_fini(&buffer);
}

static void without_edits_the_text_is_one_piece(void **state)
{
    (void)state;
    struct json_pieces pieces;
    start(" {\"a\":1} ");
    json_splice_finish(&splice, &pieces);
    assert_int_equal(pieces.count, 1);
    assert_ptr_equal(pieces.pieces[0].data, object.text.data);
    assert_int_equal(pieces.pieces[0].size, object.text.size);
}

static void edits_may_come_in_any_order(void **state)
{
    (void)state;
    start("{\"a\":1, \"b\" : [2] ,\"c\":\"x\"}");
    json_splice_replace(&splice, object.members[2].value, SLICE("\"longer\""));
    json_splice_replace(&splice, object.members[0].value, SLICE("0"));
    json_splice_insert(&splice, root(), SLICE("\"n\":true"), true);
    json_splice_remove(&splice, &object, 1);
    assert_result("{\"n\":true,\"a\":0, \"c\":\"longer\"}");
}

static void the_first_the_last_and_the_only_member_are_removed_with_their_comma(void **state)
{
    (void)state;
    start("{ \"a\":1 , \"b\":2 , \"c\":3 }");
    json_splice_remove(&splice, &object, 0);
    assert_result("{ \"b\":2 , \"c\":3 }");
    start("{ \"a\":1 , \"b\":2 , \"c\":3 }");
    json_splice_remove(&splice, &object, 1);
    assert_result("{ \"a\":1 , \"c\":3 }");
    start("{ \"a\":1 , \"b\":2 , \"c\":3 }");
    json_splice_remove(&splice, &object, 2);
    assert_result("{ \"a\":1 , \"b\":2 }");
    start("{ \"a\":1 }");
    json_splice_remove(&splice, &object, 0);
    assert_result("{  }");
}

static void insertions_stand_in_order_with_the_commas_they_need(void **state)
{
    (void)state;
    start("{}");
    json_splice_insert(&splice, root(), SLICE("\"a\":1"), false);
    assert_result("{\"a\":1}");
    start("{ }");
    json_splice_insert(&splice, root(), SLICE("\"a\":1"), false);
    json_splice_insert(&splice, root(), SLICE("\"b\":2"), false);
    json_splice_insert(&splice, root(), SLICE("\"c\":3"), false);
    assert_result("{\"a\":1,\"b\":2,\"c\":3 }");
    start("{\"z\":0}");
    json_splice_insert(&splice, root(), SLICE("\"a\":1"), true);
    json_splice_insert(&splice, root(), SLICE("\"b\":2"), true);
    assert_result("{\"a\":1,\"b\":2,\"z\":0}");
    start("{\"z\":0}");
    json_splice_remove(&splice, &object, 0);
    json_splice_insert(&splice, root(), SLICE("\"a\":1"), false);
    assert_result("{\"a\":1}");
}

static void a_nested_object_is_edited_in_place(void **state)
{
    (void)state;
    start("{\"o\":{\"x\":1},\"e\":{}}");
    json_splice_insert(&splice, object.members[0].value, SLICE("\"y\":2"), true);
    json_splice_insert(&splice, object.members[1].value, SLICE("\"y\":2"), false);
    assert_result("{\"o\":{\"y\":2,\"x\":1},\"e\":{\"y\":2}}");
}

static void as_many_edits_as_are_allowed_fit_the_pieces(void **state)
{
    (void)state;
    struct json_pieces pieces;
    start("{\"a\":{\"x\":1},\"b\":{\"x\":1},\"c\":{\"x\":1},\"d\":{\"x\":1},\"e\":{\"x\":1},"
          "\"f\":{\"x\":1},\"g\":{\"x\":1}}");
    for (size_t i = 0; i < JSON_EDITS_MAX; i++)
        json_splice_insert(&splice, object.members[i].value, SLICE("\"y\":2"), true);
    json_splice_finish(&splice, &pieces);
    assert_int_equal(pieces.count, JSON_PIECES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_edits_the_text_is_one_piece),
        cmocka_unit_test(edits_may_come_in_any_order),
        cmocka_unit_test(the_first_the_last_and_the_only_member_are_removed_with_their_comma),
        cmocka_unit_test(insertions_stand_in_order_with_the_commas_they_need),
        cmocka_unit_test(a_nested_object_is_edited_in_place),
        cmocka_unit_test(as_many_edits_as_are_allowed_fit_the_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
