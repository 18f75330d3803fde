#include "admin/seed.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "cli/control_internal.h"
#include "cli/serve_audit.h"
#include "cli/store_part.h"
#include "config/show.h"

#define MISTAKE_BYTES 8192 /* a longer one is logged without its place */

/* --- Reload -------------------------------------------------------------------------------------------- */

static void log_report(struct control *control, const struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct config_mistake *mistake = &report->mistakes[i];
        const bool is_error = mistake->severity == CONFIG_SEVERITY_ERROR;
        struct buffer text;
        buffer_init(&text, MISTAKE_BYTES);
        const enum status status = config_mistake_write(mistake, &text);
        log_write(control->producer, is_error ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, "config", "%.*s",
                  SLICE_ARGS(status == STATUS_OK ? buffer_slice(&text) : mistake->message));
        buffer_fini(&text);
    }
}

static bool is_notice_of(const struct config *config, struct slice notice)
{
    for (size_t i = 0; i < config->notices.count; i++) {
        if (slice_equal(config->notices.items[i], notice))
            return true;
    }
    return false;
}

/* Those that have been said are not said again. */
static void say_new_notices(struct control *control, const struct config *config)
{
    const struct config *former = control->gateway.snapshot->config;
    for (size_t i = 0; i < config->notices.count; i++) {
        const struct slice notice = config->notices.items[i];
        if (!is_notice_of(former, notice))
            log_write(control->producer, LOG_LEVEL_INFO, "config", "%.*s", SLICE_ARGS(notice));
    }
}

/* STATUS_OK: the new configuration may be put in force. */
static enum status check_restart(struct control *control, const struct config *config,
                                 struct reason *reason)
{
    struct buffer names;
    buffer_init(&names, 4096);
    enum status status = config_diff_restart(control->gateway.snapshot->config, config, &names);
    if (status == STATUS_OK && names.size > 0) {
        reason_set(reason, "%.*s: a change of this takes a restart", (int)names.size, names.data);
        status = STATUS_UNSUPPORTED;
    }
    buffer_fini(&names);
    return status;
}

/* One after another: each begins with what the one before it has put in force. */
static void begin_following(struct control *control)
{
    while (control->is_following) {
        const enum status status = task_sleep(control->loop, CONTROL_POLL_MS);
        ASSERT(status == STATUS_OK);
    }
    control->is_following = true;
}

/* What budgets begin with that the former snapshot did not have: read on the store's thread. */
struct seeding {
    struct control *control;
    struct snapshot *snapshot;
    enum status status;
    struct reason *reason;
};

static void seed_snapshot(void *argument)
{
    struct seeding *seeding = argument;
    seeding->status = seed_snapshot_levels(seeding->control->context, seeding->snapshot,
                                           seeding->control->gateway.snapshot, seeding->reason);
}

/* Puts another configuration in force, which it takes over. Gives way to others. */
static enum status follow_config(struct control *control, const struct config **config,
                                 struct reason *reason)
{
    struct snapshot *snapshot;
    enum status status = gateway_prepare(&control->gateway, config, &snapshot, reason);
    if (status != STATUS_OK)
        return status;
    struct seeding seeding = {control, snapshot, STATUS_LIMITED, reason};
    status = service_call(control->store, control->loop, seed_snapshot, &seeding);
    if (status == STATUS_OK)
        status = seeding.status;
    if (status != STATUS_OK) {
        snapshot_unref(&snapshot);
        return status;
    }
    gateway_publish(&control->gateway, &snapshot);
    if (control->models != NULL)
        models_watch_follow(control->models);
    return STATUS_OK;
}

static enum status load_and_follow(struct control *control, struct config_report *report,
                                   struct reason *reason)
{
    struct config_source source = *control->source;
    const struct config *config;
    source.overlay = &control->overlay->entries;
    enum status status = config_load(&source, report, &config);
    log_report(control, report);
    if (status != STATUS_OK) {
        reason_set(reason, "the new configuration has mistakes");
        return status;
    }
    status = check_restart(control, config, reason);
    if (status != STATUS_OK) {
        config_unref(&config);
        return status;
    }
    say_new_notices(control, config);
    return follow_config(control, &config, reason);
}

/* What the store's thread needs to say so in the audit chain. */
struct reload_note {
    struct control *control;
    size_t file_size;
    char file[CONTROL_PATH_BYTES];
};

static void note_reload(void *argument)
{
    struct reload_note *note = argument;
    struct control *control = note->control;
    struct reason reason = {""};
    if (serve_audit_reload(control->context, slice_of(note->file, note->file_size), &reason) !=
        STATUS_OK)
        log_write_now(control->log, LOG_LEVEL_ERROR, "audit",
                      "the reload is not in the audit chain: %s", reason.text);
    alloc_free(note);
}

