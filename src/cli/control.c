#include "cli/control.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/alert_audit.h"
#include "admin/demo_key.h"
#include "admin/seed.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "admin/overlay.h"
#include "cli/control_internal.h"
#include "cli/serve_audit.h"
#include "models/tokens/tokenizer.h"
#include "store/store.h"

#define SAVE_MS        1000   /* between two times that the head of the audit chain is saved */
#define SAVES_PER_USES 2      /* so many of them until the last uses are saved too */
#define CUT_OFF_MS     5000   /* for tasks to end after they were cut off */
#define STORE_BUSY_MS  2000   /* the drain tries again after that */
#define RECOVERY_MS    600000 /* for what a former run left, before budgets are held */
#define DEMO_KEY_BYTES 1024

/* --- What is saved now and then ------------------------------------------------------------------------ */

static void save_last_uses(struct control *control)
{
    struct reason reason = {""};
    if (admin_save_last_used(control->context, &reason) != STATUS_OK)
        log_write_now(control->log, LOG_LEVEL_WARN, "store",
                      "cannot save the keys' times of last use: %s", reason.text);
}

static void save_head(struct control *control)
{
    struct reason reason = {""};
    const bool has_failed = serve_audit_save_head(control->context, &reason) != STATUS_OK;
    if (has_failed && !control->head_has_failed)
        log_write_now(control->log, LOG_LEVEL_ERROR, "audit",
                      "cannot save the head of the audit chain: %s", reason.text);
    control->head_has_failed = has_failed;
}

static void note_alerts(struct control *control)
{
    struct reason reason = {""};
    struct budget_alert *alerts = budget_alerts_take(&control->gateway.alerts);
    if (alert_audit_note(control->context, alerts, &reason) != STATUS_OK)
        log_write_now(control->log, LOG_LEVEL_ERROR, "audit",
                      "an alert of a budget is not in the audit chain: %s", reason.text);
}

static void save(void *argument)
{
    struct control *control = argument;
    note_alerts(control);
    save_head(control);
    if (control->saves++ % SAVES_PER_USES == 0)
        save_last_uses(control);
}

static void save_task(void *argument)
{
    struct control *control = argument;
    if (service_call(control->store, control->loop, save, control) != STATUS_OK)
        log_write(control->producer, LOG_LEVEL_WARN, "store", "the store is busy");
    control->is_saving = false;
}

static void on_save(struct timer *timer)
{
    struct control *control = LIST_ENTRY(timer, struct control, save);
    if (!control->is_saving && !control->is_stopping)
        control->is_saving = task_spawn(control->loop, save_task, control) == STATUS_OK;
    timer_arm(loop_timers(control->loop), timer, loop_deadline(control->loop, SAVE_MS));
}

/* --- The stop -------------------------------------------------------------------------------------------- */

static bool wait_for_connections(struct control *control, uint64_t wait_ms)
{
    const uint64_t deadline_ms = loop_deadline(control->loop, wait_ms);
    while (gateway_connection_count(&control->gateway) > 0) {
        if (loop_now_ms(control->loop) >= deadline_ms)
            return false;
        const enum status status = task_sleep(control->loop, CONTROL_POLL_MS);
        ASSERT(status == STATUS_OK);
    }
    return true;
}

static void wait_for_control_tasks(struct control *control)
{
    const uint64_t deadline_ms = loop_deadline(control->loop, CUT_OFF_MS);
    while (loop_task_count(control->loop) > 1 && loop_now_ms(control->loop) < deadline_ms) {
        const enum status status = task_sleep(control->loop, CONTROL_POLL_MS);
        ASSERT(status == STATUS_OK);
    }
}

static void drain(struct control *control)
{
    struct gateway *gateway = &control->gateway;
    const uint64_t drain_ms = gateway->snapshot->config->timeouts.drain_ms;
    gateway_wind_down(gateway, WORKER_ORDER_CLOSE_AFTER_ANSWERS);
    if (control->linger_ms > 0) {
        const enum status status = task_sleep(control->loop, control->linger_ms);
        ASSERT(status == STATUS_OK);
    }
    gateway_wind_down(gateway, WORKER_ORDER_STOP_ACCEPTING);
    if (wait_for_connections(control, drain_ms))
        return;
    log_write(control->producer, LOG_LEVEL_WARN, "stop",
              "cutting off what is still in flight on %u connections after timeouts.drain",
              gateway_connection_count(gateway));
    atomic_store(&gateway->is_cutting_off, true);
    gateway_wind_down(gateway, WORKER_ORDER_CUT_OFF);
    if (!wait_for_connections(control, CUT_OFF_MS))
        log_write(control->producer, LOG_LEVEL_ERROR, "stop", "some requests did not end");
}

