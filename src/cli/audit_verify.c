#include "cli/audit_verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/verify.h"
#include "base/clock.h"
#include "cli/table.h"
#include "json/write.h"
#include "store/store_usage.h"

#define LINE_BYTES_MAX  65536
#define LINE_CHARS_MAX  2000
#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define BAR_CHARS       30
#define PATIENCE_NS     (1000 * NS_PER_MS) /* until the bar appears */
#define BAR_NS          (100 * NS_PER_MS)  /* between two of its looks */

struct verification {
    bool as_json, has_bar;
    uint64_t findings;
    uint64_t entries_wanted, rows_wanted; /* about so many there are; 0: not known */
    uint64_t started_ns, drawn_ns;
    bool is_drawn;
    struct buffer line;
};

/* --- How far it is ------------------------------------------------------------------------------- */

static enum status take_first(void *context, const struct store_audit_entry *entry)
{
    *(uint64_t *)context = entry->number;
    return STATUS_CANCELLED;
}

static enum status take_requests(void *context, const struct store_report_line *line)
{
    *(uint64_t *)context = line->requests;
    return STATUS_OK;
}

/* What cannot be read here is told by the verifying itself. */
static void estimate(struct verification *verification, struct store *store)
{
    const struct store_report all = {.by = STORE_GROUP_NONE};
    struct store_audit_entry last = {.number = 0};
    struct arena arena;
    uint64_t first = 1;
    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
    if (store_audit_last(store, &arena, &last, NULL) == STATUS_OK &&
        store_audit_list(store, 1, take_first, &first, NULL) == STATUS_CANCELLED &&
        last.number >= first)
        verification->entries_wanted = last.number - first + 1;
    if (store_report(store, &all, take_requests, &verification->rows_wanted, NULL) != STATUS_OK)
        verification->rows_wanted = 0;
    arena_fini(&arena);
}

static void clear_bar(struct verification *verification)
{
    if (verification->is_drawn)
        fputs("\r\033[K", stderr);
    verification->is_drawn = false;
}

/* Sums keep what retention removed. */
static void draw_bar(struct verification *verification, const struct audit_report *so_far)
{
    char bar[BAR_CHARS + 1];
    const uint64_t done = so_far->entries + so_far->rows;
    const uint64_t rows = verification->rows_wanted > so_far->rows_removed
                              ? verification->rows_wanted - so_far->rows_removed
                              : 0;
    const uint64_t wanted = verification->entries_wanted + rows;
    const unsigned percent = done < wanted ? (unsigned)(100 * done / wanted) : 100;
    const size_t filled = BAR_CHARS * percent / 100;
    memset(bar, ' ', BAR_CHARS);
    memset(bar, '#', filled);
    bar[BAR_CHARS] = '\0';
    fprintf(stderr, "\r[%s] %3u%%  %" PRIu64 " entries, %" PRIu64 " rows", bar, percent,
            so_far->entries, so_far->rows);
    verification->is_drawn = true;
}

static enum status on_progress(void *context, const struct audit_report *so_far)
{
    struct verification *verification = context;
    const uint64_t now_ns = clock_monotonic_ns();
    if (!verification->has_bar || now_ns < verification->started_ns + PATIENCE_NS ||
        now_ns < verification->drawn_ns + BAR_NS)
        return STATUS_OK;
    verification->drawn_ns = now_ns;
    draw_bar(verification, so_far);
    return STATUS_OK;
}

/* --- What is found -------------------------------------------------------------------------------- */

static void write_number(struct json_writer *writer, struct slice name, uint64_t number)
{
    json_write_key(writer, name);
    json_write_u64(writer, number);
}

static void write_finding(struct buffer *line, const struct audit_finding *finding)
{
    static const struct id zero;
    struct json_writer writer;
    char id[ID_TEXT_SIZE];
    json_writer_init(&writer, line);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("fault"));
    json_write_string(&writer, slice_from_text(audit_fault_name(finding->fault)));
    write_number(&writer, SLICE("number"), finding->number);
    write_number(&writer, SLICE("number_to"), finding->number_to);
    json_write_key(&writer, SLICE("batch"));
    if (finding->batch == -1)
        json_write_null(&writer);
    else
        json_write_i64(&writer, finding->batch);
    json_write_key(&writer, SLICE("row"));
    if (memcmp(&finding->id, &zero, sizeof(zero)) == 0) {
        json_write_null(&writer);
    } else {
        id_format(&finding->id, id);
        json_write_string(&writer, slice_of(id, sizeof(id)));
    }
    json_write_key(&writer, SLICE("text"));
    json_write_string(&writer, finding->text);
    json_write_end(&writer);
}

