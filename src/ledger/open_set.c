#include "ledger/open_set.h"

#include <string.h>

#include "base/alloc.h"
#include "ledger/record.h"

#define BUCKETS_MIN 64

static size_t bucket_of(const struct open_set *set, const struct id *id)
{
    uint64_t random; /* the end of an id is */
    memcpy(&random, id->bytes + 8, sizeof(random));
    return (size_t)(random ^ random >> 29) & (set->bucket_count - 1);
}

static bool same(const struct id *a, const struct id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static enum status grow(struct open_set *set)
{
    struct open_set grown = {
        .bucket_count = set->bucket_count == 0 ? BUCKETS_MIN : set->bucket_count * 2,
        .count = set->count,
    };
    grown.buckets = alloc_zeroed(grown.bucket_count, sizeof(struct open_request *));
    if (grown.buckets == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < set->bucket_count; i++) {
        struct open_request *request = set->buckets[i];
        while (request != NULL) {
            struct open_request *next = request->next;
            struct open_request **bucket = &grown.buckets[bucket_of(&grown, &request->id)];
            request->next = *bucket;
            *bucket = request;
            request = next;
        }
    }
    alloc_free(set->buckets);
    *set = grown;
    return STATUS_OK;
}

struct open_request *open_set_find(const struct open_set *set, const struct id *id)
{
    if (set->bucket_count == 0)
        return NULL;
    struct open_request *request = set->buckets[bucket_of(set, id)];
    while (request != NULL && !same(&request->id, id))
        request = request->next;
    return request;
}

enum status open_set_add(struct open_set *set, const struct id *id, struct slice opened,
                         uint64_t segment)
{
    if (open_set_find(set, id) != NULL)
        return STATUS_OK;
    if (set->count >= set->bucket_count && grow(set) != STATUS_OK)
        return STATUS_NO_MEMORY;
    struct open_request *request = alloc_bytes(sizeof(*request) + opened.size);
    if (request == NULL)
        return STATUS_NO_MEMORY;
    struct open_request **bucket = &set->buckets[bucket_of(set, id)];
    memset(request, 0, sizeof(*request));
    if (opened.size > 0)
        memcpy(request + 1, opened.data, opened.size);
    request->next = *bucket;
    request->id = *id;
    request->segment = segment;
    request->opened = slice_of(request + 1, opened.size);
    *bucket = request;
    set->count++;
    return STATUS_OK;
}

static bool has_attempt(const struct open_request *request, struct slice attempt)
{
    struct record_attempt new;
    struct record_attempt last;
    return request->attempt_count > 0 && record_read_attempt(attempt, &new) == STATUS_OK &&
           record_read_attempt(request->attempts[request->attempt_count - 1], &last) == STATUS_OK &&
           new.number <= last.number;
}

enum status open_request_add_attempt(struct open_request *request, struct slice attempt)
{
    if (request->attempt_count == OPEN_ATTEMPTS_MAX || attempt.size == 0 ||
        has_attempt(request, attempt))
        return STATUS_OK;
    char *copy = alloc_bytes(attempt.size);
    if (copy == NULL)
        return STATUS_NO_MEMORY;
    memcpy(copy, attempt.data, attempt.size);
    request->attempts[request->attempt_count++] = slice_of(copy, attempt.size);
    return STATUS_OK;
}

/* --- What usage_open holds ------------------------------------------------------------------------------ */

static void write_part(struct buffer *stored, struct slice payload)
{
    const uint32_t size = (uint32_t)payload.size;
    buffer_append(stored, slice_of(&size, sizeof(size)));
    buffer_append(stored, payload);
}

enum status open_request_write(const struct open_request *request, struct buffer *stored_out)
{
    buffer_clear(stored_out);
    write_part(stored_out, request->opened);
    for (unsigned i = 0; i < request->attempt_count; i++)
        write_part(stored_out, request->attempts[i]);
    return buffer_status(stored_out);
}

static bool read_part(struct slice *stored, struct slice *payload_out)
{
    uint32_t size;
    if (stored->size < sizeof(size))
        return false;
    memcpy(&size, stored->data, sizeof(size));
    *stored = slice_from(*stored, sizeof(size));
    if (size > stored->size)
        return false;
    *payload_out = slice_of(stored->data, size);
    *stored = slice_from(*stored, size);
    return true;
}

enum status open_set_add_stored(struct open_set *set, const struct id *id, struct slice stored)
{
    struct slice payload;
    if (!read_part(&stored, &payload))
        return STATUS_INVALID;
    enum status status = open_set_add(set, id, payload, 0);
    if (status != STATUS_OK)
        return status;
    struct open_request *request = open_set_find(set, id);
    while (status == STATUS_OK && stored.size > 0)
        status = read_part(&stored, &payload) ? open_request_add_attempt(request, payload)
                                              : STATUS_INVALID;
    request->is_stored = true;
    request->attempts_stored = request->attempt_count;
    return status;
}

struct open_request *open_set_take(struct open_set *set, const struct id *id)
{
    if (set->bucket_count == 0)
        return NULL;
    struct open_request **link = &set->buckets[bucket_of(set, id)];
    while (*link != NULL && !same(&(*link)->id, id))
        link = &(*link)->next;
    struct open_request *request = *link;
    if (request == NULL)
        return NULL;
    *link = request->next;
    request->next = NULL;
    request->is_taken = true;
    set->count--;
    return request;
}

void open_request_free(struct open_request *request)
{
    for (unsigned i = 0; i < request->attempt_count; i++)
        alloc_free((char *)(uintptr_t)request->attempts[i].data);
    alloc_free(request);
}

void open_set_fini(struct open_set *set)
{
    for (size_t i = 0; i < set->bucket_count; i++) {
        while (set->buckets[i] != NULL) {
            struct open_request *request = set->buckets[i];
            set->buckets[i] = request->next;
            open_request_free(request);
        }
    }
    alloc_free(set->buckets);
    *set = (struct open_set){0};
}

enum status open_set_each(const struct open_set *set, open_set_visitor *visit, void *context)
{
    for (size_t i = 0; i < set->bucket_count; i++) {
        for (struct open_request *request = set->buckets[i]; request != NULL;
             request = request->next) {
            const enum status status = visit(context, request);
            if (status != STATUS_OK)
                return status;
        }
    }
    return STATUS_OK;
}
