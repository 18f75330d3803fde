/* A DATA_DIR of its own for each test, and a context on it with a clock that the test sets. */
#ifndef TESTS_UNIT_ADMIN_DATA_DIR_H
#define TESTS_UNIT_ADMIN_DATA_DIR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/context.h"
#include "admin/operations.h"
#include "base/assert.h"
#include "base/clock.h"

static char data_dir[] = "/tmp/weir-admin-XXXXXX";
static uint64_t data_dir_now_us;

static inline uint64_t data_dir_clock(void)
{
    return data_dir_now_us;
}

static inline const char *data_dir_path(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", data_dir, name);
    return path;
}

static inline int data_dir_make(void **state)
{
    (void)state;
    data_dir_now_us = UINT64_C(1769860800) * US_PER_S; /* 2026-01-31T12:00:00Z */
    memcpy(data_dir + sizeof(data_dir) - 7, "XXXXXX", 6);
    return mkdtemp(data_dir) != NULL ? 0 : -1;
}

static inline void data_dir_remove_database(void)
{
    unlink(data_dir_path("weir.db"));
    unlink(data_dir_path("weir.db-wal"));
    unlink(data_dir_path("weir.db-shm"));
}

static inline int data_dir_remove(void **state)
{
    (void)state;
    data_dir_remove_database();
    unlink(data_dir_path("secrets/pepper"));
    unlink(data_dir_path("secrets/demo.key"));
    unlink(data_dir_path("secrets/master.key"));
    unlink(data_dir_path("secrets/master.key.next"));
    unlink(data_dir_path("secrets/audit.key"));
    unlink(data_dir_path("secrets/audit.pub"));
    unlink(data_dir_path("secrets/audit.head"));
    rmdir(data_dir_path("secrets"));
    return rmdir(data_dir);
}

static inline struct admin_context *data_dir_open(bool with_map)
{
    const struct admin_config config = {.data_dir = data_dir, .create = true, .with_map = with_map};
    struct admin_context *context = NULL;
    struct reason reason = {""};
    const enum status status = admin_context_open(&config, &context, &reason);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "%s\n", reason.text);
    ASSERT(status == STATUS_OK);
    context->now_us = data_dir_clock;
    return context;
}

/* Runs an operation; the answer holds until the next one. */
static inline unsigned operate(struct admin_context *context, const char *method, const char *path,
                               const char *body, const char **answer_out)
{
    static char text[65536];
    struct buffer answer;
    buffer_init(&answer, ADMIN_ANSWER_BYTES_MAX);
    const unsigned http_status = admin_operate(
        context, slice_from_text(method), slice_from_text(path), slice_from_text(body), &answer);
    ASSERT(answer.size < sizeof(text));
    memcpy(text, answer.data, answer.size);
    text[answer.size] = '\0';
    buffer_fini(&answer);
    if (answer_out != NULL)
        *answer_out = text;
    return http_status;
}

/* The text of a string member of an answer, copied; its first occurrence counts. */
static inline void answer_member(const char *answer, const char *name, char *text_out, size_t size)
{
    char start[64];
    (void)snprintf(start, sizeof(start), "\"%s\":\"", name);
    const char *found = strstr(answer, start);
    ASSERT(found != NULL);
    found += strlen(start);
    const size_t found_size = strcspn(found, "\"");
    ASSERT(found_size < size);
    memcpy(text_out, found, found_size);
    text_out[found_size] = '\0';
}

#endif
