/* What the parts of the control thread share: control.c, and control_follow.c for what may change while it
 * runs. */
#ifndef CLI_CONTROL_INTERNAL_H
#define CLI_CONTROL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "admin/context.h"
#include "admin/server.h"
#include "cli/control.h"
#include "gateway/audit_books.h"
#include "gateway/gateway.h"
#include "gateway/models_watch.h"
#include "io/service.h"

#define CONTROL_POLL_MS      20  /* while waiting for others on the same loop */
#define CONTROL_PATH_BYTES   512 /* a longer one is no path of a socket either */
#define CONTROL_SIGNAL_COUNT 3

struct control {
    const struct config_source *source;
    struct loop *loop;
    struct dns *dns;
    struct log *log;
    struct log_producer *producer;
    struct metrics *metrics;
    struct metrics_worker *cells; /* for what the control thread counts */
    struct admin_context *context;
    struct service *store;
    struct service *scrapes;
    struct store *ledger_store; /* the drain's own connection */
    struct audit_books *audit_books;
    const char *version;
    bool has_noted_start; /* in the audit chain */
    bool head_has_failed; /* and this is told */
    struct gateway gateway;
    bool gateway_is_running;
    struct admin_server *admin;
    char socket_path[CONTROL_PATH_BYTES]; /* it removes it at the end */
    struct models_watch *models;
    struct overlay *overlay; /* what the store adds to the configuration in force */
    struct timer save;
    bool is_saving;
    unsigned saves;
    uv_signal_t signals[CONTROL_SIGNAL_COUNT];
    bool is_reloading, reload_is_due;
    bool is_following; /* another configuration, which takes several turns */
    bool is_stopping;
    uint64_t linger_ms;
    struct buffer demo_key;
};

/* SIGHUP: reads the configuration again and puts it in force, if it is sound. One at a time; what is
 * asked for meanwhile is done once more. */
void control_reload(struct control *control);
/* The store's part of the configuration has changed; `owner` is the control. In a coroutine. */
void control_follow_store(void *owner);
/* At the start: *config becomes one that has what the store adds. */
MUST_CHECK enum status control_open_store_part(struct control *control,
                                               const struct config **config, struct reason *reason);

#endif
