/* SQLite on a disk and with a memory that fail when a test says so.
 *
 * faults_install() puts a layer between SQLite and its calls of the system, and between SQLite and
 * the heap; it comes before anything else of SQLite. */
#ifndef TESTS_UNIT_STORE_SQLITE_FAULTS_H
#define TESTS_UNIT_STORE_SQLITE_FAULTS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/assert.h"

enum fault {
    FAULT_NONE,
    FAULT_DISK,      /* one read, write, sync, lock or the like */
    FAULT_DISK_FULL, /* each write from the nth on */
    FAULT_SYNC,      /* each sync, and only syncs, from the nth on */
    FAULT_MEMORY,    /* one allocation of SQLite's */
};

static struct {
    enum fault fault;
    int left;   /* calls that still succeed */
    bool fired; /* a call failed */
    unsigned syncs;
} faults;

static inline void faults_arm(enum fault fault, int nth)
{
    faults.fault = fault;
    faults.left = nth;
    faults.fired = false;
}

static inline bool fault_hits(enum fault fault)
{
    if (faults.fault != fault || faults.left < 0)
        return false;
    if (faults.left > 0) {
        faults.left--;
        return false;
    }
    if (fault == FAULT_DISK || fault == FAULT_MEMORY)
        faults.left = -1; /* once */
    faults.fired = true;
    return true;
}

struct faulty_file {
    sqlite3_file file;
    sqlite3_file *real;
};

static inline sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct faulty_file *)file)->real;
}

static inline int faulty_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static inline int faulty_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
    if (fault_hits(FAULT_DISK))
        return SQLITE_IOERR_READ;
    return real_of(file)->pMethods->xRead(real_of(file), bytes, size, offset);
}

static inline int faulty_write(sqlite3_file *file, const void *bytes, int size,
                               sqlite3_int64 offset)
{
    if (fault_hits(FAULT_DISK_FULL))
        return SQLITE_FULL;
    if (fault_hits(FAULT_DISK))
        return SQLITE_IOERR_WRITE;
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, size, offset);
}

static inline int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (fault_hits(FAULT_DISK))
        return SQLITE_IOERR_TRUNCATE;
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static inline int faulty_sync(sqlite3_file *file, int flags)
{
    faults.syncs++;
    if (fault_hits(FAULT_SYNC) || fault_hits(FAULT_DISK))
        return SQLITE_IOERR_FSYNC;
    (void)file;
    (void)flags;
    return SQLITE_OK; /* no test cuts the power */
}

static inline int faulty_size(sqlite3_file *file, sqlite3_int64 *size)
{
    if (fault_hits(FAULT_DISK))
        return SQLITE_IOERR_FSTAT;
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static inline int faulty_lock(sqlite3_file *file, int lock)
{
    if (fault_hits(FAULT_DISK))
        return SQLITE_IOERR_LOCK;
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static inline int faulty_unlock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static inline int faulty_check_lock(sqlite3_file *file, int *held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}

static inline int faulty_control(sqlite3_file *file, int operation, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static inline int faulty_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static inline int faulty_device(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static inline int faulty_shm_map(sqlite3_file *file, int page, int size, int extend,
                                 void volatile **memory)
{
    if (fault_hits(FAULT_DISK))
        return SQLITE_IOERR_SHMMAP;
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, memory);
}

static inline int faulty_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    if ((flags & SQLITE_SHM_LOCK) != 0 && fault_hits(FAULT_DISK))
        return SQLITE_IOERR_SHMLOCK;
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static inline void faulty_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static inline int faulty_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods faulty_methods = {
    .iVersion = 2,
    .xClose = faulty_close,
    .xRead = faulty_read,
    .xWrite = faulty_write,
    .xTruncate = faulty_truncate,
    .xSync = faulty_sync,
    .xFileSize = faulty_size,
    .xLock = faulty_lock,
    .xUnlock = faulty_unlock,
    .xCheckReservedLock = faulty_check_lock,
    .xFileControl = faulty_control,
    .xSectorSize = faulty_sector,
    .xDeviceCharacteristics = faulty_device,
    .xShmMap = faulty_shm_map,
    .xShmLock = faulty_shm_lock,
    .xShmBarrier = faulty_shm_barrier,
    .xShmUnmap = faulty_shm_unmap,
};

static sqlite3_vfs faulty_vfs;
static sqlite3_vfs *real_vfs;

static inline int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                              int *flags_out)
{
    struct faulty_file *faulty = (struct faulty_file *)file;
    (void)vfs;
    faulty->real = (sqlite3_file *)(faulty + 1);
    faulty->file.pMethods = NULL;
    if (fault_hits(FAULT_DISK))
        return SQLITE_CANTOPEN;
    const int code = real_vfs->xOpen(real_vfs, name, faulty->real, flags, flags_out);
    if (faulty->real->pMethods != NULL)
        faulty->file.pMethods = &faulty_methods;
    return code;
}

static sqlite3_mem_methods real_memory;

static inline void *faulty_malloc(int size)
{
    return fault_hits(FAULT_MEMORY) ? NULL : real_memory.xMalloc(size);
}

static inline void *faulty_realloc(void *memory, int size)
{
    return fault_hits(FAULT_MEMORY) ? NULL : real_memory.xRealloc(memory, size);
}

static inline void faults_install(void)
{
    sqlite3_mem_methods memory;
    ASSERT(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory) == SQLITE_OK);
    memory = real_memory;
    memory.xMalloc = faulty_malloc;
    memory.xRealloc = faulty_realloc;
    ASSERT(sqlite3_config(SQLITE_CONFIG_MALLOC, &memory) == SQLITE_OK);
    real_vfs = sqlite3_vfs_find(NULL);
    faulty_vfs = *real_vfs;
    faulty_vfs.zName = "faulty";
    faulty_vfs.szOsFile = (int)sizeof(struct faulty_file) + real_vfs->szOsFile;
    faulty_vfs.xOpen = faulty_open;
    faulty_vfs.pNext = NULL;
    ASSERT(sqlite3_vfs_register(&faulty_vfs, 1) == SQLITE_OK);
}

#endif
