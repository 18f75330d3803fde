#include "admin/operation.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "admin/member_writer.h"
#include "admin/operations.h"
#include "admin/problem.h"
#include "base/alloc.h"
#include "base/redact.h"

#define NAME_SIZE_MAX 128

unsigned operation_problem(struct operation *operation, unsigned http_status, const char *format,
                           ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(operation->problem.text, sizeof(operation->problem.text), format, args);
    va_end(args);
    redact_text(operation->problem.text);
    operation->version_us = 0;
    problem_write(http_status, slice_from_text(operation->problem.text), operation->answer);
    return http_status;
}

static unsigned http_status_of(enum status status)
{
    switch (status) {
    case STATUS_INVALID:
    case STATUS_TOO_LARGE:
        return 400;
    case STATUS_NOT_FOUND:
        return 404;
    case STATUS_EXISTS:
    case STATUS_AGAIN:
        return 409;
    case STATUS_TIMED_OUT:
    case STATUS_LIMITED:
    case STATUS_NO_MEMORY:
        return 503;
    default:
        return 500;
    }
}

unsigned operation_failed(struct operation *operation, enum status status,
                          const struct reason *reason)
{
    const char *detail = reason->text[0] != '\0' ? reason->text : status_name(status);
    return operation_problem(operation, http_status_of(status), "%s", detail);
}

static void *body_alloc(void *context, size_t size)
{
    (void)context;
    return alloc_bytes(size);
}

static void *body_resize(void *context, void *memory, size_t old_size, size_t size)
{
    (void)context;
    (void)old_size;
    return alloc_resize(memory, size);
}

static void body_free(void *context, void *memory)
{
    (void)context;
    alloc_free(memory);
}

static unsigned parse_body(struct operation *operation)
{
    static const yyjson_alc memory = {body_alloc, body_resize, body_free, NULL};
    yyjson_read_err error;
    /* Without YYJSON_READ_INSITU the bytes are not written to. */
    operation->document =
        yyjson_read_opts((char *)operation->body.data, operation->body.size, 0, &memory, &error);
    if (operation->document != NULL)
        return 0;
    if (error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        return operation_problem(operation, 503, "out of memory");
    return operation_problem(operation, 400, "the body is not JSON: %s at byte %zu", error.msg,
                             error.pos);
}

static unsigned take_member(struct operation *operation, yyjson_val *name, yyjson_val *value,
                            struct body_member *members, size_t count)
{
    const struct slice text = slice_of(yyjson_get_str(name), yyjson_get_len(name));
    for (size_t i = 0; i < count; i++) {
        if (!slice_equal(text, slice_from_text(members[i].name)))
            continue;
        if (members[i].value != NULL)
            return operation_problem(operation, 400, "%s is given twice", members[i].name);
        members[i].value = value;
        return 0;
    }
    return operation_problem(operation, 400, "there is no member %.*s here",
                             (int)(text.size < 64 ? text.size : 64), text.data);
}

unsigned operation_read_object(struct operation *operation, yyjson_val **root_out)
{
    const unsigned failed = parse_body(operation);
    if (failed != 0)
        return failed;
    *root_out = yyjson_doc_get_root(operation->document);
    if (!yyjson_is_obj(*root_out))
        return operation_problem(operation, 400, "the body is not a JSON object");
    return 0;
}

unsigned operation_read_body(struct operation *operation, struct body_member *members, size_t count)
{
    yyjson_val *root;
    unsigned failed = operation_read_object(operation, &root);
    if (failed != 0)
        return failed;
    yyjson_obj_iter iterator = yyjson_obj_iter_with(root);
    yyjson_val *name;
    while (failed == 0 && (name = yyjson_obj_iter_next(&iterator)) != NULL)
        failed = take_member(operation, name, yyjson_obj_iter_get_val(name), members, count);
    return failed;
}

unsigned operation_check_parameters(struct operation *operation, const struct slice *names,
                                    size_t count)
{
    const struct target *target = &operation->target;
    for (unsigned i = 0; i < target->parameter_count; i++) {
        const struct slice name = target->parameters[i].name;
        bool known = false;
        for (size_t j = 0; j < count; j++)
            known = known || slice_equal(name, names[j]);
        if (!known)
            return operation_problem(operation, 400, "there is no parameter %.*s here",
                                     (int)(name.size < 64 ? name.size : 64), name.data);
    }
    return 0;
}

struct slice body_text(const struct body_member *member)
{
    if (!yyjson_is_str(member->value))
        return slice_of(NULL, 0);
    return slice_of(yyjson_get_str(member->value), yyjson_get_len(member->value));
}

/* Bytes over 0x7f are parts of UTF-8, which the JSON reader has checked. */
static bool has_control_bytes(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    }
    return false;
}

enum status operation_check_name(struct slice name, struct reason *reason)
{
    struct id id;
    const char *fault = NULL;
    if (name.size == 0)
        fault = "a name is a string that is not empty";
    else if (name.size > NAME_SIZE_MAX)
        fault = "a name has at most 128 bytes";
    else if (has_control_bytes(name))
        fault = "a name has no control characters";
    else if (slice_trim(name).size != name.size)
        fault = "a name has no spaces at its ends";
    else if (id_parse(name, &id) == STATUS_OK)
        fault = "a name does not look like an id";
    else if (slice_starts_with(name, SLICE("sk-weir-")) ||
             slice_starts_with(name, SLICE("weir-admin-")))
        fault = "a name does not look like a secret";
    if (fault == NULL)
        return STATUS_OK;
    reason_set(reason, "%s", fault);
    return STATUS_INVALID;
}
