/* A process that keeps a ledger is killed again and again, at random moments and at each step of its
 * drain and its recovery; afterwards the tables must hold every request once.
 *
 * WEIR_CRASH_ROUNDS says how many lives each test takes (100); WEIR_CRASH_SEED makes a run again. */
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "ledger/ledger.h"
#include "unit/ledger/fixture.h"

#define WORKERS      2
#define OPEN_MAX     48
#define REQUESTS_MAX 400000
#define LIVES_A_FILE 20 /* then a new database */

/* --- What a life reports, in memory that outlives it ------------------------------------------------------- */

enum state { STATE_NONE, STATE_OPENING, STATE_OPEN, STATE_CLOSING, STATE_CLOSED };

struct request {
    struct id id;
    int64_t input;
    _Atomic uint8_t state;
    _Atomic uint8_t attempts_begun, attempts_done;
};

static struct tally {
    atomic_size_t count;
    _Atomic uint64_t refused_begun, refused_done;
    struct request requests[REQUESTS_MAX];
} *tally;

/* --- Kills at a step ------------------------------------------------------------------------------------------ */

static _Atomic int64_t steps_left; /* until the kill; <= 0: never */

static void step(void)
{
    if (atomic_load(&steps_left) > 0 && atomic_fetch_sub(&steps_left, 1) == 1)
        (void)kill(getpid(), SIGKILL);
}

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    ASSERT(found != NULL);
    return found;
}

/* The library's calls come here, since the program's own functions come before those of others. */
int sqlite3_step(sqlite3_stmt *statement)
{
    static int (*call)(sqlite3_stmt *);
    if (call == NULL)
        *(void **)&call = real("sqlite3_step");
    step();
    const int code = call(statement);
    step();
    return code;
}

int renameat(int old_folder, const char *old_name, int new_folder, const char *new_name)
{
    static int (*call)(int, const char *, int, const char *);
    if (call == NULL)
        *(void **)&call = real("renameat");
    step();
    const int code = call(old_folder, old_name, new_folder, new_name);
    step();
    return code;
}

int unlinkat(int folder, const char *name, int flags)
{
    static int (*call)(int, const char *, int);
    if (call == NULL)
        *(void **)&call = real("unlinkat");
    step();
    const int code = call(folder, name, flags);
    step();
    return code;
}

/* --- A life ------------------------------------------------------------------------------------------------------ */

static atomic_bool finish_page[WORKERS];
static atomic_bool must_stop;
static struct ledger *ledger;

static void ask_finish_page(void *context, uint32_t worker)
{
    (void)context;
    atomic_store(&finish_page[worker], true);
}

static void report(void *context, bool is_error, const char *text)
{
    (void)context;
    if (is_error)
        (void)fprintf(stderr, "ledger: %s\n", text);
}

struct worker {
    uint32_t number;
    uint64_t random;
    bool closes_all; /* before it stops */
    struct request *open[OPEN_MAX];
    size_t open_count;
};

