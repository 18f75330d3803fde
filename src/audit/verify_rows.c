/* Each batch is compared with the latest entry that seals it; then all rows are read once more for
 * batches that no entry seals. weir may write meanwhile: what does not agree is looked at again as long
 * as the chain has grown since. */
#include <inttypes.h>

#include "audit/details.h"
#include "audit/verify_internal.h"
#include "base/alloc.h"
#include "base/encoding.h"

/* Batches that no entry seals; more than so many are only counted. */
#define STRAYS_MAX 1024

/* --- one batch ----------------------------------------------------------------------------------------- */

/* A genuine entry that seals a batch, copied out of the reading. */
struct seal_copy {
    struct verify *verify;
    struct seal seal;
    struct buffer tags; /* decoded */
};

static enum status parse(struct seal_copy *copy, const struct store_audit_entry *entry)
{
    struct seal *seal = &copy->seal;
    struct slice tags;
    uint64_t batch = 0;
    *seal = (struct seal){.number = entry->number};
    buffer_clear(&copy->tags);
    enum status status = slice_to_u64(entry->subject, &batch);
    if (status == STATUS_OK)
        status = details_u64(entry->details, "rows", &seal->rows);
    if (status == STATUS_OK)
        status = details_hex(entry->details, "hash", seal->hash, sizeof(seal->hash));
    if (status == STATUS_OK)
        status = details_find(entry->details, "tags", &tags);
    if (status == STATUS_OK)
        status = base64_decode(tags, &copy->tags);
    if (status != STATUS_OK)
        return status == STATUS_NO_MEMORY ? status : STATUS_INVALID;
    seal->batch = (int64_t)batch;
    seal->tags = buffer_slice(&copy->tags);
    return seal->tags.size == seal->rows * ROW_TAG_SIZE ? STATUS_OK : STATUS_INVALID;
}

/* Stops, with STATUS_EXISTS, at the first entry that seals a batch. */
static enum status visit_seal(void *context, const struct store_audit_entry *entry)
{
    struct seal_copy *copy = context;
    if (entry->number > copy->verify->before.number)
        return STATUS_CANCELLED; /* it is not among those whose place is known */
    if (!verify_is_seal(entry))
        return STATUS_OK;
    enum status status = verify_entry(copy->verify, entry);
    if (status == STATUS_OK)
        status = parse(copy, entry);
    if (status == STATUS_INVALID)
        return STATUS_OK; /* what is wrong with it is found where the chain is read */
    return status == STATUS_OK ? STATUS_EXISTS : status;
}

static enum status visit_row(void *context, const struct store_usage *usage)
{
    struct verify *verify = context;
    verify->report.rows++;
    const enum status status = row_list_add(&verify->rows, usage);
    return status == STATUS_OK ? verify_progress(verify) : status;
}

static bool is_as_sealed(const struct verify *verify, const struct seal *seal)
{
    unsigned char hash[MAC_SIZE];
    rows_hash(&verify->rows, seal->batch, hash);
    return memcmp(hash, seal->hash, sizeof(hash)) == 0;
}

/* The entry holds no more for its batch: another one replaces it, or retention removed the rows. */
static bool is_void(const struct verify *verify, const struct seal *seal)
{
    return ranges_contain(&verify->removed, (uint64_t)seal->batch) ||
           !verify_is_latest(verify, seal->batch, seal->number);
}

static enum status too_many(struct verify *verify, const struct seal *seal)
{
    const struct audit_finding finding = {AUDIT_BATCH_CHANGED, seal->number, seal->number,
                                          seal->batch,         {{0}},        {NULL, 0}};
    return verify_find(verify, &finding,
                       "batch %" PRId64 " has more or longer rows than weir writes; %" PRIu64
                       " were sealed by entry %" PRIu64,
                       seal->batch, seal->rows, seal->number);
}

static enum status check_batch(struct verify *verify, const struct seal *seal)
{
    enum status status = STATUS_OK;
    const uint64_t rows_before = verify->report.rows;
    for (bool is_grown = true; is_grown && status == STATUS_OK;) {
        if (is_void(verify, seal))
            return STATUS_OK;
        verify->report.rows = rows_before;
        row_list_clear(&verify->rows);
        status =
            store_usage_list_batch(verify->store, seal->batch, visit_row, verify, verify->reason);
        if (status == STATUS_TOO_LARGE)
            return too_many(verify, seal);
        if (status == STATUS_OK && is_as_sealed(verify, seal))
            return STATUS_OK;
        if (status == STATUS_OK)
            status = verify_chain_read(verify, &is_grown);
    }
    return status == STATUS_OK ? verify_diff(verify, seal) : status;
}

