/* What the store costs: µs per request moved in, and how long reports take over many sums.
 *
 * Usage: store FOLDER insert ROWS BATCH KEYS
 *        store FOLDER fill ROWS KEYS DAYS    ROWS requests over DAYS, in batches of 10,000
 *        store FOLDER sums KEYS MODELS DAYS  sums alone: each key uses each model each hour
 *        store FOLDER report                 one line of milliseconds per kind of report
 *
 * Sums are added up per batch as weir's drain does it: once per hour, key and model. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "store/store_usage.h"

#define START_US    UINT64_C(1767225600000000) /* 2026-01-01 */
#define MODEL_COUNT 5
#define BATCH_ROWS  10000

static const char *const models[MODEL_COUNT] = {"gpt-4o", "gpt-4o-mini", "claude-sonnet-4",
                                                "llama-3.3-70b-instruct", "mistral-large"};
static const char *const providers[MODEL_COUNT] = {"openai", "openai", "anthropic", "local",
                                                   "mistral"};

static struct reason reason;

static void must(enum status status, const char *what)
{
    if (status == STATUS_OK)
        return;
    (void)fprintf(stderr, "store: %s: %s: %s\n", what, status_name(status), reason.text);
    exit(1);
}

static double seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint32_t random_below(uint32_t bound)
{
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) * bound >> 32);
}

static struct id owner_id(unsigned kind, uint32_t number)
{
    /* As random as ids made at different times are. */
    struct id id = {
        {(unsigned char)(number * 97), (unsigned char)(number * 31), (unsigned char)kind}};
    memcpy(id.bytes + 12, &number, sizeof(number));
    return id;
}

static struct store *open_store(const char *folder)
{
    char path[512];
    struct store *store = NULL;
    (void)snprintf(path, sizeof(path), "%s/weir.db", folder);
    const struct store_config config = {
        .path = path, .create = true, .busy_timeout_ms = 5000, .now_us = START_US};
    must(store_open(&config, &store, &reason), "open");
    return store;
}

static struct id request_id(uint64_t timestamp_us, uint64_t number)
{
    struct id id = id_make(timestamp_us);
    for (int i = 0; i < 5; i++)
        id.bytes[15 - i] = (unsigned char)(number >> (8 * i));
    return id;
}

static struct store_usage make_usage(uint64_t number, uint64_t timestamp_us, uint32_t keys)
{
    static char client_request_id[37] = "0b2f6c1e-8a5d-4f0e-9c3b-1d2e3f405162";
    const uint32_t key = random_below(keys);
    /* Most keys use one model. */
    const uint32_t model = random_below(10) == 0 ? random_below(MODEL_COUNT) : key % MODEL_COUNT;
    return (struct store_usage){
        .id = request_id(timestamp_us, number),
        .timestamp_us = timestamp_us,
        .key_id = owner_id(1, key),
        .user_id = owner_id(2, key / 2),
        .team_id = owner_id(3, key / 100),
        .route = SLICE("/v1/chat/completions"),
        .model = slice_from_text(models[model]),
        .provider = slice_from_text(providers[model]),
        .target_model = slice_from_text(models[model]),
        .tokens = {random_below(4000), random_below(800), 0, 0, 0, 0},
        .cost_nanousd = random_below(50000000),
        .price_id = SLICE("catalogue-2026-01"),
        .status = 200,
        .outcome = SLICE("completed"),
        .answered = true,
        .attempts = 1,
        .cache = SLICE("miss"),
        .stream = true,
        .latency_us = 1000000 + random_below(9000000),
        .first_byte_us = 300000,
        .client_request_id = slice_of(client_request_id, 36),
        .provider_request_id = SLICE("req_011CQyz7pT3kX9fW2mVbNaHd"),
    };
}

