/* What the ledger costs: a worker's appends, their longest stall, and the drain into SQLite.
 *
 * Usage: ledger FOLDER REQUESTS [RATE]
 *
 * One worker appends an OPENED record of some 320 bytes and a CLOSED one for each of REQUESTS
 * requests of 10,000 keys, RATE a second (0: as fast as it may). Prints one line of JSON.
 *
 * Built by: cc -std=c17 -D_GNU_SOURCE -O2 -Isrc tests/perf/ledger.c src/ledger/X.c src/base/X.c
 * src/store/X.c src/store/sqlite/X.c -lsqlite3, X standing for all files there. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/clock.h"
#include "ledger/ledger.h"
#include "store/store.h"

#define KEYS     10000
#define STALL_NS 100000

static atomic_bool must_finish_page;

struct figures {
    uint64_t cpu_ns, longest_ns, stalls, preempted, blocked, longest_blocked_ns, waits, wall_ns;
};

static void ask_finish_page(void *context, uint32_t worker)
{
    (void)context;
    (void)worker;
    atomic_store_explicit(&must_finish_page, true, memory_order_relaxed);
}

static void report(void *context, bool is_error, const char *text)
{
    (void)context;
    (void)is_error;
    (void)fprintf(stderr, "%s\n", text);
}

static uint64_t cpu_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static struct rusage usage_now(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_THREAD, &usage);
    return usage;
}

/* Why an append took so long: the thread waited for something (a page), or another one ran. */
static void note_stall(struct figures *figures, const struct rusage *before, uint64_t took_ns)
{
    const struct rusage after = usage_now();
    figures->stalls++;
    figures->preempted += after.ru_nivcsw > before->ru_nivcsw;
    if (after.ru_nvcsw == before->ru_nvcsw)
        return;
    figures->blocked++;
    if (took_ns > figures->longest_blocked_ns)
        figures->longest_blocked_ns = took_ns;
}

/* What asking for the times costs. */
static uint64_t overhead(void)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 1000; i++) {
        const uint64_t before = cpu_ns();
        (void)clock_monotonic_ns();
        (void)clock_monotonic_ns();
        const uint64_t took = cpu_ns() - before;
        if (took < least)
            least = took;
    }
    return least;
}

static struct id id_of(uint64_t number, unsigned char kind)
{
    struct id id = {{1, kind}};
    memcpy(id.bytes + 8, &number, sizeof(number));
    return id;
}

static void append(struct journal *journal, uint64_t number, uint64_t time_us)
{
    const uint64_t key = number * 2654435761U % KEYS;
    const struct id id = id_make(time_us);
    const struct record_bill bill = {
        .tokens = {1200, 300, 0, 0, -1, -1}, .cost_nanousd = 4500000, .price_id = SLICE("2026-11")};
    const struct record_opened opened = {
        .id = id,
        .time_us = time_us,
        .user_id = id_of(key / 4, 1),
        .key_id = id_of(key, 2),
        .route = SLICE("/v1/chat/completions"),
        .model = SLICE("gpt-4o-mini"),
        .provider = SLICE("openai"),
        .target_model = SLICE("gpt-4o-mini-2024-07-18"),
        .client_request_id = SLICE("req-0123456789abcdef0123456789"),
        .orphan = bill,
    };
    const struct record_closed closed = {
        .id = id,
        .bill = bill,
        .status = 200,
        .outcome = SLICE("completed"),
        .answered = true,
        .attempts = 1,
        .last_status = 200,
        .last_outcome = SLICE("answered"),
        .latency_us = 812345,
        .first_byte_us = 400000,
        .last_latency_us = 810000,
        .provider_request_id = SLICE("chatcmpl-0123456789abcdef01234"),
    };
    char *room = journal_room(journal, RECORD_OPENED_MAX);
    journal_append(journal, RECORD_OPENED, record_write_opened(&opened, room));
    journal_unreserve(journal, 1, RECORD_OPENED_MAX);
    room = journal_room(journal, RECORD_CLOSED_MAX);
    journal_append(journal, RECORD_CLOSED, record_write_closed(&closed, room));
    journal_unreserve(journal, 1, RECORD_CLOSED_MAX);
}

/* Until there is room and it is time. */
static void wait_for_turn(struct journal *journal, uint64_t due_ns, struct figures *figures)
{
    const struct timespec pause = {0, 1000000};
    while (journal_reserve(journal, 2, RECORD_OPENED_MAX + RECORD_CLOSED_MAX) != STATUS_OK) {
        figures->waits++;
        (void)nanosleep(&pause, NULL);
    }
    while (due_ns > clock_monotonic_ns() + 1000000)
        (void)nanosleep(&pause, NULL);
}

