/* `weir audit`. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/details.h"
#include "audit/export.h"
#include "base/clock.h"
#include "base/nearest.h"
#include "cli/audit_access.h"
#include "cli/audit_verify.h"
#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/options.h"
#include "cli/table.h"
#include "base/date.h"
#include "config/units.h"

#define LINES_DEFAULT   20
#define LINES_MAX       10000
#define ARENA_BYTES_MAX ((size_t)64 << 20)
#define LINE_BYTES_MAX  ((size_t)128 << 20)
#define NUMBER_BYTES    32
#define COUNT(items)    (sizeof(items) / sizeof((items)[0]))

static const char help[] =
    "The audit chain: what was done to weir, and a seal on every recorded request.\n"
    "\n"
    "  weir audit verify\n"
    "      names every entry and every row that was changed, removed, moved or added outside of\n"
    "      weir; ends with 1 if there is one\n"
    "  weir audit export [--since WHEN]\n"
    "      entries as JSON lines, after a checkpoint that signs them\n"
    "  weir audit tail [--lines N]\n"
    "      the newest entries\n"
    "\n"
    "  --since WHEN    an entry's number, a day (2026-12-31), a time (RFC 3339), or how long ago\n"
    "                  (90d, 12h)\n"
    "  --lines N       how many, at most 10000 (default 20)\n"
    "  --config FILE, --data-dir DIR\n"
    "                  where the configuration and the data are\n"
    "  --json          an object for verify, an array for tail\n"
    "\n"
    "They read the database beside a running server; see docs/audit.md for what is proven.\n"
    "\n"
    "Examples:\n"
    "  weir audit verify\n"
    "  weir audit export --since 30d > audit.jsonl\n"
    "  weir audit tail --lines 50\n";

struct request {
    const char *since, *lines;
    bool json;
    const char *data_dir;
    struct store *store;
};

static int fail(const struct reason *reason, enum status status)
{
    fflush(stdout);
    fprintf(stderr, "weir: %s\n", reason->text[0] != '\0' ? reason->text : status_name(status));
    return 1;
}

/* --- verify --------------------------------------------------------------------------------------- */

static int verify(const struct request *request)
{
    return audit_verify_run(request->data_dir, request->store, request->json);
}

/* --- export --------------------------------------------------------------------------------------- */

/* Where an export begins. */
struct start {
    uint64_t number; /* 0: it is for the time to say */
    uint64_t since_us;
};

static bool parse_since(const char *text, struct start *start_out)
{
    const struct slice since = slice_from_text(text == NULL ? "1" : text);
    const uint64_t now_us = clock_realtime_us();
    uint64_t age_ms;
    *start_out = (struct start){0};
    if (slice_to_u64(since, &start_out->number) == STATUS_OK)
        return start_out->number > 0 && start_out->number <= INT64_MAX;
    if (date_parse(since, &start_out->since_us) == STATUS_OK)
        return true;
    if (units_parse_duration(since, &age_ms) != STATUS_OK || age_ms > now_us / US_PER_MS)
        return false;
    start_out->since_us = now_us - age_ms * US_PER_MS;
    return true;
}

static enum status find_time(void *context, const struct store_audit_entry *entry)
{
    struct start *start = context;
    start->number = entry->number;
    if (entry->timestamp_us >= start->since_us)
        return STATUS_CANCELLED;
    start->number++;
    return STATUS_OK;
}

static enum status find_start(struct store *store, struct start *start, struct reason *reason)
{
    if (start->number > 0)
        return STATUS_OK;
    start->number = 1;
    const enum status status = store_audit_list(store, 1, find_time, start, reason);
    return status == STATUS_CANCELLED ? STATUS_OK : status;
}

static enum status write_line(void *context, struct slice line)
{
    (void)context;
    return fwrite(line.data, 1, line.size, stdout) == line.size ? STATUS_OK : STATUS_IO;
}

