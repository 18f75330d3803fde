#include "cli/serve_audit.h"

#include "admin/change.h"
#include "admin/member_writer.h"
#include "audit/chain.h"
#include "store/store_usage.h"

static enum status note(struct admin_context *context, struct slice action, struct slice version,
                        struct reason *reason)
{
    struct change change;
    const enum status status = change_begin(context, action, &change, reason);
    member_write_text(&change.writer, SLICE("version"), version);
    return change_end(&change, status, reason);
}

static enum status save_head_now(struct admin_context *context, struct reason *reason)
{
    return audit_save_head(context->audit, context->store, context->now_us(), true, reason);
}

enum status serve_audit_start(struct admin_context *context, struct slice version,
                              struct reason *reason)
{
    const enum status status = note(context, SLICE("serve.start"), version, reason);
    return status == STATUS_OK ? save_head_now(context, reason) : status;
}

enum status serve_audit_reload(struct admin_context *context, struct slice file,
                               struct reason *reason)
{
    struct change change;
    const struct slice own = context->actor;
    context->actor = SLICE("SIGHUP");
    const enum status status = change_begin(context, SLICE("config.reload"), &change, reason);
    change.subject = file;
    const enum status ended = change_end(&change, status, reason);
    context->actor = own;
    return ended;
}

static enum status checkpoint(struct admin_context *context, struct reason *reason)
{
    enum status status = store_begin(context->store, reason);
    if (status != STATUS_OK)
        return status;
    status = audit_checkpoint(context->audit, context->store, context->now_us(), reason);
    if (status == STATUS_OK)
        status = store_commit(context->store, reason);
    if (status != STATUS_OK)
        store_rollback(context->store);
    return status;
}

enum status serve_audit_stop(struct admin_context *context, struct slice version,
                             struct reason *reason)
{
    enum status status = note(context, SLICE("serve.stop"), version, reason);
    if (status == STATUS_OK)
        status = checkpoint(context, reason);
    return status == STATUS_OK ? save_head_now(context, reason) : status;
}

enum status serve_audit_save_head(struct admin_context *context, struct reason *reason)
{
    return save_head_now(context, reason);
}
