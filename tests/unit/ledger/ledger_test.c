/* The ledger as a whole, with its threads, a real store, and a disk and a store that fail. */
#include "ledger/ledger.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>
#include <pthread.h>

#include "unit/ledger/fixture.h"

#define WAIT_MS 10000

/* --- A disk that fails --------------------------------------------------------------------------------------- */

static atomic_int msyncs_to_fail, fallocates_to_fail;

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    ASSERT(found != NULL);
    return found;
}

static bool is_due(atomic_int *count)
{
    return atomic_load(count) > 0 && atomic_fetch_sub(count, 1) > 0;
}

int msync(void *memory, size_t size, int flags)
{
    static int (*call)(void *, size_t, int);
    if (call == NULL)
        *(void **)&call = real("msync");
    if (is_due(&msyncs_to_fail)) {
        errno = EIO;
        return -1;
    }
    return call(memory, size, flags);
}

int posix_fallocate(int file, off_t from, off_t size)
{
    static int (*call)(int, off_t, off_t);
    if (call == NULL)
        *(void **)&call = real("posix_fallocate");
    return is_due(&fallocates_to_fail) ? ENOSPC : call(file, from, size);
}

/* --- A ledger with one worker -------------------------------------------------------------------------------------- */

static struct store *store;
static struct ledger *ledger;
static struct journal *journal;
static atomic_bool must_finish_page;
static atomic_int errors, successes;
static pthread_mutex_t error_lock = PTHREAD_MUTEX_INITIALIZER;
static char last_error[512];

static void ask_finish_page(void *context, uint32_t worker)
{
    (void)context;
    (void)worker;
    atomic_store(&must_finish_page, true);
}

static void report(void *context, bool is_error, const char *text)
{
    (void)context;
    pthread_mutex_lock(&error_lock);
    if (is_error)
        (void)snprintf(last_error, sizeof(last_error), "%s", text);
    pthread_mutex_unlock(&error_lock);
    atomic_fetch_add(is_error ? &errors : &successes, 1);
}

static bool last_error_says(const char *word)
{
    pthread_mutex_lock(&error_lock);
    const bool says = strstr(last_error, word) != NULL;
    pthread_mutex_unlock(&error_lock);
    return says;
}

static struct ledger_config config_of(struct store *of_store)
{
    return (struct ledger_config){
        .path = fixture_path("journal"),
        .worker_count = 1,
        .journal_bytes = UINT64_C(8) * SEGMENT_BYTES_MIN,
        .sync_ms = 1,
        .orphans_are_charged = true,
        .store = of_store,
        .finish_page = ask_finish_page,
        .report = report,
    };
}

static void begin(void)
{
    struct reason reason = {""};
    store = fixture_open_store();
    const struct ledger_config config = config_of(store);
    const enum status status = ledger_create(&config, &ledger, &reason);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "%s\n", reason.text);
    ASSERT(status == STATUS_OK);
    journal = ledger_journal(ledger, 0);
}

static bool end(void)
{
    const bool is_drained = ledger_destroy(&ledger, WAIT_MS);
    store_close(&store);
    return is_drained;
}

static int make(void **state)
{
    atomic_store(&errors, 0);
    atomic_store(&successes, 0);
    atomic_store(&msyncs_to_fail, 0);
    atomic_store(&fallocates_to_fail, 0);
    last_error[0] = 0;
    return fixture_make(state);
}

/* One turn of the worker. */
static void turn(void)
{
    const struct timespec pause = {0, 1000000};
    if (atomic_exchange(&must_finish_page, false))
        journal_finish_page(journal);
    (void)nanosleep(&pause, NULL);
}

static bool wait_until(bool (*holds)(void))
{
    for (int i = 0; i < WAIT_MS; i++) {
        if (holds())
            return true;
        turn();
    }
    return false;
}

static bool has_room(void)
{
    if (fixture_reserve_request(journal) != STATUS_OK)
        return false;
    journal_unreserve(journal, 2, RECORD_OPENED_MAX + RECORD_CLOSED_MAX);
    return true;
}

