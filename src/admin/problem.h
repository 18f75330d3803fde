/* Problems (RFC 9457), which every failure of the admin API answers with. Pure. */
#ifndef ADMIN_PROBLEM_H
#define ADMIN_PROBLEM_H

#include "base/buffer.h"
#include "base/slice.h"

/* Replaces what the buffer holds; the buffer remembers a failure. */
void problem_write(unsigned http_status, struct slice detail, struct buffer *answer);

#endif
