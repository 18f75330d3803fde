/* Random bytes from the kernel, through a small pool per thread. Fit for keys and ids.
 *
 * Errors: none; a kernel without getrandom stops the process. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *bytes_out, size_t size);
uint64_t random_u64(void);

#endif
