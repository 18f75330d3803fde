#include "ledger/batch.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buffer.h"

#define STORED_BYTES_MAX (RECORD_OPENED_MAX + OPEN_ATTEMPTS_MAX * RECORD_ATTEMPT_MAX + 1024)

/* --- Taking in -------------------------------------------------------------------------------------------- */

/* Room for one more item. */
static bool make_room(void *items_pointer, size_t count, size_t *capacity, size_t item_bytes)
{
    void **items = items_pointer;
    if (count < *capacity)
        return true;
    const size_t grown = *capacity == 0 ? 64 : *capacity * 2;
    void *memory = alloc_resize(*items, grown * item_bytes);
    if (memory == NULL)
        return false;
    *items = memory;
    *capacity = grown;
    return true;
}

static struct batch_row *new_row(struct batch *batch)
{
    if (!make_room(&batch->rows, batch->row_count, &batch->row_capacity, sizeof(batch->rows[0])))
        return NULL;
    struct batch_row *row = &batch->rows[batch->row_count];
    memset(row, 0, sizeof(*row));
    return row;
}

/* An id begins with the milliseconds at which it was made. */
static uint64_t time_of(const struct id *id)
{
    uint64_t time_ms = 0;
    for (int i = 0; i < 6; i++)
        time_ms = time_ms << 8 | id->bytes[i];
    return time_ms * 1000;
}

static void fill_bill(const struct record_bill *bill, struct store_usage *usage)
{
    _Static_assert(RECORD_TOKENS_COUNT + 0 == STORE_TOKENS_COUNT + 0, "the same kinds of tokens");
    memcpy(usage->tokens, bill->tokens, sizeof(usage->tokens));
    usage->cost_nanousd = bill->cost_nanousd;
    usage->price_id = bill->price_id;
    usage->estimated = bill->estimated;
}

static void fill_opened(const struct open_request *request, struct store_usage *usage,
                        struct record_bill *orphan_out)
{
    struct record_opened opened;
    if (request == NULL || record_read_opened(request->opened, &opened) != STATUS_OK)
        return;
    usage->timestamp_us = opened.time_us;
    usage->user_id = opened.user_id;
    usage->key_id = opened.key_id;
    usage->team_id = opened.team_id;
    usage->route = opened.route;
    usage->model = opened.model;
    usage->provider = opened.provider;
    usage->target_model = opened.target_model;
    usage->client_request_id = opened.client_request_id;
    usage->metadata = opened.metadata;
    usage->idempotency_hash = opened.idempotency_hash;
    usage->stream = opened.stream;
    if (orphan_out != NULL)
        *orphan_out = opened.orphan;
}

/* The target of the last attempt stands in the record of the one before. */
static void fill_last_target(const struct open_request *request, struct store_usage *usage)
{
    struct record_attempt attempt;
    if (request == NULL || request->attempt_count == 0 ||
        record_read_attempt(request->attempts[request->attempt_count - 1], &attempt) != STATUS_OK)
        return;
    usage->provider = attempt.next_provider;
    usage->target_model = attempt.next_target_model;
}

static enum status take_opened(struct open_set *open, uint64_t segment, struct slice payload)
{
    struct record_opened opened;
    if (record_read_opened(payload, &opened) != STATUS_OK)
        return STATUS_INVALID;
    return open_set_add(open, &opened.id, payload, segment);
}

static enum status take_attempt(struct open_set *open, struct slice payload)
{
    struct record_attempt attempt;
    if (record_read_attempt(payload, &attempt) != STATUS_OK)
        return STATUS_INVALID;
    struct open_request *request = open_set_find(open, &attempt.id);
    return request == NULL ? STATUS_OK : open_request_add_attempt(request, payload);
}

