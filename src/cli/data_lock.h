/* DATA_DIR/lock: who owns the data directory. It has one owner at a time, a server or a command
 * that works without one. The file holds the owner's pid; the lock itself is the kernel's and ends
 * with the process. */
#ifndef CLI_DATA_LOCK_H
#define CLI_DATA_LOCK_H

#include "base/reason.h"
#include "base/status.h"

struct data_lock {
    int fd;
};

/* STATUS_EXISTS: another process owns it; the reason names its pid. STATUS_NOT_FOUND: there is no
 * such directory. STATUS_DENIED, STATUS_IO. */
MUST_CHECK enum status data_lock_take(const char *data_dir, struct data_lock *lock_out,
                                      struct reason *reason);
void data_lock_release(struct data_lock *lock);

#endif
