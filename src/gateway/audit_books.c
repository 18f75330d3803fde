#include "gateway/audit_books.h"

#include "audit/batch.h"
#include "audit/retention.h"
#include "base/alloc.h"

struct audit_books {
    struct audit *audit;
    struct audit_batch *batch;
    int64_t number; /* of the batch under way */
    uint64_t (*now_us)(void);
};

enum status audit_books_create(struct audit *audit, uint64_t (*now_us)(void),
                               struct audit_books **books_out, struct reason *reason)
{
    struct audit_books *books = alloc_zeroed(1, sizeof(*books));
    *books_out = NULL;
    if (books == NULL) {
        reason_set(reason, "out of memory while preparing the audit of requests");
        return STATUS_NO_MEMORY;
    }
    books->audit = audit;
    books->now_us = now_us;
    const enum status status = audit_batch_create(audit, &books->batch, reason);
    if (status != STATUS_OK)
        audit_books_destroy(&books);
    *books_out = books;
    return status;
}

void audit_books_destroy(struct audit_books **books)
{
    if (*books == NULL)
        return;
    audit_batch_destroy(&(*books)->batch);
    alloc_free(*books);
    *books = NULL;
}

/* What a transaction that failed had added is forgotten here. */
static enum status begin(void *context, struct store *store, int64_t number, struct reason *reason)
{
    struct audit_books *books = context;
    (void)store;
    (void)reason;
    audit_batch_clear(books->batch);
    books->number = number;
    return STATUS_OK;
}

static enum status add(void *context, const struct store_usage *usage, struct reason *reason)
{
    struct audit_books *books = context;
    return audit_batch_add(books->batch, usage, reason);
}

static enum status finish(void *context, struct store *store, struct reason *reason)
{
    struct audit_books *books = context;
    return audit_batch_seal(books->batch, store, books->number, books->now_us(), reason);
}

struct batch_seal audit_books_seal(struct audit_books *books)
{
    return (struct batch_seal){.begin = begin, .row = add, .finish = finish, .context = books};
}

enum status audit_books_retain(void *context, struct store *store, uint64_t before_us,
                               struct reason *reason)
{
    struct audit_books *books = context;
    struct audit_removal removal;
    uint64_t removed;
    const enum status status =
        audit_remove_rows(books->audit, store, before_us, books->now_us(), &removal, reason);
    if (status != STATUS_NOT_FOUND)
        return status;
    return audit_remove_entries(books->audit, store, before_us, books->now_us(), &removed, reason);
}