static enum status take_closed(struct batch *batch, struct open_set *open, struct slice payload)
{
    struct record_closed closed;
    if (record_read_closed(payload, &closed) != STATUS_OK)
        return STATUS_INVALID;
    struct batch_row *row = new_row(batch);
    if (row == NULL)
        return STATUS_NO_MEMORY;
    row->request = open_set_take(open, &closed.id);
    struct store_usage *usage = &row->usage;
    usage->id = closed.id;
    usage->timestamp_us = time_of(&closed.id);
    fill_opened(row->request, usage, NULL);
    fill_last_target(row->request, usage);
    fill_bill(&closed.bill, usage);
    usage->status = closed.status;
    usage->outcome = closed.outcome;
    usage->answered = closed.answered;
    usage->attempts = closed.attempts;
    usage->latency_us = closed.latency_us;
    usage->first_byte_us = closed.first_byte_us;
    usage->cache = closed.cache;
    usage->context = closed.context;
    usage->provider_request_id = closed.provider_request_id;
    row->last_status = closed.last_status;
    row->last_outcome = closed.last_outcome;
    row->last_latency_us = closed.last_latency_us;
    batch->row_count++;
    return STATUS_OK;
}

static enum status take_refused(struct batch *batch, struct slice payload)
{
    struct record_refused refused;
    if (record_read_refused(payload, &refused) != STATUS_OK)
        return STATUS_INVALID;
    if (!make_room(&batch->refused, batch->refused_count, &batch->refused_capacity,
                   sizeof(batch->refused[0])))
        return STATUS_NO_MEMORY;
    batch->refused[batch->refused_count++] = (struct store_sum){
        .hour_us = refused.time_us / STORE_HOUR_US * STORE_HOUR_US,
        .key_id = refused.key_id,
        .user_id = refused.user_id,
        .team_id = refused.team_id,
        .model = refused.model,
        .reason = refused.reason,
        .requests = 1,
    };
    return STATUS_OK;
}

enum status batch_keep(struct batch *batch, const struct segment_reader *reader,
                       struct segment_record *record_inout)
{
    const size_t size = record_inout->payload.size;
    batch->texts.cap_bytes = SIZE_MAX; /* bounded by batch_is_full() */
    struct segment_record_head *copy = arena_alloc(&batch->texts, sizeof(*copy) + size);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    if (!segment_copy(reader, record_inout, copy))
        return STATUS_PROTOCOL;
    record_inout->payload = slice_of(copy + 1, size);
    return STATUS_OK;
}

enum status batch_take(struct batch *batch, struct open_set *open, uint64_t segment,
                       const struct segment_record *record)
{
    enum status status = STATUS_INVALID;
    switch ((enum record_kind)record->kind) {
    case RECORD_PAD:
        status = STATUS_OK;
        break;
    case RECORD_OPENED:
        status = take_opened(open, segment, record->payload);
        break;
    case RECORD_ATTEMPT:
        status = take_attempt(open, record->payload);
        break;
    case RECORD_CLOSED:
        status = take_closed(batch, open, record->payload);
        break;
    case RECORD_REFUSED:
        status = take_refused(batch, record->payload);
        break;
    }
    batch->records += status == STATUS_OK;
    return status;
}

enum status batch_store_open(struct batch *batch, struct open_request *request, uint64_t generation,
                             uint32_t worker)
{
    if (!make_room(&batch->opens, batch->open_count, &batch->open_capacity,
                   sizeof(batch->opens[0])))
        return STATUS_NO_MEMORY;
    batch->opens[batch->open_count++] = (struct batch_open){request, generation, worker};
    return STATUS_OK;
}

enum status batch_take_orphan(struct batch *batch, struct open_set *open, const struct id *id,
                              bool is_charged)
{
    struct batch_row *row = new_row(batch);
    struct record_bill bill = {.cost_nanousd = RECORD_UNKNOWN};
    if (row == NULL)
        return STATUS_NO_MEMORY;
    row->request = open_set_take(open, id);
    struct store_usage *usage = &row->usage;
    for (size_t i = 0; i < RECORD_TOKENS_COUNT; i++)
        bill.tokens[i] = RECORD_UNKNOWN;
    usage->id = *id;
    usage->timestamp_us = time_of(id);
    fill_opened(row->request, usage, &bill);
    fill_last_target(row->request, usage);
    if (!is_charged) {
        bill.cost_nanousd = 0;
        for (size_t i = 0; i < RECORD_TOKENS_COUNT; i++)
            bill.tokens[i] = RECORD_UNKNOWN;
    }
    fill_bill(&bill, usage);
    usage->estimated = true;
    usage->outcome = SLICE("orphaned");
    usage->attempts = row->request != NULL ? row->request->attempt_count + 1 : 1;
    usage->latency_us = usage->first_byte_us = row->last_latency_us = STORE_UNKNOWN;
    row->last_outcome = usage->outcome;
    batch->row_count++;
    return STATUS_OK;
}

