/* Administrative operations from the command line: over DATA_DIR/admin.sock if a server runs, else
 * in this process, with the data directory's lock taken.
 *
 * Lifecycle: admin_client_open() → any number of calls → admin_client_close().
 * Thread: one at a time; calls block. */
#ifndef CLI_ADMIN_CLIENT_H
#define CLI_ADMIN_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "config/config.h"

#define ADMIN_CLIENT_WAIT_MS 3000

struct admin_client;

/* While another process owns the data directory and no server answers (another command works, a
 * server starts or stops), tries again for up to `wait_ms`. Makes no data directory.
 * STATUS_NOT_FOUND: there is none, the reason says where it was looked for. STATUS_DENIED: the
 * server's socket may not be opened. Else the statuses of data_lock_take() and
 * admin_context_open(). */
MUST_CHECK enum status admin_client_open(const char *data_dir, uint64_t wait_ms,
                                         struct admin_client **client_out, struct reason *reason);
/* Closes *client, if any, and sets it to NULL. */
void admin_client_close(struct admin_client **client);

bool admin_client_has_server(const struct admin_client *client);
/* Without a server: what operations read of the configuration, whose reference is taken over in any
 * case; what the store adds to it is put in. STATUS_INVALID: a price in it cannot be used; else the
 * statuses of store_part_look(). */
MUST_CHECK enum status admin_client_use(struct admin_client *client, const struct config **config,
                                        struct reason *reason);

/* The next call is refused with 412 unless its object is still as the last answer showed it. Without a
 * server nobody else can change it. */
void admin_client_match(struct admin_client *client);
/* See admin/operations.h. `answer` holds up to ADMIN_ANSWER_BYTES_MAX and is emptied first.
 * Returns the HTTP status, or 0: the server did not answer, the reason says why. */
unsigned admin_client_call(struct admin_client *client, struct slice method, struct slice path,
                           struct slice body, struct buffer *answer, struct reason *reason);

#endif
