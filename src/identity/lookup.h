/* A hash table with one writer and any number of readers that take no lock.
 *
 * It is extendible: a directory, indexed by the first bits of the hash, of segments of 512 slots.
 * A full segment is split in two (or copied, if it is full of removed slots) and the old one is
 * retired; a directory too small is doubled. So growing never touches more than one segment and
 * the directory at a time.
 * Thread: find from anywhere (a reader that is online, or the writer); all else the writer.
 * Memory: items are the caller's; segments go through the caller's struct grace.
 * Errors: only lookup_init() and lookup_reserve() can fail. */
#ifndef IDENTITY_LOOKUP_H
#define IDENTITY_LOOKUP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "identity/grace.h"

struct lookup_directory;

struct lookup {
    struct lookup_directory *_Atomic directory;
    struct grace *grace;
    size_t count;
    size_t bytes; /* of the directory and the segments */
};

typedef bool lookup_matcher(const void *item, const void *wanted);

/* STATUS_NO_MEMORY. */
MUST_CHECK enum status lookup_init(struct lookup *lookup, struct grace *grace);
/* Leaves the items alone; nobody reads any more. Accepts a zeroed lookup. */
void lookup_fini(struct lookup *lookup);

/* The item of that hash for which `matches(item, wanted)`, or NULL. The hash must be well mixed. */
void *lookup_find(const struct lookup *lookup, uint64_t hash, lookup_matcher *matches,
                  const void *wanted);

/* So many insertions may have their room at once. */
#define LOOKUP_RESERVED_MAX 16

/* Makes room, so that the insertion with this hash succeeds, in whatever order those that have
 * theirs take place. STATUS_NO_MEMORY. */
MUST_CHECK enum status lookup_reserve(struct lookup *lookup, uint64_t hash);
/* Room was reserved. */
void lookup_insert(struct lookup *lookup, uint64_t hash, void *item);
/* Puts `item` where `former` stands; both have this hash. */
void lookup_replace(struct lookup *lookup, uint64_t hash, const void *former, void *item);
/* `item` is there. */
void lookup_remove(struct lookup *lookup, uint64_t hash, const void *item);

typedef void lookup_visitor(void *context, void *item);

/* Calls `visit` once for each item; it may free the item. Nothing else may happen meanwhile. */
void lookup_visit(const struct lookup *lookup, lookup_visitor *visit, void *context);

#endif
