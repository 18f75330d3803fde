/* What happens when a mapped segment's file gives way under a store: truncated by somebody, or on a
 * disk that fails. The kernel sends SIGBUS; a handler maps private memory over the page, notes the
 * segment as failed and lets the store go on, so that the worker lives and the records can still be
 * read and copied. SIGBUS anywhere else ends the process as always.
 *
 * Thread: any; the table is read by the handler without a lock. */
#ifndef LEDGER_FAULT_H
#define LEDGER_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#define FAULT_SEGMENTS_MAX 4096

/* Installs the handler; again is no harm. */
void fault_install(void);
/* Watches a mapping. False: the table is full. */
bool fault_watch(void *segment, size_t size);
void fault_unwatch(const void *segment);
/* How many pages were replaced in all, to see whether it is worth asking for each. */
unsigned fault_count(void);
/* Whether a page of the mapping was replaced. */
bool fault_has_failed(const void *segment);

#endif
