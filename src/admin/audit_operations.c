#include "admin/audit_operations.h"

#include "admin/list_page.h"
#include "admin/member_writer.h"
#include "admin/operations.h"
#include "admin/usage_query.h"
#include "audit/export.h"
#include "store/store_audit.h"

#define LOOKED_AT_MAX 50000 /* entries of one page; some tens of milliseconds */
/* A page that has come to this ends early, so that the entry at hand and the end still fit. */
#define BYTES_MAX (ADMIN_ANSWER_BYTES_MAX / 2)

struct listing {
    struct operation *operation;
    struct json_writer writer;
    struct store_audit_page page;
    uint32_t limit, count;
    uint64_t last; /* number written */
    bool has_more;
};

static enum status read_time(struct operation *operation, struct slice name, uint64_t *time_us_out,
                             struct reason *reason)
{
    const struct slice text = target_parameter(&operation->target, name);
    if (text.data == NULL)
        return STATUS_OK;
    return usage_time_parse(text, operation->now_us, time_us_out, reason);
}

/* Returns 0 or the problem's status. */
static unsigned read_cursor(struct listing *listing)
{
    struct operation *operation = listing->operation;
    struct store_audit_page *page = &listing->page;
    const struct slice after = target_parameter(&operation->target, SLICE("after"));
    const unsigned failed = list_page_read_limit(operation, &listing->limit);
    if (failed != 0)
        return failed;
    page->limit = listing->limit + 1;
    if (after.data != NULL &&
        (slice_to_u64(after, &page->before) != STATUS_OK || page->before > INT64_MAX))
        return operation_problem(operation, 400, "after is a number, as `next` of the page before");
    return 0;
}

/* Returns 0 or the problem's status. */
static unsigned read_query(struct listing *listing)
{
    static const struct slice parameters[] = {{"limit", 5}, {"after", 5}, {"since", 5},
                                              {"until", 5}, {"actor", 5}, {"action", 6}};
    struct operation *operation = listing->operation;
    struct store_audit_page *page = &listing->page;
    struct reason reason = {""};
    unsigned failed = operation_check_parameters(operation, parameters, 6);
    if (failed == 0)
        failed = read_cursor(listing);
    if (failed != 0)
        return failed;
    page->until_us = INT64_MAX;
    page->actor = target_parameter(&operation->target, SLICE("actor"));
    page->action = target_parameter(&operation->target, SLICE("action"));
    enum status status = read_time(operation, SLICE("since"), &page->since_us, &reason);
    if (status == STATUS_OK)
        status = read_time(operation, SLICE("until"), &page->until_us, &reason);
    return status == STATUS_OK ? 0 : operation_failed(operation, status, &reason);
}

/* Fills what bounds the search. */
static enum status bound(struct listing *listing, struct reason *reason)
{
    struct store_audit_page *page = &listing->page;
    struct store_audit_entry newest;
    const enum status status = store_audit_last(listing->operation->context->store,
                                                listing->operation->arena, &newest, reason);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status != STATUS_OK)
        return status;
    if (page->before == 0 || page->before > newest.number)
        page->before = newest.number + 1;
    page->from = page->before > LOOKED_AT_MAX ? page->before - LOOKED_AT_MAX : 1;
    return STATUS_OK;
}

static enum status write_entry(void *context, const struct store_audit_entry *entry)
{
    struct listing *listing = context;
    struct buffer line;
    if (listing->count == listing->limit || listing->operation->answer->size > BYTES_MAX) {
        listing->has_more = true;
        return STATUS_AGAIN;
    }
    listing->count++;
    listing->last = entry->number;
    buffer_init(&line, BYTES_MAX);
    enum status status = audit_export_entry(entry, &line);
    if (status == STATUS_OK) {
        json_write_raw(&listing->writer, slice_of(line.data, line.size - 1));
        status = buffer_status(listing->operation->answer);
    }
    buffer_fini(&line);
    return status;
}

/* Entries before the last that was looked at are those of the next page. */
static unsigned end_list(struct listing *listing)
{
    struct json_writer *writer = &listing->writer;
    const uint64_t next = listing->has_more ? listing->last : listing->page.from;
    const struct slice text =
        arena_printf(listing->operation->arena, "%llu", (unsigned long long)next);
    json_write_end(writer);
    member_write_text(writer, SLICE("next"), next > 1 ? text : slice_of(NULL, 0));
    json_write_end(writer);
    return 200;
}

unsigned audit_list(struct operation *operation)
{
    struct listing listing = {.operation = operation};
    struct reason reason = {""};
    const unsigned failed = read_query(&listing);
    if (failed != 0)
        return failed;
    enum status status = bound(&listing, &reason);
    json_writer_init(&listing.writer, operation->answer);
    json_write_object(&listing.writer);
    json_write_key(&listing.writer, SLICE("items"));
    json_write_array(&listing.writer);
    if (status == STATUS_OK && listing.page.from < listing.page.before)
        status = store_audit_page(operation->context->store, &listing.page, write_entry, &listing,
                                  &reason);
    if (status != STATUS_OK && status != STATUS_AGAIN)
        return operation_failed(operation, status, &reason);
    return end_list(&listing);
}