enum status batch_set_position(struct batch *batch, const struct store_position *position)
{
    for (size_t i = 0; i < batch->position_count; i++) {
        struct store_position *known = &batch->positions[i];
        if (known->generation == position->generation && known->worker == position->worker) {
            *known = *position;
            return STATUS_OK;
        }
    }
    if (!make_room(&batch->positions, batch->position_count, &batch->position_capacity,
                   sizeof(batch->positions[0])))
        return STATUS_NO_MEMORY;
    batch->positions[batch->position_count++] = *position;
    return STATUS_OK;
}

/* --- Applying ----------------------------------------------------------------------------------------------- */

struct application {
    struct batch *batch;
    struct store *store;
    const struct batch_seal *seal;
    struct batch_result *result;
    struct reason *reason;
};

/* The attempts of a request that had several; the last one's figures stand in the row. */
static enum status write_attempts(const struct application *application,
                                  const struct batch_row *row)
{
    const struct open_request *request = row->request;
    struct record_opened opened;
    if (request == NULL || request->attempt_count == 0 ||
        record_read_opened(request->opened, &opened) != STATUS_OK)
        return STATUS_OK;
    struct store_attempt attempt = {
        .request_id = row->usage.id,
        .provider = opened.provider,
        .target_model = opened.target_model,
    };
    for (unsigned i = 0; i < request->attempt_count; i++) {
        struct record_attempt record;
        if (record_read_attempt(request->attempts[i], &record) != STATUS_OK)
            continue;
        attempt.number = record.number;
        attempt.timestamp_us = record.time_us;
        attempt.status = record.status;
        attempt.outcome = record.outcome;
        attempt.latency_us = record.latency_us;
        const enum status status =
            store_attempt_insert(application->store, &attempt, application->reason);
        if (status != STATUS_OK)
            return status;
        attempt.provider = record.next_provider;
        attempt.target_model = record.next_target_model;
    }
    attempt.number = row->usage.attempts;
    attempt.timestamp_us = row->usage.timestamp_us;
    attempt.status = row->last_status;
    attempt.outcome = row->last_outcome;
    attempt.latency_us = row->last_latency_us;
    return store_attempt_insert(application->store, &attempt, application->reason);
}

static enum status write_row(const struct application *application, struct batch_row *row)
{
    struct store_sum sum;
    bool inserted = false;
    row->usage.batch = application->result->number;
    enum status status =
        store_usage_insert(application->store, &row->usage, &inserted, application->reason);
    if (status == STATUS_OK && row->request != NULL && row->request->is_stored)
        status = store_open_delete(application->store, &row->usage.id, application->reason);
    if (status != STATUS_OK || !inserted)
        return status;
    application->result->inserted++;
    store_sum_of(&row->usage, &sum);
    status = sums_add(&application->batch->sums, &sum);
    if (status == STATUS_OK)
        status = write_attempts(application, row);
    if (status == STATUS_OK && application->seal != NULL)
        status =
            application->seal->row(application->seal->context, &row->usage, application->reason);
    return status;
}

static enum status write_rows(const struct application *application)
{
    struct batch *batch = application->batch;
    const struct batch_seal *seal = application->seal;
    enum status status = STATUS_OK;
    if (batch->row_count == 0)
        return STATUS_OK;
    if (seal != NULL)
        status = seal->begin(seal->context, application->store, application->result->number,
                             application->reason);
    for (size_t i = 0; status == STATUS_OK && i < batch->row_count; i++)
        status = write_row(application, &batch->rows[i]);
    if (status == STATUS_OK && seal != NULL && application->result->inserted > 0)
        status = seal->finish(seal->context, application->store, application->reason);
    return status;
}

