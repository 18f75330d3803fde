#include "config/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"

struct reading {
    struct arena arena;
    struct yaml_node *root;
    struct yaml_error error;
};

static enum status read_slice(struct reading *reading, struct slice text)
{
    arena_init(&reading->arena, NULL, 0, (size_t)32 << 20);
    return yaml_read(text, &reading->arena, &reading->root, &reading->error);
}

static enum status read_text(struct reading *reading, const char *text)
{
    return read_slice(reading, slice_from_text(text));
}

static void refused_at(const char *text, uint32_t line, uint32_t column)
{
    struct reading reading;
    assert_int_equal(read_text(&reading, text), STATUS_INVALID);
    if (reading.error.line != line || reading.error.column != column)
        fail_msg("%s: %u:%u %s", text, reading.error.line, reading.error.column,
                 reading.error.reason.text);
    assert_string_not_equal(reading.error.reason.text, "");
    arena_fini(&reading.arena);
}

static void a_tree_knows_where_its_nodes_stand(void **state)
{
    (void)state;
    struct reading reading;
    assert_int_equal(read_text(&reading, "a: 1\nlist:\n  - x\n  - { b: \"~\" }\n"), STATUS_OK);
    const struct yaml_node *a = reading.root->first;
    const struct yaml_node *list = a->next;
    const struct yaml_node *b = list->first->next->first;

    assert_int_equal(reading.root->kind, YAML_KIND_MAPPING);
    assert_true(slice_equal(a->key, SLICE("a")) && slice_equal(a->text, SLICE("1")));
    assert_true(a->is_plain);
    assert_int_equal(a->key_line, 1);
    assert_int_equal(a->key_column, 1);
    assert_int_equal(a->column, 4);
    assert_int_equal(list->kind, YAML_KIND_SEQUENCE);
    assert_int_equal(list->key_line, 2);
    assert_int_equal(yaml_child_count(list), 2);
    assert_int_equal(b->line, 4);
    assert_int_equal(b->key_column, 7);
    assert_false(b->is_plain);
    assert_false(yaml_is_null(b));
    assert_null(list->next);
    arena_fini(&reading.arena);
}

static void members_are_found_by_their_name(void **state)
{
    (void)state;
    struct reading reading;
    assert_int_equal(read_text(&reading, "{a: 1, b: 2}"), STATUS_OK);
    assert_true(slice_equal(yaml_member(reading.root, SLICE("b"))->text, SLICE("2")));
    assert_null(yaml_member(reading.root, SLICE("c")));
    assert_null(yaml_member(NULL, SLICE("a")));
    arena_fini(&reading.arena);
}

static void nothing_is_told_from_an_empty_text(void **state)
{
    (void)state;
    struct reading reading;
    assert_int_equal(read_text(&reading, "{a: , b: ~, c: null, d: '', e: 'null', f: nul, g: []}"),
                     STATUS_OK);
    for (const struct yaml_node *node = reading.root->first; node != NULL; node = node->next)
        assert_int_equal(yaml_is_null(node), node->key.data[0] <= 'c');
    arena_fini(&reading.arena);
}

static void an_empty_document_has_no_root(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n\n", "# a comment\n", "%YAML 1.1\n"};
    for (size_t i = 0; i < 3; i++) {
        struct reading reading;
        assert_int_equal(read_text(&reading, texts[i]), STATUS_OK);
        assert_null(reading.root);
        arena_fini(&reading.arena);
    }
    refused_at(texts[3], 2, 1);
}

static void a_byte_order_mark_and_line_ends_of_windows_are_no_content(void **state)
{
    (void)state;
    struct reading reading;
    assert_int_equal(read_text(&reading, "\xef\xbb\xbf"
                                         "a: 1\r\nb: x\r\n"),
                     STATUS_OK);
    assert_true(slice_equal(reading.root->first->text, SLICE("1")));
    assert_true(slice_equal(reading.root->first->next->text, SLICE("x")));
    assert_int_equal(reading.root->first->next->line, 2);
    arena_fini(&reading.arena);
    assert_int_equal(read_text(&reading, "\xef\xbb\xbf"), STATUS_OK);
    assert_null(reading.root);
    arena_fini(&reading.arena);
}

