#include "admin/definition_body.h"

#include "base/alloc.h"
#include "json/read.h"
#include "json/value.h"
#include "json/walk.h"
#include "json/write.h"

#define DEFINITION_BYTES_MAX ((size_t)262144) /* what a body can come to with its escapes */

/* --- Reading ------------------------------------------------------------------------------------- */

static void *write_alloc(void *context, size_t size)
{
    (void)context;
    return alloc_bytes(size);
}

static void *write_resize(void *context, void *memory, size_t old_size, size_t size)
{
    (void)context;
    (void)old_size;
    return alloc_resize(memory, size);
}

static void write_free(void *context, void *memory)
{
    (void)context;
    alloc_free(memory);
}

static enum status write_value(struct json_writer *writer, yyjson_val *value)
{
    static const yyjson_alc memory = {write_alloc, write_resize, write_free, NULL};
    size_t size = 0;
    char *text = yyjson_val_write_opts(value, YYJSON_WRITE_NOFLAG, &memory, &size, NULL);
    if (text == NULL)
        return STATUS_NO_MEMORY;
    json_write_raw(writer, slice_of(text, size));
    alloc_free(text);
    return buffer_status(writer->buffer);
}

static enum status write_members(struct json_writer *writer, yyjson_val *object)
{
    yyjson_obj_iter iterator = yyjson_obj_iter_with(object);
    enum status status = STATUS_OK;
    yyjson_val *name;
    while (status == STATUS_OK && (name = yyjson_obj_iter_next(&iterator)) != NULL) {
        const struct slice text = slice_of(yyjson_get_str(name), yyjson_get_len(name));
        if (slice_equal(text, SLICE("name")))
            continue;
        json_write_key(writer, text);
        status = write_value(writer, yyjson_obj_iter_get_val(name));
    }
    return status;
}

static enum status write_definition(yyjson_val *object, enum store_section section,
                                    struct slice name, struct buffer *text)
{
    struct json_writer writer;
    json_writer_init(&writer, text);
    json_write_object(&writer);
    if (section == STORE_SECTION_MODELS) {
        json_write_key(&writer, SLICE("name"));
        json_write_string(&writer, name);
    }
    const enum status status = write_members(&writer, object);
    if (status != STATUS_OK)
        return status;
    json_write_end(&writer);
    return buffer_status(text);
}

static unsigned read_name(struct operation *operation, yyjson_val *object, struct slice *name)
{
    yyjson_obj_iter iterator = yyjson_obj_iter_with(object);
    const struct slice wanted = *name;
    yyjson_val *key, *value = NULL;
    while ((key = yyjson_obj_iter_next(&iterator)) != NULL) {
        if (!yyjson_equals_str(key, "name"))
            continue;
        if (value != NULL)
            return operation_problem(operation, 400, "name is given twice");
        value = yyjson_obj_iter_get_val(key);
    }
    if (value == NULL && wanted.data != NULL)
        return 0;
    if (!yyjson_is_str(value) || yyjson_get_len(value) == 0)
        return operation_problem(operation, 400, "`name` is a string that is not empty");
    *name = slice_of(yyjson_get_str(value), yyjson_get_len(value));
    if (wanted.data != NULL && !slice_equal(*name, wanted))
        return operation_problem(operation, 400, "`name` cannot be changed");
    return 0;
}

unsigned definition_read(struct operation *operation, enum store_section section,
                         struct store_definition *definition)
{
    struct reason reason = {""};
    struct buffer text;
    yyjson_val *object = NULL;
    unsigned failed = operation_read_object(operation, &object);
    if (failed == 0)
        failed = read_name(operation, object, &definition->name);
    if (failed != 0)
        return failed;
    buffer_init(&text, DEFINITION_BYTES_MAX);
    enum status status = write_definition(object, section, definition->name, &text);
    if (status == STATUS_OK) {
        definition->definition = arena_copy(operation->arena, buffer_slice(&text));
        status = definition->definition.data != NULL ? STATUS_OK : STATUS_TOO_LARGE;
    }
    buffer_fini(&text);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

/* --- Targets ------------------------------------------------------------------------------------- */

static bool target_names(struct json_value target, struct slice provider, struct arena *arena)
{
    struct slice name;
    if (target.type == JSON_TYPE_OBJECT && !json_find(target, SLICE("provider"), NULL, &target))
        return false;
    return json_string(target, arena, &name) == STATUS_OK && slice_equal(name, provider);
}

bool definition_names_provider(struct slice definition, struct slice provider, struct arena *arena)
{
    struct json_value value, targets;
    struct json_error error;
    struct json_walk walk;
    struct json_member target;
    bool is_named = false;
    if (json_check(definition, &JSON_LIMITS_DEFAULT, &value, &error) != STATUS_OK ||
        !json_find(value, SLICE("targets"), NULL, &targets))
        return false;
    json_walk_init(&walk, targets, NULL);
    while (!is_named && json_walk_next(&walk, &target))
        is_named = target_names(target.value, provider, arena);
    return is_named;
}
