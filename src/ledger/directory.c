#include "ledger/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/slice.h"

#define GENERATIONS_MAX 100000 /* tried when a new number is taken */

static enum status fail(const struct directory *directory, const char *name, const char *what,
                        struct reason *reason)
{
    const int code = errno;
    reason_set(reason, "cannot %s %s/%s: %s", what, directory->path, name, strerror(code));
    return code == EACCES || code == EPERM || code == EROFS ? STATUS_DENIED : STATUS_IO;
}

enum status directory_open(struct directory *directory, const char *path, struct reason *reason)
{
    *directory = (struct directory){.fd = -1};
    snprintf(directory->path, sizeof(directory->path), "%s", path);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fail(directory, "", "make", reason);
    directory->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory->fd >= 0 ? STATUS_OK : fail(directory, "", "open", reason);
}

void directory_close(struct directory *directory)
{
    if (directory->fd >= 0)
        close(directory->fd);
    directory->fd = -1;
}

void directory_segment_name(const struct segment_identity *identity,
                            char name_out[DIRECTORY_NAME_BYTES])
{
    snprintf(name_out, DIRECTORY_NAME_BYTES, "%010" PRIu64 "-%02u-%06" PRIu64 ".seg",
             identity->generation, identity->worker, identity->number);
}

static void lock_name(uint64_t generation, char name_out[DIRECTORY_NAME_BYTES])
{
    snprintf(name_out, DIRECTORY_NAME_BYTES, "%010" PRIu64 ".lock", generation);
}

/* --- Reading names ------------------------------------------------------------------------------------ */

static bool take_number(struct slice *text, char end, uint64_t *number_out)
{
    const size_t size = slice_find_byte(*text, end);
    if (size == text->size || slice_to_u64(slice_of(text->data, size), number_out) != STATUS_OK)
        return false;
    *text = slice_from(*text, size + 1);
    return true;
}

static bool is_lock(const char *name, uint64_t *generation_out)
{
    struct slice text = slice_from_text(name);
    char canonical[DIRECTORY_NAME_BYTES];
    if (!take_number(&text, '.', generation_out))
        return false;
    lock_name(*generation_out, canonical);
    return strcmp(name, canonical) == 0;
}

static bool is_segment(const char *name, struct segment_identity *identity_out)
{
    struct slice text = slice_from_text(name);
    char canonical[DIRECTORY_NAME_BYTES];
    uint64_t worker;
    if (!take_number(&text, '-', &identity_out->generation) || !take_number(&text, '-', &worker) ||
        worker > UINT32_MAX || !take_number(&text, '.', &identity_out->number))
        return false;
    identity_out->worker = (uint32_t)worker;
    directory_segment_name(identity_out, canonical);
    return strcmp(name, canonical) == 0;
}

/* --- Listing --------------------------------------------------------------------------------------------- */

static int order_of(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_numbers(const void *a, const void *b)
{
    return order_of(*(const uint64_t *)a, *(const uint64_t *)b);
}

static int compare_segments(const void *left, const void *right)
{
    const struct segment_identity *a = left;
    const struct segment_identity *b = right;
    int order = order_of(a->generation, b->generation);
    if (order == 0)
        order = order_of(a->worker, b->worker);
    return order != 0 ? order : order_of(a->number, b->number);
}

/* Room for one more in an array that grows by doubling. */
static void *grow(void *items, size_t count, size_t item_bytes)
{
    const bool is_full = count == 0 || (count >= 16 && (count & (count - 1)) == 0);
    return is_full ? alloc_resize(items, (count < 16 ? 16 : count * 2) * item_bytes) : items;
}

static enum status note_generation(struct directory_listing *listing, uint64_t generation)
{
    uint64_t *grown =
        grow(listing->generations, listing->generation_count, sizeof(listing->generations[0]));
    if (grown == NULL)
        return STATUS_NO_MEMORY;
    listing->generations = grown;
    listing->generations[listing->generation_count++] = generation;
    return STATUS_OK;
}

static enum status note_segment(struct directory_listing *listing,
                                const struct segment_identity *identity)
{
    struct segment_identity *grown =
        grow(listing->segments, listing->segment_count, sizeof(listing->segments[0]));
    if (grown == NULL)
        return STATUS_NO_MEMORY;
    listing->segments = grown;
    listing->segments[listing->segment_count++] = *identity;
    return note_generation(listing, identity->generation);
}

static enum status note_name(struct directory_listing *listing, const char *name)
{
    struct segment_identity identity;
    uint64_t generation;
    if (is_segment(name, &identity))
        return note_segment(listing, &identity);
    return is_lock(name, &generation) ? note_generation(listing, generation) : STATUS_OK;
}

static void sort(struct directory_listing *listing)
{
    size_t kept = 0;
    if (listing->segment_count > 0)
        qsort(listing->segments, listing->segment_count, sizeof(listing->segments[0]),
              compare_segments);
    if (listing->generation_count > 0)
        qsort(listing->generations, listing->generation_count, sizeof(listing->generations[0]),
              compare_numbers);
    for (size_t i = 0; i < listing->generation_count; i++) {
        if (kept == 0 || listing->generations[kept - 1] != listing->generations[i])
            listing->generations[kept++] = listing->generations[i];
    }
    listing->generation_count = kept;
}

enum status directory_list(struct directory *directory, struct directory_listing *listing_out,
                           struct reason *reason)
{
    *listing_out = (struct directory_listing){0};
    const int fd = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd >= 0 ? fdopendir(fd) : NULL;
    if (stream == NULL) {
        const enum status status = fail(directory, "", "list", reason);
        if (fd >= 0)
            close(fd);
        return status;
    }
    enum status status = STATUS_OK;
    const struct dirent *entry;
    while (status == STATUS_OK && (entry = readdir(stream)) != NULL)
        status = note_name(listing_out, entry->d_name);
    closedir(stream);
    if (status == STATUS_OK) {
        sort(listing_out);
        return STATUS_OK;
    }
    directory_listing_free(listing_out);
    reason_set(reason, "out of memory");
    return status;
}

void directory_listing_free(struct directory_listing *listing)
{
    alloc_free(listing->generations);
    alloc_free(listing->segments);
    *listing = (struct directory_listing){0};
}

/* --- Locks ----------------------------------------------------------------------------------------------- */

static enum status lock_file(struct directory *directory, uint64_t generation, int flags,
                             struct generation_lock *lock_out, struct reason *reason)
{
    char name[DIRECTORY_NAME_BYTES];
    lock_name(generation, name);
    const int fd = openat(directory->fd, name, O_RDWR | O_CLOEXEC | flags, 0600);
    if (fd < 0 && (errno == ENOENT || errno == EEXIST))
        return errno == ENOENT ? STATUS_NOT_FOUND : STATUS_EXISTS;
    if (fd < 0)
        return fail(directory, name, "open", reason);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *lock_out = (struct generation_lock){generation, fd};
        return STATUS_OK;
    }
    const enum status status =
        errno == EWOULDBLOCK ? STATUS_EXISTS : fail(directory, name, "lock", reason);
    close(fd);
    return status;
}

