/* Lets the process's clocks run ahead, so that a test need not wait for what takes seconds.
 *
 * clock_gettime() of the C library is replaced in every program that uses this. The loop sees the
 * new time in its next turn. Thread: the test's. */
#ifndef SUPPORT_TIME_WARP_H
#define SUPPORT_TIME_WARP_H

#include <stdint.h>

/* From now on both clocks are `ms` further ahead. */
void time_warp_forward(uint64_t ms);

#endif
