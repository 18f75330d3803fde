/* The members of the API's objects, as a person reads them. Pure: the time now is a parameter. */
#ifndef CLI_MEMBER_TEXT_H
#define CLI_MEMBER_TEXT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "json/json.h"

enum member_form {
    MEMBER_FORM_CELL, /* of a table: times as distances */
    MEMBER_FORM_LINE, /* of its own: times in full, and as distances */
};

/* Text of a checked value: a string's characters, yes or no, a number, an array's elements with
 * commas between, a time if the name ends in "_at"; empty for null. Borrows from the value or lies
 * in the arena. data is NULL when memory ran out. */
struct slice member_text(struct slice name, struct json_value value, enum member_form form,
                         uint64_t now_us, struct arena *arena);

#endif
