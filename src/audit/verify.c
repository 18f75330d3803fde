#include "audit/verify.h"

#include <stdarg.h>
#include <stdio.h>

#include "audit/verify_internal.h"
#include "base/alloc.h"

#define PROGRESS_STEP 4096
/* About a quarter of a second of hashing. */
#define SEARCH_BYTES_MAX (256 * (uint64_t)1024 * 1024)
#define TEXT_BYTES_MAX   512

const char *audit_fault_name(enum audit_fault fault)
{
    static const char *const names[AUDIT_FAULT_COUNT] = {
        [AUDIT_ENTRY_CHANGED] = "entry changed",
        [AUDIT_ENTRY_MISSING] = "entry missing",
        [AUDIT_ENTRY_MOVED] = "entry moved",
        [AUDIT_ENTRY_ADDED] = "entry added",
        [AUDIT_ENTRY_UNLINKED] = "entry of another history",
        [AUDIT_CHECKPOINT_WRONG] = "checkpoint wrong",
        [AUDIT_CHECKPOINT_BARE] = "checkpoint not signed",
        [AUDIT_HEAD_WRONG] = "head wrong",
        [AUDIT_TAIL_LOST] = "newest entries lost",
        [AUDIT_ROW_CHANGED] = "row changed",
        [AUDIT_ROW_MISSING] = "row missing",
        [AUDIT_ROW_ADDED] = "row added",
        [AUDIT_BATCH_CHANGED] = "batch changed",
        [AUDIT_BATCH_UNSEALED] = "rows without an entry",
    };
    return names[fault];
}

enum status verify_find(struct verify *verify, const struct audit_finding *finding,
                        const char *format, ...)
{
    char text[TEXT_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    struct audit_finding told = *finding;
    told.text = slice_of(text, size < (int)sizeof(text) ? (size_t)size : sizeof(text) - 1);
    verify->report.findings++;
    return verify->verifier->find(verify->verifier->context, &told);
}

enum status verify_progress(struct verify *verify)
{
    const struct audit_report *report = &verify->report;
    if (verify->verifier->progress == NULL || (report->entries + report->rows) % PROGRESS_STEP != 0)
        return STATUS_OK;
    return verify->verifier->progress(verify->verifier->context, report);
}

static void fini(struct verify *verify)
{
    buffer_fini(&verify->bytes);
    buffer_fini(&verify->tags);
    ranges_fini(&verify->genuine);
    ranges_fini(&verify->sealed);
    ranges_fini(&verify->removed);
    alloc_free(verify->reseals);
    row_list_fini(&verify->rows);
}

static enum status read_head(struct verify *verify, const struct audit *audit)
{
    const struct audit_finding finding = {.fault = AUDIT_HEAD_WRONG, .batch = -1};
    struct reason why;
    const enum status status = head_read(verify->keys, audit->data_dir, &verify->head, &why);
    if (status == STATUS_OK)
        return STATUS_OK;
    verify->head = (struct audit_head){0};
    if (status == STATUS_NOT_FOUND || status == STATUS_INVALID)
        return verify_find(verify, &finding,
                           "%s; entries that were cut off the end of the chain would not be missed",
                           why.text);
    reason_set(verify->reason, "%s", why.text);
    return status;
}

static enum status run(struct verify *verify, const struct audit *audit)
{
    enum status status = read_head(verify, audit);
    if (status == STATUS_OK)
        status = verify_chain_read(verify, NULL);
    if (status == STATUS_OK)
        status = verify_rows(verify);
    if (status == STATUS_OK)
        status = verify_chain_end(verify);
    return status;
}

enum status audit_verify(struct audit *audit, struct store *store,
                         const struct audit_verifier *verifier, struct audit_report *report_out,
                         struct reason *reason)
{
    *report_out = (struct audit_report){0};
    struct verify *verify = alloc_zeroed(1, sizeof(*verify));
    enum status status = STATUS_NO_MEMORY;
    if (verify != NULL) {
        verify->keys = &audit->keys;
        verify->store = store;
        verify->verifier = verifier;
        verify->reason = reason;
        verify->search_bytes_left = SEARCH_BYTES_MAX;
        verify->start = 1;
        buffer_init(&verify->bytes, AUDIT_BYTES_MAX);
        buffer_init(&verify->tags, 2 * ROW_TAG_SIZE * (size_t)AUDIT_BATCH_ROWS_MAX);
        row_list_init(&verify->rows);
        status = run(verify, audit);
        *report_out = verify->report;
        fini(verify);
        alloc_free(verify);
    }
    if (status == STATUS_NO_MEMORY)
        reason_set(reason, "out of memory while verifying the audit chain");
    return status;
}