static void stop_task(void *argument)
{
    struct control *control = argument;
    drain(control);
    admin_server_close(control->admin);
    models_watch_stop(control->models);
    wait_for_control_tasks(control);
    loop_stop(control->loop);
}

static void stop(struct control *control, int number)
{
    if (control->is_stopping) {
        log_write_now(control->log, LOG_LEVEL_WARN, "stop",
                      "a second signal: ending at once, with %u connections open",
                      gateway_connection_count(&control->gateway));
        _exit(1);
    }
    const struct config_timeouts *timeouts = &control->gateway.snapshot->config->timeouts;
    control->is_stopping = true;
    control->linger_ms = number == SIGINT ? 0 : timeouts->linger_ms;
    atomic_store(&control->gateway.is_draining, true);
    log_write(control->producer, LOG_LEVEL_INFO, "stop",
              "stopping: requests in flight have %llu s to finish",
              (unsigned long long)(timeouts->drain_ms / 1000));
    if (task_spawn(control->loop, stop_task, control) != STATUS_OK)
        _exit(1);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct control *control = handle->data;
    if (number != SIGHUP)
        stop(control, number);
    else if (!control->is_stopping)
        control_reload(control);
}

/* Threads inherit what is blocked, so that signals come to this one alone: another may be where it
 * cannot be interrupted for long. */
static void mask_signals(int how)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(how, &set, NULL);
}

static enum status watch_signals(struct control *control, struct reason *reason)
{
    static const int numbers[CONTROL_SIGNAL_COUNT] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < CONTROL_SIGNAL_COUNT; i++) {
        uv_signal_t *handle = &control->signals[i];
        int error = uv_signal_init(loop_uv(control->loop), handle);
        handle->data = control;
        if (error == 0)
            error = uv_signal_start(handle, on_signal, numbers[i]);
        if (error != 0) {
            reason_set(reason, "cannot watch signals: %s", uv_strerror(error));
            return STATUS_IO;
        }
    }
    return STATUS_OK;
}

/* --- Birth ------------------------------------------------------------------------------------------------ */

static enum status open_log(struct control *control, const char *version, struct reason *reason)
{
    const struct log_config config = {
        .fd = STDERR_FILENO,
        .format = LOG_FORMAT_AUTO,
        .level = LOG_LEVEL_INFO,
        .no_colour = getenv("NO_COLOR") != NULL,
        .version = version,
    };
    enum status status = log_create(&config, &control->log);
    if (status == STATUS_OK)
        status = log_start(control->log);
    if (status == STATUS_OK)
        status = log_producer_open(control->log, "weir", &control->producer);
    if (status != STATUS_OK)
        reason_set(reason, "cannot start the log: %s", status_name(status));
    return status;
}

static enum status open_metrics(struct control *control, const char *version)
{
    uint32_t endpoint_count;
    const char *const *endpoints = gateway_endpoint_names(&endpoint_count);
    const struct metrics_config config = {
        .version = version,
        .start_time_us = clock_realtime_us(),
        .endpoints = endpoints,
        .endpoint_count = endpoint_count,
    };
    enum status status = metrics_create(&config, &control->metrics);
    if (status == STATUS_OK)
        status = metrics_worker_open(control->metrics, &control->cells);
    return status;
}

static enum status open_identities(struct control *control, const struct config *config,
                                   bool with_demo_key, struct reason *reason)
{
    const struct admin_config admin = {
        .data_dir = config->data_dir.data, .create = true, .with_map = true};
    enum status status = admin_context_open(&admin, &control->context, reason);
    if (status == STATUS_OK)
        status = serve_audit_start(control->context, slice_from_text(control->version), reason);
    control->has_noted_start = status == STATUS_OK;
    if (status == STATUS_OK)
        status = audit_books_create(control->context->audit, clock_realtime_us,
                                    &control->audit_books, reason);
    if (status == STATUS_OK && with_demo_key)
        status = admin_demo_key(control->context, &control->demo_key, reason);
    if (status == STATUS_OK)
        status = service_create("weir-store", &control->store);
    if (status == STATUS_OK)
        status = service_create("weir-scrape", &control->scrapes);
    return status;
}

