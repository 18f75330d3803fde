#include "cli/data_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PATH_BYTES 3000

static enum status explain_open(const char *data_dir, const char *path, struct reason *reason)
{
    if (errno == ENOENT || errno == ENOTDIR) {
        reason_set(reason,
                   "there is no data directory at %s: start `weir serve` once, or name "
                   "another with --data-dir",
                   data_dir);
        return STATUS_NOT_FOUND;
    }
    reason_set(reason, "cannot open %s: %s", path, strerror(errno));
    return errno == EACCES || errno == EPERM ? STATUS_DENIED : STATUS_IO;
}

static enum status explain_owner(int fd, const char *data_dir, struct reason *reason)
{
    char pid[24] = "";
    const ssize_t size = pread(fd, pid, sizeof(pid) - 1, 0);
    pid[size > 0 ? size : 0] = '\0';
    pid[strcspn(pid, "\n")] = '\0';
    reason_set(reason, "%s is in use by another weir, process %s; stop that one first", data_dir,
               pid[0] != '\0' ? pid : "(unknown)");
    return STATUS_EXISTS;
}

static enum status write_pid(int fd, const char *path, struct reason *reason)
{
    char pid[24];
    const int size = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)size, 0) == size)
        return STATUS_OK;
    reason_set(reason, "cannot write %s: %s", path, strerror(errno));
    return STATUS_IO;
}

enum status data_lock_take(const char *data_dir, struct data_lock *lock_out, struct reason *reason)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof(path), "%s/lock", data_dir);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return explain_open(data_dir, path, reason);
    enum status status = STATUS_OK;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        status = explain_owner(fd, data_dir, reason);
    } else {
        status = write_pid(fd, path, reason);
    }
    if (status != STATUS_OK) {
        close(fd);
        return status;
    }
    lock_out->fd = fd;
    return STATUS_OK;
}

void data_lock_release(struct data_lock *lock)
{
    if (lock->fd >= 0)
        close(lock->fd);
    lock->fd = -1;
}
