/* A folder of its own for each test, and a data directory in it on demand. */
#ifndef TESTS_UNIT_CLI_DATA_DIR_H
#define TESTS_UNIT_CLI_DATA_DIR_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/context.h"
#include "base/assert.h"

static char data_dir[] = "/tmp/weir-cli-XXXXXX";

static inline const char *data_dir_path(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", data_dir, name);
    return path;
}

static inline void data_dir_write(const char *name, const char *text)
{
    FILE *file = fopen(data_dir_path(name), "w");
    ASSERT(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* As it is after `weir serve` has ended. */
static inline void data_dir_fill(void)
{
    const struct admin_config config = {.data_dir = data_dir, .create = true};
    struct admin_context *context = NULL;
    struct reason reason = {""};
    ASSERT(admin_context_open(&config, &context, &reason) == STATUS_OK);
    admin_context_close(&context);
}

static inline int data_dir_make(void **state)
{
    (void)state;
    memcpy(data_dir + sizeof(data_dir) - 7, "XXXXXX", 6);
    return mkdtemp(data_dir) != NULL ? 0 : -1;
}

static inline int data_dir_make_filled(void **state)
{
    if (data_dir_make(state) != 0)
        return -1;
    data_dir_fill();
    return 0;
}

static inline int data_dir_remove(void **state)
{
    static const char *const names[] = {"lock",
                                        "weir.db",
                                        "weir.db-wal",
                                        "weir.db-shm",
                                        "secrets/pepper",
                                        "secrets/demo.key",
                                        "weir.yaml",
                                        "admin.sock",
                                        "secrets/audit.key",
                                        "secrets/audit.pub",
                                        "secrets/audit.head"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(data_dir_path(names[i]));
    rmdir(data_dir_path("secrets"));
    return rmdir(data_dir);
}

#endif
