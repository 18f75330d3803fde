#include "json/read.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/uncleared.h"
#include "json/search.h"

#define MEMBERS_FIRST 16 /* a chat request has about ten */

/* Invariants: start <= at <= end; stop <= end; `depth` containers are open, and bit depth - 1 of
 * is_object says what the innermost is. Functions that return false have set `status`. */
struct scanner {
    const char *start;
    const char *at;
    const char *stop; /* of this stretch: then comes a pause */
    const char *end;
    const struct json_limits *limits;
    struct json_value root;

    struct arena *arena; /* NULL: nobody wants the members of the top-level object */
    struct json_member *members;
    size_t member_count;
    size_t member_capacity;

    enum status status;
    struct json_error *error;
    uint32_t depth;
    uint64_t is_object[JSON_DEPTH_LIMIT / 64];
};

static bool fail(struct scanner *scanner, const char *message)
{
    scanner->status = STATUS_INVALID;
    scanner->error->offset = (size_t)(scanner->at - scanner->start);
    snprintf(scanner->error->message, sizeof(scanner->error->message), "%s", message);
    return false;
}

static bool fail_at_limit(struct scanner *scanner, const char *format, uint32_t limit)
{
    scanner->status = STATUS_TOO_LARGE;
    scanner->error->offset = (size_t)(scanner->at - scanner->start);
    char *message = scanner->error->message;
    const size_t size = sizeof(scanner->error->message);
    if (snprintf(message, size, format, (unsigned)limit) >= (int)size)
        message[size - 1] = '\0';
    return false;
}

static bool pause_and_go_on(struct scanner *scanner)
{
    if (scanner->at >= scanner->end)
        return false;
    scanner->limits->pause(scanner->limits->pause_context);
    scanner->stop = json_pause_stop(scanner->limits, scanner->at, scanner->end);
    return true;
}

/* Whether a byte is left at `at`. */
static inline bool has_more(struct scanner *scanner)
{
    return scanner->at < scanner->stop || pause_and_go_on(scanner);
}

static inline bool skip_space(struct scanner *scanner)
{
    for (; has_more(scanner); scanner->at++) {
        if ((unsigned char)*scanner->at > ' ' || !json_is_space(*scanner->at))
            return true;
    }
    return fail(scanner, "unexpected end");
}

static inline bool is_inside_object(const struct scanner *scanner)
{
    const uint32_t index = scanner->depth - 1;
    return (scanner->is_object[index / 64] >> index % 64 & 1) != 0;
}

/* --- strings --- */

static bool scan_hex4(struct scanner *scanner)
{
    for (int i = 0; i < 4; i++, scanner->at++) {
        if (scanner->at == scanner->end)
            return fail(scanner, "unexpected end");
        const char lower = (char)(*scanner->at | 0x20);
        if (!json_is_digit(*scanner->at) && (lower < 'a' || lower > 'f'))
            return fail(scanner, "invalid \\u escape");
    }
    return true;
}

/* At the backslash. */
static bool scan_escape(struct scanner *scanner)
{
    scanner->at++;
    if (scanner->at == scanner->end)
        return fail(scanner, "unexpected end");
    switch (*scanner->at) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        scanner->at++;
        return true;
    case 'u':
        scanner->at++;
        return scan_hex4(scanner);
    default:
        return fail(scanner, "invalid escape");
    }
}

/* Text outside ASCII from here on: where there is one such character, the next is likely another. */
static bool scan_utf8(struct scanner *scanner)
{
    const char *at = json_skip_utf8(scanner->at, scanner->stop);
    while (at < scanner->stop && (unsigned char)*at >= 0x80) {
        uint32_t code;
        const size_t size = json_utf8_next(at, scanner->end, &code);
        if (size == 0) {
            scanner->at = at;
            return fail(scanner, "invalid UTF-8");
        }
        at += size;
    }
    scanner->at = at;
    return true;
}

static bool scan_long_string(struct scanner *scanner)
{
    for (;;) {
        scanner->at = json_search_special(scanner->at, scanner->stop);
        if (!has_more(scanner))
            return fail(scanner, "unexpected end in a string");
        const unsigned char byte = (unsigned char)*scanner->at;
        if (byte == '"') {
            scanner->at++;
            return true;
        }
        if (byte == '\\') {
            if (!scan_escape(scanner))
                return false;
        } else if (byte >= 0x80) {
            if (!scan_utf8(scanner))
                return false;
        } else if (byte < 0x20) {
            return fail(scanner, "control character in a string");
        }
    }
}

