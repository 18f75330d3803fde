/* The audit chain of a context, as one text: a line an entry, `ACTOR ACTION SUBJECT DETAILS`. */
#ifndef TESTS_UNIT_ADMIN_ENTRIES_H
#define TESTS_UNIT_ADMIN_ENTRIES_H

#include <stdio.h>
#include <string.h>

#include "admin/context.h"
#include "base/assert.h"
#include "store/store_audit.h"

#define ENTRIES_BYTES 65536

static inline enum status entries_add(void *context, const struct store_audit_entry *entry)
{
    char *text = context;
    const size_t size = strlen(text);
    const int added = snprintf(text + size, ENTRIES_BYTES - size, "%.*s %.*s %.*s %.*s\n",
                               SLICE_ARGS(entry->actor), SLICE_ARGS(entry->action),
                               SLICE_ARGS(entry->subject), SLICE_ARGS(entry->details));
    ASSERT((size_t)added < ENTRIES_BYTES - size);
    return STATUS_OK;
}

/* Holds until the next call. */
static inline const char *entries_of(const struct admin_context *context)
{
    static char text[ENTRIES_BYTES];
    text[0] = '\0';
    ASSERT(store_audit_list(context->store, 1, entries_add, text, NULL) == STATUS_OK);
    return text;
}

#endif