static enum status open_ledger_store(struct control *control, const struct config *config,
                                     struct reason *reason)
{
    char path[CONTROL_PATH_BYTES];
    snprintf(path, sizeof(path), "%s/weir.db", config->data_dir.data);
    const struct store_config store = {
        .path = path, .busy_timeout_ms = STORE_BUSY_MS, .now_us = clock_realtime_us()};
    return store_open(&store, &control->ledger_store, reason);
}

static enum status start_gateway(struct control *control, const char *version,
                                 const struct config **config, struct reason *reason)
{
    control->gateway = (struct gateway){
        .version = version,
        .identities = control->context->map,
        .pepper = control->context->pepper,
        .metrics = control->metrics,
        .log = control->log,
        .counters = control->context->counters,
        .books = {.store = control->ledger_store,
                  .service = control->store,
                  .reports = control->context->store,
                  .seal = audit_books_seal(control->audit_books),
                  .retain = audit_books_retain},
    };
    enum status status = control_open_store_part(control, config, reason);
    if (status == STATUS_OK)
        status = gateway_start(&control->gateway, config, reason);
    control->gateway_is_running = status == STATUS_OK;
    control->context->ledger = control->gateway.ledger;
    return status;
}

/* What a former process left is in the tables before anybody asks what was spent. */
static enum status seed_budgets(struct control *control, struct reason *reason)
{
    if (!seed_is_needed(control->context, control->gateway.snapshot))
        return STATUS_OK;
    if (!gateway_wait_recovered(&control->gateway, RECOVERY_MS)) {
        reason_set(reason, "budgets hold, and what a former run spent cannot be moved from its "
                           "journal into the database; the log says why");
        return STATUS_IO;
    }
    return seed_all_levels(control->context, control->gateway.snapshot, reason);
}

static enum status open_admin(struct control *control, struct reason *reason)
{
    const struct config *config = control->gateway.snapshot->config;
    snprintf(control->socket_path, CONTROL_PATH_BYTES, "%s/admin.sock", config->data_dir.data);
    const struct admin_server_config admin = {
        .loop = control->loop,
        .gateway = &control->gateway,
        .context = control->context,
        .store = control->store,
        .metrics = control->scrapes,
        .log = control->producer,
        .socket_path = control->socket_path,
        .follow_store = control_follow_store,
        .owner = control,
    };
    return admin_server_open(&admin, &control->admin, reason);
}

static void say_notices(struct control *control)
{
    const struct config *config = control->gateway.snapshot->config;
    for (size_t i = 0; i < config->notices.count; i++)
        log_write(control->producer, LOG_LEVEL_INFO, "config", "%.*s",
                  SLICE_ARGS(config->notices.items[i]));
    for (size_t i = 0; i < config->listen.count; i++)
        log_write(control->producer, LOG_LEVEL_INFO, "start",
                  "listening on %s port %u%s, %u workers",
                  config->listen.items[i].address.host.data, config->listen.items[i].address.port,
                  config->listen.items[i].certificate.size > 0 ? " with TLS" : "",
                  control->gateway.worker_count);
    if (control->gateway.connections_max < config->transport.connections)
        log_write(control->producer, LOG_LEVEL_WARN, "start",
                  "transport.connections is lowered from %u to %u: the limit on descriptors "
                  "(ulimit -n) allows no more",
                  config->transport.connections, control->gateway.connections_max);
}

/* On a thread that may block: clients are answered meanwhile, only nothing is counted. */
static void load_encodings(void *argument)
{
    struct control *control = argument;
    for (int i = 0; i < TOKEN_ENCODING_COUNT; i++) {
        struct reason reason = {"out of memory"};
        if (tokenizer_load((enum token_encoding)i, &reason) != STATUS_OK)
            log_write_now(control->log, LOG_LEVEL_ERROR, "tokens",
                          "tokens of %s cannot be counted, so that chats are not fitted into a "
                          "model's window: %s",
                          token_encoding_name((enum token_encoding)i), reason.text);
    }
}

