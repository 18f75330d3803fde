/* A JSON object, member by member, at the end of a buffer.
 *
 * The buffer remembers a failure, so the writer looks at buffer_status() once, at the end. */
#ifndef ADMIN_OBJECT_WRITER_H
#define ADMIN_OBJECT_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/id.h"
#include "base/slice.h"

struct object_writer {
    struct buffer *out;
    bool has_members;
};

struct object_writer object_begin(struct buffer *out);
void object_end(struct object_writer *writer);

/* Begins a member whose value the caller appends. `name` needs no escape. */
void object_member(struct object_writer *writer, const char *name);
/* null where data is NULL. */
void object_text(struct object_writer *writer, const char *name, struct slice text);
void object_id(struct object_writer *writer, const char *name, const struct id *id);
/* RFC 3339 with milliseconds; null where it is 0. */
void object_time(struct object_writer *writer, const char *name, uint64_t time_us);
void object_bool(struct object_writer *writer, const char *name, bool value);
void object_number(struct object_writer *writer, const char *name, uint64_t value);

#endif
