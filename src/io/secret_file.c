#include "io/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"

#define FOLDER "secrets"

/* Where a secret lies, for opening it and for telling about it. */
struct place {
    const char *data_dir;
    const char *name;
    int folder; /* descriptor of DATA_DIR/secrets */
};

static enum status failed(const struct place *place, const char *doing, struct reason *reason)
{
    const int error = errno;
    reason_set(reason, "%s/" FOLDER "/%s cannot be %s: %s", place->data_dir, place->name, doing,
               strerror(error));
    if (error == ENOENT)
        return STATUS_NOT_FOUND;
    return error == EACCES || error == EPERM || error == EROFS ? STATUS_DENIED : STATUS_IO;
}

static enum status check_folder(const struct place *place, struct reason *reason)
{
    struct stat info;
    if (fstat(place->folder, &info) != 0)
        return failed(place, "opened", reason);
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return STATUS_OK;
    reason_set(reason, "%s/" FOLDER " is open to others (mode %o); run: chmod 700 %s/" FOLDER,
               place->data_dir, (unsigned)info.st_mode & 07777U, place->data_dir);
    return STATUS_DENIED;
}

/* Opens the folder; makes it first if `create`. */
static enum status place_open(struct place *place, bool create, struct reason *reason)
{
    const int data_dir = open(place->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (data_dir < 0)
        return failed(place, "reached", reason);
    bool made = false;
    if (create)
        made = mkdirat(data_dir, FOLDER, 0700) == 0;
    if (made)
        (void)fsync(data_dir); /* if it fails, the file's own sync tells */
    place->folder = openat(data_dir, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const enum status status =
        place->folder >= 0 ? check_folder(place, reason) : failed(place, "reached", reason);
    close(data_dir);
    return status;
}

static void place_close(struct place *place)
{
    if (place->folder >= 0)
        close(place->folder);
}

static enum status check_file(const struct place *place, int file, struct reason *reason)
{
    struct stat info;
    if (fstat(file, &info) != 0)
        return failed(place, "opened", reason);
    if (!S_ISREG(info.st_mode)) {
        reason_set(reason, "%s/" FOLDER "/%s is no regular file", place->data_dir, place->name);
        return STATUS_INVALID;
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return STATUS_OK;
    reason_set(reason,
               "%s/" FOLDER "/%s is open to others (mode %o); run: chmod 600 %s/" FOLDER "/%s",
               place->data_dir, place->name, (unsigned)info.st_mode & 07777U, place->data_dir,
               place->name);
    return STATUS_DENIED;
}

static enum status read_all(const struct place *place, int file, struct buffer *content,
                            struct reason *reason)
{
    for (;;) {
        char piece[512];
        const ssize_t size = read(file, piece, sizeof(piece));
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return failed(place, "read", reason);
        if (size == 0)
            return STATUS_OK;
        const enum status status = buffer_append(content, slice_of(piece, (size_t)size));
        explicit_bzero(piece, sizeof(piece));
        if (status != STATUS_OK) {
            reason_set(reason, "%s/" FOLDER "/%s is longer than any such secret", place->data_dir,
                       place->name);
            return status;
        }
    }
}

static enum status read_file(const struct place *place, struct buffer *content,
                             struct reason *reason)
{
    /* O_NONBLOCK: a FIFO in its place must not hold up the start. */
    const int file = openat(place->folder, place->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return failed(place, "opened", reason);
    enum status status = check_file(place, file, reason);
    if (status == STATUS_OK)
        status = read_all(place, file, content, reason);
    close(file);
    return status;
}

enum status secret_file_read(const char *data_dir, const char *name, struct buffer *content,
                             struct reason *reason)
{
    const size_t start = content->size;
    struct place place = {data_dir, name, -1};
    enum status status = place_open(&place, false, reason);
    if (status == STATUS_OK)
        status = read_file(&place, content, reason);
    place_close(&place);
    while (content->size > start && strchr(" \t\r\n", content->data[content->size - 1]) != NULL)
        content->size--;
    return status;
}

static enum status write_all(const struct place *place, int file, struct slice content,
                             struct reason *reason)
{
    while (content.size > 0) {
        const ssize_t size = write(file, content.data, content.size);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return failed(place, "written", reason);
        content = slice_from(content, (size_t)size);
    }
    return STATUS_OK;
}

static enum status write_file(const struct place *place, const char *draft, struct slice content,
                              struct reason *reason)
{
    const int file = openat(place->folder, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return failed(place, "made", reason);
    enum status status = write_all(place, file, content, reason);
    if (status == STATUS_OK)
        status = write_all(place, file, SLICE("\n"), reason);
    if (status == STATUS_OK && fsync(file) != 0)
        status = failed(place, "synced", reason);
    close(file);
    return status;
}

/* Gives the finished draft its name. A link replaces nothing, which a rename would. */
static enum status link_draft(const struct place *place, const char *draft, struct reason *reason)
{
    if (linkat(place->folder, draft, place->folder, place->name, 0) == 0)
        return STATUS_OK;
    if (errno != EEXIST)
        return failed(place, "made", reason);
    reason_set(reason, "%s/" FOLDER "/%s is there already", place->data_dir, place->name);
    return STATUS_EXISTS;
}

static enum status rename_draft(const struct place *place, const char *draft, struct reason *reason)
{
    return renameat(place->folder, draft, place->folder, place->name) == 0
               ? STATUS_OK
               : failed(place, "made", reason);
}

typedef enum status publisher(const struct place *place, const char *draft, struct reason *reason);

static enum status write_and_publish(const struct place *place, struct slice content,
                                     publisher *publish, struct reason *reason)
{
    char draft[NAME_MAX + 1];
    const int size = snprintf(draft, sizeof(draft), ".%s.new", place->name);
    ASSERT(size > 0 && (size_t)size < sizeof(draft));

    unlinkat(place->folder, draft, 0); /* left behind by a process that was killed here */
    enum status status = write_file(place, draft, content, reason);
    if (status == STATUS_OK)
        status = publish(place, draft, reason);
    if (status == STATUS_OK && fsync(place->folder) != 0)
        status = failed(place, "synced", reason);
    unlinkat(place->folder, draft, 0);
    return status;
}

static enum status put(const char *data_dir, const char *name, struct slice content,
                       publisher *publish, struct reason *reason)
{
    struct place place = {data_dir, name, -1};
    enum status status = place_open(&place, true, reason);
    if (status == STATUS_OK)
        status = write_and_publish(&place, content, publish, reason);
    place_close(&place);
    return status;
}

enum status secret_file_create(const char *data_dir, const char *name, struct slice content,
                               struct reason *reason)
{
    return put(data_dir, name, content, link_draft, reason);
}

enum status secret_file_replace(const char *data_dir, const char *name, struct slice content,
                                struct reason *reason)
{
    return put(data_dir, name, content, rename_draft, reason);
}

enum status secret_file_rename(const char *data_dir, const char *from, const char *to,
                               struct reason *reason)
{
    struct place place = {data_dir, from, -1};
    enum status status = place_open(&place, false, reason);
    if (status == STATUS_OK && renameat(place.folder, from, place.folder, to) != 0)
        status = failed(&place, "renamed", reason);
    if (status == STATUS_OK && fsync(place.folder) != 0)
        status = failed(&place, "synced", reason);
    place_close(&place);
    return status;
}
