/* Small secrets in files that only their owner may read: DATA_DIR/secrets (0700), files 0600.
 *
 * A file comes into being whole or not at all: it is written beside its place, synced, and linked
 * there without replacing anything, or renamed over what it replaces.
 * Thread: blocks on the disk; whoever holds the lock of DATA_DIR. Errors: as stated. */
#ifndef IO_SECRET_FILE_H
#define IO_SECRET_FILE_H

#include "base/buffer.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

/* Appends what the file holds, without white space at its end.
 * STATUS_NOT_FOUND: no such file or folder. STATUS_DENIED: others may read it, or weir may not.
 * STATUS_TOO_LARGE: more than the buffer takes. STATUS_INVALID: no regular file.
 * STATUS_NO_MEMORY, STATUS_IO. */
MUST_CHECK enum status secret_file_read(const char *data_dir, const char *name,
                                        struct buffer *content, struct reason *reason);

/* Makes the file, and the folder if it is missing; a newline follows the content.
 * STATUS_EXISTS: the file is there already. STATUS_DENIED. STATUS_IO. */
MUST_CHECK enum status secret_file_create(const char *data_dir, const char *name,
                                          struct slice content, struct reason *reason);
/* Makes the file, or puts it in the place of the one that is there: a reader finds the old content or
 * the new one, whole. STATUS_DENIED. STATUS_IO. */
MUST_CHECK enum status secret_file_replace(const char *data_dir, const char *name,
                                           struct slice content, struct reason *reason);
/* Gives the file `from` the name `to`, in place of the file that has it, and syncs that. STATUS_NOT_FOUND,
 * STATUS_DENIED, STATUS_IO. */
MUST_CHECK enum status secret_file_rename(const char *data_dir, const char *from, const char *to,
                                          struct reason *reason);

#endif
