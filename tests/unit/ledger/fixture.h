/* A folder of its own with a journal and a store, and records to put there, for the ledger's tests. */
#ifndef TESTS_UNIT_LEDGER_FIXTURE_H
#define TESTS_UNIT_LEDGER_FIXTURE_H

#include <dirent.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/random.h"
#include "ledger/directory.h"
#include "ledger/journal.h"
#include "ledger/record.h"
#include "ledger/segment.h"
#include "store/store_usage.h"

static char fixture_folder[] = "/tmp/weir-ledger-XXXXXX";

static inline const char *fixture_path(const char *name)
{
    static char paths[4][96];
    static unsigned at;
    char *path = paths[at++ % 4];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", fixture_folder, name);
    return path;
}

static inline int fixture_make(void **state)
{
    (void)state;
    memcpy(fixture_folder + sizeof(fixture_folder) - 7, "XXXXXX", 6);
    return mkdtemp(fixture_folder) != NULL ? 0 : -1;
}

/* How many files the folder has, but for those that begin with a dot; -1: there is none. */
static inline int fixture_count_files(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    int count = 0;
    if (folder == NULL)
        return -1;
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static inline void fixture_empty(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    char name[512];
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlink(name) != 0)
            (void)rmdir(name);
    }
    if (folder != NULL)
        closedir(folder);
}

static inline int fixture_remove(void **state)
{
    (void)state;
    fixture_empty(fixture_path("journal"));
    fixture_empty(fixture_folder);
    return rmdir(fixture_folder);
}

static inline struct store *fixture_open_store(void)
{
    const struct store_config config = {
        .path = fixture_path("weir.db"), .create = true, .busy_timeout_ms = 200, .now_us = 42};
    struct store *store = NULL;
    struct reason reason = {""};
    const enum status status = store_open(&config, &store, &reason);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "%s\n", reason.text);
    ASSERT(status == STATUS_OK);
    return store;
}

/* The single number that a query gives; NULL counts as 0. */
static inline int64_t fixture_number(const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    ASSERT(sqlite3_open(fixture_path("weir.db"), &database) == SQLITE_OK);
    ASSERT(sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK);
    ASSERT(sqlite3_step(statement) == SQLITE_ROW);
    const int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    ASSERT(sqlite3_close(database) == SQLITE_OK);
    return number;
}

/* --- Records -------------------------------------------------------------------------------------------- */

static inline struct id fixture_id(unsigned number)
{
    struct id id = {{1, 2, 3}};
    id.bytes[14] = (unsigned char)(number >> 8);
    id.bytes[15] = (unsigned char)number;
    return id;
}

static inline struct record_bill fixture_bill(int64_t input)
{
    return (struct record_bill){
        .tokens = {input, 7, 0, 0, RECORD_UNKNOWN, RECORD_UNKNOWN},
        .cost_nanousd = 1000 + input,
        .price_id = SLICE("p1"),
    };
}

static inline struct record_opened fixture_opened(struct id id)
{
    return (struct record_opened){
        .id = id,
        .time_us = UINT64_C(1764000000000000),
        .user_id = fixture_id(60001),
        .key_id = fixture_id(60002),
        .route = SLICE("/v1/chat/completions"),
        .model = SLICE("gpt"),
        .provider = SLICE("first"),
        .target_model = SLICE("gpt-first"),
        .client_request_id = SLICE("client-1"),
        .metadata = SLICE("{\"a\":1}"),
        .orphan = fixture_bill(11),
    };
}

static inline struct record_attempt fixture_attempt(struct id id, unsigned number)
{
    return (struct record_attempt){
        .id = id,
        .number = number,
        .time_us = UINT64_C(1764000000000000),
        .status = 500,
        .outcome = SLICE("failed"),
        .latency_us = 42,
        .next_provider = SLICE("second"),
        .next_target_model = SLICE("gpt-second"),
    };
}

static inline struct record_closed fixture_closed(struct id id, int64_t input)
{
    return (struct record_closed){
        .id = id,
        .bill = fixture_bill(input),
        .status = 200,
        .outcome = SLICE("completed"),
        .answered = true,
        .attempts = 1,
        .last_status = 200,
        .last_outcome = SLICE("answered"),
        .latency_us = 1000,
        .first_byte_us = 500,
        .last_latency_us = 900,
        .provider_request_id = SLICE("provider-1"),
    };
}

static inline struct record_refused fixture_refused(void)
{
    return (struct record_refused){
        .time_us = UINT64_C(1764000000000000),
        .user_id = fixture_id(60001),
        .key_id = fixture_id(60002),
        .model = SLICE("gpt"),
        .reason = SLICE("rate_limit"),
    };
}

/* --- Appending as a worker does ---------------------------------------------------------------------------- */

/* The room that an OPENED record and the CLOSED one that must follow it take. */
static inline enum status fixture_reserve_request(struct journal *journal)
{
    return journal_reserve(journal, 2, RECORD_OPENED_MAX + RECORD_CLOSED_MAX);
}

static inline void fixture_append_opened(struct journal *journal,
                                         const struct record_opened *opened)
{
    char *room = journal_room(journal, RECORD_OPENED_MAX);
    journal_append(journal, RECORD_OPENED, record_write_opened(opened, room));
    journal_unreserve(journal, 1, RECORD_OPENED_MAX);
}

static inline enum status fixture_append_attempt(struct journal *journal,
                                                 const struct record_attempt *attempt)
{
    const enum status status = journal_reserve(journal, 1, RECORD_ATTEMPT_MAX);
    if (status != STATUS_OK)
        return status;
    char *room = journal_room(journal, RECORD_ATTEMPT_MAX);
    journal_append(journal, RECORD_ATTEMPT, record_write_attempt(attempt, room));
    journal_unreserve(journal, 1, RECORD_ATTEMPT_MAX);
    return STATUS_OK;
}

static inline void fixture_append_closed(struct journal *journal,
                                         const struct record_closed *closed)
{
    char *room = journal_room(journal, RECORD_CLOSED_MAX);
    journal_append(journal, RECORD_CLOSED, record_write_closed(closed, room));
    journal_unreserve(journal, 1, RECORD_CLOSED_MAX);
}

static inline enum status fixture_append_refused(struct journal *journal,
                                                 const struct record_refused *refused)
{
    const enum status status = journal_reserve(journal, 1, RECORD_REFUSED_MAX);
    if (status != STATUS_OK)
        return status;
    char *room = journal_room(journal, RECORD_REFUSED_MAX);
    journal_append(journal, RECORD_REFUSED, record_write_refused(refused, room));
    journal_unreserve(journal, 1, RECORD_REFUSED_MAX);
    return STATUS_OK;
}

#endif
