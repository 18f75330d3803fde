/* Hashes of the rows of usage_logs.
 *
 * A row's digest is SHA-256 of its canonical bytes, so that nobody needs a secret to reckon it; a
 * batch's hash is SHA-256 over its number, its count and the digests of its rows in the order of their
 * ids. A row's tag is the first bytes of an HMAC of its digest: it is only there to tell which row
 * changed once the batch's hash failed, so it may be short; and keyed, so that nobody makes another row
 * with the same tag.
 *
 * Thread: one at a time. Memory: a list owns its rows and keeps their memory when it is cleared. */
#ifndef AUDIT_ROWS_H
#define AUDIT_ROWS_H

#include "audit/keys.h"
#include "base/buffer.h"
#include "store/store_usage.h"

#define AUDIT_BATCH_ROWS_MAX 65536
#define ROW_TAG_SIZE         3 /* four characters of base64 */

struct row {
    struct id id;
    unsigned char digest[MAC_SIZE];
};

struct row_list {
    struct row *rows;
    size_t count;
    size_t capacity;
    struct buffer bytes; /* canonical bytes of the row at hand */
};

void row_list_init(struct row_list *list);
void row_list_fini(struct row_list *list);
void row_list_clear(struct row_list *list);
/* STATUS_TOO_LARGE: AUDIT_BATCH_ROWS_MAX is reached, or the row is longer than weir writes.
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status row_list_add(struct row_list *list, const struct store_usage *usage);
/* Puts the rows into the order of their ids. */
void row_list_sort(struct row_list *list);

void rows_hash(const struct row_list *list, int64_t batch, unsigned char hash_out[MAC_SIZE]);
void row_tag(const struct audit_keys *keys, const struct row *row,
             unsigned char tag_out[ROW_TAG_SIZE]);

#endif