static enum status on_finding(void *context, const struct audit_finding *finding)
{
    struct verification *verification = context;
    struct buffer *line = &verification->line;
    verification->findings++;
    if (!verification->as_json && verification->findings > AUDIT_FINDINGS_SHOWN)
        return STATUS_OK;
    clear_bar(verification);
    buffer_clear(line);
    if (verification->as_json) {
        (void)buffer_append(line, verification->findings > 1 ? SLICE(",\n") : SLICE("\n"));
        write_finding(line, finding);
    } else {
        (void)buffer_printf(line, "%s: ", audit_fault_name(finding->fault));
        table_append_text(line, finding->text, LINE_CHARS_MAX);
        (void)buffer_append_byte(line, '\n');
    }
    fwrite(line->data, 1, line->size, stdout);
    return ferror(stdout) == 0 ? buffer_status(line) : STATUS_IO;
}

/* --- The summary ----------------------------------------------------------------------------------- */

static bool is_another_key(const struct audit_report *report)
{
    return report->last == 0 && report->entries > 0;
}

static void print_summary(const char *data_dir, const struct audit_report *report)
{
    if (report->findings > AUDIT_FINDINGS_SHOWN)
        printf("and %" PRIu64 " more, which --json lists\n",
               report->findings - AUDIT_FINDINGS_SHOWN);
    if (is_another_key(report))
        printf("No entry was made with %s/secrets/audit.key: it is another chain's, or all entries "
               "were replaced.\n",
               data_dir);
    if (report->findings > 0)
        putchar('\n');
    printf("%" PRIu64 " entries, %" PRIu64 " rows in %" PRIu64
           " batches; retention removed %" PRIu64 " entries and %" PRIu64 " rows.\n",
           report->entries, report->rows, report->batches, report->entries_removed,
           report->rows_removed);
    if (report->last_checkpoint > 0)
        printf("The newest entry is %" PRIu64 "; all before checkpoint %" PRIu64 " are signed.\n",
               report->last, report->last_checkpoint);
    if (report->findings > 0)
        printf("%" PRIu64 " %s.\n", report->findings,
               report->findings == 1 ? "finding: something was changed outside of weir"
                                     : "findings: something was changed outside of weir");
    else
        printf("Everything is as weir wrote it.\n");
}

static void print_json_summary(const struct audit_report *report, struct buffer *line)
{
    struct json_writer writer;
    buffer_clear(line);
    json_writer_init(&writer, line);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("ok"));
    json_write_bool(&writer, report->findings == 0);
    json_write_key(&writer, SLICE("another_key"));
    json_write_bool(&writer, is_another_key(report));
    write_number(&writer, SLICE("entries"), report->entries);
    write_number(&writer, SLICE("last"), report->last);
    write_number(&writer, SLICE("checkpoints"), report->checkpoints);
    write_number(&writer, SLICE("last_checkpoint"), report->last_checkpoint);
    write_number(&writer, SLICE("batches"), report->batches);
    write_number(&writer, SLICE("rows"), report->rows);
    write_number(&writer, SLICE("entries_removed"), report->entries_removed);
    write_number(&writer, SLICE("batches_removed"), report->batches_removed);
    write_number(&writer, SLICE("rows_removed"), report->rows_removed);
    json_write_end(&writer);
    /* The object is the one that the findings began. */
    printf("%s],%.*s\n", report->findings > 0 ? "\n" : "", (int)(line->size - 1), line->data + 1);
}

static enum status verify(struct verification *verification, const char *data_dir,
                          struct store *store, struct audit_report *report_out,
                          struct reason *reason)
{
    const struct audit_verifier verifier = {
        .find = on_finding, .progress = on_progress, .context = verification};
    struct audit *audit;
    enum status status = audit_open(data_dir, false, &audit, reason);
    if (status != STATUS_OK)
        return status;
    if (verification->has_bar)
        estimate(verification, store);
    if (verification->as_json)
        fputs("{\"findings\":[", stdout);
    status = audit_verify(audit, store, &verifier, report_out, reason);
    clear_bar(verification);
    audit_close(&audit);
    return status;
}

int audit_verify_run(const char *data_dir, struct store *store, bool as_json)
{
    struct verification verification = {.as_json = as_json,
                                        .has_bar = isatty(STDERR_FILENO) == 1,
                                        .started_ns = clock_monotonic_ns()};
    struct audit_report report = {0};
    struct reason reason = {""};
    buffer_init(&verification.line, LINE_BYTES_MAX);
    const enum status status = verify(&verification, data_dir, store, &report, &reason);
    if (status == STATUS_OK && as_json)
        print_json_summary(&report, &verification.line);
    else if (status == STATUS_OK)
        print_summary(data_dir, &report);
    buffer_fini(&verification.line);
    if (status == STATUS_OK)
        return report.findings == 0 ? 0 : 1;
    fflush(stdout);
    fprintf(stderr, "weir: the audit chain cannot be verified: %s\n",
            reason.text[0] != '\0' ? reason.text : status_name(status));
    return 1;
}
