/* `weir usage`. */
#include <stdio.h>
#include <string.h>

#include "admin/usage_query.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/resource.h"
#include "cli/terminal.h"
#include "cli/usage_report.h"

#define DEFAULT_SINCE "30d"
#define QUERY_BYTES   160
#define COUNT(items)  (sizeof(items) / sizeof((items)[0]))

static const char help[] =
    "Usage: weir usage [--by key|user|team|model|provider|day|hour] [--since T] [--until T]\n"
    "                  [--csv | --json]\n"
    "\n"
    "What requests used and cost, dearest first, or in the order of time. Times are UTC.\n"
    "\n"
    "  --by GROUP      a line for each; without it one line for all\n"
    "  --since T       from then on, to the hour: a duration back from now (30d, 12h), a day\n"
    "                  (2026-01-31) or a time (2026-01-31T12:00:00Z); 30d without it\n"
    "  --until T       up to then, in the same forms\n"
    "  --csv           for spreadsheets, with a line of names first\n"
    "  --json          an array of objects\n"
    "  --config FILE, --data-dir DIR\n"
    "                  where the configuration and the data are\n"
    "\n"
    "Examples:\n"
    "  weir usage --by model --since 7d\n"
    "  weir usage --by user --since 2026-01-01 --until 2026-02-01 --csv > january.csv\n";

struct usage_options {
    struct verb_options shared;
    const char *by, *since, *until;
    bool csv;
};

static int refuse(const struct reason *reason)
{
    fprintf(stderr, "weir: %s (weir usage --help says more)\n", reason->text);
    return 2;
}

/* --- The question --------------------------------------------------------------------------------- */

/* Appends "&name=time", in a form that needs no escaping. */
static enum status put_time(char query[QUERY_BYTES], const char *name, const char *text,
                            uint64_t now_us, uint64_t *time_us_out, struct reason *reason)
{
    char time[CLOCK_TEXT_BYTES];
    const size_t size = strlen(query);
    const enum status status = usage_time_parse(slice_from_text(text), now_us, time_us_out, reason);
    if (status != STATUS_OK)
        return status;
    clock_format(*time_us_out, 6, time);
    snprintf(query + size, QUERY_BYTES - size, "%s%s=%s", size > 0 ? "&" : "?", name, time);
    return STATUS_OK;
}

/* Mistakes are told before anything is opened. */
static enum status make_query(const struct usage_options *options, uint64_t now_us,
                              char query[QUERY_BYTES], struct reason *reason)
{
    const char *since = options->since != NULL ? options->since : DEFAULT_SINCE;
    enum store_group group = STORE_GROUP_NONE;
    uint64_t since_us = 0, until_us = UINT64_MAX;
    query[0] = '\0';
    enum status status = put_time(query, "since", since, now_us, &since_us, reason);
    if (status == STATUS_OK && options->until != NULL)
        status = put_time(query, "until", options->until, now_us, &until_us, reason);
    if (status == STATUS_OK && options->by != NULL)
        status = usage_group_find(slice_from_text(options->by), &group, reason);
    if (status != STATUS_OK)
        return status;
    if (until_us <= since_us) {
        reason_set(reason, "the report would end (--until) before it begins (--since %s)", since);
        return STATUS_INVALID;
    }
    if (group != STORE_GROUP_NONE) {
        const size_t size = strlen(query);
        snprintf(query + size, QUERY_BYTES - size, "&by=%s", usage_group_name(group));
    }
    return STATUS_OK;
}

/* --- The answer ------------------------------------------------------------------------------------ */

/* "2026-01-31T13:00:00.000Z" as "2026-01-31 13:00". */
static void print_time(struct slice time, const char *otherwise)
{
    if (time.size < 16)
        printf("%s", otherwise);
    else
        printf("%.10s %.5s", time.data, time.data + 11);
}

static void print_period(const struct usage_report *report)
{
    print_time(report->since, "1970-01-01 00:00");
    printf(" to ");
    print_time(report->until, "now");
    printf(" (UTC)");
}

static void print_notes(const struct usage_report *report)
{
    const unsigned long long unpriced = report->total.counts[USAGE_UNPRICED];
    const unsigned long long estimated = report->total.counts[USAGE_ESTIMATED];
    if (unpriced > 0)
        printf("\nThe price of %llu request%s is not known; no cost has it in it.\n", unpriced,
               unpriced == 1 ? "" : "s");
    if (estimated > 0)
        printf("%sTokens of %llu request%s are estimated.\n", unpriced > 0 ? "" : "\n", estimated,
               estimated == 1 ? "" : "s");
}

static enum status print_table(const struct usage_report *report)
{
    const struct usage_looks looks = {.has_looks = terminal_has_looks(),
                                      .is_utf8 = terminal_has_utf8(),
                                      .columns = terminal_columns()};
    if (usage_line_is_empty(&report->total)) {
        printf("No requests from ");
        print_period(report);
        printf(".\n");
        return STATUS_OK;
    }
    printf("Usage from ");
    print_period(report);
    printf("\n\n");
    const enum status status = usage_table_write(report, &looks, stdout);
    if (status == STATUS_OK)
        print_notes(report);
    return status;
}

static int print_report(void *context, const struct json_object *answer, struct arena *arena)
{
    const struct usage_options *options = context;
    struct usage_report report;
    enum status status = usage_report_read(answer, arena, &report);
    if (status == STATUS_OK && options->csv)
        status = usage_csv_write(&report, stdout);
    else if (status == STATUS_OK && options->shared.json)
        usage_json_write(&report, stdout);
    else if (status == STATUS_OK)
        status = print_table(&report);
    if (status == STATUS_OK)
        return 0;
    fprintf(stderr, "weir: %s\n",
            status == STATUS_INVALID ? "the server's answer is no report" : status_name(status));
    return 1;
}

int usage_command(int argc, char **argv)
{
    struct usage_options options = {0};
    struct reason reason = {""};
    char query[QUERY_BYTES];
    const struct option_spec specs[] = {
        OPTION_TEXT("by", &options.by),
        OPTION_TEXT("since", &options.since),
        OPTION_TEXT("until", &options.until),
        OPTION_FLAG("csv", &options.csv),
        OPTION_FLAG("json", &options.shared.json),
        OPTION_TEXT("config", &options.shared.config),
        OPTION_TEXT("data-dir", &options.shared.data_dir),
    };
    const int code = options_parse(argc, argv, specs, COUNT(specs), NULL, help);
    if (code >= 0)
        return code;
    if (options.csv && options.shared.json) {
        reason_set(&reason, "--csv and --json exclude each other");
        return refuse(&reason);
    }
    if (make_query(&options, clock_realtime_us(), query, &reason) != STATUS_OK)
        return refuse(&reason);
    const struct resource_request request = {
        .method = "GET", .prefix = "/admin/v1/usage", .suffix = query};
    return resource_read(&options.shared, &request, print_report, &options);
}