static enum status write_sums(const struct application *application)
{
    struct batch *batch = application->batch;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < batch->refused_count; i++)
        status = sums_add(&batch->sums, &batch->refused[i]);
    sums_sort(&batch->sums);
    for (size_t i = 0; status == STATUS_OK && i < batch->sums.count; i++)
        status = store_sum_add(application->store, &batch->sums.items[i], application->reason);
    return status;
}

/* One that is there already holds fewer attempts. */
static enum status write_open(const struct application *application, const struct batch_open *item,
                              struct buffer *stored)
{
    const struct open_request *request = item->request;
    enum status status = open_request_write(request, stored);
    if (status == STATUS_OK && request->is_stored)
        status = store_open_delete(application->store, &request->id, application->reason);
    if (status != STATUS_OK)
        return status;
    const struct store_open open = {
        .id = request->id,
        .generation = item->generation,
        .worker = item->worker,
        .record = slice_of(stored->data, stored->size),
    };
    return store_open_insert(application->store, &open, application->reason);
}

static enum status write_opens(const struct application *application)
{
    const struct batch *batch = application->batch;
    struct buffer stored;
    enum status status = STATUS_OK;
    buffer_init(&stored, STORED_BYTES_MAX);
    for (size_t i = 0; status == STATUS_OK && i < batch->open_count; i++) {
        if (!batch->opens[i].request->is_taken)
            status = write_open(application, &batch->opens[i], &stored);
    }
    buffer_fini(&stored);
    return status;
}

static enum status write_positions(const struct application *application)
{
    const struct batch *batch = application->batch;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < batch->position_count; i++)
        status = store_position_set(application->store, &batch->positions[i], application->reason);
    return status;
}

static enum status write_all(const struct application *application)
{
    enum status status = STATUS_OK;
    if (application->batch->row_count > 0)
        status =
            store_batch_next(application->store, &application->result->number, application->reason);
    if (status == STATUS_OK)
        status = write_rows(application);
    if (status == STATUS_OK)
        status = write_sums(application);
    if (status == STATUS_OK)
        status = write_opens(application);
    if (status == STATUS_OK)
        status = write_positions(application);
    if (status == STATUS_OK)
        status = store_commit(application->store, application->reason);
    return status;
}

enum status batch_apply(struct batch *batch, struct store *store, const struct batch_seal *seal,
                        struct batch_result *result_out, struct reason *reason)
{
    const bool seals = seal != NULL && seal->begin != NULL;
    const struct application application = {batch, store, seals ? seal : NULL, result_out, reason};
    *result_out = (struct batch_result){0};
    sums_clear(&batch->sums);
    enum status status = store_check_file(store, reason);
    if (status == STATUS_OK)
        status = store_begin(store, reason);
    if (status != STATUS_OK)
        return status;
    status = write_all(&application);
    if (status != STATUS_OK) {
        store_rollback(store);
        return status;
    }
    for (size_t i = 0; i < batch->open_count; i++) {
        struct open_request *request = batch->opens[i].request;
        request->is_stored = true;
        request->attempts_stored = request->attempt_count;
    }
    return STATUS_OK;
}

/* --- Lifecycle -------------------------------------------------------------------------------------------------- */

bool batch_is_empty(const struct batch *batch)
{
    return batch->records == 0 && batch->row_count == 0 && batch->open_count == 0;
}

bool batch_is_full(const struct batch *batch)
{
    return batch->row_count >= BATCH_ROWS_MAX || batch->refused_count >= BATCH_ROWS_MAX ||
           batch->texts.used_bytes >= BATCH_TEXT_BYTES_MAX;
}

void batch_clear(struct batch *batch)
{
    for (size_t i = 0; i < batch->row_count; i++) {
        if (batch->rows[i].request != NULL)
            open_request_free(batch->rows[i].request);
    }
    batch->row_count = batch->refused_count = batch->open_count = batch->position_count = 0;
    batch->records = 0;
    sums_clear(&batch->sums);
    arena_fini(&batch->texts);
}

void batch_fini(struct batch *batch)
{
    batch_clear(batch);
    alloc_free(batch->rows);
    alloc_free(batch->refused);
    alloc_free(batch->opens);
    alloc_free(batch->positions);
    sums_fini(&batch->sums);
    *batch = (struct batch){0};
}
