/* A YAML document as a tree of nodes that know where they stand.
 *
 * Only what a configuration needs: scalars, sequences, mappings with scalar keys. Anchors, aliases,
 * tags and more than one document are refused, so a small file cannot grow into a large tree; a
 * large one is bounded in depth and in its number of nodes.
 * Thread: any. Memory: the caller's arena. Built on libyaml. */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

#define YAML_DEPTH_MAX 16
#define YAML_NODES_MAX 100000

enum yaml_kind {
    YAML_KIND_SCALAR,
    YAML_KIND_SEQUENCE,
    YAML_KIND_MAPPING,
};

struct yaml_node {
    enum yaml_kind kind;
    bool is_plain; /* a scalar without quotes */
    uint32_t line, column;
    struct slice text; /* of a scalar */
    struct slice key;  /* of a member of a mapping; where it stands is key_line, key_column */
    uint32_t key_line, key_column;
    struct yaml_node *first, *next; /* children; the next sibling */
};

struct yaml_error {
    uint32_t line, column;
    struct reason reason;
};

/* *root_out is NULL for an empty document. STATUS_INVALID: *error_out says where and why.
 * STATUS_NO_MEMORY: the arena is exhausted. */
MUST_CHECK enum status yaml_read(struct slice text, struct arena *arena,
                                 struct yaml_node **root_out, struct yaml_error *error_out);

/* Whether nothing stands there: an empty plain scalar, or "null" or "~" without quotes. */
bool yaml_is_null(const struct yaml_node *node);
size_t yaml_child_count(const struct yaml_node *node);
/* The member of that name, or NULL; `mapping` may be NULL. */
const struct yaml_node *yaml_member(const struct yaml_node *mapping, struct slice key);

#endif