static bool is_out_of_room(void)
{
    return !has_room();
}

static struct ledger_figures figures(void)
{
    struct ledger_figures found;
    ledger_figures(ledger, &found);
    return found;
}

static bool has_recovered(void)
{
    return !figures().drain.is_recovering;
}

static bool is_well(void)
{
    const struct ledger_figures found = figures();
    return !found.drain.has_failed && !found.keeper.has_failed;
}

static bool is_ill(void)
{
    return !is_well();
}

static bool is_told_well(void)
{
    return atomic_load(&successes) > 0;
}

static void open_request(unsigned number)
{
    const struct record_opened opened = fixture_opened(fixture_id(number));
    ASSERT(wait_until(has_room));
    ASSERT(fixture_reserve_request(journal) == STATUS_OK);
    fixture_append_opened(journal, &opened);
}

static void close_request(unsigned number)
{
    const struct record_closed closed = fixture_closed(fixture_id(number), number);
    fixture_append_closed(journal, &closed);
}

static void do_requests(unsigned from, unsigned until)
{
    for (unsigned i = from; i < until; i++) {
        open_request(i);
        close_request(i);
    }
}

static int64_t rows(void)
{
    return fixture_number("SELECT count(*) FROM usage_logs");
}

/* --- Ordinary days -------------------------------------------------------------------------------------------------- */

static void requests_become_rows_and_a_clean_stop_leaves_no_journal(void **state)
{
    (void)state;
    begin();
    do_requests(1, 2001);
    for (int i = 0; i < 7; i++) {
        const struct record_refused refused = fixture_refused();
        assert_int_equal(fixture_append_refused(journal, &refused), STATUS_OK);
    }
    assert_true(end());
    assert_int_equal(rows(), 2000);
    assert_int_equal(fixture_number("SELECT sum(input_tokens) FROM usage_logs"), 2001 * 1000);
    assert_int_equal(fixture_number("SELECT sum(input_tokens) FROM usage_hourly"), 2001 * 1000);
    assert_int_equal(fixture_number("SELECT sum(requests) FROM usage_hourly WHERE reason <> ''"),
                     7);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_attempts"), 0);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_open"), 0);
    assert_int_equal(fixture_number("SELECT count(*) FROM journal_positions"), 0);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
    assert_int_equal(errors, 0);
}

static void a_request_that_is_open_at_the_stop_is_an_orphan_of_the_next_start(void **state)
{
    (void)state;
    begin();
    do_requests(1, 10);
    open_request(10);
    const struct record_attempt attempt = fixture_attempt(fixture_id(10), 1);
    assert_int_equal(fixture_append_attempt(journal, &attempt), STATUS_OK);
    do_requests(11, 1000); /* over many seams */
    assert_false(end());
    assert_int_equal(rows(), 998);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_open"), 1);
    begin();
    assert_true(wait_until(has_recovered));
    assert_int_equal(figures().drain.orphans, 1);
    assert_true(end());
    assert_int_equal(rows(), 999);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_logs WHERE outcome = 'orphaned' AND"
                                    " attempts = 2 AND provider = 'second' AND input_tokens = 11"),
                     1);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_attempts"), 2);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_open"), 0);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

static void a_ledger_leaves_the_journal_of_a_process_that_lives_alone(void **state)
{
    (void)state;
    begin();
    do_requests(1, 10);
    open_request(10);
    struct store *other_store = fixture_open_store();
    struct ledger *other = NULL;
    struct ledger_figures found;
    const struct ledger_config config = config_of(other_store);
    assert_int_equal(ledger_create(&config, &other, NULL), STATUS_OK);
    do {
        turn();
        ledger_figures(other, &found);
    } while (found.drain.is_recovering);
    assert_int_equal(found.drain.recovered_rows, 0);
    assert_true(ledger_destroy(&other, WAIT_MS));
    store_close(&other_store);
    close_request(10);
    assert_true(end());
    assert_int_equal(rows(), 10);
    assert_int_equal(fixture_number("SELECT count(*) FROM usage_logs WHERE outcome = 'orphaned'"),
                     0);
}