static int compare_sums(const void *left, const void *right)
{
    const struct store_sum *a = left;
    const struct store_sum *b = right;
    if (a->hour_us != b->hour_us)
        return (a->hour_us > b->hour_us) - (a->hour_us < b->hour_us);
    const int user = memcmp(&a->user_id, &b->user_id, sizeof(a->user_id));
    if (user != 0)
        return user;
    const int key = memcmp(&a->key_id, &b->key_id, sizeof(a->key_id));
    return key != 0 ? key : (a->model.data > b->model.data) - (a->model.data < b->model.data);
}

static size_t merge_sums(struct store_sum *sums, size_t count)
{
    size_t kept = 0;
    qsort(sums, count, sizeof(*sums), compare_sums);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && compare_sums(&sums[kept - 1], &sums[i]) == 0)
            store_sum_merge(&sums[kept - 1], &sums[i]);
        else
            sums[kept++] = sums[i];
    }
    return kept;
}

struct spent {
    double rows_s, sums_s, commit_s, sync_s;
    uint64_t buckets;
};

static void insert_batch(struct store *store, const struct store_usage *rows, size_t count,
                         struct spent *spent)
{
    static struct store_sum sums[BATCH_ROWS];
    const double start = seconds(CLOCK_MONOTONIC);
    int64_t batch = 0;
    must(store_begin(store, &reason), "begin");
    must(store_batch_next(store, &batch, &reason), "batch");
    for (size_t i = 0; i < count; i++) {
        struct store_usage row = rows[i];
        bool inserted = false;
        row.batch = batch;
        must(store_usage_insert(store, &row, &inserted, &reason), "insert");
        store_sum_of(&row, &sums[i]);
    }
    const size_t buckets = merge_sums(sums, count);
    const double inserted_at = seconds(CLOCK_MONOTONIC);
    for (size_t i = 0; i < buckets; i++)
        must(store_sum_add(store, &sums[i], &reason), "sum");
    const double added_at = seconds(CLOCK_MONOTONIC);
    const struct store_position position = {1, 0, (uint64_t)batch, 4096, (uint64_t)batch};
    must(store_position_set(store, &position, &reason), "position");
    must(store_commit(store, &reason), "commit");
    const double committed_at = seconds(CLOCK_MONOTONIC);
    must(store_sync(store, &reason), "sync");
    spent->rows_s += inserted_at - start;
    spent->sums_s += added_at - inserted_at;
    spent->commit_s += committed_at - added_at;
    spent->sync_s += seconds(CLOCK_MONOTONIC) - committed_at;
    spent->buckets += buckets;
}

static void insert_rows(const char *folder, uint64_t rows, size_t batch_rows, uint32_t keys,
                        uint64_t step_us)
{
    static struct store_usage usage[BATCH_ROWS];
    struct store *store = open_store(folder);
    struct spent spent = {0};
    const double cpu_start = seconds(CLOCK_PROCESS_CPUTIME_ID);
    double made_s = 0;
    for (uint64_t done = 0; done < rows; done += batch_rows) {
        const double start = seconds(CLOCK_PROCESS_CPUTIME_ID);
        for (size_t i = 0; i < batch_rows; i++)
            usage[i] = make_usage(done + i, START_US + (done + i) * step_us, keys);
        made_s += seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
        insert_batch(store, usage, batch_rows, &spent);
    }
    const double cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_start - made_s;
    const double wall_s = spent.rows_s + spent.sums_s + spent.commit_s + spent.sync_s;
    const double per_row = 1e6 / (double)rows;
    (void)printf(
        "%llu rows, batches of %zu, %u keys: %.2f us a row (CPU %.2f): rows %.2f, sums %.2f "
        "(%.2f buckets a row), commit %.2f, sync %.2f\n",
        (unsigned long long)rows, batch_rows, keys, wall_s * per_row, cpu_s * per_row,
        spent.rows_s * per_row, spent.sums_s * per_row, (double)spent.buckets / (double)rows,
        spent.commit_s * per_row, spent.sync_s * per_row);
    store_close(&store);
}

