/* What the parts of the chain share. */
#ifndef AUDIT_CHAIN_INTERNAL_H
#define AUDIT_CHAIN_INTERNAL_H

#include <pthread.h>

#include "audit/chain.h"
#include "audit/checkpoint.h"
#include "base/buffer.h"

/* An entry or row longer than this was not written by weir. */
#define AUDIT_BYTES_MAX (16 * (size_t)1024 * 1024)

/* Where the chain ends, as far as this process has read it. */
struct audit_tail {
    uint64_t number; /* of the newest entry; 0: none is known */
    unsigned char hash[STORE_HASH_SIZE];
    uint64_t checkpoint; /* number of the newest checkpoint; 0: none is known */
    uint64_t since_us;   /* time of the segment's first entry */
    struct segment segment;
    bool is_damaged;  /* an entry of the segment is not as it was written: it will not be signed */
    bool has_genuine; /* an entry was made with our key */
};

struct audit {
    struct audit_keys keys; /* unchanged once open, so read without the lock */
    char *data_dir;
    pthread_mutex_t lock; /* of what follows */
    struct audit_tail tail;
    struct buffer bytes;    /* canonical bytes of the entry at hand */
    uint64_t head_number;   /* what the head file says; 0: nothing yet */
    uint64_t head_saved_us; /* when it was written */
    uint64_t gap_number;    /* of the entry that says that the head was ahead; 0: none */
};

/* Hash of an entry whose canonical bytes these are. */
static inline void audit_entry_hash(const struct audit_keys *keys, const struct buffer *bytes,
                                    unsigned char hash_out[STORE_HASH_SIZE])
{
    mac_of(&keys->entries, buffer_slice(bytes), hash_out);
}

#endif
