/* Which of some words somebody meant who wrote another: the one with the fewest changed letters, if
 * it is near enough to be meant. Words of more than 40 bytes are never near.
 *
 * Thread: any. Memory: what is found is one of the words given. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

#include "base/slice.h"

struct nearest {
    struct slice name;  /* what was written */
    struct slice found; /* the nearest word so far; size 0: none is near enough */
    unsigned changes;   /* between the two */
};

void nearest_begin(struct nearest *nearest, struct slice name);
/* Of equally near words the first stays. */
void nearest_consider(struct nearest *nearest, struct slice word);

/* The nearest of the words; else empty. */
struct slice nearest_word(const struct slice *words, size_t count, struct slice name);

#endif