static void a_journal_too_small_for_its_workers_is_refused(void **state)
{
    (void)state;
    struct reason reason = {""};
    store = fixture_open_store();
    struct ledger_config config = config_of(store);
    config.worker_count = 4;
    config.journal_bytes = ledger_bytes_min(4) - 1;
    assert_int_equal(ledger_create(&config, &ledger, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "journal_bytes"));
    assert_null(ledger);
    config.journal_bytes++;
    assert_int_equal(ledger_create(&config, &ledger, &reason), STATUS_OK);
    assert_true(end());
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

/* --- A store that fails ------------------------------------------------------------------------------------------------ */

static sqlite3 *lock_store(void)
{
    sqlite3 *database = NULL;
    ASSERT(sqlite3_open(fixture_path("weir.db"), &database) == SQLITE_OK);
    sqlite3_busy_timeout(database, 5000);
    ASSERT(sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
    return database;
}

static void unlock_store(sqlite3 *database)
{
    ASSERT(sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL) == SQLITE_OK);
    ASSERT(sqlite3_close(database) == SQLITE_OK);
}

static void a_full_journal_refuses_until_the_store_takes_its_records(void **state)
{
    (void)state;
    unsigned count = 1;
    begin();
    assert_true(wait_until(has_recovered));
    sqlite3 *lock = lock_store();
    while (true) {
        if (!has_room() && !wait_until(has_room)) /* waits long: the keeper has a chance */
            break;
        do_requests(count, count + 1);
        count++;
        if (count > 200 && figures().keeper.is_full && is_out_of_room())
            break;
    }
    assert_true(count > 300);
    assert_true(figures().keeper.segment_bytes_total <= UINT64_C(8) * SEGMENT_BYTES_MIN);
    unlock_store(lock);
    assert_true(wait_until(has_room));
    do_requests(count, count + 500);
    assert_true(end());
    assert_int_equal(rows(), count + 499);
}

static void a_store_that_is_locked_is_told_once_and_loses_nothing(void **state)
{
    (void)state;
    begin();
    assert_true(wait_until(has_recovered));
    do_requests(1, 100);
    sqlite3 *lock = lock_store();
    do_requests(100, 200);
    assert_true(wait_until(is_ill));
    for (int i = 0; i < 1500; i++)
        turn();
    assert_int_equal(errors, 1);
    unlock_store(lock);
    assert_true(wait_until(is_told_well));
    do_requests(200, 300);
    assert_true(end());
    assert_int_equal(errors, 1);
    assert_int_equal(successes, 1);
    assert_int_equal(rows(), 299);
}

static void a_store_that_is_moved_away_is_told_and_loses_nothing(void **state)
{
    (void)state;
    begin();
    assert_true(wait_until(has_recovered));
    do_requests(1, 100);
    assert_int_equal(rename(fixture_path("weir.db"), fixture_path("away.db")), 0);
    do_requests(100, 200);
    assert_true(wait_until(is_ill));
    assert_true(last_error_says("weir.db"));
    assert_int_equal(rename(fixture_path("away.db"), fixture_path("weir.db")), 0);
    assert_true(wait_until(is_told_well));
    do_requests(200, 300);
    assert_true(end());
    assert_int_equal(rows(), 299);
}

static void a_store_that_is_gone_at_the_stop_leaves_the_journal(void **state)
{
    (void)state;
    begin();
    assert_true(wait_until(has_recovered));
    sqlite3 *lock = lock_store();
    do_requests(1, 100);
    assert_false(ledger_destroy(&ledger, 100));
    store_close(&store);
    unlock_store(lock);
    assert_int_equal(rows(), 0);
    begin();
    assert_true(wait_until(has_recovered));
    assert_true(end());
    assert_int_equal(rows(), 99);
}

/* --- A disk that fails -------------------------------------------------------------------------------------------------- */

static void without_room_on_the_disk_it_says_so_once_and_goes_on_when_there_is(void **state)
{
    (void)state;
    unsigned count = 1;
    begin();
    atomic_store(&fallocates_to_fail, 1000000);
    for (int i = 0; i < 100000 && errors == 0; i++) {
        if (has_room())
            do_requests(count, count + 1), count++;
        else
            turn();
    }
    assert_int_equal(errors, 1);
    assert_true(last_error_says("No space left"));
    for (int i = 0; i < 1200; i++)
        turn();
    assert_int_equal(errors, 1);
    atomic_store(&fallocates_to_fail, 0);
    assert_true(wait_until(is_told_well));
    do_requests(count, count + 300);
    assert_true(end());
    assert_int_equal(rows(), count + 299);
    assert_int_equal(errors, 1);
    assert_int_equal(successes, 1);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

/* A process of its own: cmocka's handlers do not see its bus errors. Its end is that of kill -9. */
static void run_apart(void (*run)(void))
{
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
            (void)signal(signals[i], SIG_DFL);
        run();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static bool is_second_segment(void)
{
    return journal->number > 1;
}

static bool has_replaced(void)
{
    return figures().keeper.sync_failures > 0 && is_well() && journal->number > 1;
}

static ino_t inode_of_first_segment(void)
{
    struct directory directory;
    struct directory_listing listing;
    struct stat info;
    char name[DIRECTORY_NAME_BYTES];
    ASSERT(directory_open(&directory, fixture_path("journal"), NULL) == STATUS_OK);
    ASSERT(directory_list(&directory, &listing, NULL) == STATUS_OK);
    directory_segment_name(&listing.segments[0], name);
    ASSERT(fstatat(directory.fd, name, &info, 0) == 0);
    directory_listing_free(&listing);
    directory_close(&directory);
    return info.st_ino;
}

static void fail_a_sync(void)
{
    begin();
    ASSERT(wait_until(has_recovered));
    ASSERT(lock_store() != NULL);
    const ino_t before = inode_of_first_segment();
    do_requests(1, 20);
    atomic_store(&msyncs_to_fail, 1);
    open_request(20);
    ASSERT(wait_until(has_replaced));
    ASSERT(inode_of_first_segment() != before);
    do_requests(21, 40);
    ASSERT(last_error_says("sync"));
}

static void a_segment_whose_sync_failed_is_left_and_replaced(void **state)
{
    (void)state;
    run_apart(fail_a_sync);
    begin();
    assert_true(wait_until(has_recovered));
    assert_int_equal(figures().drain.records_lost, 0);
    assert_int_equal(figures().drain.orphans, 1);
    assert_true(end());
    assert_int_equal(rows(), 39);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

static void use_a_replaced_segment(void)
{
    begin();
    ASSERT(wait_until(has_recovered));
    for (unsigned i = 0; i < 20; i++) { /* again and again, over recycling */
        atomic_store(&msyncs_to_fail, (int)(i % 3));
        do_requests(1 + i * 100, 101 + i * 100);
    }
}

static void a_segment_that_was_replaced_is_not_used_again(void **state)
{
    (void)state;
    run_apart(use_a_replaced_segment);
    begin();
    assert_true(wait_until(has_recovered));
    assert_int_equal(figures().drain.records_lost, 0);
    assert_true(end());
    assert_int_equal(rows(), 2000);
}

static void cut_segments(off_t size)
{
    struct directory directory;
    struct directory_listing listing;
    char name[DIRECTORY_NAME_BYTES];
    ASSERT(directory_open(&directory, fixture_path("journal"), NULL) == STATUS_OK);
    ASSERT(directory_list(&directory, &listing, NULL) == STATUS_OK);
    for (size_t i = 0; i < listing.segment_count; i++) {
        directory_segment_name(&listing.segments[i], name);
        const int file = openat(directory.fd, name, O_RDWR | O_CLOEXEC);
        ASSERT(file >= 0 && ftruncate(file, size) == 0);
        close(file);
    }
    directory_listing_free(&listing);
    directory_close(&directory);
}

static void cut_live_segments(void)
{
    begin();
    ASSERT(wait_until(has_recovered));
    sqlite3 *lock = lock_store();
    do_requests(1, 60);
    cut_segments(2 * SEGMENT_PAGE_BYTES);
    do_requests(60, 100); /* some on pages that are gone */
    unlock_store(lock);
    ASSERT(wait_until(is_second_segment));
    do_requests(100, 200);
    ASSERT(wait_until(is_well));
    ASSERT(atomic_load(&errors) > 0);
    ASSERT(end());
    ASSERT(fixture_number("SELECT count(*) FROM usage_logs WHERE input_tokens >= 60") == 140);
}

static void a_live_segment_that_is_cut_short_costs_only_what_lay_there(void **state)
{
    (void)state;
    run_apart(cut_live_segments);
    assert_in_range(rows(), 140 + 4, 198);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

static void be_hit_elsewhere(void)
{
    const struct timespec pause = {5, 0};
    begin();
    const int file = open(fixture_path("other"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    volatile char *bytes = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    ASSERT(bytes != MAP_FAILED && bytes[0] == 0);
    (void)nanosleep(&pause, NULL);
}

static void a_bus_error_elsewhere_ends_the_process(void **state)
{
    (void)state;
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        (void)signal(SIGBUS, SIG_DFL);
        be_hit_elsewhere();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0); /* sanitizers exit */
    begin();
    assert_true(wait_until(has_recovered));
    assert_true(end());
}

/* --- Journals of others ---------------------------------------------------------------------------------------------------- */

static void write_header(uint32_t version)
{
    struct directory directory;
    struct directory_listing listing;
    char name[DIRECTORY_NAME_BYTES];
    ASSERT(directory_open(&directory, fixture_path("journal"), NULL) == STATUS_OK);
    ASSERT(directory_list(&directory, &listing, NULL) == STATUS_OK);
    directory_segment_name(&listing.segments[0], name);
    const int file = openat(directory.fd, name, O_RDWR | O_CLOEXEC);
    ASSERT(file >= 0 && pwrite(file, &version, sizeof(version), 8) == sizeof(version));
    close(file);
    directory_listing_free(&listing);
    directory_close(&directory);
}

static void leave_a_journal(void)
{
    begin();
    ASSERT(wait_until(has_recovered));
    ASSERT(lock_store() != NULL);
    do_requests(1, 20);
}

static void a_journal_of_another_version_stays_as_it_is_and_keeps_nothing_from_going_on(
    void **state)
{
    (void)state;
    run_apart(leave_a_journal);
    write_header(2);
    const int files = fixture_count_files(fixture_path("journal"));
    begin();
    assert_true(wait_until(has_recovered));
    assert_int_equal(errors, 1);
    assert_true(last_error_says("version 2"));
    do_requests(100, 120);
    assert_true(end());
    assert_int_equal(rows(), 20);
    assert_int_equal(fixture_count_files(fixture_path("journal")), files);
    write_header(1);
    begin();
    assert_true(wait_until(has_recovered));
    assert_true(end());
    assert_int_equal(rows(), 39);
    assert_int_equal(fixture_count_files(fixture_path("journal")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make, fixture_remove)
        TEST(requests_become_rows_and_a_clean_stop_leaves_no_journal),
        TEST(a_request_that_is_open_at_the_stop_is_an_orphan_of_the_next_start),
        TEST(a_ledger_leaves_the_journal_of_a_process_that_lives_alone),
        TEST(a_journal_too_small_for_its_workers_is_refused),
        TEST(a_full_journal_refuses_until_the_store_takes_its_records),
        TEST(a_store_that_is_locked_is_told_once_and_loses_nothing),
        TEST(a_store_that_is_moved_away_is_told_and_loses_nothing),
        TEST(a_store_that_is_gone_at_the_stop_leaves_the_journal),
        TEST(without_room_on_the_disk_it_says_so_once_and_goes_on_when_there_is),
        TEST(a_segment_whose_sync_failed_is_left_and_replaced),
        TEST(a_segment_that_was_replaced_is_not_used_again),
        TEST(a_live_segment_that_is_cut_short_costs_only_what_lay_there),
        TEST(a_bus_error_elsewhere_ends_the_process),
        TEST(a_journal_of_another_version_stays_as_it_is_and_keeps_nothing_from_going_on),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
