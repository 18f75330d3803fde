/* Keeps one member of the top-level object out of a long text that comes in pieces.
 *
 * Everything else is skipped, strings and nesting minded, but not checked; so the kept bytes must
 * pass json_check() before use. The last member of the name counts. Memory: the caller's; bounded
 * whatever comes. However the text is split, the outcome is the same. */
#ifndef JSON_PICK_H
#define JSON_PICK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define JSON_PICK_NAME_MAX 32

struct json_pick {
    struct slice name;
    char *kept;      /* the member's value so far, raw */
    size_t kept_max; /* room at `kept` */
    size_t kept_size;
    bool is_complete;  /* a value was seen whole and fits */
    bool is_too_large; /* the last one did not fit */

    uint32_t depth; /* of the containers that are open */
    char key[JSON_PICK_NAME_MAX];
    uint8_t key_size; /* JSON_PICK_NAME_MAX + 1 if the key is longer */
    uint8_t place;    /* where in the text: see json/pick.c */
    bool in_string;
    bool after_backslash;
    bool is_ours; /* the value at hand is the named member's */
};

/* Looks for `name` (plain ASCII, at most JSON_PICK_NAME_MAX bytes, borrowed) and keeps up to
 * `kept_max` bytes of its value in `kept`. A key that is written with escapes is not found. */
void json_pick_init(struct json_pick *pick, struct slice name, char *kept, size_t kept_max);

void json_pick_feed(struct json_pick *pick, struct slice piece);

/* The value's bytes, or data NULL: none was seen whole, or it did not fit. */
struct slice json_pick_value(const struct json_pick *pick);

#endif