static int export(const struct request *request)
{
    struct reason reason = {""};
    struct start start;
    if (!parse_since(request->since, &start)) {
        fprintf(stderr, "weir: --since is an entry's number, a day, a time (RFC 3339) or how long "
                        "ago, such as 90d\n");
        return 2;
    }
    if (audit_access_checkpoint(request->data_dir, &reason) != STATUS_OK)
        fprintf(stderr, "weir: no checkpoint signs the newest entries: %s\n", reason.text);
    reason = (struct reason){""};
    enum status status = find_start(request->store, &start, &reason);
    if (status == STATUS_OK)
        status = audit_export(request->store, start.number, write_line, NULL, &reason);
    return status == STATUS_OK ? 0 : fail(&reason, status);
}

/* --- tail ----------------------------------------------------------------------------------------- */

struct tail {
    bool as_json;
    uint64_t left;
    bool has_some;
    struct table table;
    struct buffer line;
};

/* Seals are for programs: people get the count. */
static struct slice details_of(const struct store_audit_entry *entry, char text[NUMBER_BYTES])
{
    uint64_t rows;
    if (!slice_equal(entry->action, AUDIT_ACTION_BATCH) &&
        !slice_equal(entry->action, AUDIT_ACTION_RERATE))
        return slice_equal(entry->action, AUDIT_ACTION_CHECKPOINT) ? SLICE("") : entry->details;
    if (details_u64(entry->details, "rows", &rows) != STATUS_OK)
        return entry->details;
    return slice_of(text, (size_t)snprintf(text, NUMBER_BYTES, "%" PRIu64 " rows", rows));
}

static enum status add_row(struct tail *tail, const struct store_audit_entry *entry)
{
    char number[NUMBER_BYTES], time[CLOCK_TEXT_BYTES], rows[NUMBER_BYTES];
    const int number_size = snprintf(number, sizeof(number), "%" PRIu64, entry->number);
    const struct slice cells[] = {slice_of(number, (size_t)number_size),
                                  slice_of(time, clock_format(entry->timestamp_us, 0, time)),
                                  entry->actor,
                                  entry->action,
                                  entry->subject,
                                  details_of(entry, rows)};
    return table_add(&tail->table, cells);
}

static enum status print_entry(struct tail *tail, const struct store_audit_entry *entry)
{
    buffer_clear(&tail->line);
    (void)audit_export_entry(entry, &tail->line);
    const enum status status = buffer_status(&tail->line);
    if (status == STATUS_OK)
        printf("%s%.*s", tail->has_some ? ",\n" : "", (int)tail->line.size - 1, tail->line.data);
    return status;
}

static enum status take_entry(void *context, const struct store_audit_entry *entry)
{
    struct tail *tail = context;
    const enum status status = tail->as_json ? print_entry(tail, entry) : add_row(tail, entry);
    tail->has_some = true;
    tail->left--;
    return status == STATUS_OK && tail->left == 0 ? STATUS_CANCELLED : status;
}

static enum status read_tail(struct store *store, struct tail *tail, struct reason *reason)
{
    struct store_audit_entry last;
    struct arena arena;
    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
    enum status status = store_audit_last(store, &arena, &last, reason);
    arena_fini(&arena);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    const uint64_t first = last.number > tail->left ? last.number - tail->left + 1 : 1;
    if (status == STATUS_OK)
        status = store_audit_list(store, first, take_entry, tail, reason);
    return status == STATUS_CANCELLED ? STATUS_OK : status;
}

static void print_tail(const struct tail *tail)
{
    if (tail->as_json)
        puts("]");
    else
        table_print(&tail->table);
}

static int tail(const struct request *request)
{
    static const char *const titles[] = {"NUMBER", "TIME", "ACTOR", "ACTION", "SUBJECT", "DETAILS"};
    struct tail tail = {.as_json = request->json, .left = LINES_DEFAULT};
    struct reason reason = {""};
    if (request->lines != NULL &&
        (slice_to_u64(slice_from_text(request->lines), &tail.left) != STATUS_OK || tail.left == 0 ||
         tail.left > LINES_MAX)) {
        fprintf(stderr, "weir: --lines is a number from 1 to %d\n", LINES_MAX);
        return 2;
    }
    table_init(&tail.table, titles, COUNT(titles));
    buffer_init(&tail.line, LINE_BYTES_MAX);
    if (tail.as_json)
        putchar('[');
    const enum status status = read_tail(request->store, &tail, &reason);
    if (status == STATUS_OK)
        print_tail(&tail);
    table_fini(&tail.table);
    buffer_fini(&tail.line);
    return status == STATUS_OK ? 0 : fail(&reason, status);
}

