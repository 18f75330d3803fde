/* For LD_PRELOAD: lets calls to the disk fail at random, as often as a shared file says, and lets
 * what was sent be out for a moment before weir goes on.
 *
 * WEIR_FAULT_CALLS names the file, which holds a struct control; WEIR_FAULT_FOLDER the folder whose
 * files suffer. Whoever runs the program changes the file while it runs (failing.py). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum call {
    CALL_POSIX_FALLOCATE,
    CALL_MSYNC,
    CALL_OPEN,
    CALL_OPENAT,
    CALL_PWRITE,
    CALL_FSYNC,
    CALL_FDATASYNC,
    CALL_MADVISE,
    CALL_RENAMEAT,
    CALL_SEND, /* does not fail: it returns late */
    CALL_COUNT,
};

static struct control {
    _Atomic uint32_t per_mille[16];
    _Atomic uint32_t failed[16];
} *control;

static const char *folder;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("WEIR_FAULT_CALLS");
    folder = getenv("WEIR_FAULT_FOLDER");
    const int fd = path == NULL ? -1 : REAL(open)(path, O_RDWR | O_CLOEXEC);
    void *bytes = fd < 0 ? MAP_FAILED
                         : mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bytes != MAP_FAILED)
        control = bytes;
    if (fd >= 0)
        close(fd);
}

static uint32_t draw(void)
{
    static _Thread_local uint64_t state;
    if (state == 0) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        state = ((uint64_t)now.tv_nsec << 20) ^ (uintptr_t)&state ^ 1;
    }
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

/* 0, or the error with which the call fails. */
static int fault(enum call call)
{
    static const int errors[] = {EIO, ENOSPC, ENOMEM};
    if (control == NULL || draw() % 1000 >= atomic_load(&control->per_mille[call]))
        return 0;
    atomic_fetch_add(&control->failed[call], 1);
    return errors[draw() % 3];
}

static int fail(int code)
{
    errno = code;
    return -1;
}

static int open_with(__typeof__(&open) real, const char *path, int flags, mode_t mode)
{
    const int code = folder != NULL && strstr(path, folder) != NULL ? fault(CALL_OPEN) : 0;
    return code != 0 ? fail(code) : real(path, flags, mode);
}

static int openat_with(__typeof__(&openat) real, int at, const char *path, int flags, mode_t mode)
{
    const int code = path[0] != '/' ? fault(CALL_OPENAT) : 0;
    return code != 0 ? fail(code) : real(at, path, flags, mode);
}

static mode_t mode_of(int flags, va_list rest)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...)                                                     \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        const mode_t mode = mode_of(flags, rest);                                                  \
        va_end(rest);                                                                              \
        return open_with(REAL(name), path, flags, mode);                                           \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                               \
    int name(int at, const char *path, int flags, ...)                                             \
    {                                                                                              \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        const mode_t mode = mode_of(flags, rest);                                                  \
        va_end(rest);                                                                              \
        return openat_with(REAL(name), at, path, flags, mode);                                     \
    }
OPENAT(openat)
OPENAT(openat64)

/* Half of what fails is written in part. */
#define PWRITE(name)                                                                               \
    ssize_t name(int file, const void *bytes, size_t size, off_t offset)                           \
    {                                                                                              \
        const int code = fault(CALL_PWRITE);                                                       \
        if (code != 0 && (size < 2 || draw() % 2 == 0))                                            \
            return fail(code);                                                                     \
        return REAL(name)(file, bytes, code != 0 ? size / 2 : size, offset);                       \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define FALLOCATE(name)                                                                            \
    int name(int file, off_t offset, off_t size)                                                   \
    {                                                                                              \
        const int code = fault(CALL_POSIX_FALLOCATE);                                              \
        return code != 0 ? code : REAL(name)(file, offset, size);                                  \
    }
FALLOCATE(posix_fallocate)
FALLOCATE(posix_fallocate64)

int msync(void *bytes, size_t size, int flags)
{
    const int code = fault(CALL_MSYNC);
    return code != 0 ? fail(code) : REAL(msync)(bytes, size, flags);
}

int fsync(int file)
{
    const int code = fault(CALL_FSYNC);
    return code != 0 ? fail(code) : REAL(fsync)(file);
}

int fdatasync(int file)
{
    const int code = fault(CALL_FDATASYNC);
    return code != 0 ? fail(code) : REAL(fdatasync)(file);
}

/* Only where pages are prepared: the allocator's own calls may not fail. */
int madvise(void *bytes, size_t size, int advice)
{
    const int code = advice == 23 /* MADV_POPULATE_WRITE */ ? fault(CALL_MADVISE) : 0;
    return code != 0 ? fail(code) : REAL(madvise)(bytes, size, advice);
}

int renameat(int from_at, const char *from, int to_at, const char *to)
{
    const int code = fault(CALL_RENAMEAT);
    return code != 0 ? fail(code) : REAL(renameat)(from_at, from, to_at, to);
}

/* weir sends with syscall(SYS_sendmsg, …). Whoever receives the bytes has time to act before weir does
 * anything that should have come first. */
long syscall(long number, ...)
{
    const struct timespec pause = {0, 2000000};
    long argument[6];
    va_list rest;
    va_start(rest, number);
    for (int i = 0; i < 6; i++)
        argument[i] = va_arg(rest, long);
    va_end(rest);
    const long result = REAL(syscall)(number, argument[0], argument[1], argument[2], argument[3],
                                      argument[4], argument[5]);
    const int code = errno;
    if (number == SYS_sendmsg && result > 0 && fault(CALL_SEND) != 0)
        nanosleep(&pause, NULL);
    errno = code;
    return result;
}
