/* The secret under which keys are hashed: DATA_DIR/secrets/pepper, 64 hexadecimal digits.
 *
 * Without it no stored key can be recognised again, so it is made once and never replaced.
 * Thread: blocks on the disk. */
#ifndef IDENTITY_PEPPER_H
#define IDENTITY_PEPPER_H

#include "base/reason.h"
#include "base/status.h"
#include "identity/key_hasher.h"

/* STATUS_NOT_FOUND: there is none yet. STATUS_INVALID: the file is not 64 hexadecimal digits.
 * STATUS_DENIED: its permissions are too wide, or too narrow. STATUS_NO_MEMORY, STATUS_IO. */
MUST_CHECK enum status pepper_load(const char *data_dir, unsigned char pepper_out[PEPPER_SIZE],
                                   struct reason *reason);

/* Makes one. STATUS_EXISTS: there is one already. STATUS_DENIED. STATUS_IO. */
MUST_CHECK enum status pepper_create(const char *data_dir, unsigned char pepper_out[PEPPER_SIZE],
                                     struct reason *reason);

#endif