/* --- The command ------------------------------------------------------------------------------------ */

static const struct audit_verb {
    const char *name;
    bool takes_since, takes_lines, takes_json;
    int (*run)(const struct request *request);
} verbs[] = {
    {"verify", false, false, true, verify},
    {"export", true, false, false, export},
    {"tail", false, true, true, tail},
};

static int refuse(const struct reason *reason)
{
    fprintf(stderr, "weir: %s (weir audit --help says more)\n", reason->text);
    return 2;
}

static const struct audit_verb *find_verb(const struct option_words *words, struct reason *reason)
{
    struct slice names[COUNT(verbs)];
    if (words->count != 1) {
        reason_set(reason, words->count == 0 ? "say what to do: verify, export or tail"
                                             : "`weir audit` takes one word");
        return NULL;
    }
    for (size_t i = 0; i < COUNT(verbs); i++) {
        if (strcmp(verbs[i].name, words->items[0]) == 0)
            return &verbs[i];
        names[i] = slice_from_text(verbs[i].name);
    }
    const struct slice nearest =
        nearest_word(names, COUNT(verbs), slice_from_text(words->items[0]));
    reason_set(reason, "there is no `weir audit %s`%s%.*s%s", words->items[0],
               nearest.size > 0 ? "; did you mean '" : "", SLICE_ARGS(nearest),
               nearest.size > 0 ? "'?" : "");
    return NULL;
}

static bool fits(const struct audit_verb *verb, const struct request *request,
                 struct reason *reason)
{
    const char *refused = NULL;
    if (request->since != NULL && !verb->takes_since)
        refused = "since";
    else if (request->lines != NULL && !verb->takes_lines)
        refused = "lines";
    else if (request->json && !verb->takes_json)
        refused = "json";
    if (refused != NULL)
        reason_set(reason, "`weir audit %s` takes no --%s", verb->name, refused);
    return refused == NULL;
}

static int open_and_run(const struct audit_verb *verb, struct request *request)
{
    struct reason reason = {""};
    const enum status status = audit_access_open(request->data_dir, &request->store, &reason);
    if (status != STATUS_OK)
        return fail(&reason, status);
    const int code = verb->run(request);
    store_close(&request->store);
    return code;
}

/* A named directory needs no configuration. */
static int locate_and_run(const struct audit_verb *verb, const struct verb_options *where,
                          struct request *request)
{
    const struct config *config = NULL;
    request->data_dir = where->data_dir;
    if (where->data_dir == NULL || where->data_dir[0] == '\0') {
        if (!configuration_load(where, &config)) {
            fprintf(stderr, "weir: with --data-dir this needs no configuration\n");
            return 2;
        }
        request->data_dir = config->data_dir.data;
    }
    const int code = open_and_run(verb, request);
    config_unref(&config);
    return code;
}

int audit_command(int argc, char **argv)
{
    struct verb_options where = {0};
    struct request request = {0};
    struct option_words words = {.count = 0};
    struct reason reason = {""};
    const struct option_spec options[] = {
        OPTION_TEXT("config", &where.config), OPTION_TEXT("data-dir", &where.data_dir),
        OPTION_TEXT("since", &request.since), OPTION_TEXT("lines", &request.lines),
        OPTION_FLAG("json", &request.json),
    };
    const int code = options_parse(argc, argv, options, COUNT(options), &words, help);
    if (code >= 0)
        return code;
    const struct audit_verb *verb = find_verb(&words, &reason);
    if (verb == NULL || !fits(verb, &request, &reason))
        return refuse(&reason);
    return locate_and_run(verb, &where, &request);
}
