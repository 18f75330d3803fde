#include "ledger/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ledger/fault.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

static enum status fail(const struct directory *directory, const char *name, const char *what,
                        int code, struct reason *reason)
{
    reason_set(reason, "cannot %s %s/%s: %s", what, directory->path, name, strerror(code));
    return code == EACCES || code == EPERM || code == EROFS ? STATUS_DENIED : STATUS_IO;
}

static enum status map(struct segment_file *file)
{
    void *bytes = mmap(NULL, file->size, PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
    if (bytes == MAP_FAILED)
        return STATUS_IO;
    file->bytes = bytes;
    if (fault_watch(bytes, file->size))
        return STATUS_OK;
    errno = EMFILE; /* there are more segments than the table has places */
    return STATUS_IO;
}

static enum status begin(struct segment_file *file, const struct segment_identity *identity,
                         struct reason *reason)
{
    const enum status status = segment_file_populate(file, 0, SEGMENT_PAGE_BYTES, reason);
    if (status != STATUS_OK)
        return status;
    segment_write_header(file->bytes, identity, file->size);
    return STATUS_OK;
}

enum status segment_file_create(struct directory *directory,
                                const struct segment_identity *identity, size_t segment_bytes,
                                struct segment_file *file_out, struct reason *reason)
{
    char name[DIRECTORY_NAME_BYTES];
    directory_segment_name(identity, name);
    *file_out = (struct segment_file){.size = segment_bytes, .identity = *identity};
    file_out->fd = openat(directory->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file_out->fd < 0)
        return fail(directory, name, "make", errno, reason);
    const int code = posix_fallocate(file_out->fd, 0, (off_t)segment_bytes);
    enum status status = STATUS_OK;
    if (code != 0)
        status = fail(directory, name, "reserve the blocks of", code, reason);
    else if (map(file_out) != STATUS_OK)
        status = fail(directory, name, "map", errno, reason);
    else
        status = begin(file_out, identity, reason);
    if (status != STATUS_OK)
        segment_file_destroy(directory, file_out, true);
    return status;
}

enum status segment_file_recycle(struct directory *directory, struct segment_file *file,
                                 const struct segment_identity *identity, struct reason *reason)
{
    char old_name[DIRECTORY_NAME_BYTES];
    char new_name[DIRECTORY_NAME_BYTES];
    directory_segment_name(&file->identity, old_name);
    directory_segment_name(identity, new_name);
    /* A file whose header and name differ is one that a killed process was about to recycle: what
     * it held is in the store. */
    const enum status status = begin(file, identity, reason);
    if (status != STATUS_OK)
        return status;
    if (renameat(directory->fd, old_name, directory->fd, new_name) != 0)
        return fail(directory, old_name, "rename", errno, reason);
    file->identity = *identity;
    file->is_named = false;
    return STATUS_OK;
}

void segment_file_destroy(struct directory *directory, struct segment_file *file, bool removes)
{
    char name[DIRECTORY_NAME_BYTES];
    if (file->bytes != NULL) {
        fault_unwatch(file->bytes);
        munmap(file->bytes, file->size);
    }
    if (file->fd >= 0)
        close(file->fd);
    if (removes) {
        directory_segment_name(&file->identity, name);
        unlinkat(directory->fd, name, 0);
    }
    *file = (struct segment_file){.fd = -1};
}

/* For kernels without MADV_POPULATE_WRITE: a store that changes nothing. */
static void touch(struct segment_file *file, size_t from, size_t to)
{
    for (size_t at = from; at < to; at += SEGMENT_PAGE_BYTES)
        atomic_fetch_or((_Atomic uint8_t *)(file->bytes + at), 0);
}

enum status segment_file_populate(struct segment_file *file, size_t from, size_t to,
                                  struct reason *reason)
{
    if (madvise(file->bytes + from, to - from, MADV_POPULATE_WRITE) == 0)
        return STATUS_OK;
    const int code = errno;
    if (code == EINVAL) {
        touch(file, from, to);
        if (!fault_has_failed(file->bytes))
            return STATUS_OK;
    }
    reason_set(reason, "the journal's disk takes no writes: %s",
               code == EINVAL || code == EFAULT ? "bus error" : strerror(code));
    return STATUS_IO;
}

enum status segment_file_sync(struct directory *directory, struct segment_file *file, size_t from,
                              size_t to, struct reason *reason)
{
    if (msync(file->bytes + from, to - from, MS_SYNC) != 0) {
        reason_set(reason, "cannot sync the journal: %s", strerror(errno));
        return STATUS_IO;
    }
    if (file->is_named)
        return STATUS_OK;
    const enum status status = directory_sync(directory, reason);
    file->is_named = status == STATUS_OK;
    return status;
}

/* --- Replacing ------------------------------------------------------------------------------------------ */

static bool write_all(int fd, const char *bytes, size_t size)
{
    size_t written = 0;
    while (written < size) {
        const ssize_t step = pwrite(fd, bytes + written, size - written, (off_t)written);
        if (step < 0 && errno == EINTR)
            continue;
        if (step <= 0)
            return false;
        written += (size_t)step;
    }
    return true;
}

/* Lets pages that the file has no more fault here, where the handler replaces them: pwrite() would
 * only fail. */
static void touch_all(const struct segment_file *file)
{
    for (size_t at = 0; at < file->size; at += SEGMENT_PAGE_BYTES)
        (void)*(const volatile char *)(file->bytes + at);
}

enum status segment_file_rescue(struct directory *directory, struct segment_file *file,
                                struct reason *reason)
{
    char name[DIRECTORY_NAME_BYTES];
    char new_name[DIRECTORY_NAME_BYTES + sizeof(DIRECTORY_NEW)];
    directory_segment_name(&file->identity, name);
    snprintf(new_name, sizeof(new_name), "%s" DIRECTORY_NEW, name);
    const int fd = openat(directory->fd, new_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(directory, new_name, "make", errno, reason);
    touch_all(file);
    const bool is_good = write_all(fd, file->bytes, file->size) && fsync(fd) == 0 &&
                         renameat(directory->fd, new_name, directory->fd, name) == 0 &&
                         fsync(directory->fd) == 0;
    const int code = errno;
    close(fd);
    file->is_replaced = is_good;
    if (is_good)
        return STATUS_OK;
    unlinkat(directory->fd, new_name, 0);
    return fail(directory, name, "replace", code, reason);
}
