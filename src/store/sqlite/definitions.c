#include "base/assert.h"
#include "store/sqlite/overlay.h"
#include "store/sqlite/query.h"

/* Of two statements that follow each other, one for each table. */
static struct query start(struct store *store, enum statement on_providers,
                          enum store_section section)
{
    ASSERT(section == STORE_SECTION_PROVIDERS || section == STORE_SECTION_MODELS);
    return query_start(connection_of(store), on_providers + (section == STORE_SECTION_MODELS));
}

static const char *noun_of(enum store_section section)
{
    return section == STORE_SECTION_MODELS ? "model" : "provider";
}

static enum status refuse_unknown(enum store_section section, struct slice name,
                                  struct reason *reason)
{
    reason_set(reason, "there is no %s %.*s that the API has added", noun_of(section),
               SLICE_ARGS(name));
    return STATUS_NOT_FOUND;
}

enum status sqlite_definition_create(struct store *store, enum store_section section,
                                     const struct store_definition *definition,
                                     struct reason *reason)
{
    struct query query = start(store, STATEMENT_PROVIDER_CREATE, section);
    query_bind_id(&query, 1, &definition->id);
    query_bind_text(&query, 2, definition->name);
    query_bind_text_or_empty(&query, 3, definition->definition);
    query_bind_u64(&query, 4, definition->created_at_us);
    query_bind_u64(&query, 5, definition->updated_at_us);
    const enum status status = query_run(&query, reason);
    if (query.code != SQLITE_CONSTRAINT_UNIQUE && query.code != SQLITE_CONSTRAINT_PRIMARYKEY)
        return status;
    reason_set(reason, "there is a %s %.*s already", noun_of(section),
               SLICE_ARGS(definition->name));
    return STATUS_EXISTS;
}

/* Runs an UPDATE or DELETE by name, which must hit something. */
static enum status run_on(struct query *query, enum store_section section, struct slice name,
                          struct reason *reason)
{
    sqlite3 *database = query->connection->database;
    const enum status status = query_run(query, reason);
    if (status != STATUS_OK || sqlite3_changes(database) > 0)
        return status;
    return refuse_unknown(section, name, reason);
}

enum status sqlite_definition_update(struct store *store, enum store_section section,
                                     const struct store_definition *definition,
                                     struct reason *reason)
{
    struct query query = start(store, STATEMENT_PROVIDER_UPDATE, section);
    query_bind_text_or_empty(&query, 1, definition->name);
    query_bind_text_or_empty(&query, 2, definition->definition);
    query_bind_u64(&query, 3, definition->updated_at_us);
    return run_on(&query, section, definition->name, reason);
}

enum status sqlite_definition_delete(struct store *store, enum store_section section,
                                     struct slice name, struct reason *reason)
{
    struct query query = start(store, STATEMENT_PROVIDER_DELETE, section);
    query_bind_text_or_empty(&query, 1, name);
    return run_on(&query, section, name, reason);
}

static struct store_definition definition_read(struct query *query)
{
    struct store_definition definition = {
        .name = query_read_text(query, 1),
        .definition = query_read_text(query, 2),
        .created_at_us = query_read_u64(query, 3),
        .updated_at_us = query_read_u64(query, 4),
    };
    query_read_blob(query, 0, definition.id.bytes, sizeof(definition.id.bytes));
    return definition;
}

enum status sqlite_definition_find(struct store *store, enum store_section section,
                                   struct slice name, struct arena *arena,
                                   struct store_definition *definition_out, struct reason *reason)
{
    struct query query = start(store, STATEMENT_PROVIDER_FIND, section);
    query_bind_text_or_empty(&query, 1, name);
    const bool found = query_next(&query);
    if (found) {
        *definition_out = definition_read(&query);
        definition_out->name = arena_copy(arena, definition_out->name);
        definition_out->definition = arena_copy(arena, definition_out->definition);
    }
    const enum status status = query_finish(&query, reason);
    if (status != STATUS_OK)
        return status;
    if (!found)
        return refuse_unknown(section, name, reason);
    if (definition_out->name.data != NULL && definition_out->definition.data != NULL)
        return STATUS_OK;
    reason_set(reason, "out of memory while reading a %s", noun_of(section));
    return STATUS_NO_MEMORY;
}

enum status sqlite_definitions_list(struct store *store, enum store_section section,
                                    store_definition_visitor *visit, void *context,
                                    struct reason *reason)
{
    struct query query = start(store, STATEMENT_PROVIDERS_LIST, section);
    enum status visited = STATUS_OK;
    while (visited == STATUS_OK && query_next(&query)) {
        const struct store_definition definition = definition_read(&query);
        if (query.code == SQLITE_OK)
            visited = visit(context, &definition);
    }
    const enum status status = query_finish(&query, reason);
    return status == STATUS_OK ? visited : status;
}
