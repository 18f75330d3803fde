/* The tags as they were sealed beside the tags of the rows as they are. Where they part, the nearest
 * place is looked for at which both go on alike; what lies between was changed, removed or added. */
#include <inttypes.h>

#include "audit/verify_internal.h"

/* How many rows may be removed or added at one place before they are taken for changed ones. */
#define WINDOW 64

struct diff {
    struct verify *verify;
    const struct seal *seal;
    const char *sealed, *actual; /* tags */
    size_t sealed_count, actual_count;
};

/* How far sealed[i…] and actual[j…] have to be passed over to be alike again. */
struct step {
    size_t sealed, actual;
};

static bool is_same(const struct diff *diff, size_t i, size_t j)
{
    return memcmp(diff->sealed + i * ROW_TAG_SIZE, diff->actual + j * ROW_TAG_SIZE, ROW_TAG_SIZE) ==
           0;
}

/* Alike from here on; one tag alone may be alike by chance. */
static bool goes_on(const struct diff *diff, size_t i, size_t j)
{
    const bool is_sealed_end = i >= diff->sealed_count, is_actual_end = j >= diff->actual_count;
    if (is_sealed_end || is_actual_end)
        return is_sealed_end && is_actual_end;
    return is_same(diff, i, j) && (i + 1 >= diff->sealed_count || j + 1 >= diff->actual_count ||
                                   is_same(diff, i + 1, j + 1));
}

static bool is_step(const struct diff *diff, size_t i, size_t j, struct step step)
{
    return i + step.sealed <= diff->sealed_count && j + step.actual <= diff->actual_count &&
           goes_on(diff, i + step.sealed, j + step.actual);
}

/* Where one side has ended, all that the other still has; otherwise the shortest, of equally short ones first that of changed rows, with as many on both sides. */
static struct step find_step(const struct diff *diff, size_t i, size_t j)
{
    if (i == diff->sealed_count || j == diff->actual_count)
        return (struct step){diff->sealed_count - i, diff->actual_count - j};
    for (size_t sum = 1; sum <= WINDOW; sum++) {
        const struct step changed = {sum / 2, sum - sum / 2};
        if (is_step(diff, i, j, changed))
            return changed;
        for (size_t sealed = 0; sealed <= sum; sealed++) {
            const struct step step = {sealed, sum - sealed};
            if (is_step(diff, i, j, step))
                return step;
        }
    }
    return (struct step){1, 1};
}

static struct audit_finding about(const struct diff *diff, enum audit_fault fault)
{
    return (struct audit_finding){
        .fault = fault,
        .number = diff->seal->number,
        .number_to = diff->seal->number,
        .batch = diff->seal->batch,
    };
}

static enum status tell_row(const struct diff *diff, enum audit_fault fault, size_t j)
{
    char id[ID_TEXT_SIZE];
    struct audit_finding finding = about(diff, fault);
    finding.id = diff->verify->rows.rows[j].id;
    id_format(&finding.id, id);
    return verify_find(diff->verify, &finding,
                       fault == AUDIT_ROW_CHANGED ? "row %.*s of batch %" PRId64
                                                    " is not as it was sealed"
                                                  : "row %.*s was added to batch %" PRId64,
                       ID_TEXT_SIZE, id, diff->seal->batch);
}

/* `j`: the rows are missing before this one. */
static enum status tell_missing(const struct diff *diff, size_t missing, size_t j)
{
    char before[ID_TEXT_SIZE], after[ID_TEXT_SIZE];
    const struct row_list *rows = &diff->verify->rows;
    struct audit_finding finding = about(diff, AUDIT_ROW_MISSING);
    if (j > 0)
        id_format(&rows->rows[j - 1].id, before);
    if (j < rows->count)
        id_format(&rows->rows[j].id, after);
    const int before_size = j > 0 ? ID_TEXT_SIZE : 0,
              after_size = j < rows->count ? ID_TEXT_SIZE : 0;
    return verify_find(diff->verify, &finding,
                       "%zu of the %" PRIu64 " rows of batch %" PRId64 " %s missing%s%.*s%s%.*s",
                       missing, diff->seal->rows, diff->seal->batch, missing == 1 ? "is" : "are",
                       j > 0 ? ", after row " : "", before_size, before,
                       j < rows->count ? ", before row " : "", after_size, after);
}

/* Pairs are changed; of what is left over, rows are missing or were added. */
static enum status tell_step(const struct diff *diff, struct step step, size_t j)
{
    const size_t pairs = step.sealed < step.actual ? step.sealed : step.actual;
    enum status status = STATUS_OK;
    for (size_t k = 0; k < step.actual && status == STATUS_OK; k++)
        status = tell_row(diff, k < pairs ? AUDIT_ROW_CHANGED : AUDIT_ROW_ADDED, j + k);
    if (status == STATUS_OK && step.sealed > pairs)
        status = tell_missing(diff, step.sealed - pairs, j + step.actual);
    return status;
}

static enum status compare(const struct diff *diff)
{
    size_t i = 0, j = 0;
    const uint64_t findings = diff->verify->report.findings;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && (i < diff->sealed_count || j < diff->actual_count)) {
        if (i < diff->sealed_count && j < diff->actual_count && is_same(diff, i, j)) {
            i++;
            j++;
            continue;
        }
        const struct step step = find_step(diff, i, j);
        status = tell_step(diff, step, j);
        i += step.sealed;
        j += step.actual;
    }
    if (status != STATUS_OK || diff->verify->report.findings > findings)
        return status;
    const struct audit_finding finding = about(diff, AUDIT_BATCH_CHANGED);
    return verify_find(diff->verify, &finding,
                       "rows of batch %" PRId64 " are not as they were sealed; which, is not known",
                       diff->seal->batch);
}

/* What is alike at the end need not be looked at; so a change at one place may be of any size. */
static void drop_common_end(struct diff *diff)
{
    while (diff->sealed_count > 0 && diff->actual_count > 0 &&
           is_same(diff, diff->sealed_count - 1, diff->actual_count - 1)) {
        diff->sealed_count--;
        diff->actual_count--;
    }
}

static enum status write_tags(struct verify *verify)
{
    unsigned char tag[ROW_TAG_SIZE];
    buffer_clear(&verify->tags);
    for (size_t i = 0; i < verify->rows.count; i++) {
        row_tag(verify->keys, &verify->rows.rows[i], tag);
        (void)buffer_append(&verify->tags, slice_of(tag, sizeof(tag)));
    }
    return buffer_status(&verify->tags);
}

enum status verify_diff(struct verify *verify, const struct seal *seal)
{
    const enum status status = write_tags(verify);
    if (status != STATUS_OK)
        return status;
    struct diff diff = {
        .verify = verify,
        .seal = seal,
        .sealed = seal->tags.data,
        .actual = verify->tags.data,
        .sealed_count = seal->tags.size / ROW_TAG_SIZE,
        .actual_count = verify->tags.size / ROW_TAG_SIZE,
    };
    drop_common_end(&diff);
    return compare(&diff);
}