/* One transaction per hour. */
static void fill_sums(const char *folder, uint32_t keys, uint32_t model_count, uint32_t days)
{
    struct store *store = open_store(folder);
    const double start = seconds(CLOCK_MONOTONIC);
    for (uint64_t hour = 0; hour < UINT64_C(24) * days; hour++) {
        must(store_begin(store, &reason), "begin");
        for (uint32_t key = 0; key < keys; key++) {
            for (uint32_t model = 0; model < model_count; model++) {
                struct store_usage usage = make_usage(0, START_US + hour * STORE_HOUR_US, 1);
                struct store_sum sum;
                usage.key_id = owner_id(1, key);
                usage.user_id = owner_id(2, key / 2);
                usage.team_id = owner_id(3, key / 100);
                usage.model = slice_from_text(models[model]);
                usage.provider = slice_from_text(providers[model]);
                store_sum_of(&usage, &sum);
                must(store_sum_add(store, &sum, &reason), "sum");
            }
        }
        must(store_commit(store, &reason), "commit");
    }
    (void)printf("%llu hourly sums in %.1f s\n", 24ULL * days * keys * model_count,
                 seconds(CLOCK_MONOTONIC) - start);
    store_close(&store);
}

static enum status count_line(void *context, const struct store_report_line *line)
{
    (void)line;
    ++*(size_t *)context;
    return STATUS_OK;
}

static void time_report(struct store *store, enum store_group by, bool of_user, const char *name)
{
    struct store_report report = {.by = by, .since_us = START_US + 7 * STORE_HOUR_US};
    double best_s = 1e9;
    double first_s = 0;
    size_t lines = 0;
    if (of_user)
        report.user_id = owner_id(2, 3);
    for (int round = 0; round < 3; round++) {
        const double start = seconds(CLOCK_MONOTONIC);
        lines = 0;
        must(store_report(store, &report, count_line, &lines, &reason), "report");
        const double took_s = seconds(CLOCK_MONOTONIC) - start;
        if (round == 0)
            first_s = took_s;
        best_s = took_s < best_s ? took_s : best_s;
    }
    (void)printf("| by %s%s | %zu | %.1f | %.1f |\n", name, of_user ? ", one user" : "", lines,
                 first_s * 1e3, best_s * 1e3);
}

static void time_reports(const char *folder)
{
    static const char *const names[] = {"none",  "key",      "user", "team",
                                        "model", "provider", "day",  "hour"};
    struct store *store = open_store(folder);
    (void)printf("| report | lines | first, ms | best, ms |\n|---|---|---|---|\n");
    for (int of_user = 0; of_user < 2; of_user++) {
        for (int by = STORE_GROUP_NONE; by <= STORE_GROUP_HOUR; by++)
            time_report(store, (enum store_group)by, of_user != 0, names[by]);
    }
    store_close(&store);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 2 ? argv[2] : "";
    unsigned long numbers[3] = {0};
    for (int i = 3; i < argc && i < 6; i++)
        numbers[i - 3] = strtoul(argv[i], NULL, 10);
    if (strcmp(verb, "insert") == 0 && argc == 6 && numbers[1] > 0 && numbers[1] <= BATCH_ROWS) {
        insert_rows(argv[1], numbers[0], numbers[1], (uint32_t)numbers[2], 50);
    } else if (strcmp(verb, "fill") == 0 && argc == 6 && numbers[0] > 0) {
        insert_rows(argv[1], numbers[0], BATCH_ROWS, (uint32_t)numbers[1],
                    24 * STORE_HOUR_US * numbers[2] / numbers[0]);
    } else if (strcmp(verb, "sums") == 0 && argc == 6 && numbers[1] <= MODEL_COUNT) {
        fill_sums(argv[1], (uint32_t)numbers[0], (uint32_t)numbers[1], (uint32_t)numbers[2]);
    } else if (strcmp(verb, "report") == 0) {
        time_reports(argv[1]);
    } else {
        (void)fprintf(stderr,
                      "usage: store FOLDER insert|fill|sums|report NUMBERS (see store.c)\n");
        return 2;
    }
    return 0;
}
