/* What `weir serve` prints when it is ready.
 *
 * Thread: any. The key is a secret that is meant to be shown; size 0: none was made. */
#ifndef CLI_WELCOME_H
#define CLI_WELCOME_H

#include "base/buffer.h"
#include "base/slice.h"
#include "config/config.h"

/* Appends where clients connect, the key, and lines to paste. Statuses of buffer_append(). */
MUST_CHECK enum status welcome_write_text(const struct config *config, struct slice key,
                                          const char *version, struct buffer *text);

/* Appends a line with one JSON object:
 * {"version","pid","address","listen":[…],"admin":[…],"metrics":[…],"data_dir","file","key"};
 * `address` is what an SDK takes as its base URL, `file` and `key` may be null. Statuses of
 * buffer_append(). */
MUST_CHECK enum status welcome_write_json(const struct config *config, struct slice key,
                                          const char *version, struct buffer *text);

#endif
