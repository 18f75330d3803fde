#include "audit/batch.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/encoding.h"

#define SUBJECT_BYTES 24
/* What surrounds the tags. */
#define DETAILS_BYTES_MAX (256 + 4 * (size_t)AUDIT_BATCH_ROWS_MAX)

_Static_assert(DETAILS_BYTES_MAX <= AUDIT_DETAILS_BYTES_MAX, "a full batch can be sealed");

struct audit_batch {
    struct audit *audit;
    struct row_list list;
    struct buffer tags;
    struct buffer details;
};

enum status audit_batch_create(struct audit *audit, struct audit_batch **batch_out,
                               struct reason *reason)
{
    struct audit_batch *batch = alloc_zeroed(1, sizeof(*batch));
    *batch_out = batch;
    if (batch == NULL) {
        reason_set(reason, "out of memory while preparing the audit of requests");
        return STATUS_NO_MEMORY;
    }
    batch->audit = audit;
    row_list_init(&batch->list);
    buffer_init(&batch->tags, ROW_TAG_SIZE * (size_t)AUDIT_BATCH_ROWS_MAX);
    buffer_init(&batch->details, DETAILS_BYTES_MAX);
    return STATUS_OK;
}

void audit_batch_destroy(struct audit_batch **batch)
{
    if (*batch == NULL)
        return;
    row_list_fini(&(*batch)->list);
    buffer_fini(&(*batch)->tags);
    buffer_fini(&(*batch)->details);
    alloc_free(*batch);
    *batch = NULL;
}

void audit_batch_clear(struct audit_batch *batch)
{
    row_list_clear(&batch->list);
}

static enum status add(struct audit_batch *batch, const struct store_usage *usage)
{
    return row_list_add(&batch->list, usage);
}

static enum status failed(const struct audit_batch *batch, enum status status,
                          struct reason *reason)
{
    reason_set(reason, "a row cannot be taken into the audit, after %zu others of its batch: %s",
               batch->list.count, status_name(status));
    return status;
}

static int64_t known(int64_t value)
{
    return value < 0 ? STORE_UNKNOWN : value;
}

/* The row as it will be read back: any negative number says that it is not known. */
static struct store_usage as_stored(const struct store_usage *usage)
{
    struct store_usage stored = *usage;
    for (int i = 0; i < STORE_TOKENS_COUNT; i++)
        stored.tokens[i] = known(usage->tokens[i]);
    stored.cost_nanousd = known(usage->cost_nanousd);
    stored.latency_us = known(usage->latency_us);
    stored.first_byte_us = known(usage->first_byte_us);
    return stored;
}

enum status audit_batch_add(struct audit_batch *batch, const struct store_usage *usage,
                            struct reason *reason)
{
    const struct store_usage stored = as_stored(usage);
    const enum status status = add(batch, &stored);
    return status == STATUS_OK ? status : failed(batch, status, reason);
}

static enum status write_details(struct audit_batch *batch, int64_t number)
{
    unsigned char hash[MAC_SIZE], tag[ROW_TAG_SIZE];
    char hex[2 * MAC_SIZE];
    rows_hash(&batch->list, number, hash);
    hex_encode(hash, sizeof(hash), hex);
    buffer_clear(&batch->tags);
    for (size_t i = 0; i < batch->list.count; i++) {
        row_tag(audit_keys_of(batch->audit), &batch->list.rows[i], tag);
        (void)buffer_append(&batch->tags, slice_of(tag, sizeof(tag)));
    }
    if (buffer_status(&batch->tags) != STATUS_OK)
        return buffer_status(&batch->tags);
    buffer_clear(&batch->details);
    (void)buffer_printf(&batch->details, "{\"rows\":%zu,\"hash\":\"%.*s\",\"tags\":\"",
                        batch->list.count, (int)sizeof(hex), hex);
    (void)base64_encode(buffer_slice(&batch->tags), &batch->details);
    (void)buffer_append(&batch->details, SLICE("\"}"));
    return buffer_status(&batch->details);
}

static enum status append(struct audit_batch *batch, struct store *store, int64_t number,
                          struct slice action, uint64_t now_us, struct reason *reason)
{
    char subject[SUBJECT_BYTES];
    row_list_sort(&batch->list);
    enum status status = write_details(batch, number);
    if (status != STATUS_OK) {
        reason_set(reason, "out of memory while sealing a batch of requests");
        return status;
    }
    const int size = snprintf(subject, sizeof(subject), "%" PRId64, number);
    const struct audit_event event = {
        .actor = AUDIT_ACTOR,
        .action = action,
        .subject = slice_of(subject, (size_t)size),
        .details = buffer_slice(&batch->details),
        .now_us = now_us,
    };
    status = audit_append(batch->audit, store, &event, reason);
    if (status == STATUS_OK)
        audit_batch_clear(batch);
    return status;
}

enum status audit_batch_seal(struct audit_batch *batch, struct store *store, int64_t number,
                             uint64_t now_us, struct reason *reason)
{
    if (batch->list.count == 0)
        return STATUS_OK;
    return append(batch, store, number, AUDIT_ACTION_BATCH, now_us, reason);
}

static enum status visit(void *context, const struct store_usage *usage)
{
    return add(context, usage);
}

enum status audit_batch_reseal(struct audit_batch *batch, struct store *store, int64_t number,
                               uint64_t now_us, struct reason *reason)
{
    audit_batch_clear(batch);
    const enum status status = store_usage_list_batch(store, number, visit, batch, reason);
    if (status == STATUS_TOO_LARGE)
        return failed(batch, status, reason);
    if (status != STATUS_OK)
        return status;
    return append(batch, store, number, AUDIT_ACTION_RERATE, now_us, reason);
}