static void work(struct journal *journal, uint64_t requests, uint64_t rate, struct figures *figures)
{
    const uint64_t overhead_ns = overhead();
    const uint64_t start_ns = clock_monotonic_ns();
    for (uint64_t i = 0; i < requests; i++) {
        const uint64_t time_us = clock_realtime_us();
        wait_for_turn(journal, rate == 0 ? 0 : start_ns + i * 1000000000 / rate, figures);
        const struct rusage usage = usage_now();
        const uint64_t cpu = i % 64 == 0 ? cpu_ns() : 0;
        const uint64_t before = clock_monotonic_ns();
        append(journal, i, time_us);
        if (atomic_exchange_explicit(&must_finish_page, false, memory_order_relaxed))
            journal_finish_page(journal);
        const uint64_t took = clock_monotonic_ns() - before;
        if (i % 64 == 0)
            figures->cpu_ns += cpu_ns() - cpu - overhead_ns;
        if (took > figures->longest_ns)
            figures->longest_ns = took;
        if (took > STALL_NS)
            note_stall(figures, &usage, took);
    }
    figures->wall_ns = clock_monotonic_ns() - start_ns;
}

static struct ledger_figures wait_drained(struct ledger *ledger, uint64_t requests)
{
    const struct timespec pause = {0, 5000000};
    struct ledger_figures found;
    do {
        (void)nanosleep(&pause, NULL);
        ledger_figures(ledger, &found);
    } while (found.drain.rows < requests);
    const struct timespec rest = {0, 300000000}; /* the thread tells its CPU time after a turn */
    (void)nanosleep(&rest, NULL);
    ledger_figures(ledger, &found);
    return found;
}

static int run(const char *folder, uint64_t requests, uint64_t rate)
{
    char path[2][512];
    struct reason reason = {""};
    struct store *store = NULL;
    struct ledger *ledger = NULL;
    struct figures figures = {0};
    (void)snprintf(path[0], sizeof(path[0]), "%s/weir.db", folder);
    (void)snprintf(path[1], sizeof(path[1]), "%s/journal", folder);
    const struct store_config store_config = {
        .path = path[0], .create = true, .busy_timeout_ms = 5000, .now_us = clock_realtime_us()};
    enum status status = store_open(&store_config, &store, &reason);
    const struct ledger_config config = {
        .path = path[1],
        .worker_count = 1,
        .journal_bytes = UINT64_C(1) << 30,
        .sync_ms = 50,
        .store = store,
        .finish_page = ask_finish_page,
        .report = report,
    };
    if (status == STATUS_OK)
        status = ledger_create(&config, &ledger, &reason);
    if (status != STATUS_OK) {
        (void)fprintf(stderr, "%s\n", reason.text);
        return 1;
    }
    const uint64_t start_ns = clock_monotonic_ns();
    work(ledger_journal(ledger, 0), requests, rate, &figures);
    const struct ledger_figures found = wait_drained(ledger, requests);
    const uint64_t all_ns = clock_monotonic_ns() - start_ns - 300000000;
    (void)printf(
        "{\"requests\": %llu, \"append_cpu_ns\": %llu, \"append_longest_us\": %llu,"
        " \"appends_over_100_us\": %llu, \"preempted\": %llu, \"blocked\": %llu,"
        " \"longest_blocked_us\": %llu, \"waits_for_room\": %llu,"
        " \"appended_per_s\": %llu, \"drain_cpu_us\": %.2f, \"drained_per_s\": %llu,"
        " \"syncs\": %llu, \"sync_longest_us\": %llu}\n",
        (unsigned long long)requests, (unsigned long long)(figures.cpu_ns / ((requests + 63) / 64)),
        (unsigned long long)(figures.longest_ns / 1000), (unsigned long long)figures.stalls,
        (unsigned long long)figures.preempted, (unsigned long long)figures.blocked,
        (unsigned long long)(figures.longest_blocked_ns / 1000), (unsigned long long)figures.waits,
        (unsigned long long)(requests * 1000000 / (figures.wall_ns / 1000 + 1)),
        (double)found.drain.busy_ns / 1000.0 / (double)requests,
        (unsigned long long)(requests * 1000000 / (all_ns / 1000)),
        (unsigned long long)found.keeper.syncs, (unsigned long long)found.keeper.sync_longest_us);
    const bool is_drained = ledger_destroy(&ledger, 10000);
    store_close(&store);
    return is_drained ? 0 : 1;
}

int main(int count, char **arguments)
{
    if (count < 3) {
        (void)fprintf(stderr, "usage: ledger FOLDER REQUESTS [RATE]\n");
        return 2;
    }
    return run(arguments[1], strtoull(arguments[2], NULL, 10),
               count > 3 ? strtoull(arguments[3], NULL, 10) : 0);
}
