/* Reads tests/fixtures/openai/NAME; tests run in the repository's root. */
#ifndef TESTS_DIALECT_FIXTURE_H
#define TESTS_DIALECT_FIXTURE_H

#include <stdio.h>

#include "base/slice.h"

/* The file's bytes in static storage, which the next call takes again. Empty: it is not there. */
static inline struct slice fixture(const char *name)
{
    static char bytes[16384];
    char path[256];
    snprintf(path, sizeof(path), "tests/fixtures/openai/%s", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return (struct slice){0};
    const size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    return slice_of(bytes, size);
}

#endif