static void what_is_no_yaml_is_refused_where_it_breaks(void **state)
{
    (void)state;
    refused_at("a: [", 2, 1); /* there the missing end is noticed */
    refused_at("a: b: c", 1, 5);
    refused_at("a: 1\n\tb: 2", 2, 1);
    refused_at("a: 'x", 1, 6);
    refused_at("[]: x\n? [y]\n: z", 1, 1);
}

static void bytes_that_no_text_holds_are_refused_in_their_line(void **state)
{
    (void)state;
    refused_at("a: 1\nb: \x01", 2, 4);
    refused_at("a: 1\nb: \xff", 2, 4);
    refused_at("a: \xc3", 1, 4);
    struct reading reading;
    assert_int_equal(read_slice(&reading, SLICE("a: 1\n\0")), STATUS_INVALID);
    assert_int_equal(reading.error.line, 2);
    arena_fini(&reading.arena);
}

static void what_could_grow_is_refused(void **state)
{
    (void)state;
    refused_at("a: &x 1", 1, 4);
    refused_at("a: &x [1]", 1, 4);
    refused_at("&x a: 1", 1, 1);
    refused_at("a: *x", 1, 4);
    refused_at("a: !!python/object x", 1, 4);
    refused_at("a: !x {}", 1, 4);
    refused_at("a: 1\n---\nb: 2", 3, 1);
}

static void depth_is_bounded(void **state)
{
    (void)state;
    struct reading reading;
    char text[2 * YAML_DEPTH_MAX + 4];
    memset(text, '[', sizeof(text));
    memset(text + YAML_DEPTH_MAX, ']', YAML_DEPTH_MAX);
    assert_int_equal(read_slice(&reading, slice_of(text, (size_t)2 * YAML_DEPTH_MAX)), STATUS_OK);
    arena_fini(&reading.arena);
    memset(text, '[', sizeof(text));
    assert_int_equal(read_slice(&reading, slice_of(text, sizeof(text))), STATUS_INVALID);
    assert_int_equal(reading.error.column, YAML_DEPTH_MAX + 1);
    arena_fini(&reading.arena);
}

static void the_number_of_nodes_is_bounded(void **state)
{
    (void)state;
    struct reading reading;
    struct buffer text;
    buffer_init(&text, (size_t)1 << 20);
    for (size_t i = 0; i < YAML_NODES_MAX - 1; i++)
        buffer_append(&text, SLICE("- a\n"));
    assert_int_equal(read_slice(&reading, buffer_slice(&text)), STATUS_OK);
    arena_fini(&reading.arena);
    buffer_append(&text, SLICE("- a\n"));
    assert_int_equal(read_slice(&reading, buffer_slice(&text)), STATUS_INVALID);
    assert_int_equal(reading.error.line, YAML_NODES_MAX);
    arena_fini(&reading.arena);
    buffer_fini(&text);
}

/* Whatever is cut off, there is an answer and nothing leaks. */
static void a_document_may_end_at_each_byte(void **state)
{
    (void)state;
    const struct slice text = SLICE("a: [1, \"x\\u00e9\", {b: 'y'}]\nc: |\n  text\n? d\n: e\n");
    for (size_t size = 0; size <= text.size; size++) {
        struct reading reading;
        const enum status status = read_slice(&reading, slice_of(text.data, size));
        assert_true(status == STATUS_OK || status == STATUS_INVALID);
        arena_fini(&reading.arena);
    }
}

static void it_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    for (int nth = 0;; nth++) {
        struct reading reading;
        alloc_fail_nth(nth);
        const enum status status = read_text(&reading, "a: 1\nb: [x, {c: d}]\n");
        alloc_fail_nth(-1);
        arena_fini(&reading.arena);
        if (status == STATUS_OK) {
            assert_true(nth > 0);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_knows_where_its_nodes_stand),
        cmocka_unit_test(members_are_found_by_their_name),
        cmocka_unit_test(nothing_is_told_from_an_empty_text),
        cmocka_unit_test(an_empty_document_has_no_root),
        cmocka_unit_test(a_byte_order_mark_and_line_ends_of_windows_are_no_content),
        cmocka_unit_test(what_is_no_yaml_is_refused_where_it_breaks),
        cmocka_unit_test(bytes_that_no_text_holds_are_refused_in_their_line),
        cmocka_unit_test(what_could_grow_is_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(the_number_of_nodes_is_bounded),
        cmocka_unit_test(a_document_may_end_at_each_byte),
        cmocka_unit_test(it_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