static uint64_t draw(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

static void open_one(struct worker *worker, struct journal *journal)
{
    char text[RECORD_METADATA_MAX];
    const size_t at = atomic_load(&tally->count);
    if (at + WORKERS >= REQUESTS_MAX || fixture_reserve_request(journal) != STATUS_OK)
        return;
    struct request *request = &tally->requests[atomic_fetch_add(&tally->count, 1)];
    request->id = id_make(clock_realtime_us());
    request->input = (int64_t)(draw(&worker->random) % 10000);
    struct record_opened opened = fixture_opened(request->id);
    memset(text, 'x', sizeof(text));
    opened.metadata = slice_of(text, draw(&worker->random) % sizeof(text));
    atomic_store(&request->state, STATE_OPENING);
    fixture_append_opened(journal, &opened);
    atomic_store(&request->state, STATE_OPEN);
    worker->open[worker->open_count++] = request;
}

static void try_again(struct worker *worker, struct journal *journal)
{
    struct request *request = worker->open[draw(&worker->random) % worker->open_count];
    const unsigned number = atomic_load(&request->attempts_begun) + 1U;
    const struct record_attempt attempt = fixture_attempt(request->id, number);
    if (number > 5)
        return;
    atomic_store(&request->attempts_begun, (uint8_t)number);
    if (fixture_append_attempt(journal, &attempt) == STATUS_OK)
        atomic_store(&request->attempts_done, (uint8_t)number);
    else
        atomic_store(&request->attempts_begun, (uint8_t)(number - 1));
}

static void close_one(struct worker *worker, struct journal *journal)
{
    const size_t at = draw(&worker->random) % worker->open_count;
    struct request *request = worker->open[at];
    struct record_closed closed = fixture_closed(request->id, request->input);
    closed.attempts = atomic_load(&request->attempts_done) + 1U;
    atomic_store(&request->state, STATE_CLOSING);
    fixture_append_closed(journal, &closed);
    atomic_store(&request->state, STATE_CLOSED);
    worker->open[at] = worker->open[--worker->open_count];
}

static void refuse_one(struct journal *journal)
{
    const struct record_refused refused = fixture_refused();
    atomic_fetch_add(&tally->refused_begun, 1);
    if (fixture_append_refused(journal, &refused) == STATUS_OK)
        atomic_fetch_add(&tally->refused_done, 1);
    else
        atomic_fetch_sub(&tally->refused_begun, 1);
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct journal *journal = ledger_journal(ledger, worker->number);
    while (!atomic_load(&must_stop)) {
        const uint64_t dice = draw(&worker->random) % 100;
        if (atomic_exchange(&finish_page[worker->number], false))
            journal_finish_page(journal);
        if (dice < 45 && worker->open_count < OPEN_MAX)
            open_one(worker, journal);
        else if (dice < 55 && worker->open_count > 0)
            try_again(worker, journal);
        else if (dice < 60)
            refuse_one(journal);
        else if (worker->open_count > (worker->random >> 40) % OPEN_MAX)
            close_one(worker, journal);
        if (dice == 99) {
            const struct timespec pause = {0, (long)(draw(&worker->random) % 100000)};
            (void)nanosleep(&pause, NULL);
        }
    }
    while (worker->closes_all && worker->open_count > 0)
        close_one(worker, journal);
    return NULL;
}

/* cmocka's handlers are for the parent. */
static void forget_handlers(void)
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
    }
}

static void begin_ledger(uint64_t seed, int64_t steps, struct store **store_out)
{
    struct reason reason = {""};
    forget_handlers();
    *store_out = fixture_open_store();
    const struct ledger_config config = {
        .path = fixture_path("journal"),
        .worker_count = WORKERS,
        .journal_bytes = (uint64_t)WORKERS * (3 + seed % 2 * 5) * SEGMENT_BYTES_MIN,
        .sync_ms = 5,
        .orphans_are_charged = true,
        .store = *store_out,
        .finish_page = ask_finish_page,
        .report = report,
    };
    atomic_store(&steps_left, steps);
    const enum status status = ledger_create(&config, &ledger, &reason);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "%s\n", reason.text);
    ASSERT(status == STATUS_OK);
}

