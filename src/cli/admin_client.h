/* Administrative operations from the command line: over DATA_DIR/admin.sock if a server runs, else
 * in this process, with the data directory's lock taken.
 *
 * Lifecycle: admin_client_open() → any number of calls → admin_client_close(). */
#ifndef CLI_ADMIN_CLIENT_H
#define CLI_ADMIN_CLIENT_H

#include "base/buffer.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

struct admin_client;

/* STATUS_NOT_FOUND: no data directory, the reason says where it was looked for. Else the statuses
 * of data_lock_take() and admin_context_open(). */
MUST_CHECK enum status admin_client_open(const char *data_dir, struct admin_client **client_out,
                                         struct reason *reason);
void admin_client_close(struct admin_client **client);

/* See admin/operations.h. `answer` is emptied first. Returns the HTTP status, or 0: the server
 * could not be reached, the reason says why. */
unsigned admin_client_call(struct admin_client *client, struct slice method, struct slice path,
                           struct slice body, struct buffer *answer, struct reason *reason);

#endif
