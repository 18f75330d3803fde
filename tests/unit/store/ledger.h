/* Requests, sums and a fixture, for the tests of the ledger's tables. */
#ifndef TESTS_UNIT_STORE_LEDGER_H
#define TESTS_UNIT_STORE_LEDGER_H

#include "store/store_audit.h"
#include "store/store_usage.h"
#include "unit/store/sqlite/database.h"

#define DAY_US  (24 * STORE_HOUR_US)
#define NOON_US (UINT64_C(20000) * DAY_US + 12 * STORE_HOUR_US) /* of 2024-10-04 */

static inline int ledger_open(void **state)
{
    if (database_make_folder(state) != 0)
        return -1;
    *state = database_open();
    return 0;
}

static inline int ledger_close(void **state)
{
    struct store *store = *state;
    store_close(&store);
    return database_remove_folder(state);
}

/* An answered request of user 1 with key 2. */
static inline struct store_usage ledger_usage(unsigned number)
{
    return (struct store_usage){
        .id = database_id(number),
        .timestamp_us = NOON_US + number,
        .user_id = database_id(1),
        .key_id = database_id(2),
        .model = SLICE("gpt-4o"),
        .provider = SLICE("openai"),
        .tokens = {100, 20, STORE_UNKNOWN, 0, 7, STORE_UNKNOWN},
        .cost_nanousd = 1500,
        .status = 200,
        .outcome = SLICE("completed"),
        .answered = true,
        .attempts = 1,
        .latency_us = 900,
        .first_byte_us = STORE_UNKNOWN,
        .batch = 1,
    };
}

/* As the drain does it: the sums of rows that are new. */
static inline void ledger_add(struct store *store, const struct store_usage *usage)
{
    struct reason reason = {""};
    bool inserted = false;
    if (store_usage_insert(store, usage, &inserted, &reason) != STATUS_OK)
        (void)fprintf(stderr, "%s\n", reason.text);
    ASSERT(inserted);
    struct store_sum sum;
    store_sum_of(usage, &sum);
    ASSERT(store_sum_add(store, &sum, NULL) == STATUS_OK);
}

/* A number that the database answers, seen by a connection of its own. */
static inline int64_t ledger_ask(const char *sql)
{
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    ASSERT(sqlite3_open(database_path(), &database) == SQLITE_OK);
    ASSERT(sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK);
    ASSERT(sqlite3_step(statement) == SQLITE_ROW);
    const int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return number;
}

/* The same for a text of at most 255 bytes; "NULL" for none. */
static inline const char *ledger_ask_text(const char *sql)
{
    static char text[256];
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    ASSERT(sqlite3_open(database_path(), &database) == SQLITE_OK);
    ASSERT(sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK);
    ASSERT(sqlite3_step(statement) == SQLITE_ROW);
    const unsigned char *answer = sqlite3_column_text(statement, 0);
    (void)snprintf(text, sizeof(text), "%s", answer != NULL ? (const char *)answer : "NULL");
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return text;
}

/* The lines of a report, one text each: "ID NAME requests answered refused cost". */
struct ledger_lines {
    char text[64][160];
    struct store_report_line last; /* its slices are gone */
    size_t count;
};

static inline enum status ledger_keep_line(void *context, const struct store_report_line *line)
{
    struct ledger_lines *lines = context;
    ASSERT(lines->count < 64);
    (void)snprintf(lines->text[lines->count], sizeof(lines->text[0]),
                   "%.*s/%.*s %llu %llu %llu %lld", SLICE_ARGS(line->id), SLICE_ARGS(line->name),
                   (unsigned long long)line->requests, (unsigned long long)line->answered,
                   (unsigned long long)line->refused, (long long)line->cost_nanousd);
    lines->last = *line;
    lines->count++;
    return STATUS_OK;
}

static inline struct ledger_lines ledger_report(struct store *store,
                                                const struct store_report *report)
{
    struct ledger_lines lines = {.count = 0};
    struct reason reason = {""};
    const enum status status = store_report(store, report, ledger_keep_line, &lines, &reason);
    if (status != STATUS_OK)
        (void)fprintf(stderr, "%s\n", reason.text);
    ASSERT(status == STATUS_OK);
    return lines;
}

#endif
