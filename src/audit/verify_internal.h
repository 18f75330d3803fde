/* The state of one verifying, shared by its parts: the chain (verify_chain.c), the rows (verify_rows.c),
 * what became of single rows (verify_diff.c). */
#ifndef AUDIT_VERIFY_INTERNAL_H
#define AUDIT_VERIFY_INTERNAL_H

#include "audit/chain_internal.h"
#include "audit/head.h"
#include "audit/ranges.h"
#include "audit/rows.h"
#include "audit/verify.h"

/* Entries that hold under no number; more than so many are reported without asking what they were. */
#define SUSPECTS_MAX 65536

/* A later entry for a batch that has one already. */
struct reseal {
    int64_t batch;
    uint64_t number;
};

/* Entries that stand `shift` behind their own number. */
struct moved_run {
    uint64_t from, to; /* as they are stored; 0: none */
    int64_t shift;
};

/* The entry read last. */
struct place {
    uint64_t number;
    unsigned char hash[STORE_HASH_SIZE];
    bool is_genuine;
};

struct verify {
    const struct audit_keys *keys;
    struct store *store;
    const struct audit_verifier *verifier;
    struct audit_report report;
    struct reason *reason;

    struct audit_head head; /* number 0: none */
    struct place before;
    struct buffer bytes;   /* canonical bytes of the entry at hand */
    struct ranges genuine; /* own numbers of the genuine entries */
    uint64_t suspects[SUSPECTS_MAX];
    size_t suspects_count;
    struct moved_run moved;
    uint64_t search_bytes_left; /* for finding out where moved entries belong */
    uint64_t start;             /* entries before it were removed by retention */
    struct segment segment;     /* first is 0 until it is known */
    bool segment_is_damaged;

    struct ranges sealed, removed; /* numbers of batches */
    struct reseal *reseals;        /* in the order of the chain */
    size_t reseals_count, reseals_capacity;
    struct row_list rows; /* of the batch at hand */
    struct buffer tags;   /* as they were sealed, then as they are */
};

/* Reports a finding; its text is formatted. */
__attribute__((format(printf, 3, 4))) MUST_CHECK enum status verify_find(
    struct verify *verify, const struct audit_finding *finding, const char *format, ...);
MUST_CHECK enum status verify_progress(struct verify *verify);

/* Reads the entries after the one read last. *more_out (may be NULL): there were some. */
MUST_CHECK enum status verify_chain_read(struct verify *verify, bool *more_out);
/* Says what became of entries, when all are read. */
MUST_CHECK enum status verify_chain_end(struct verify *verify);
/* Whether the entry is as weir made it; its canonical bytes are then in verify->bytes.
 * STATUS_INVALID: no. STATUS_NO_MEMORY. */
MUST_CHECK enum status verify_entry(struct verify *verify, const struct store_audit_entry *entry);
bool verify_is_seal(const struct store_audit_entry *entry);
/* Whether no later entry replaces the one that seals the batch. */
bool verify_is_latest(const struct verify *verify, int64_t batch, uint64_t number);

MUST_CHECK enum status verify_rows(struct verify *verify);

/* What a batch should hold, and says which of verify->rows differ. */
struct seal {
    int64_t batch;
    uint64_t number; /* of its entry */
    uint64_t rows;
    unsigned char hash[MAC_SIZE];
    struct slice tags; /* rows × ROW_TAG_SIZE */
};
MUST_CHECK enum status verify_diff(struct verify *verify, const struct seal *seal);

#endif
