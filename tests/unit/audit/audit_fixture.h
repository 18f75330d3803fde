/* A folder, a store in memory and an open chain for each test; and what is found in it. */
#ifndef UNIT_AUDIT_AUDIT_FIXTURE_H
#define UNIT_AUDIT_AUDIT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/batch.h"
#include "audit/chain.h"
#include "audit/verify.h"
#include "unit/audit/fake_store.h"

#define START_US     UINT64_C(1700000000000000)
#define FINDINGS_MAX 64

static struct fixture {
    char folder[64];
    struct store store;
    struct audit *audit;
    struct audit_batch *batch;
    uint64_t now_us;
    struct audit_finding findings[FINDINGS_MAX];
    char texts[FINDINGS_MAX][512];
    size_t findings_count; /* all, also those beyond FINDINGS_MAX */
    struct audit_report report;
    struct reason reason;
} fixture;

static inline const char *path_of(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/secrets/%s", fixture.folder, name);
    return path;
}

static inline int set_up(void **state)
{
    (void)state;
    memset(&fixture, 0, sizeof(fixture));
    memcpy(fixture.folder, "/tmp/weir-audit-XXXXXX", sizeof("/tmp/weir-audit-XXXXXX"));
    if (mkdtemp(fixture.folder) == NULL)
        return -1;
    fake_init(&fixture.store);
    fixture.now_us = START_US;
    if (audit_open(fixture.folder, true, &fixture.audit, NULL) != STATUS_OK)
        return -1;
    return audit_batch_create(fixture.audit, &fixture.batch, NULL) == STATUS_OK ? 0 : -1;
}

static inline int tear_down(void **state)
{
    (void)state;
    static const char *const files[] = {"audit.key", "audit.pub", "audit.head", ""};
    audit_batch_destroy(&fixture.batch);
    audit_close(&fixture.audit);
    fake_fini(&fixture.store);
    for (size_t i = 0; i < 3; i++)
        unlink(path_of(files[i]));
    rmdir(path_of(""));
    return rmdir(fixture.folder);
}

static inline void append(const char *action, const char *subject, const char *details)
{
    fixture.now_us += 1000;
    const struct audit_event event = {
        .actor = SLICE("admin.sock"),
        .action = slice_from_text(action),
        .subject = slice_from_text(subject),
        .details = slice_from_text(details),
        .now_us = fixture.now_us,
    };
    assert_int_equal(store_begin(&fixture.store, NULL), STATUS_OK);
    assert_int_equal(audit_append(fixture.audit, &fixture.store, &event, &fixture.reason),
                     STATUS_OK);
    assert_int_equal(store_commit(&fixture.store, NULL), STATUS_OK);
}

/* Until the chain has `count` entries, checkpoints with it. */
static inline void append_up_to(size_t count)
{
    char subject[32];
    while (fixture.store.entries_count < count) {
        (void)snprintf(subject, sizeof(subject), "key-%zu", fixture.store.entries_count);
        append("key.create", subject, "{\"user\":\"alice\",\"models\":[\"gpt-*\"]}");
    }
}

static inline void save_head(void)
{
    assert_int_equal(
        audit_save_head(fixture.audit, &fixture.store, fixture.now_us, true, &fixture.reason),
        STATUS_OK);
}

static inline enum status keep_finding(void *context, const struct audit_finding *finding)
{
    (void)context;
    if (fixture.findings_count < FINDINGS_MAX) {
        fixture.findings[fixture.findings_count] = *finding;
        (void)snprintf(fixture.texts[fixture.findings_count], sizeof(fixture.texts[0]), "%.*s",
                       SLICE_ARGS(finding->text));
    }
    fixture.findings_count++;
    return STATUS_OK;
}

static inline size_t verify(void)
{
    const struct audit_verifier verifier = {.find = keep_finding};
    fixture.findings_count = 0;
    assert_int_equal(
        audit_verify(fixture.audit, &fixture.store, &verifier, &fixture.report, &fixture.reason),
        STATUS_OK);
    assert_int_equal(fixture.report.findings, fixture.findings_count);
    return fixture.findings_count;
}

static inline void assert_sound(void)
{
    if (verify() > 0)
        print_message("%s\n", fixture.texts[0]);
    assert_int_equal(fixture.findings_count, 0);
}

static inline void assert_found(size_t index, enum audit_fault fault, uint64_t from, uint64_t to)
{
    assert_true(index < fixture.findings_count);
    const struct audit_finding *finding = &fixture.findings[index];
    if (finding->fault != fault || finding->number != from || finding->number_to != to)
        print_message("%s: %s\n", audit_fault_name(finding->fault), fixture.texts[index]);
    assert_int_equal(finding->fault, fault);
    assert_int_equal(finding->number, from);
    assert_int_equal(finding->number_to, to);
}

/* A row like those of a busy day, its numbers and id from `seed`, which grows with time. */
static inline struct store_usage make_row(unsigned seed, int64_t batch)
{
    struct store_usage row = {
        .timestamp_us = START_US + seed,
        .route = SLICE("/v1/chat/completions"),
        .model = SLICE("gpt-4o-mini"),
        .provider = SLICE("openai"),
        .target_model = SLICE("gpt-4o-mini-2024-07-18"),
        .tokens = {1000 + seed, 200, 0, STORE_UNKNOWN, 0, STORE_UNKNOWN},
        .cost_nanousd = 270000 + seed,
        .price_id = SLICE("openai/gpt-4o-mini@2024-07-18"),
        .status = 200,
        .outcome = SLICE("completed"),
        .answered = true,
        .attempts = 1,
        .cache = SLICE("miss"),
        .stream = true,
        .latency_us = 812345,
        .first_byte_us = 212345,
        .client_request_id = SLICE("req-of-the-client"),
        .provider_request_id = SLICE("chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT"),
        .metadata = SLICE("{\"team\":\"search\",\"trace\":\"0af7651916cd43dd8448eb211c80319c\"}"),
        .batch = batch,
    };
    for (unsigned i = 0; i < 4; i++)
        row.id.bytes[i] = (unsigned char)(seed >> (24 - 8 * i));
    row.id.bytes[15] = 1;
    row.user_id.bytes[0] = 2;
    row.key_id.bytes[0] = 3;
    return row;
}

/* Inserts and seals `count` rows as the next batch. */
static inline void add_batch(int64_t batch, unsigned count)
{
    assert_int_equal(store_begin(&fixture.store, NULL), STATUS_OK);
    for (unsigned i = 0; i < count; i++) {
        const struct store_usage row = make_row((unsigned)batch * 1000 + i, batch);
        bool is_inserted = false;
        assert_int_equal(store_usage_insert(&fixture.store, &row, &is_inserted, NULL), STATUS_OK);
        assert_int_equal(audit_batch_add(fixture.batch, &row, NULL), STATUS_OK);
    }
    fixture.now_us += 1000;
    assert_int_equal(
        audit_batch_seal(fixture.batch, &fixture.store, batch, fixture.now_us, &fixture.reason),
        STATUS_OK);
    assert_int_equal(store_commit(&fixture.store, NULL), STATUS_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
