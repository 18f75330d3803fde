/* What a command prints, and its exit code. Compare `out` and `err` before the next command. */
#ifndef TESTS_UNIT_CLI_CAPTURE_H
#define TESTS_UNIT_CLI_CAPTURE_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"

#define CAPTURE_BYTES 65536
#define CAPTURE_WORDS 16

struct capture {
    int code;
    char out[CAPTURE_BYTES];
    char err[CAPTURE_BYTES];
};

static struct capture captured;

/* Points the stream's descriptor at a new file; returns what it was. */
static inline int capture_begin(FILE *stream, FILE **file_out)
{
    fflush(stream);
    const int former = dup(fileno(stream));
    *file_out = tmpfile();
    ASSERT(former >= 0 && *file_out != NULL);
    ASSERT(dup2(fileno(*file_out), fileno(stream)) >= 0);
    return former;
}

static inline void capture_end(FILE *stream, int former, FILE *file, char text_out[CAPTURE_BYTES])
{
    fflush(stream);
    ASSERT(dup2(former, fileno(stream)) >= 0);
    close(former);
    rewind(file);
    text_out[fread(text_out, 1, CAPTURE_BYTES - 1, file)] = '\0';
    fclose(file);
}

/* Runs the command with the words of `line` as its arguments. */
static inline const struct capture *capture_run(int (*command)(int argc, char **argv),
                                                const char *line)
{
    static char words[1024];
    char *argv[CAPTURE_WORDS + 1] = {0};
    int argc = 0;
    FILE *out, *err;
    ASSERT(strlen(line) < sizeof(words));
    memcpy(words, line, strlen(line) + 1);
    for (char *at = words; *at != '\0' && argc < CAPTURE_WORDS;) {
        argv[argc++] = at;
        at += strcspn(at, " ");
        while (*at == ' ')
            *at++ = '\0';
    }
    const int former_out = capture_begin(stdout, &out), former_err = capture_begin(stderr, &err);
    captured.code = command(argc, argv);
    capture_end(stdout, former_out, out, captured.out);
    capture_end(stderr, former_err, err, captured.err);
    return &captured;
}

#endif
