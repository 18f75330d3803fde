#include "admin/secret_operations.h"

#include "admin/list_offset.h"
#include "admin/member_writer.h"
#include "admin/provider_lookup.h"
#include "admin/secret_store.h"
#include "base/encoding.h"

#define ID_SIZE (2 * (size_t)SEAL_KEY_ID_SIZE)

static void write_key_id(struct json_writer *writer, const unsigned char id[SEAL_KEY_ID_SIZE])
{
    char text[ID_SIZE];
    hex_encode(id, SEAL_KEY_ID_SIZE, text);
    member_write_text(writer, SLICE("master_id"), slice_of(text, sizeof(text)));
}

static void write_secret(struct json_writer *writer, const struct store_secret *secret)
{
    json_write_object(writer);
    member_write_text(writer, SLICE("provider"), secret->provider);
    member_write_filled(writer, SLICE("hint"), secret->hint);
    write_key_id(writer, secret->master_id);
    member_write_time(writer, SLICE("created_at"), secret->created_at_us);
    member_write_time(writer, SLICE("updated_at"), secret->updated_at_us);
    json_write_end(writer);
}

/* Another master key than the store's, or none, is a conflict, which the operator has to settle. */
static unsigned fail(struct operation *operation, enum status status, const struct reason *reason)
{
    if (status == STATUS_DENIED || status == STATUS_UNSUPPORTED || status == STATUS_NOT_FOUND)
        return operation_problem(operation, 409, "%s", reason->text);
    return operation_failed(operation, status, reason);
}

/* --- List ---------------------------------------------------------------------------------------- */

static enum status write_item(void *context, const struct store_secret *secret)
{
    struct list_offset *list = context;
    if (list_offset_takes(list))
        write_secret(&list->writer, secret);
    return buffer_status(list->writer.buffer);
}

unsigned secrets_list(struct operation *operation)
{
    struct reason reason = {""};
    struct list_offset list;
    const unsigned failed = list_offset_begin(&list, operation);
    if (failed != 0)
        return failed;
    const enum status status =
        store_secrets_list(operation->context->store, write_item, &list, &reason);
    return status == STATUS_OK ? list_offset_end(&list)
                               : operation_failed(operation, status, &reason);
}

unsigned secrets_show(struct operation *operation)
{
    struct reason reason = {""};
    struct store_secret secret;
    struct json_writer writer;
    const enum status status = store_secret_find(operation->context->store, operation->target.item,
                                                 operation->arena, &secret, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    json_writer_init(&writer, operation->answer);
    write_secret(&writer, &secret);
    operation->version_us = secret.updated_at_us;
    return 200;
}

/* --- Set ----------------------------------------------------------------------------------------- */

/* The configuration's own credential goes first, so that a secret would do nothing. */
static unsigned check_not_configured(struct operation *operation,
                                     const struct config_provider *provider)
{
    const struct config *config = operation->context->snapshot->config;
    const struct config_origin key = config_provider_key_origin(provider);
    if (provider->api_key.size > 0 && key.kind == CONFIG_ORIGIN_FILE)
        return operation_problem(
            operation, 409,
            "the configuration gives provider '%.*s' an api_key (%.*s:%u), and "
            "goes first",
            SLICE_ARGS(provider->name), SLICE_ARGS(config->file), key.line);
    if (provider->api_key.size > 0 && key.kind == CONFIG_ORIGIN_ENVIRONMENT)
        return operation_problem(operation, 409,
                                 "OPENAI_API_KEY gives provider '%.*s' an api_key, and goes first",
                                 SLICE_ARGS(provider->name));
    if (provider_sets_header(provider, SLICE("authorization")))
        return operation_problem(operation, 409,
                                 "the configuration gives provider '%.*s' a header `authorization` "
                                 "(%.*s:%u), and goes first",
                                 SLICE_ARGS(provider->name), SLICE_ARGS(config->file),
                                 provider->origin.line);
    return 0;
}

static unsigned set(struct operation *operation, struct slice value)
{
    struct reason reason = {""};
    struct store_secret secret;
    struct json_writer writer;
    const enum status status = secret_set(operation->context, operation->target.item, value,
                                          operation->arena, &secret, &reason);
    if (status != STATUS_OK)
        return fail(operation, status, &reason);
    json_writer_init(&writer, operation->answer);
    write_secret(&writer, &secret);
    operation->version_us = secret.updated_at_us;
    return 200;
}

unsigned secrets_set(struct operation *operation)
{
    struct body_member value = {"value", NULL};
    const struct config_provider *provider = NULL;
    unsigned failed = operation_read_body(operation, &value, 1);
    if (failed == 0)
        failed = provider_look_up(operation, operation->target.item, 404, &provider);
    if (failed != 0)
        return failed;
    if (provider == NULL)
        return operation_problem(operation, 503, "there is no configuration to look into");
    failed = check_not_configured(operation, provider);
    if (failed != 0)
        return failed;
    const struct slice text = body_text(&value);
    failed = set(operation, text);
    if (text.size > 0)
        explicit_bzero((char *)(uintptr_t)text.data, text.size); /* of the document's own copy */
    return failed;
}

/* --- Delete and rotate --------------------------------------------------------------------------- */

unsigned secrets_delete(struct operation *operation)
{
    struct reason reason = {""};
    struct json_writer writer;
    const enum status status = secret_delete(operation->context, operation->target.item, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    json_writer_init(&writer, operation->answer);
    json_write_object(&writer);
    member_write_text(&writer, SLICE("provider"), operation->target.item);
    member_write_bool(&writer, SLICE("deleted"), true);
    json_write_end(&writer);
    return 200;
}

static unsigned rotate(struct operation *operation, const struct master_key *key)
{
    struct reason reason = {""};
    struct secret_rotation rotation;
    struct json_writer writer;
    const enum status status = secret_rotate(operation->context, key, &rotation, &reason);
    if (status != STATUS_OK)
        return fail(operation, status, &reason);
    json_writer_init(&writer, operation->answer);
    json_write_object(&writer);
    member_write_number(&writer, SLICE("secrets"), rotation.count);
    write_key_id(&writer, rotation.key.id);
    member_write_bool(&writer, SLICE("saved"), rotation.is_saved);
    json_write_end(&writer);
    return 200;
}

unsigned secrets_rotate(struct operation *operation)
{
    struct body_member new_key = {"new_key", NULL};
    struct master_key key;
    unsigned failed = 0;
    if (operation->body.size > 0)
        failed = operation_read_body(operation, &new_key, 1);
    if (failed != 0)
        return failed;
    if (new_key.value == NULL)
        return rotate(operation, NULL);
    const struct slice text = body_text(&new_key);
    if (text.size == SEAL_KEY_SIZE || master_key_read(text, &key) != STATUS_OK)
        failed =
            operation_problem(operation, 400, "`new_key` is 32 bytes, in hexadecimal or base64");
    else
        failed = rotate(operation, &key);
    if (text.size > 0)
        explicit_bzero((char *)(uintptr_t)text.data, text.size);
    master_key_wipe(&key);
    return failed;
}