static enum status newest_generation(struct directory *directory, uint64_t *newest_out,
                                     struct reason *reason)
{
    struct directory_listing listing;
    const enum status status = directory_list(directory, &listing, reason);
    if (status != STATUS_OK)
        return status;
    *newest_out =
        listing.generation_count > 0 ? listing.generations[listing.generation_count - 1] : 0;
    directory_listing_free(&listing);
    return STATUS_OK;
}

enum status directory_new_generation(struct directory *directory, uint64_t above,
                                     struct generation_lock *lock_out, struct reason *reason)
{
    uint64_t newest = 0;
    enum status status = newest_generation(directory, &newest, reason);
    if (newest < above)
        newest = above;
    for (uint64_t i = 1; status == STATUS_OK && i < GENERATIONS_MAX; i++) {
        status = lock_file(directory, newest + i, O_CREAT | O_EXCL, lock_out, reason);
        if (status == STATUS_OK)
            return STATUS_OK;
        if (status == STATUS_EXISTS) /* another process was quicker */
            status = STATUS_OK;
    }
    return status == STATUS_OK ? STATUS_IO : status;
}

enum status directory_lock_generation(struct directory *directory, uint64_t generation,
                                      struct generation_lock *lock_out, struct reason *reason)
{
    struct stat held;
    struct stat named;
    char name[DIRECTORY_NAME_BYTES];
    /* A lock file that was removed by hand is made again: its segments still count. */
    const enum status status = lock_file(directory, generation, O_CREAT, lock_out, reason);
    if (status != STATUS_OK)
        return status;
    lock_name(generation, name);
    /* Whoever held it may have removed the file just before it was unlocked. */
    if (fstat(lock_out->fd, &held) == 0 && fstatat(directory->fd, name, &named, 0) == 0 &&
        held.st_ino == named.st_ino)
        return STATUS_OK;
    close(lock_out->fd);
    lock_out->fd = -1;
    return STATUS_NOT_FOUND;
}

void directory_unlock_generation(struct directory *directory, struct generation_lock *lock,
                                 bool removes)
{
    char name[DIRECTORY_NAME_BYTES];
    if (lock->fd < 0)
        return;
    lock_name(lock->generation, name);
    if (removes)
        unlinkat(directory->fd, name, 0);
    close(lock->fd);
    lock->fd = -1;
}

static enum status remove_name(struct directory *directory, const char *name, struct reason *reason)
{
    if (unlinkat(directory->fd, name, 0) == 0 || errno == ENOENT)
        return STATUS_OK;
    return fail(directory, name, "remove", reason);
}

enum status directory_remove_segment(struct directory *directory,
                                     const struct segment_identity *identity, struct reason *reason)
{
    char name[DIRECTORY_NAME_BYTES];
    char new_name[DIRECTORY_NAME_BYTES + sizeof(DIRECTORY_NEW)];
    directory_segment_name(identity, name);
    snprintf(new_name, sizeof(new_name), "%s" DIRECTORY_NEW, name);
    const enum status status = remove_name(directory, new_name, reason);
    return status == STATUS_OK ? remove_name(directory, name, reason) : status;
}

enum status directory_sync(struct directory *directory, struct reason *reason)
{
    return fsync(directory->fd) == 0 ? STATUS_OK : fail(directory, "", "sync", reason);
}
