#include "base/nearest.h"

#include <stdint.h>

#define WORD_BYTES_MAX 40

static unsigned least(unsigned a, unsigned b, unsigned c)
{
    const unsigned ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* Levenshtein's distance. */
static unsigned distance(struct slice a, struct slice b)
{
    unsigned row[WORD_BYTES_MAX + 1];
    if (a.size > WORD_BYTES_MAX || b.size > WORD_BYTES_MAX)
        return UINT32_MAX;
    for (unsigned j = 0; j <= b.size; j++)
        row[j] = j;
    for (unsigned i = 0; i < a.size; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (unsigned j = 0; j < b.size; j++) {
            const unsigned change = diagonal + (a.data[i] != b.data[j]);
            diagonal = row[j + 1];
            row[j + 1] = least(row[j] + 1, row[j + 1] + 1, change);
        }
    }
    return row[b.size];
}

void nearest_begin(struct nearest *nearest, struct slice name)
{
    *nearest = (struct nearest){.name = name, .changes = UINT32_MAX};
}

void nearest_consider(struct nearest *nearest, struct slice word)
{
    const unsigned changes = distance(word, nearest->name);
    const unsigned near_enough = 1 + (unsigned)(nearest->name.size / 3);
    if (changes <= near_enough && changes < nearest->changes) {
        nearest->changes = changes;
        nearest->found = word;
    }
}

struct slice nearest_word(const struct slice *words, size_t count, struct slice name)
{
    struct nearest nearest;
    nearest_begin(&nearest, name);
    for (size_t i = 0; i < count; i++)
        nearest_consider(&nearest, words[i]);
    return nearest.found;
}
