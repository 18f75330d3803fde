/* Entries are read once, in the order of their stored numbers. An entry is genuine if its hash holds;
 * otherwise it may hold under another number, so that it was moved; otherwise it is a suspect.
 * When all are read, a suspect in whose place no genuine entry is missing was added, any other was
 * changed; and numbers that no genuine entry, nor a changed one, has are missing. */
#include <inttypes.h>
#include <string.h>

#include "audit/canonical.h"
#include "audit/details.h"
#include "audit/verify_internal.h"
#include "base/alloc.h"

/* How far from its place an entry is looked for. */
#define SEARCH_SPAN 20000

static struct audit_finding about(enum audit_fault fault, uint64_t from, uint64_t to)
{
    return (struct audit_finding){.fault = fault, .number = from, .number_to = to, .batch = -1};
}

enum status verify_entry(struct verify *verify, const struct store_audit_entry *entry)
{
    unsigned char hash[STORE_HASH_SIZE];
    const enum status status = canonical_entry(entry, &verify->bytes);
    if (status == STATUS_TOO_LARGE) {
        buffer_clear(&verify->bytes);
        return STATUS_INVALID;
    }
    if (status != STATUS_OK)
        return status;
    audit_entry_hash(verify->keys, &verify->bytes, hash);
    return memcmp(hash, entry->hash, sizeof(hash)) == 0 ? STATUS_OK : STATUS_INVALID;
}

bool verify_is_seal(const struct store_audit_entry *entry)
{
    return slice_equal(entry->action, AUDIT_ACTION_BATCH) ||
           slice_equal(entry->action, AUDIT_ACTION_RERATE);
}

bool verify_is_latest(const struct verify *verify, int64_t batch, uint64_t number)
{
    /* The newest of a batch comes last, and reseals are rare. */
    for (size_t i = verify->reseals_count; i > 0; i--) {
        const struct reseal *reseal = &verify->reseals[i - 1];
        if (reseal->number <= number)
            return true;
        if (reseal->batch == batch)
            return false;
    }
    return true;
}

/* --- what genuine entries say ------------------------------------------------------------------------ */

static enum status note_reseal(struct verify *verify, int64_t batch, uint64_t number)
{
    if (verify->reseals_count == verify->reseals_capacity) {
        const size_t capacity = verify->reseals_capacity == 0 ? 64 : 2 * verify->reseals_capacity;
        struct reseal *reseals = alloc_resize(verify->reseals, capacity * sizeof(*reseals));
        if (reseals == NULL)
            return STATUS_NO_MEMORY;
        verify->reseals = reseals;
        verify->reseals_capacity = capacity;
    }
    verify->reseals[verify->reseals_count++] = (struct reseal){batch, number};
    return STATUS_OK;
}

static enum status take_seal(struct verify *verify, const struct store_audit_entry *entry)
{
    uint64_t batch = 0;
    if (slice_to_u64(entry->subject, &batch) != STATUS_OK || batch > INT64_MAX)
        return STATUS_OK; /* never written */
    if (ranges_contain(&verify->sealed, batch))
        return note_reseal(verify, (int64_t)batch, entry->number);
    return ranges_add(&verify->sealed, batch, batch);
}

static enum status take_removed_rows(struct verify *verify, const struct store_audit_entry *entry)
{
    uint64_t from = 0, to = 0, rows = 0;
    if (details_u64(entry->details, "from", &from) != STATUS_OK ||
        details_u64(entry->details, "to", &to) != STATUS_OK ||
        details_u64(entry->details, "rows", &rows) != STATUS_OK || from > to)
        return STATUS_OK;
    verify->report.batches_removed += to - from + 1;
    verify->report.rows_removed += rows;
    return ranges_add(&verify->removed, from, to);
}

static enum status take_removed_entries(struct verify *verify,
                                        const struct store_audit_entry *entry)
{
    uint64_t before = 0;
    if (details_u64(entry->details, "before", &before) == STATUS_OK && before > verify->start)
        verify->start = before;
    return STATUS_OK;
}

