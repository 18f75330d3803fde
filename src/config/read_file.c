#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "config/load.h"

#define STEP_BYTES ((size_t)64 << 10)

static enum status explain(const char *path, struct reason *reason)
{
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR)
        return STATUS_NOT_FOUND;
    reason_set(reason, "%s: %s", path, strerror(error));
    return error == EACCES || error == EPERM ? STATUS_DENIED : STATUS_IO;
}

static enum status read_all(int fd, const char *path, struct buffer *content, struct reason *reason)
{
    for (;;) {
        const size_t left = content->size_max - content->size;
        const size_t step = left < STEP_BYTES ? left : STEP_BYTES;
        char beyond;
        if (step > 0 && buffer_reserve(content, step) != STATUS_OK) {
            reason_set(reason, "%s: out of memory", path);
            return STATUS_NO_MEMORY;
        }
        const ssize_t got =
            step > 0 ? read(fd, content->data + content->size, step) : read(fd, &beyond, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return explain(path, reason);
        if (got == 0)
            return STATUS_OK;
        if (step == 0) {
            reason_set(reason, "%s: larger than %zu bytes", path, content->size_max);
            return STATUS_TOO_LARGE;
        }
        content->size += (size_t)got;
    }
}

enum status config_read_file(void *context, const char *path, struct buffer *content,
                             struct reason *reason)
{
    (void)context;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return explain(path, reason);
    const enum status status = read_all(fd, path, content, reason);
    close(fd);
    return status;
}