static enum status open_all(struct control *control, const struct control_config *wanted,
                            const struct config **config, struct reason *reason)
{
    enum status status = open_log(control, wanted->version, reason);
    if (status == STATUS_OK)
        status = open_metrics(control, wanted->version);
    if (status == STATUS_OK)
        status = loop_create(&control->loop, reason);
    if (status == STATUS_OK)
        status = watch_signals(control, reason);
    if (status == STATUS_OK)
        status = dns_create(control->loop, &control->dns, reason);
    if (status == STATUS_OK)
        status = open_identities(control, *config, wanted->with_demo_key, reason);
    if (status == STATUS_OK)
        status = open_ledger_store(control, *config, reason);
    if (status == STATUS_OK)
        status = start_gateway(control, wanted->version, config, reason);
    if (status == STATUS_OK)
        status = seed_budgets(control, reason);
    alloc_trim(); /* the rows of a million keys were read by now */
    if (status == STATUS_OK)
        status = open_admin(control, reason);
    if (status == STATUS_OK)
        status = models_watch_start(&control->gateway, control->loop, control->dns,
                                    control->producer, &control->models);
    if (status == STATUS_OK) /* last: who is answered by readyz may rely on all of the above */
        status = gateway_run(&control->gateway);
    if (status == STATUS_OK)
        status = service_submit(control->scrapes, load_encodings, control);
    return status;
}

enum status control_create(const struct control_config *wanted, const struct config **config,
                           struct control **control_out, struct reason *reason)
{
    struct control *control = alloc_zeroed(1, sizeof(*control));
    if (control == NULL)
        return STATUS_NO_MEMORY;
    control->source = wanted->source;
    control->version = wanted->version;
    buffer_init(&control->demo_key, DEMO_KEY_BYTES);
    timer_init(&control->save, on_save);
    reason_set(reason, "out of memory");
    mask_signals(SIG_BLOCK);
    const enum status status = open_all(control, wanted, config, reason);
    mask_signals(SIG_UNBLOCK);
    config_unref(config); /* if nobody took it over */
    if (status != STATUS_OK) {
        control_destroy(&control);
        return status;
    }
    timer_arm(loop_timers(control->loop), &control->save, loop_deadline(control->loop, SAVE_MS));
    say_notices(control);
    *control_out = control;
    return STATUS_OK;
}

struct slice control_demo_key(const struct control *control)
{
    return buffer_slice(&control->demo_key);
}

void control_run(struct control *control)
{
    loop_run(control->loop);
    log_write(control->producer, LOG_LEVEL_INFO, "stop", "stopped");
}

/* --- Death ------------------------------------------------------------------------------------------------- */

/* After a start that failed half-way, tasks and connections of the control loop may be left. */
static void end_control_tasks(struct control *control)
{
    if (control->admin != NULL)
        admin_server_close(control->admin);
    if (control->models != NULL)
        models_watch_stop(control->models);
    for (int i = 0; i < 500 && loop_task_count(control->loop) > 0; i++)
        loop_turn(control->loop, CONTROL_POLL_MS);
}

static void note_stop(struct control *control)
{
    struct reason reason = {""};
    if (serve_audit_stop(control->context, slice_from_text(control->version), &reason) != STATUS_OK)
        log_write_now(control->log, LOG_LEVEL_ERROR, "audit",
                      "the stop is not in the audit chain: %s", reason.text);
}

void control_destroy(struct control **taken)
{
    struct control *control = *taken;
    *taken = NULL;
    if (control == NULL)
        return;
    if (control->loop != NULL)
        end_control_tasks(control);
    if (control->context != NULL)
        control->context->ledger = NULL;
    if (control->gateway_is_running)
        gateway_stop(&control->gateway);
    audit_books_destroy(&control->audit_books);
    store_close(&control->ledger_store);
    admin_server_destroy(&control->admin);
    models_watch_destroy(&control->models);
    service_destroy(&control->scrapes);
    service_destroy(&control->store);
    if (control->context != NULL)
        save_last_uses(control);
    if (control->has_noted_start)
        note_stop(control);
    admin_context_close(&control->context);
    overlay_destroy(&control->overlay);
    timer_remove(&control->save);
    dns_destroy(&control->dns);
    loop_destroy(&control->loop);
    log_producer_close(&control->producer);
    log_destroy(&control->log);
    metrics_destroy(&control->metrics);
    buffer_fini(&control->demo_key);
    alloc_free(control);
}
