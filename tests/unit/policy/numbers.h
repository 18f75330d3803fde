/* A seeded row of numbers (splitmix64), so that what fails once fails again. */
#ifndef TESTS_POLICY_NUMBERS_H
#define TESTS_POLICY_NUMBERS_H

#include <stdint.h>

static inline uint64_t next_number(uint64_t *state)
{
    uint64_t number = *state += UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

/* Below `end`. */
static inline uint64_t number_below(uint64_t *state, uint64_t end)
{
    return next_number(state) % end;
}

#endif
