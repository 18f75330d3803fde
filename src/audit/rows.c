#include "audit/rows.h"

#include <stdlib.h>

#include "audit/canonical.h"
#include "audit/chain_internal.h"
#include "base/alloc.h"
#include "base/assert.h"

#define CAPACITY_MIN 256

void row_list_init(struct row_list *list)
{
    *list = (struct row_list){0};
    buffer_init(&list->bytes, AUDIT_BYTES_MAX);
}

void row_list_fini(struct row_list *list)
{
    alloc_free(list->rows);
    buffer_fini(&list->bytes);
    *list = (struct row_list){0};
}

void row_list_clear(struct row_list *list)
{
    list->count = 0;
}

static enum status grow(struct row_list *list)
{
    if (list->count < list->capacity)
        return STATUS_OK;
    if (list->count == AUDIT_BATCH_ROWS_MAX)
        return STATUS_TOO_LARGE;
    const size_t capacity = list->capacity == 0 ? CAPACITY_MIN : 2 * list->capacity;
    struct row *rows = alloc_resize(list->rows, capacity * sizeof(*rows));
    if (rows == NULL)
        return STATUS_NO_MEMORY;
    list->rows = rows;
    list->capacity = capacity;
    return STATUS_OK;
}

enum status row_list_add(struct row_list *list, const struct store_usage *usage)
{
    enum status status = grow(list);
    if (status == STATUS_OK)
        status = canonical_usage(usage, &list->bytes);
    if (status != STATUS_OK)
        return status;
    struct row *row = &list->rows[list->count++];
    row->id = usage->id;
    sha256_of(buffer_slice(&list->bytes), row->digest);
    return STATUS_OK;
}

static int compare(const void *a, const void *b)
{
    return memcmp(((const struct row *)a)->id.bytes, ((const struct row *)b)->id.bytes,
                  sizeof(struct id));
}

void row_list_sort(struct row_list *list)
{
    for (size_t i = 1; i < list->count; i++) {
        if (compare(&list->rows[i - 1], &list->rows[i]) > 0) {
            qsort(list->rows, list->count, sizeof(*list->rows), compare);
            return;
        }
    }
}

static void put_u64(SHA256_CTX *state, uint64_t value)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (56 - 8 * i));
    SHA256_Update(state, bytes, sizeof(bytes));
}

void rows_hash(const struct row_list *list, int64_t batch, unsigned char hash_out[MAC_SIZE])
{
    static const unsigned char kind[] = {
        0, 0, 0, 10, 'w', 'e', 'i', 'r', '.', 'b', 'a', 't', 'c', 'h', CANONICAL_VERSION};
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, kind, sizeof(kind));
    put_u64(&state, (uint64_t)batch);
    put_u64(&state, list->count);
    for (size_t i = 0; i < list->count; i++)
        SHA256_Update(&state, list->rows[i].digest, MAC_SIZE);
    ASSERT(SHA256_Final(hash_out, &state) == 1);
}

void row_tag(const struct audit_keys *keys, const struct row *row,
             unsigned char tag_out[ROW_TAG_SIZE])
{
    unsigned char mac[MAC_SIZE];
    mac_of(&keys->rows, slice_of(row->digest, MAC_SIZE), mac);
    memcpy(tag_out, mac, ROW_TAG_SIZE);
}
