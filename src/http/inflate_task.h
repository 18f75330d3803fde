/* The steps of a decoder (http/inflate.h) as a task takes them: what is short runs in the loop, what
 * is long on the thread that all loops share, while the task waits.
 *
 * Thread: the loop's. Memory: input, output and decoder are in use while the task waits, so none of
 * them lies in the loop's scratch. */
#ifndef HTTP_INFLATE_TASK_H
#define HTTP_INFLATE_TASK_H

#include "http/inflate.h"
#include "http/server.h"

/* inflate_step() with its statuses; what was read and written counts towards the task's turn.
 * STATUS_NO_MEMORY also: too many wait for the thread. A cancellation shows at the next wait. */
MUST_CHECK enum status inflate_task_step(struct http_server *server, struct inflate *inflate,
                                         struct slice *input, char *output, size_t output_size,
                                         size_t *written_out);

#endif