static enum status take_gap(struct verify *verify, const struct store_audit_entry *entry)
{
    const struct audit_finding finding = about(AUDIT_TAIL_LOST, entry->number, entry->number);
    uint64_t last = 0, head = 0;
    (void)!details_u64(entry->details, "last", &last);
    (void)!details_u64(entry->details, "head", &head);
    if (head == 0)
        return verify_find(verify, &finding,
                           "entry %" PRIu64 " says that weir went on after entry %" PRIu64
                           " without the head beside the database: entries after it may be missing",
                           entry->number, last);
    return verify_find(verify, &finding,
                       "entry %" PRIu64 " says that weir went on after entry %" PRIu64
                       " although the head beside the database knew another entry %" PRIu64
                       ": entries were cut off, or a power cut or an older backup took them",
                       entry->number, last, head);
}

static enum status take_checkpoint(struct verify *verify, const struct store_audit_entry *entry)
{
    struct audit_finding finding = about(AUDIT_CHECKPOINT_WRONG, entry->number, entry->number);
    verify->report.checkpoints++;
    verify->report.last_checkpoint = entry->number;
    if (verify->segment.first == 0 || verify->segment_is_damaged)
        return STATUS_OK; /* nothing to compare with, or what it signed was found changed already */
    const enum status status =
        checkpoint_check(verify->keys->public_key, &verify->segment, entry, verify->reason);
    if (status == STATUS_INVALID)
        return verify_find(verify, &finding,
                           "the signature of checkpoint %" PRIu64
                           " is not that of the entries from "
                           "%" PRIu64 " on",
                           entry->number, verify->segment.first);
    if (status != STATUS_NOT_FOUND)
        return status;
    finding.fault = AUDIT_CHECKPOINT_BARE;
    return verify_find(verify, &finding,
                       "checkpoint %" PRIu64 " is not signed: weir found an entry changed when it "
                       "wrote it",
                       entry->number);
}

static enum status take(struct verify *verify, const struct store_audit_entry *entry)
{
    static const struct {
        const char *action;
        enum status (*take)(struct verify *verify, const struct store_audit_entry *entry);
    } kinds[] = {
        {"usage.batch", take_seal},
        {"usage.rerate", take_seal},
        {"usage.remove", take_removed_rows},
        {"audit.remove", take_removed_entries},
        {"audit.gap", take_gap},
        {"checkpoint", take_checkpoint},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (slice_equal(entry->action, slice_from_text(kinds[i].action)))
            return kinds[i].take(verify, entry);
    }
    return STATUS_OK;
}

/* --- entries that are not genuine in their place --------------------------------------------------------- */

static enum status end_moved(struct verify *verify)
{
    const struct moved_run run = verify->moved;
    const struct audit_finding finding = about(AUDIT_ENTRY_MOVED, run.from, run.to);
    verify->moved = (struct moved_run){0};
    if (run.from == 0)
        return STATUS_OK;
    const uint64_t from = run.from + (uint64_t)run.shift, to = run.to + (uint64_t)run.shift;
    if (run.from == run.to)
        return verify_find(verify, &finding,
                           "what stands as entry %" PRIu64 " was written as entry %" PRIu64,
                           run.from, from);
    return verify_find(verify, &finding,
                       "what stands as entries %" PRIu64 " to %" PRIu64
                       " was written as entries %" PRIu64 " to %" PRIu64,
                       run.from, run.to, from, to);
}

static enum status note_moved(struct verify *verify, uint64_t number, int64_t shift)
{
    struct moved_run *run = &verify->moved;
    enum status status = STATUS_OK;
    if (run->from != 0 && run->shift == shift && run->to + 1 == number) {
        run->to = number;
    } else {
        status = end_moved(verify);
        *run = (struct moved_run){number, number, shift};
    }
    const uint64_t own = number + (uint64_t)shift;
    return status == STATUS_OK ? ranges_add(&verify->genuine, own, own) : status;
}

