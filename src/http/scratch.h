/* Buffers that all connections of one loop share, so that an idle or waiting one holds none.
 *
 * Their content is good until the running task waits (any socket_read, socket_write, task_wait or
 * task_yield): whoever needs it longer copies it.
 * Thread: one loop's. */
#ifndef HTTP_SCRATCH_H
#define HTTP_SCRATCH_H

#include <stddef.h>

#define SCRATCH_READ_BYTES (64 * 1024)
#define SCRATCH_HEAD_BYTES (48 * 1024) /* over transport.header_bytes, for what weir adds */

struct scratch {
    char read[SCRATCH_READ_BYTES]; /* what was read last */
    char head[SCRATCH_HEAD_BYTES]; /* the head that is being written */
};

#endif
