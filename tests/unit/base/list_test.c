#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

struct item {
    char name;
    struct list_node node;
};

/* Both ways round, since a ring may be torn in one of them. */
static void assert_order(const struct list_node *head, const char *names)
{
    const size_t count = strlen(names);
    const struct list_node *forward = head->next, *backward = head->previous;
    for (size_t i = 0; i < count; i++) {
        assert_ptr_not_equal(forward, head);
        assert_ptr_not_equal(backward, head);
        assert_int_equal(LIST_ENTRY(forward, struct item, node)->name, names[i]);
        assert_int_equal(LIST_ENTRY(backward, struct item, node)->name, names[count - 1 - i]);
        forward = forward->next;
        backward = backward->previous;
    }
    assert_ptr_equal(forward, head);
    assert_ptr_equal(backward, head);
    assert_int_equal(list_is_empty(head), count == 0);
}

static void items_stand_where_they_were_put(void **state)
{
    (void)state;
    struct list_node head;
    struct item a = {.name = 'a'}, b = {.name = 'b'}, c = {.name = 'c'}, d = {.name = 'd'};
    list_init(&head);
    assert_order(&head, "");
    list_push_back(&head, &b.node);
    assert_order(&head, "b");
    list_push_back(&head, &d.node);
    assert_order(&head, "bd");
    list_push_front(&head, &a.node);
    assert_order(&head, "abd");
    list_insert_before(&d.node, &c.node);
    assert_order(&head, "abcd");
}

static void items_are_removed_from_anywhere(void **state)
{
    (void)state;
    struct list_node head;
    struct item items[] = {{.name = 'a'}, {.name = 'b'}, {.name = 'c'}};
    list_init(&head);
    for (size_t i = 0; i < 3; i++)
        list_push_back(&head, &items[i].node);
    list_remove(&items[1].node);
    assert_order(&head, "ac");
    list_remove(&items[0].node);
    assert_order(&head, "c");
    list_remove(&items[2].node);
    assert_order(&head, "");
}

static void removing_what_is_unlinked_does_nothing(void **state)
{
    (void)state;
    struct list_node head;
    struct item a = {.name = 'a'}, b = {.name = 'b'};
    list_init(&head);
    list_init(&a.node);
    list_remove(&a.node);
    list_push_back(&head, &a.node);
    list_push_back(&head, &b.node);
    list_remove(&a.node);
    list_remove(&a.node);
    assert_order(&head, "b");
    assert_true(list_is_empty(&a.node));
    list_push_front(&head, &a.node);
    assert_order(&head, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_stand_where_they_were_put),
        cmocka_unit_test(items_are_removed_from_anywhere),
        cmocka_unit_test(removing_what_is_unlinked_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
