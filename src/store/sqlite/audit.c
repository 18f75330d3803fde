#include "store/sqlite/ledger_operations.h"
#include "store/sqlite/query.h"

enum status sqlite_audit_insert(struct store *store, const struct store_audit_entry *entry,
                                struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_AUDIT_INSERT);
    query_bind_u64(&query, 1, entry->number);
    query_bind_u64(&query, 2, entry->timestamp_us);
    query_bind_text_or_null(&query, 3, entry->actor);
    query_bind_text_or_null(&query, 4, entry->action);
    query_bind_text_or_null(&query, 5, entry->subject);
    query_bind_text_or_null(&query, 6, entry->details);
    query_bind_blob(&query, 7, entry->previous_hash, sizeof(entry->previous_hash));
    query_bind_blob(&query, 8, entry->hash, sizeof(entry->hash));
    const enum status status = query_run(&query, reason);
    if (query.code != SQLITE_CONSTRAINT_PRIMARYKEY)
        return status;
    reason_set(reason, "there is an audit entry %llu already", (unsigned long long)entry->number);
    return STATUS_EXISTS;
}

static struct store_audit_entry entry_read(struct query *query)
{
    struct store_audit_entry entry = {
        .number = query_read_u64(query, 0),
        .timestamp_us = query_read_u64(query, 1),
        .actor = query_read_text(query, 2),
        .action = query_read_text(query, 3),
        .subject = query_read_text(query, 4),
        .details = query_read_text(query, 5),
    };
    query_read_blob(query, 6, entry.previous_hash, sizeof(entry.previous_hash));
    query_read_blob(query, 7, entry.hash, sizeof(entry.hash));
    return entry;
}

static bool keep(struct arena *arena, struct slice *text)
{
    if (text->size == 0)
        return true;
    *text = arena_copy(arena, *text);
    return text->data != NULL;
}

enum status sqlite_audit_last(struct store *store, struct arena *arena,
                              struct store_audit_entry *entry_out, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_AUDIT_LAST);
    const bool found = query_next(&query);
    bool kept = true;
    if (found) {
        *entry_out = entry_read(&query);
        kept = keep(arena, &entry_out->actor) && keep(arena, &entry_out->action) &&
               keep(arena, &entry_out->subject) && keep(arena, &entry_out->details);
    }
    const enum status status = query_finish(&query, reason);
    if (status != STATUS_OK)
        return status;
    if (!found) {
        reason_set(reason, "the audit log has no entry");
        return STATUS_NOT_FOUND;
    }
    if (!kept)
        reason_set(reason, "out of memory while reading the audit log");
    return kept ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status visit_rows(struct query *query, store_audit_visitor *visit, void *context,
                              struct reason *reason)
{
    enum status visited = STATUS_OK;
    while (visited == STATUS_OK && query_next(query)) {
        const struct store_audit_entry entry = entry_read(query);
        if (query->code == SQLITE_OK)
            visited = visit(context, &entry);
    }
    const enum status status = query_finish(query, reason);
    return status == STATUS_OK ? visited : status;
}

enum status sqlite_audit_list(struct store *store, uint64_t first, store_audit_visitor *visit,
                              void *context, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_AUDIT_LIST);
    query_bind_u64(&query, 1, first);
    return visit_rows(&query, visit, context, reason);
}

enum status sqlite_audit_page(struct store *store, const struct store_audit_page *page,
                              store_audit_visitor *visit, void *context, struct reason *reason)
{
    struct query query = query_start(connection_of(store), STATEMENT_AUDIT_PAGE);
    query_bind_u64(&query, 1, page->before);
    query_bind_u64(&query, 2, page->from);
    query_bind_u64(&query, 3, page->since_us);
    query_bind_u64(&query, 4, page->until_us);
    query_bind_text_or_null(&query, 5, page->actor);
    query_bind_text_or_null(&query, 6, page->action);
    query_bind_u64(&query, 7, page->limit);
    return visit_rows(&query, visit, context, reason);
}

enum status sqlite_audit_delete_before(struct store *store, uint64_t number, uint64_t *deleted_out,
                                       struct reason *reason)
{
    struct connection *connection = connection_of(store);
    struct query query = query_start(connection, STATEMENT_AUDIT_DELETE_BEFORE);
    query_bind_u64(&query, 1, number);
    const enum status status = query_run(&query, reason);
    *deleted_out = status == STATUS_OK ? (uint64_t)sqlite3_changes64(connection->database) : 0;
    return status;
}
