/* The audit chain's part in the ledger: what struct gateway_books takes to seal each batch of requests,
 * and to remove old ones in such a way that the chain says so.
 *
 * Thread: the drain's, but for creating and destroying. Memory: that of an audit_batch.
 * Errors: those of audit/batch.h and audit/retention.h. */
#ifndef GATEWAY_AUDIT_BOOKS_H
#define GATEWAY_AUDIT_BOOKS_H

#include <stdint.h>

#include "audit/chain.h"
#include "base/reason.h"
#include "base/status.h"
#include "ledger/batch.h"

struct audit_books;

/* `audit` outlives it, and was started. STATUS_NO_MEMORY. */
MUST_CHECK enum status audit_books_create(struct audit *audit, uint64_t (*now_us)(void),
                                          struct audit_books **books_out, struct reason *reason);
/* Frees *books, if any, and sets it to NULL. The drain has ended. */
void audit_books_destroy(struct audit_books **books);

/* Hooks whose context is `books`. */
struct batch_seal audit_books_seal(struct audit_books *books);

/* One step: rows first, then the entries that no row needs any more. `books` is a struct audit_books.
 * STATUS_NOT_FOUND: nothing is left that is older. */
MUST_CHECK enum status audit_books_retain(void *books, struct store *store, uint64_t before_us,
                                          struct reason *reason);

#endif