/* At the opening quote. */
static inline bool scan_string(struct scanner *scanner)
{
    scanner->at++;
    const char *after = json_short_plain_end(scanner->at, scanner->stop);
    if (after == NULL)
        return scan_long_string(scanner);
    scanner->at = after;
    return true;
}

/* --- numbers and literals --- */

static bool scan_digits(struct scanner *scanner)
{
    if (!has_more(scanner))
        return fail(scanner, "unexpected end");
    if (!json_is_digit(*scanner->at))
        return fail(scanner, "invalid number");
    while (has_more(scanner) && json_is_digit(*scanner->at))
        scanner->at++;
    return true;
}

static bool skip_byte(struct scanner *scanner, char a, char b)
{
    if (scanner->at == scanner->end || (*scanner->at != a && *scanner->at != b))
        return false;
    scanner->at++;
    return true;
}

static bool scan_number(struct scanner *scanner)
{
    skip_byte(scanner, '-', '-');
    if (!skip_byte(scanner, '0', '0') && !scan_digits(scanner))
        return false;
    if (skip_byte(scanner, '.', '.') && !scan_digits(scanner))
        return false;
    if (skip_byte(scanner, 'e', 'E')) {
        skip_byte(scanner, '+', '-');
        return scan_digits(scanner);
    }
    return true;
}

static bool scan_literal(struct scanner *scanner)
{
    const char *at = scanner->at;
    const ptrdiff_t left = scanner->end - at;
    if (left >= 4 && (memcmp(at, "null", 4) == 0 || memcmp(at, "true", 4) == 0)) {
        scanner->at += 4;
        return true;
    }
    if (left >= 5 && memcmp(at, "false", 5) == 0) {
        scanner->at += 5;
        return true;
    }
    return fail(scanner, "invalid literal");
}

static bool scan_scalar(struct scanner *scanner, enum json_type type)
{
    if (type == JSON_TYPE_STRING)
        return scan_string(scanner);
    return type == JSON_TYPE_NUMBER ? scan_number(scanner) : scan_literal(scanner);
}

/* --- what is kept --- */

static bool add_member(struct scanner *scanner, struct slice key)
{
    if (scanner->member_count == scanner->limits->members_max)
        return fail_at_limit(scanner, "more than %u members", scanner->limits->members_max);
    if (scanner->member_count == scanner->member_capacity) {
        const size_t capacity =
            scanner->member_capacity == 0 ? MEMBERS_FIRST : scanner->member_capacity * 2;
        struct json_member *members = arena_alloc(scanner->arena, capacity * sizeof(*members));
        if (members == NULL) {
            scanner->status = STATUS_NO_MEMORY;
            return false;
        }
        if (scanner->member_count > 0)
            memcpy(members, scanner->members, scanner->member_count * sizeof(*members));
        scanner->members = members;
        scanner->member_capacity = capacity;
    }
    scanner->members[scanner->member_count++] = (struct json_member){.key = key};
    return true;
}

/* The value that is wanted at this depth, or NULL. */
static struct json_value *value_at_depth(struct scanner *scanner)
{
    if (scanner->depth == 0)
        return &scanner->root;
    return scanner->depth == 1 && scanner->member_count > 0
               ? &scanner->members[scanner->member_count - 1].value
               : NULL;
}

static void note_start(struct scanner *scanner, enum json_type type)
{
    struct json_value *value = value_at_depth(scanner);
    if (value != NULL)
        *value = (struct json_value){.raw.data = scanner->at, .type = type};
    if (scanner->depth != 2 || scanner->member_count == 0)
        return;
    struct json_member *member = &scanner->members[scanner->member_count - 1];
    if (member->value.type == JSON_TYPE_ARRAY) {
        member->element_types |= UINT32_C(1) << type;
        member->element_count++;
    }
}

static inline void note_end(struct scanner *scanner)
{
    struct json_value *value = scanner->depth <= 1 ? value_at_depth(scanner) : NULL;
    if (value != NULL)
        value->raw.size = (size_t)(scanner->at - value->raw.data);
}

/* --- containers --- */

static bool open_container(struct scanner *scanner, enum json_type type)
{
    const uint32_t index = scanner->depth;
    if (index == scanner->limits->depth_max)
        return fail_at_limit(scanner, "deeper than %u levels", scanner->limits->depth_max);
    const uint64_t bit = UINT64_C(1) << index % 64;
    if (type == JSON_TYPE_OBJECT)
        scanner->is_object[index / 64] |= bit;
    else
        scanner->is_object[index / 64] &= ~bit;
    scanner->depth++;
    scanner->at++;
    return true;
}

