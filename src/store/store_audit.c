#include "store/store_audit.h"

#include "base/assert.h"
#include "store/store_driver.h"

enum status store_audit_insert(struct store *store, const struct store_audit_entry *entry,
                               struct reason *reason)
{
    return store->driver->audit_insert(store, entry, reason);
}

enum status store_audit_last(struct store *store, struct arena *arena,
                             struct store_audit_entry *entry_out, struct reason *reason)
{
    return store->driver->audit_last(store, arena, entry_out, reason);
}

enum status store_audit_list(struct store *store, uint64_t first, store_audit_visitor *visit,
                             void *context, struct reason *reason)
{
    return store->driver->audit_list(store, first, visit, context, reason);
}

enum status store_audit_page(struct store *store, const struct store_audit_page *page,
                             store_audit_visitor *visit, void *context, struct reason *reason)
{
    ASSERT(page->limit > 0);
    return store->driver->audit_page(store, page, visit, context, reason);
}

enum status store_audit_delete_before(struct store *store, uint64_t number, uint64_t *deleted_out,
                                      struct reason *reason)
{
    return store->driver->audit_delete_before(store, number, deleted_out, reason);
}
