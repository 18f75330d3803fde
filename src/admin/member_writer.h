/* Members of JSON objects, of the kinds that the admin API answers with.
 *
 * See json/write.h: the buffer remembers a failure, which is looked at once at the end. */
#ifndef ADMIN_MEMBER_WRITER_H
#define ADMIN_MEMBER_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/slice.h"
#include "json/write.h"

/* null where data is NULL. */
void member_write_text(struct json_writer *writer, struct slice name, struct slice text);
/* null where it is empty. */
void member_write_filled(struct json_writer *writer, struct slice name, struct slice text);
void member_write_id(struct json_writer *writer, struct slice name, const struct id *id);
/* RFC 3339 with milliseconds; null where it is 0. */
void member_write_time(struct json_writer *writer, struct slice name, uint64_t time_us);
void member_write_bool(struct json_writer *writer, struct slice name, bool value);
void member_write_number(struct json_writer *writer, struct slice name, uint64_t value);

#endif
