#include "ledger/record.h"

#include <string.h>

#include "base/assert.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the journal is little-endian");

/* --- Writing and reading fields --------------------------------------------------------------------- */

/* One description of each record serves for both directions: the fields are named once. Each direction
 * gets code of its own, without a question at each field: a request writes two records. */
#define CODEC static inline __attribute__((always_inline))

struct codec {
    bool writes;
    char *write;     /* NULL when reading */
    struct slice in; /* what is left to read */
    size_t size;     /* written */
    bool is_bad;
};

CODEC void field(struct codec *codec, void *value, size_t size)
{
    if (codec->writes) {
        memcpy(codec->write + codec->size, value, size);
        codec->size += size;
        return;
    }
    if (codec->in.size < size) {
        codec->is_bad = true;
        memset(value, 0, size);
        return;
    }
    memcpy(value, codec->in.data, size);
    codec->in = slice_from(codec->in, size);
}

CODEC void text(struct codec *codec, struct slice *value, size_t size_max)
{
    uint16_t size = 0;
    if (codec->writes)
        size = (uint16_t)(value->size < size_max ? value->size : size_max);
    field(codec, &size, sizeof(size));
    if (codec->writes) {
        if (size > 0)
            memcpy(codec->write + codec->size, value->data, size);
        codec->size += size;
        return;
    }
    if (codec->is_bad || size > codec->in.size || size > size_max) {
        codec->is_bad = true;
        *value = (struct slice){0};
        return;
    }
    *value = slice_of(codec->in.data, size);
    codec->in = slice_from(codec->in, size);
}

CODEC void flag(struct codec *codec, bool *value)
{
    uint8_t byte = codec->writes && *value;
    field(codec, &byte, sizeof(byte));
    codec->is_bad |= byte > 1;
    *value = byte == 1;
}

CODEC void number(struct codec *codec, unsigned *value)
{
    uint32_t wide = codec->writes ? *value : 0;
    field(codec, &wide, sizeof(wide));
    *value = wide;
}

CODEC void name(struct codec *codec, struct slice *value)
{
    text(codec, value, RECORD_NAME_MAX);
}

CODEC void word(struct codec *codec, struct slice *value)
{
    text(codec, value, 32);
}

#define FIELD(codec, member) field(codec, &(member), sizeof(member))

/* --- The records ------------------------------------------------------------------------------------- */

CODEC void code_bill(struct codec *codec, struct record_bill *bill)
{
    FIELD(codec, bill->tokens);
    FIELD(codec, bill->cost_nanousd);
    flag(codec, &bill->estimated);
    text(codec, &bill->price_id, RECORD_PRICE_ID_MAX);
}

CODEC void code_opened(struct codec *codec, struct record_opened *opened)
{
    FIELD(codec, opened->id);
    FIELD(codec, opened->time_us);
    FIELD(codec, opened->user_id);
    FIELD(codec, opened->key_id);
    FIELD(codec, opened->team_id);
    flag(codec, &opened->stream);
    code_bill(codec, &opened->orphan);
    word(codec, &opened->idempotency_hash);
    name(codec, &opened->route);
    name(codec, &opened->model);
    name(codec, &opened->provider);
    name(codec, &opened->target_model);
    name(codec, &opened->client_request_id);
    text(codec, &opened->metadata, RECORD_METADATA_MAX);
}

CODEC void code_attempt(struct codec *codec, struct record_attempt *attempt)
{
    FIELD(codec, attempt->id);
    number(codec, &attempt->number);
    FIELD(codec, attempt->time_us);
    number(codec, &attempt->status);
    FIELD(codec, attempt->latency_us);
    word(codec, &attempt->outcome);
    name(codec, &attempt->next_provider);
    name(codec, &attempt->next_target_model);
}

CODEC void code_closed(struct codec *codec, struct record_closed *closed)
{
    FIELD(codec, closed->id);
    code_bill(codec, &closed->bill);
    number(codec, &closed->status);
    flag(codec, &closed->answered);
    number(codec, &closed->attempts);
    number(codec, &closed->last_status);
    FIELD(codec, closed->latency_us);
    FIELD(codec, closed->first_byte_us);
    FIELD(codec, closed->last_latency_us);
    word(codec, &closed->outcome);
    word(codec, &closed->last_outcome);
    word(codec, &closed->cache);
    name(codec, &closed->context);
    name(codec, &closed->provider_request_id);
}

CODEC void code_refused(struct codec *codec, struct record_refused *refused)
{
    FIELD(codec, refused->time_us);
    FIELD(codec, refused->user_id);
    FIELD(codec, refused->key_id);
    FIELD(codec, refused->team_id);
    name(codec, &refused->model);
    word(codec, &refused->reason);
}

/* --- Both directions ----------------------------------------------------------------------------------- */

static enum status whole(const struct codec *codec)
{
    return codec->is_bad || codec->in.size > 0 ? STATUS_INVALID : STATUS_OK;
}

size_t record_write_opened(const struct record_opened *opened, char *payload_out)
{
    struct record_opened copy = *opened;
    struct codec codec = {.writes = true, .write = payload_out};
    code_opened(&codec, &copy);
    ASSERT(codec.size <= RECORD_OPENED_MAX);
    return codec.size;
}

size_t record_write_attempt(const struct record_attempt *attempt, char *payload_out)
{
    struct record_attempt copy = *attempt;
    struct codec codec = {.writes = true, .write = payload_out};
    code_attempt(&codec, &copy);
    ASSERT(codec.size <= RECORD_ATTEMPT_MAX);
    return codec.size;
}

size_t record_write_closed(const struct record_closed *closed, char *payload_out)
{
    struct record_closed copy = *closed;
    struct codec codec = {.writes = true, .write = payload_out};
    code_closed(&codec, &copy);
    ASSERT(codec.size <= RECORD_CLOSED_MAX);
    return codec.size;
}

size_t record_write_refused(const struct record_refused *refused, char *payload_out)
{
    struct record_refused copy = *refused;
    struct codec codec = {.writes = true, .write = payload_out};
    code_refused(&codec, &copy);
    ASSERT(codec.size <= RECORD_REFUSED_MAX);
    return codec.size;
}

enum status record_read_opened(struct slice payload, struct record_opened *opened_out)
{
    struct codec codec = {.in = payload};
    code_opened(&codec, opened_out);
    if (opened_out->idempotency_hash.size != 0 && opened_out->idempotency_hash.size != 32)
        return STATUS_INVALID;
    return whole(&codec);
}

enum status record_read_attempt(struct slice payload, struct record_attempt *attempt_out)
{
    struct codec codec = {.in = payload};
    code_attempt(&codec, attempt_out);
    return whole(&codec);
}

enum status record_read_closed(struct slice payload, struct record_closed *closed_out)
{
    struct codec codec = {.in = payload};
    code_closed(&codec, closed_out);
    return whole(&codec);
}

enum status record_read_refused(struct slice payload, struct record_refused *refused_out)
{
    struct codec codec = {.in = payload};
    code_refused(&codec, refused_out);
    return whole(&codec);
}

enum status record_read_id(struct slice payload, struct id *id_out)
{
    struct codec codec = {.in = payload};
    FIELD(&codec, *id_out);
    return codec.is_bad ? STATUS_INVALID : STATUS_OK;
}
