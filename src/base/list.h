/* An intrusive ring: a node lies in the struct that is listed, the head is a node of its own. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *next, *previous;
};

/* The struct of type `type` whose member `member` is *node. */
#define LIST_ENTRY(node, type, member) ((type *)(void *)((char *)(node) - offsetof(type, member)))

/* Makes an empty list of a head, or an unlinked node. */
static inline void list_init(struct list_node *head)
{
    head->next = head->previous = head;
}

static inline bool list_is_empty(const struct list_node *head)
{
    return head->next == head;
}

static inline void list_insert_before(struct list_node *place, struct list_node *node)
{
    node->previous = place->previous;
    node->next = place;
    place->previous->next = node;
    place->previous = node;
}

static inline void list_push_back(struct list_node *head, struct list_node *node)
{
    list_insert_before(head, node);
}

static inline void list_push_front(struct list_node *head, struct list_node *node)
{
    list_insert_before(head->next, node);
}

/* Unlinks the node, which may be unlinked already. */
static inline void list_remove(struct list_node *node)
{
    node->previous->next = node->next;
    node->next->previous = node->previous;
    list_init(node);
}

#endif
