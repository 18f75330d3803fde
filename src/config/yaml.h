/* A YAML document as a tree of nodes that know where they stand.
 *
 * Only what a configuration needs: scalars, sequences, mappings with scalar keys. Anchors, aliases
 * and more than one document are refused, so a small file cannot grow into a large tree.
 * Thread: any. Memory: the caller's arena. Built on libyaml. */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

#define YAML_DEPTH_MAX 16

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

#endif