static void close_container(struct scanner *scanner)
{
    scanner->at++;
    scanner->depth--;
    note_end(scanner);
}

/* A key with its colon. */
static bool scan_key(struct scanner *scanner)
{
    if (!skip_space(scanner))
        return false;
    if (*scanner->at != '"')
        return fail(scanner, "expected a name in quotes");
    const char *key = scanner->at + 1;
    if (!scan_string(scanner))
        return false;
    if (scanner->depth == 1 && scanner->arena != NULL &&
        !add_member(scanner, slice_of(key, (size_t)(scanner->at - 1 - key))))
        return false;
    if (!skip_space(scanner))
        return false;
    if (*scanner->at != ':')
        return fail(scanner, "expected ':'");
    scanner->at++;
    return true;
}

/* From the start of a value to the end of the first scalar or empty container in it. */
static bool scan_value(struct scanner *scanner)
{
    for (;;) {
        enum json_type type;
        if (!skip_space(scanner))
            return false;
        if (!json_type_of(*scanner->at, &type))
            return fail(scanner, "expected a value");
        if (scanner->depth <= 2)
            note_start(scanner, type);
        if (type < JSON_TYPE_ARRAY) {
            if (!scan_scalar(scanner, type))
                return false;
            note_end(scanner);
            return true;
        }
        if (!open_container(scanner, type) || !skip_space(scanner))
            return false;
        if (*scanner->at == (type == JSON_TYPE_OBJECT ? '}' : ']')) {
            close_container(scanner);
            return true;
        }
        if (type == JSON_TYPE_OBJECT && !scan_key(scanner))
            return false;
    }
}

/* From the end of a value to the start of the next one, or out of the outermost container. */
static bool scan_to_next(struct scanner *scanner)
{
    while (scanner->depth > 0) {
        const bool inside_object = is_inside_object(scanner);
        if (!skip_space(scanner))
            return false;
        if (*scanner->at == ',') {
            scanner->at++;
            return !inside_object || scan_key(scanner);
        }
        if (*scanner->at != (inside_object ? '}' : ']'))
            return fail(scanner, inside_object ? "expected ',' or '}'" : "expected ',' or ']'");
        close_container(scanner);
    }
    return true;
}

static bool scan_text(struct scanner *scanner)
{
    do {
        if (!scan_value(scanner) || !scan_to_next(scanner))
            return false;
    } while (scanner->depth > 0);
    while (has_more(scanner) && json_is_space(*scanner->at))
        scanner->at++;
    return scanner->at == scanner->end || fail(scanner, "unexpected text after the value");
}

static void scanner_init(struct scanner *scanner, struct slice text,
                         const struct json_limits *limits, struct arena *arena,
                         struct json_error *error)
{
    ASSERT(limits->depth_max > 0 && limits->depth_max <= JSON_DEPTH_LIMIT);
    /* is_object stays unset: open_container() sets each bit before it is read. */
    const char *start = text.data != NULL ? text.data : "";
    scanner->start = scanner->at = start;
    scanner->end = start + text.size;
    scanner->stop = json_pause_stop(limits, start, scanner->end);
    scanner->limits = limits;
    scanner->root = (struct json_value){0};
    scanner->arena = arena;
    scanner->members = NULL;
    scanner->member_count = scanner->member_capacity = 0;
    scanner->status = STATUS_OK;
    scanner->error = error;
    scanner->depth = 0;
}

enum status json_read_object(struct slice text, const struct json_limits *limits,
                             struct arena *arena, struct json_object *object_out,
                             struct json_error *error_out)
{
    UNCLEARED struct scanner scanner;
    scanner_init(&scanner, text, limits, arena, error_out);
    if (!skip_space(&scanner))
        return scanner.status;
    if (*scanner.at != '{') {
        fail(&scanner, "expected an object");
        return scanner.status;
    }
    if (!scan_text(&scanner))
        return scanner.status;
    *object_out = (struct json_object){
        .text = text, .members = scanner.members, .count = scanner.member_count};
    return STATUS_OK;
}

enum status json_check(struct slice text, const struct json_limits *limits,
                       struct json_value *value_out, struct json_error *error_out)
{
    UNCLEARED struct scanner scanner;
    scanner_init(&scanner, text, limits, NULL, error_out);
    if (!scan_text(&scanner))
        return scanner.status;
    *value_out = scanner.root;
    return STATUS_OK;
}