/* STATUS_OK: it holds under the number that is `shift` from its own. STATUS_INVALID. */
static enum status try_shift(struct verify *verify, const struct store_audit_entry *entry,
                             int64_t shift)
{
    struct store_audit_entry other = *entry;
    other.number += (uint64_t)shift;
    if (other.number == 0 || verify->search_bytes_left < verify->bytes.size)
        return STATUS_INVALID;
    verify->search_bytes_left -= verify->bytes.size;
    return verify_entry(verify, &other);
}

static enum status search_shift(struct verify *verify, const struct store_audit_entry *entry,
                                int64_t *shift_out)
{
    for (int64_t distance = 1; distance <= SEARCH_SPAN; distance++) {
        for (int sign = -1; sign <= 1; sign += 2) {
            if (sign < 0 && (uint64_t)distance >= entry->number)
                continue;
            *shift_out = sign * distance;
            const enum status status = try_shift(verify, entry, *shift_out);
            if (status != STATUS_INVALID)
                return status;
        }
    }
    return STATUS_INVALID;
}

/* STATUS_OK: it was made under another number. STATUS_INVALID: under none near it. */
static enum status find_shift(struct verify *verify, const struct store_audit_entry *entry,
                              int64_t *shift_out)
{
    *shift_out = verify->moved.shift;
    if (verify->moved.from != 0) {
        const enum status status = try_shift(verify, entry, *shift_out);
        if (status != STATUS_INVALID)
            return status;
    }
    /* What continues the entry before it is in its place: its content was changed. */
    if (entry->number == verify->before.number + 1 &&
        memcmp(entry->previous_hash, verify->before.hash, STORE_HASH_SIZE) == 0)
        return STATUS_INVALID;
    return search_shift(verify, entry, shift_out);
}

static enum status tell_changed(struct verify *verify, uint64_t number)
{
    const struct audit_finding finding = about(AUDIT_ENTRY_CHANGED, number, number);
    return verify_find(verify, &finding, "entry %" PRIu64 " is not as it was written", number);
}

static enum status take_suspect(struct verify *verify, const struct store_audit_entry *entry)
{
    int64_t shift = 0;
    const enum status status = find_shift(verify, entry, &shift);
    if (status == STATUS_OK)
        return note_moved(verify, entry->number, shift);
    if (status != STATUS_INVALID)
        return status;
    if (verify->suspects_count < SUSPECTS_MAX) {
        verify->suspects[verify->suspects_count++] = entry->number;
        return STATUS_OK;
    }
    const enum status told = tell_changed(verify, entry->number);
    return told == STATUS_OK ? ranges_add(&verify->genuine, entry->number, entry->number) : told;
}

/* --- reading ------------------------------------------------------------------------------------------- */

/* A genuine entry in its place: is it the continuation of the one before it, and the one that the head
 * knows? */
static enum status check_links(struct verify *verify, const struct store_audit_entry *entry)
{
    const struct place *before = &verify->before;
    struct audit_finding finding = about(AUDIT_ENTRY_UNLINKED, entry->number, entry->number);
    if (before->is_genuine && before->number + 1 == entry->number &&
        memcmp(before->hash, entry->previous_hash, STORE_HASH_SIZE) != 0) {
        verify->segment_is_damaged = true;
        return verify_find(verify, &finding,
                           "entry %" PRIu64 " is genuine, but does not continue entry %" PRIu64
                           ": one of them is of another history, as of an older backup",
                           entry->number, before->number);
    }
    if (entry->number != verify->head.number ||
        memcmp(entry->hash, verify->head.hash, STORE_HASH_SIZE) == 0)
        return STATUS_OK;
    finding.fault = AUDIT_HEAD_WRONG;
    return verify_find(verify, &finding,
                       "entry %" PRIu64 " is not the one that the head beside the database knows",
                       entry->number);
}

static enum status take_genuine(struct verify *verify, const struct store_audit_entry *entry)
{
    enum status status = check_links(verify, entry);
    if (status == STATUS_OK)
        status = ranges_add(&verify->genuine, entry->number, entry->number);
    if (status == STATUS_OK)
        status = take(verify, entry);
    if (entry->number > verify->report.last)
        verify->report.last = entry->number;
    return status;
}

