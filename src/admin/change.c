#include "admin/change.h"

#include "audit/chain.h"
#include "store/store_usage.h"

/* Not the caller's mistake, as STATUS_INVALID would say. */
static enum status start(struct admin_context *context, struct reason *reason)
{
    const enum status status =
        audit_start(context->audit, context->store, context->now_us(), reason);
    return status == STATUS_INVALID ? STATUS_DENIED : status;
}

enum status change_begin(struct admin_context *context, struct slice action,
                         struct change *change_out, struct reason *reason)
{
    *change_out = (struct change){.context = context, .action = action};
    buffer_init(&change_out->details, AUDIT_DETAILS_BYTES_MAX);
    json_writer_init(&change_out->writer, &change_out->details);
    json_write_object(&change_out->writer);
    enum status status = store_begin(context->store, reason);
    change_out->is_open = status == STATUS_OK;
    if (status == STATUS_OK && !context->has_audit_started)
        status = start(context, reason);
    return status;
}

uint64_t change_time(const struct admin_context *context, uint64_t seen_us)
{
    const uint64_t now_us = context->now_us();
    return now_us > seen_us ? now_us : seen_us + 1;
}

void change_set_id(struct change *change, const struct id *id)
{
    id_format(id, change->id);
    change->subject = slice_of(change->id, sizeof(change->id));
}

static enum status append(struct change *change, struct reason *reason)
{
    struct admin_context *context = change->context;
    json_write_end(&change->writer);
    if (buffer_status(&change->details) != STATUS_OK) {
        reason_set(reason, "the details of %.*s cannot be written: %s", SLICE_ARGS(change->action),
                   status_name(buffer_status(&change->details)));
        return buffer_status(&change->details);
    }
    const struct audit_event event = {
        .actor = context->actor,
        .action = change->action,
        .subject = change->subject,
        .details = buffer_slice(&change->details),
        .now_us = context->now_us(),
    };
    return audit_append(context->audit, context->store, &event, reason);
}

/* The change holds, whatever comes of this: a head that is behind is no fault in the chain. A server
 * saves it again each second; without one it is now or never. */
static void save_head(struct admin_context *context)
{
    const enum status status = audit_save_head(context->audit, context->store, context->now_us(),
                                               context->map == NULL, NULL);
    (void)status;
}

enum status change_end(struct change *change, enum status status, struct reason *reason)
{
    struct admin_context *context = change->context;
    if (status == STATUS_OK)
        status = append(change, reason);
    if (status == STATUS_OK)
        status = store_commit(context->store, reason);
    if (status != STATUS_OK && change->is_open)
        store_rollback(context->store);
    buffer_fini(&change->details);
    if (status == STATUS_OK) {
        context->has_audit_started = true;
        save_head(context);
    }
    return status;
}
