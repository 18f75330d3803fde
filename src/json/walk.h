/* Goes through the members of an object or the elements of an array, without memory.
 *
 * Meant for text that json/read.h has checked. On any other bytes it stays within them and ends,
 * but what it yields may be no JSON: check a value with json_check() before use. */
#ifndef JSON_WALK_H
#define JSON_WALK_H

#include <stdbool.h>

#include "json/json.h"

struct json_walk {
    const char *at;
    const char *end;
    const struct json_limits *limits; /* for its pause */
    bool is_object;
    bool is_broken; /* after json_walk_next() returned false: the text is no JSON */
};

/* `limits` may be NULL (then there is no pause) and outlives the walk. A value that is neither an
 * object nor an array has no members. */
void json_walk_init(struct json_walk *walk, struct json_value container,
                    const struct json_limits *limits);

/* The next member or element (its key is empty); false at the end. */
bool json_walk_next(struct json_walk *walk, struct json_member *member_out);

/* The last member of this name, as most readers choose; false if there is none. `limits` may be
 * NULL. */
bool json_find(struct json_value object, struct slice name, const struct json_limits *limits,
               struct json_value *value_out);

#endif