static void submit_reload_note(struct control *control)
{
    const struct slice file = control->gateway.snapshot->config->file;
    struct reload_note *note = alloc_zeroed(1, sizeof(*note));
    if (note != NULL) {
        note->control = control;
        note->file_size = file.size < CONTROL_PATH_BYTES ? file.size : CONTROL_PATH_BYTES;
        if (note->file_size > 0)
            memcpy(note->file, file.data, note->file_size);
    }
    if (note != NULL && service_submit(control->store, note_reload, note) == STATUS_OK)
        return;
    alloc_free(note);
    log_write(control->producer, LOG_LEVEL_ERROR, "audit",
              "the reload is not in the audit chain: the store is busy");
}

static void reload_once(struct control *control)
{
    struct config_report report;
    struct reason reason = {"out of memory"};
    config_report_init(&report);
    begin_following(control);
    const enum status status = load_and_follow(control, &report, &reason);
    control->is_following = false;
    config_report_fini(&report);
    metric_add(
        &control->cells->reloads[status == STATUS_OK ? METRICS_RELOAD_OK : METRICS_RELOAD_FAILED],
        1);
    if (status == STATUS_OK)
        submit_reload_note(control);
    if (status == STATUS_OK)
        log_write(control->producer, LOG_LEVEL_INFO, "config",
                  "reloaded: the new configuration is "
                  "in force");
    else
        log_write(control->producer, LOG_LEVEL_ERROR, "config",
                  "not reloaded, the former configuration stays in force: %s", reason.text);
}

static void reload_task(void *argument)
{
    struct control *control = argument;
    do {
        control->reload_is_due = false;
        reload_once(control);
    } while (control->reload_is_due && !control->is_stopping);
    control->is_reloading = false;
}

void control_reload(struct control *control)
{
    control->reload_is_due = true;
    if (!control->is_reloading)
        control->is_reloading = task_spawn(control->loop, reload_task, control) == STATUS_OK;
}

/* --- What the store adds --------------------------------------------------------------------------------- */

struct part_load {
    struct control *control;
    const struct config *config; /* that was in force when it began; a reference */
    struct store_part part;
    enum status status;
    struct reason reason;
};

static void load_part(void *argument)
{
    struct part_load *load = argument;
    load->status =
        store_part_load(load->control->context, load->config, &load->part, &load->reason);
}

static void take_overlay(struct control *control, struct store_part *part)
{
    overlay_destroy(&control->overlay);
    control->overlay = part->overlay;
    part->overlay = NULL;
}

static void take_prices(struct control *control, struct store_part *part)
{
    price_list_destroy(&control->gateway.store_prices);
    control->gateway.store_prices = part->prices;
    part->prices = NULL;
}

/* The files stay as they were read; the snapshot is made anew with what the store adds now. */
static enum status put_in_force(struct control *control, struct store_part *part,
                                struct reason *reason)
{
    const struct config *config = part->config;
    part->config = NULL;
    say_new_notices(control, config);
    take_prices(control, part);
    const enum status status = follow_config(control, &config, reason);
    if (status == STATUS_OK)
        take_overlay(control, part);
    return status;
}

static enum status load_and_put_in_force(struct control *control, struct reason *reason)
{
    struct part_load load = {.control = control,
                             .config = config_ref(control->gateway.snapshot->config),
                             .status = STATUS_LIMITED};
    enum status status = service_call(control->store, control->loop, load_part, &load);
    if (status == STATUS_OK)
        status = load.status;
    if (status == STATUS_OK && !control->is_stopping)
        status = put_in_force(control, &load.part, &load.reason);
    *reason = load.reason;
    store_part_drop(&load.part);
    config_unref(&load.config);
    return status;
}

void control_follow_store(void *owner)
{
    struct control *control = owner;
    struct reason reason = {""};
    begin_following(control);
    const enum status status = load_and_put_in_force(control, &reason);
    control->is_following = false;
    if (status != STATUS_OK)
        log_write(control->producer, LOG_LEVEL_ERROR, "config",
                  "what was set does not hold before the next start: %s",
                  reason.text[0] != '\0' ? reason.text : status_name(status));
}

enum status control_open_store_part(struct control *control, const struct config **config,
                                    struct reason *reason)
{
    struct store_part part;
    const enum status status = store_part_load(control->context, *config, &part, reason);
    if (status == STATUS_OK) {
        config_unref(config);
        *config = part.config;
        part.config = NULL;
        take_overlay(control, &part);
        take_prices(control, &part);
    }
    store_part_drop(&part);
    return status;
}
