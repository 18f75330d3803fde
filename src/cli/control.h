/* The control thread of a running weir: signals, reload, the stop, and what the workers leave to
 * others.
 *
 * Lifecycle: control_create() opens everything and starts the workers; control_run() returns when
 * a signal has stopped them; control_destroy().
 * Signals: SIGHUP reloads; SIGTERM stops after timeouts.linger, SIGINT at once, both let requests
 * in flight finish for up to timeouts.drain; a second one ends the process where it stands.
 * Thread: the process's first. */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include "base/buffer.h"
#include "base/reason.h"
#include "base/status.h"
#include "config/load.h"

struct control;

struct control_config {
    const struct config_source *source; /* to load again at a reload; borrowed */
    const char *version;
    bool with_demo_key;
};

/* Takes over the caller's reference of *config. The data directory exists and is locked. On any
 * status but STATUS_OK the reason says in one line what to do. */
MUST_CHECK enum status control_create(const struct control_config *control_config,
                                      const struct config **config, struct control **control_out,
                                      struct reason *reason);
/* The secret of the demo key, empty without one. */
struct slice control_demo_key(const struct control *control);
void control_run(struct control *control);
void control_destroy(struct control **control);

#endif