/* `works` for so long, then stops as it should, unless the parent or a step kills it before. */
_Noreturn static void live(uint64_t seed, int64_t steps, unsigned works_ms)
{
    struct worker workers[WORKERS] = {0};
    pthread_t threads[WORKERS];
    struct store *store;
    const struct timespec pause = {works_ms / 1000, (long)(works_ms % 1000) * 1000000};
    begin_ledger(seed, steps, &store);
    for (uint32_t i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){
            .number = i, .random = seed * 2654435761U + i + 1, .closes_all = seed % 3 == 0};
        ASSERT(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    (void)nanosleep(&pause, NULL);
    atomic_store(&must_stop, true);
    for (uint32_t i = 0; i < WORKERS; i++)
        (void)pthread_join(threads[i], NULL);
    const bool is_drained = ledger_destroy(&ledger, 20000);
    store_close(&store);
    _exit(is_drained || seed % 3 != 0 ? 0 : 3);
}

/* A life that only recovers, and stops as it should. */
_Noreturn static void recover(int64_t steps)
{
    const struct timespec pause = {0, 2000000};
    struct ledger_figures figures = {0};
    struct store *store;
    begin_ledger(0, steps, &store);
    do {
        (void)nanosleep(&pause, NULL);
        ledger_figures(ledger, &figures);
    } while (figures.drain.is_recovering);
    ASSERT(figures.drain.records_lost == 0);
    const bool is_drained = ledger_destroy(&ledger, 20000);
    store_close(&store);
    _exit(is_drained ? 0 : 3);
}

static int wait_for(pid_t child)
{
    int status;
    ASSERT(waitpid(child, &status, 0) == child);
    return status;
}

static void wait_killed(pid_t child)
{
    const int status = wait_for(child);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    else
        assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void recover_wholly(void)
{
    const pid_t child = fork();
    if (child == 0)
        recover(0);
    assert_int_equal(wait_for(child), 0);
}

/* --- What must hold ------------------------------------------------------------------------------------------------- */

static int compare_requests(const void *a, const void *b)
{
    return memcmp(((const struct request *)a)->id.bytes, ((const struct request *)b)->id.bytes, 16);
}

static struct request *find(const void *id)
{
    struct request key = {0};
    memcpy(key.id.bytes, id, sizeof(key.id.bytes));
    return bsearch(&key, tally->requests, tally->count, sizeof(key), compare_requests);
}

/* The row is that of a request, with its figures. */
static void check_row(sqlite3_stmt *row, uint8_t *seen)
{
    struct request *request = find(sqlite3_column_blob(row, 0));
    assert_non_null(request);
    assert_int_equal(seen[request - tally->requests], 0);
    seen[request - tally->requests] = 1;
    const unsigned attempts = (unsigned)sqlite3_column_int(row, 3);
    const bool is_orphan = strcmp((const char *)sqlite3_column_text(row, 1), "orphaned") == 0;
    const uint8_t state = atomic_load(&request->state);
    assert_int_equal(sqlite3_column_int64(row, 2), is_orphan ? 11 : request->input);
    assert_true(is_orphan ? state != STATE_CLOSED : state >= STATE_CLOSING);
    assert_in_range(attempts, request->attempts_done + 1U, request->attempts_begun + 1U);
    const char *provider = (const char *)sqlite3_column_text(row, 4);
    assert_string_equal(provider, attempts > 1 ? "second" : "first");
    assert_int_equal(sqlite3_column_int(row, 5), attempts > 1 ? (int)attempts : 0);
}

static void check_rows(void)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *rows = NULL;
    uint8_t *seen = alloc_zeroed(tally->count + 1, 1);
    qsort(tally->requests, tally->count, sizeof(tally->requests[0]), compare_requests);
    assert_int_equal(sqlite3_open(fixture_path("weir.db"), &database), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(database,
                           "SELECT id, outcome, input_tokens, attempts, provider,"
                           " (SELECT count(*) FROM usage_attempts WHERE request_id = id)"
                           " FROM usage_logs",
                           -1, &rows, NULL),
        SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW)
        check_row(rows, seen);
    sqlite3_finalize(rows);
    sqlite3_close(database);
    for (size_t i = 0; i < tally->count; i++) {
        if (seen[i] == 0)
            assert_true(tally->requests[i].state <= STATE_OPENING);
    }
    alloc_free(seen);
}

static void check_all(void)
{
    check_rows();
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_open"), 0);
    assert_int_equal(fixture_number("SELECT count(*) FROM journal_positions"), 0);
    assert_int_equal(fixture_number("SELECT sum(requests) FROM usage_hourly WHERE reason = ''") -
                         fixture_number("SELECT count(*) FROM usage_logs"),
                     0);
    assert_int_equal(fixture_number("SELECT sum(input_tokens) FROM usage_hourly") -
                         fixture_number("SELECT sum(input_tokens) FROM usage_logs"),
                     0);
    assert_int_equal(fixture_number("SELECT sum(cost_nanousd) FROM usage_hourly") -
                         fixture_number("SELECT sum(cost_nanousd) FROM usage_logs"),
                     0);
    assert_in_range(fixture_number("SELECT sum(requests) FROM usage_hourly WHERE reason <> ''"),
                    tally->refused_done, tally->refused_begun);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

/* --- The tests ---------------------------------------------------------------------------------------------------------- */

static unsigned rounds(void)
{
    const char *text = getenv("WEIR_CRASH_ROUNDS");
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 100;
}

static uint64_t first_seed(void)
{
    const char *text = getenv("WEIR_CRASH_SEED");
    const uint64_t seed = text != NULL ? strtoull(text, NULL, 10) : random_u64() % 1000000007;
    print_message("WEIR_CRASH_SEED=%llu\n", (unsigned long long)seed);
    return seed + 1;
}

static void start_anew(void)
{
    assert_int_equal(fixture_make(NULL), 0);
    memset(tally, 0, offsetof(struct tally, requests));
    memset(tally->requests, 0, sizeof(tally->requests));
}

static void end_and_check(void)
{
    recover_wholly();
    check_all();
    print_message(
        "%zu requests, %lld orphans\n", (size_t)tally->count,
        (long long)fixture_number("SELECT count(*) FROM usage_logs WHERE outcome = 'orphaned'"));
    assert_int_equal(fixture_remove(NULL), 0);
}

/* Lives whose end `run` decides; every now and then the tables are looked at. */
static void run_lives(void (*run)(uint64_t *random))
{
    uint64_t random = first_seed();
    const unsigned count = rounds();
    start_anew();
    for (unsigned i = 0; i < count; i++) {
        run(&random);
        if (i % LIVES_A_FILE == LIVES_A_FILE - 1 && i + 1 < count) {
            end_and_check();
            start_anew();
        }
    }
    end_and_check();
}

static void kill_at_random(uint64_t *random)
{
    const uint64_t dice = draw(random) % 100;
    const uint64_t end_us = draw(random) % (dice < 70 ? 40000 : dice < 95 ? 150000 : 900000);
    const uint64_t seed = draw(random);
    const struct timespec pause = {0, (long)end_us * 1000};
    const pid_t child = fork();
    if (child == 0)
        live(seed, 0, dice % 10 == 0 ? 20 : 100000);
    (void)nanosleep(&pause, NULL);
    (void)kill(child, SIGKILL);
    wait_killed(child);
}

static void a_process_killed_at_any_moment_loses_and_doubles_nothing(void **state)
{
    (void)state;
    run_lives(kill_at_random);
}

static void kill_at_a_step(uint64_t *random)
{
    const uint64_t dice = draw(random) % 100;
    const int64_t steps = 1 + (int64_t)(draw(random) % (dice < 50   ? 200
                                                        : dice < 80 ? 2000
                                                                    : 20000));
    const uint64_t seed = draw(random);
    const pid_t child = fork();
    if (child == 0 && dice % 3 == 0)
        recover(steps);
    else if (child == 0)
        live(seed, steps, (unsigned)(10 + (dice % 4 == 0 ? seed % 500 : seed % 60)));
    wait_killed(child);
}

static void a_process_killed_between_any_two_steps_of_its_drain_loses_and_doubles_nothing(
    void **state)
{
    (void)state;
    run_lives(kill_at_a_step);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_killed_at_any_moment_loses_and_doubles_nothing),
        cmocka_unit_test(
            a_process_killed_between_any_two_steps_of_its_drain_loses_and_doubles_nothing),
    };
    tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(tally != MAP_FAILED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
