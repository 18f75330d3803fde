#include "audit/canonical.h"

/* Room is made once, then bytes are only copied. */
struct writer {
    unsigned char *at;
};

static void put_byte(struct writer *writer, unsigned value)
{
    *writer->at++ = (unsigned char)value;
}

static void put_u32(struct writer *writer, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        put_byte(writer, value >> shift & 0xff);
}

static void put_u64(struct writer *writer, uint64_t value)
{
    put_u32(writer, (uint32_t)(value >> 32));
    put_u32(writer, (uint32_t)value);
}

static void put_i64(struct writer *writer, int64_t value)
{
    put_u64(writer, (uint64_t)value);
}

static void put_bytes(struct writer *writer, const void *bytes, size_t size)
{
    if (size > 0)
        memcpy(writer->at, bytes, size);
    writer->at += size;
}

static void put_text(struct writer *writer, struct slice text)
{
    put_u32(writer, (uint32_t)text.size);
    put_bytes(writer, text.data, text.size);
}

static void put_id(struct writer *writer, const struct id *id)
{
    put_bytes(writer, id->bytes, sizeof(id->bytes));
}

/* What the columns of a fixed size take at most, with the kind, the version and the texts' counts. */
#define FIXED_BYTES_MAX 512

/* Empties the buffer and makes room for the fixed columns and `texts`. */
static enum status start(struct buffer *bytes, const struct slice *texts, size_t count,
                         struct writer *writer_out)
{
    buffer_clear(bytes);
    size_t size = FIXED_BYTES_MAX;
    for (size_t i = 0; i < count; i++) {
        /* A longer text could not be told by its 4 bytes of length. */
        if (texts[i].size > bytes->size_max)
            return STATUS_TOO_LARGE;
        size += texts[i].size;
    }
    const enum status status = buffer_reserve(bytes, size);
    if (status == STATUS_OK)
        writer_out->at = (unsigned char *)bytes->data;
    return status;
}

static enum status finish(struct buffer *bytes, const struct writer *writer)
{
    bytes->size = (size_t)((char *)writer->at - bytes->data);
    return STATUS_OK;
}

enum status canonical_entry(const struct store_audit_entry *entry, struct buffer *bytes_out)
{
    const struct slice texts[] = {entry->actor, entry->action, entry->subject, entry->details};
    const size_t count = sizeof(texts) / sizeof(texts[0]);
    struct writer writer;
    const enum status status = start(bytes_out, texts, count, &writer);
    if (status != STATUS_OK)
        return status;
    put_text(&writer, SLICE("weir.entry"));
    put_byte(&writer, CANONICAL_VERSION);
    put_bytes(&writer, entry->previous_hash, STORE_HASH_SIZE);
    put_u64(&writer, entry->number);
    put_u64(&writer, entry->timestamp_us);
    for (size_t i = 0; i < count; i++)
        put_text(&writer, texts[i]);
    return finish(bytes_out, &writer);
}

static void put_numbers(struct writer *writer, const struct store_usage *usage)
{
    put_u64(writer, usage->timestamp_us);
    for (int i = 0; i < STORE_TOKENS_COUNT; i++)
        put_i64(writer, usage->tokens[i]);
    put_i64(writer, usage->cost_nanousd);
    put_u64(writer, usage->status);
    put_u64(writer, usage->attempts);
    put_i64(writer, usage->latency_us);
    put_i64(writer, usage->first_byte_us);
    put_i64(writer, usage->batch);
    put_byte(writer, usage->answered);
    put_byte(writer, usage->estimated);
    put_byte(writer, usage->stream);
}

enum status canonical_usage(const struct store_usage *usage, struct buffer *bytes_out)
{
    const struct slice texts[] = {
        usage->route,
        usage->model,
        usage->provider,
        usage->target_model,
        usage->price_id,
        usage->outcome,
        usage->cache,
        usage->context,
        usage->client_request_id,
        usage->provider_request_id,
        usage->idempotency_hash,
        usage->metadata,
    };
    const size_t count = sizeof(texts) / sizeof(texts[0]);
    struct writer writer;
    const enum status status = start(bytes_out, texts, count, &writer);
    if (status != STATUS_OK)
        return status;
    put_text(&writer, SLICE("weir.usage"));
    put_byte(&writer, CANONICAL_VERSION);
    put_id(&writer, &usage->id);
    put_id(&writer, &usage->user_id);
    put_id(&writer, &usage->key_id);
    put_id(&writer, &usage->team_id);
    put_numbers(&writer, usage);
    for (size_t i = 0; i < count; i++)
        put_text(&writer, texts[i]);
    return finish(bytes_out, &writer);
}