/* Segments begin with the first entry of all and with checkpoints. */
static void add_to_segment(struct verify *verify, const struct store_audit_entry *entry,
                           bool is_genuine)
{
    struct segment *segment = &verify->segment;
    if (entry->number == 1 || (is_genuine && slice_equal(entry->action, AUDIT_ACTION_CHECKPOINT))) {
        segment_begin(segment, entry->number);
        verify->segment_is_damaged = false;
    } else if (entry->number != verify->before.number + 1) {
        verify->segment_is_damaged = true;
    }
    if (!is_genuine)
        verify->segment_is_damaged = true;
    if (segment->first != 0)
        segment_add(segment, buffer_slice(&verify->bytes), entry->hash);
}

static enum status visit(void *context, const struct store_audit_entry *entry)
{
    struct verify *verify = context;
    verify->report.entries++;
    enum status status = verify_entry(verify, entry);
    const bool is_genuine = status == STATUS_OK;
    if (is_genuine)
        status = take_genuine(verify, entry);
    else if (status == STATUS_INVALID)
        status = take_suspect(verify, entry);
    if (status != STATUS_OK)
        return status;
    add_to_segment(verify, entry, is_genuine);
    verify->before.number = entry->number;
    verify->before.is_genuine = is_genuine;
    memcpy(verify->before.hash, entry->hash, STORE_HASH_SIZE);
    return verify_progress(verify);
}

enum status verify_chain_read(struct verify *verify, bool *more_out)
{
    const uint64_t before = verify->report.entries;
    const enum status status =
        store_audit_list(verify->store, verify->before.number + 1, visit, verify, verify->reason);
    if (more_out != NULL)
        *more_out = verify->report.entries > before;
    return status;
}

/* --- the end ------------------------------------------------------------------------------------------- */

static enum status tell_suspect(struct verify *verify, uint64_t number)
{
    const struct audit_finding finding = about(AUDIT_ENTRY_ADDED, number, number);
    const bool is_beyond = number > verify->report.last && number > verify->head.number;
    if (is_beyond || ranges_contain(&verify->genuine, number))
        return verify_find(verify, &finding, "entry %" PRIu64 " was added: weir did not write it",
                           number);
    const enum status status = ranges_add(&verify->genuine, number, number);
    return status == STATUS_OK ? tell_changed(verify, number) : status;
}

static enum status tell_missing(struct verify *verify, uint64_t from, uint64_t to)
{
    const struct audit_finding finding = about(AUDIT_ENTRY_MISSING, from, to);
    const char *where = to == verify->head.number
                            ? ", cut off the end: the head beside the database knows them"
                            : "";
    if (from == to)
        return verify_find(verify, &finding, "entry %" PRIu64 " is missing%s", from, where);
    return verify_find(verify, &finding, "entries %" PRIu64 " to %" PRIu64 " are missing%s", from,
                       to, where);
}

static enum status tell_all_missing(struct verify *verify)
{
    uint64_t last = 0;
    if (verify->genuine.count > 0)
        last = verify->genuine.items[verify->genuine.count - 1].to;
    if (verify->head.number > last)
        last = verify->head.number;
    for (uint64_t from = verify->start; from <= last;) {
        const struct range gap = ranges_next_gap(&verify->genuine, from);
        const uint64_t to = gap.to > last ? last : gap.to - 1;
        if (gap.from > last)
            break;
        const enum status status = tell_missing(verify, gap.from, to);
        if (status != STATUS_OK)
            return status;
        from = to + 1;
    }
    return STATUS_OK;
}

enum status verify_chain_end(struct verify *verify)
{
    enum status status = end_moved(verify);
    verify->report.entries_removed = verify->start - 1;
    for (size_t i = 0; i < verify->suspects_count && status == STATUS_OK; i++)
        status = tell_suspect(verify, verify->suspects[i]);
    return status == STATUS_OK ? tell_all_missing(verify) : status;
}
