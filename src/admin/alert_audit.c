#include "admin/alert_audit.h"

#include "admin/change.h"
#include "admin/member_writer.h"

static enum status note(struct admin_context *context, const struct budget_alert *alert,
                        struct reason *reason)
{
    struct change change;
    char limit[LIMIT_TEXT_BYTES];
    const struct slice own = context->actor;
    context->actor = SLICE("weir");
    const enum status status = change_begin(context, SLICE("budget.alert"), &change, reason);
    change.subject = slice_from_text(alert->name);
    member_write_text(&change.writer, SLICE("level"),
                      slice_from_text(level_kind_name(alert->level)));
    member_write_text(&change.writer, SLICE("budget"),
                      slice_of(limit, limit_format(&alert->limit, limit)));
    member_write_number(&change.writer, SLICE("percent"), alert->percent);
    member_write_number(&change.writer, SLICE("spent_nanousd"), alert->spent_nanousd);
    member_write_time(&change.writer, SLICE("reached_at"), alert->time_us);
    const enum status ended = change_end(&change, status, reason);
    context->actor = own;
    return ended;
}

enum status alert_audit_note(struct admin_context *context, struct budget_alert *alerts,
                             struct reason *reason)
{
    enum status status = STATUS_OK;
    while (alerts != NULL) {
        const enum status noted = note(context, alerts, reason);
        if (status == STATUS_OK)
            status = noted;
        budget_alert_free(&alerts);
    }
    return status;
}
