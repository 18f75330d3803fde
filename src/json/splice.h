/* Edits a checked text without copying it: the result is a list of pieces, which are parts of the
 * original bytes and the caller's new texts in turn.
 *
 * Memory: everything is borrowed. Edits may be given in any order; they must not overlap, and of
 * one object at most one member may be removed (ASSERT). */
#ifndef JSON_SPLICE_H
#define JSON_SPLICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "json/json.h"

#define JSON_EDITS_MAX  7
#define JSON_PIECES_MAX 22 /* what stands before an edit, its text, a comma; and the rest */

struct json_edit {
    size_t from, to; /* the part of the original that goes */
    struct slice text;
    bool is_insertion; /* of a member, which has a comma behind it unless it is the last */
    bool is_followed;
};

struct json_splice {
    struct slice text;
    struct json_edit edits[JSON_EDITS_MAX];
    size_t count;
};

struct json_pieces {
    struct slice pieces[JSON_PIECES_MAX]; /* none is empty */
    size_t count;
    size_t size; /* of all together */
};

void json_splice_init(struct json_splice *splice, struct slice text);

/* `text` in the place of a value that lies in the original. */
void json_splice_replace(struct json_splice *splice, struct json_value value, struct slice text);

/* A member, `"name":value`, right after the opening brace of an object that lies in the
 * original. Several stand in the order in which they were given. `is_followed`: the object has
 * members of its own, and keeps one. */
void json_splice_insert(struct json_splice *splice, struct json_value object, struct slice member,
                        bool is_followed);

/* Takes out members[index] of an object with its comma; white space around it may go too. */
void json_splice_remove(struct json_splice *splice, const struct json_object *object, size_t index);

void json_splice_finish(struct json_splice *splice, struct json_pieces *pieces_out);

/* Appends all pieces. Statuses of buffer_append(). */
enum status json_pieces_append(const struct json_pieces *pieces, struct buffer *buffer);

#endif
