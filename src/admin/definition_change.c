#include "admin/definition_change.h"

#include "admin/change.h"
#include "admin/member_writer.h"

enum action { ACTION_CREATE, ACTION_SET, ACTION_DELETE };

static struct slice action_of(enum store_section section, enum action action)
{
    static const struct slice names[2][3] = {
        {{"provider.create", 15}, {"provider.set", 12}, {"provider.delete", 15}},
        {{"model.create", 12}, {"model.set", 9}, {"model.delete", 12}},
    };
    return names[section == STORE_SECTION_MODELS][action];
}

/* A definition holds no credential: the configuration refuses one. */
static enum status end_change(struct change *change, struct slice name, struct slice definition,
                              enum status status, struct reason *reason)
{
    change->subject = name;
    if (definition.size > 0) {
        json_write_key(&change->writer, SLICE("definition"));
        json_write_raw(&change->writer, definition);
    }
    status = change_end(change, status, reason);
    change->context->has_configuration_changed |= status == STATUS_OK;
    return status;
}

enum status definition_enter(struct admin_context *context, enum store_section section,
                             const struct store_definition *definition, struct reason *reason)
{
    struct change change;
    enum status status = change_begin(context, action_of(section, ACTION_CREATE), &change, reason);
    if (status == STATUS_OK)
        status = store_definition_create(context->store, section, definition, reason);
    return end_change(&change, definition->name, definition->definition, status, reason);
}

enum status definition_change(struct admin_context *context, enum store_section section,
                              const struct store_definition *definition, struct reason *reason)
{
    struct change change;
    enum status status = change_begin(context, action_of(section, ACTION_SET), &change, reason);
    if (status == STATUS_OK)
        status = store_definition_update(context->store, section, definition, reason);
    return end_change(&change, definition->name, definition->definition, status, reason);
}

enum status definition_remove(struct admin_context *context, enum store_section section,
                              struct slice name, bool with_secret, struct reason *reason)
{
    struct change change;
    bool has_secret = with_secret;
    enum status status = change_begin(context, action_of(section, ACTION_DELETE), &change, reason);
    if (status == STATUS_OK)
        status = store_definition_delete(context->store, section, name, reason);
    if (status == STATUS_OK && with_secret) {
        status = store_secret_delete(context->store, name, reason);
        has_secret = status == STATUS_OK;
        status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
    if (section == STORE_SECTION_PROVIDERS)
        member_write_bool(&change.writer, SLICE("secret_deleted"), has_secret);
    return end_change(&change, name, (struct slice){0}, status, reason);
}