static enum status check_batches(struct verify *verify)
{
    struct seal_copy copy = {.verify = verify};
    buffer_init(&copy.tags, ROW_TAG_SIZE * (size_t)AUDIT_BATCH_ROWS_MAX);
    enum status status = STATUS_EXISTS;
    for (uint64_t next = 1; status == STATUS_EXISTS; next = copy.seal.number + 1) {
        status = store_audit_list(verify->store, next, visit_seal, &copy, verify->reason);
        if (status != STATUS_EXISTS || is_void(verify, &copy.seal))
            continue;
        verify->report.batches++;
        status = check_batch(verify, &copy.seal);
        if (status == STATUS_OK)
            status = STATUS_EXISTS;
    }
    buffer_fini(&copy.tags);
    return status == STATUS_CANCELLED ? STATUS_OK : status;
}

/* --- rows of no batch ------------------------------------------------------------------------------------ */

struct stray {
    int64_t batch;
    struct id first;
    uint64_t rows;
};

struct strays {
    struct verify *verify;
    struct stray items[STRAYS_MAX];
    size_t count;
    uint64_t rows_more; /* in batches beyond STRAYS_MAX */
};

static bool is_covered(const struct verify *verify, int64_t batch)
{
    return batch >= 0 && ranges_contain(&verify->sealed, (uint64_t)batch) &&
           !ranges_contain(&verify->removed, (uint64_t)batch);
}

static enum status visit_any_row(void *context, const struct store_usage *usage)
{
    struct strays *strays = context;
    if (is_covered(strays->verify, usage->batch))
        return STATUS_OK;
    if (strays->count > 0 && strays->items[strays->count - 1].batch == usage->batch)
        strays->items[strays->count - 1].rows++;
    else if (strays->count < STRAYS_MAX)
        strays->items[strays->count++] = (struct stray){usage->batch, usage->id, 1};
    else
        strays->rows_more++;
    return STATUS_OK;
}

static enum status tell_stray(struct verify *verify, const struct stray *stray)
{
    char id[ID_TEXT_SIZE];
    const struct audit_finding finding = {AUDIT_BATCH_UNSEALED, 0,        0, stray->batch,
                                          stray->first,         {NULL, 0}};
    const bool is_removed =
        stray->batch >= 0 && ranges_contain(&verify->removed, (uint64_t)stray->batch);
    id_format(&stray->first, id);
    return verify_find(
        verify, &finding, "batch %" PRId64 " has %" PRIu64 " %s, the first %.*s, %s", stray->batch,
        stray->rows, stray->rows == 1 ? "row" : "rows", ID_TEXT_SIZE, id,
        is_removed ? "although retention removed it" : "which no genuine entry covers");
}

static enum status tell_strays(const struct strays *strays)
{
    struct verify *verify = strays->verify;
    const struct audit_finding finding = {.fault = AUDIT_BATCH_UNSEALED, .batch = -1};
    for (size_t i = 0; i < strays->count; i++) {
        if (is_covered(verify, strays->items[i].batch))
            continue; /* sealed while its rows were read */
        const enum status status = tell_stray(verify, &strays->items[i]);
        if (status != STATUS_OK)
            return status;
    }
    if (strays->rows_more == 0)
        return STATUS_OK;
    return verify_find(verify, &finding, "%" PRIu64 " more rows are in such batches",
                       strays->rows_more);
}

static enum status find_strays(struct verify *verify)
{
    struct strays *strays = alloc_zeroed(1, sizeof(*strays));
    if (strays == NULL)
        return STATUS_NO_MEMORY;
    strays->verify = verify;
    enum status status =
        store_usage_list(verify->store, 0, 0, visit_any_row, strays, verify->reason);
    if (status == STATUS_OK && strays->count > 0)
        status = verify_chain_read(verify, NULL);
    if (status == STATUS_OK)
        status = tell_strays(strays);
    alloc_free(strays);
    return status;
}

enum status verify_rows(struct verify *verify)
{
    const enum status status = check_batches(verify);
    return status == STATUS_OK ? find_strays(verify) : status;
}
