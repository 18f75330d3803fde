/* What the JSON modules share: values as spans of the original bytes, limits and errors.
 *
 * Nothing here does I/O or reads a clock; memory comes from the caller's arena or buffer. */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define JSON_DEPTH_DEFAULT   64
#define JSON_DEPTH_LIMIT     1024 /* the largest depth_max */
#define JSON_MEMBERS_DEFAULT 1024
#define JSON_PAUSE_BYTES     ((size_t)128 * 1024)

enum json_type {
    JSON_TYPE_NULL,
    JSON_TYPE_BOOL,
    JSON_TYPE_NUMBER,
    JSON_TYPE_STRING,
    JSON_TYPE_ARRAY,
    JSON_TYPE_OBJECT,
    JSON_TYPE_COUNT,
};

/* A value where it stands in the text; a string with its quotes. */
struct json_value {
    struct slice raw;
    enum json_type type;
};

/* A member of an object, or an element of an array (then without a key). */
struct json_member {
    struct slice key; /* raw, between the quotes; the quote stands at key.data[-1] */
    struct json_value value;
    /* Of an array that is a member of the top-level object, as read by json_read_object(). */
    uint32_t element_types; /* bit 1 << enum json_type for each type among its elements */
    size_t element_count;
};

struct json_object {
    struct slice text;           /* the whole text that was read, white space around it included */
    struct json_member *members; /* in the order of the text, duplicates too */
    size_t count;
};

/* What a text may be at most, and how work on a long one gives way to others. */
struct json_limits {
    uint32_t depth_max;   /* 1 to JSON_DEPTH_LIMIT: containers within each other */
    uint32_t members_max; /* of the top-level object */
    /* Called about every JSON_PAUSE_BYTES of input; may be NULL. The text must not change. */
    void (*pause)(void *context);
    void *pause_context;
};

#define JSON_LIMITS_DEFAULT                                                                        \
    ((struct json_limits){.depth_max = JSON_DEPTH_DEFAULT, .members_max = JSON_MEMBERS_DEFAULT})

struct json_error {
    size_t offset;    /* of the byte that cannot stand there */
    char message[48]; /* lower case, without the offset, such as "unexpected end" */
};

#endif
