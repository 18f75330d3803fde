#include "ledger/fault.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>

#include "ledger/segment.h"

static struct watched {
    _Atomic uintptr_t start; /* 0: free */
    _Atomic size_t size;
    atomic_bool has_failed;
} table[FAULT_SEGMENTS_MAX];

static atomic_uint count;

static struct watched *find(uintptr_t address)
{
    for (size_t i = 0; i < FAULT_SEGMENTS_MAX; i++) {
        const uintptr_t start = atomic_load(&table[i].start);
        if (start != 0 && address - start < atomic_load(&table[i].size))
            return &table[i];
    }
    return NULL;
}

/* mmap() is one system call and safe here, though no list of POSIX's says so. */
static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    const int code = errno;
    const uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)(SEGMENT_PAGE_BYTES - 1);
    struct watched *watched = find(page);
    if (watched == NULL || mmap((void *)page, SEGMENT_PAGE_BYTES, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        signal(signal_number, SIG_DFL); /* the access is repeated and ends the process */
        return;
    }
    atomic_store(&watched->has_failed, true);
    atomic_fetch_add(&count, 1);
    errno = code;
}

void fault_install(void)
{
    struct sigaction action = {0};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

bool fault_watch(void *segment, size_t size)
{
    for (size_t i = 0; i < FAULT_SEGMENTS_MAX; i++) {
        uintptr_t expected = 0;
        if (!atomic_compare_exchange_strong(&table[i].start, &expected, (uintptr_t)segment))
            continue;
        atomic_store(&table[i].has_failed, false);
        atomic_store(&table[i].size, size);
        return true;
    }
    return false;
}

void fault_unwatch(const void *segment)
{
    struct watched *watched = find((uintptr_t)segment);
    if (watched == NULL)
        return;
    atomic_store(&watched->size, 0);
    atomic_store(&watched->start, 0);
}

unsigned fault_count(void)
{
    return atomic_load_explicit(&count, memory_order_relaxed);
}

bool fault_has_failed(const void *segment)
{
    const struct watched *watched = find((uintptr_t)segment);
    return watched != NULL && atomic_load(&watched->has_failed);
}
