/* /metrics: rendered on a thread of its own, since reading /proc may take milliseconds.
 *
 * Thread: the control loop's; the call waits in its task. */
#ifndef ADMIN_SCRAPE_H
#define ADMIN_SCRAPE_H

#include "admin/server.h"
#include "base/buffer.h"

#define SCRAPE_BYTES_MAX ((size_t)64 << 20)

/* Appends the metrics to `text`. STATUS_LIMITED: too many wait. STATUS_NO_MEMORY. */
MUST_CHECK enum status scrape(const struct admin_server_config *config, struct buffer *text);

#endif
