#include "cli/prices_rerate.h"

#include <stdio.h>
#include <unistd.h>

#include "admin/rerate.h"
#include "admin/usage_line.h"
#include "admin/usage_query.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "cli/number_text.h"
#include "cli/resource.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "base/date.h"
#include "json/value.h"
#include "json/walk.h"

#define BODY_BYTES      512
#define NAMES_BYTES_MAX ((size_t)4 << 20)
#define TEXT_BYTES_MAX  ((size_t)4 << 20)
#define TARGETS_MAX     (RERATE_TARGETS_MAX + 1)
#define PROGRESS_MS     1000 /* no bar before that */
#define PROGRESS_CHARS  30

enum count { COUNT_ROWS, COUNT_CHANGED, COUNT_UNPRICED, COUNT_LEFT, COUNTS };

static const char *const count_names[COUNTS] = {"rows", "changed", "unpriced", "left"};

/* What all calls together come to, for one target. */
struct sum {
    struct slice provider, model;
    uint64_t counts[COUNTS];
    int64_t old_nanousd, new_nanousd;
};

struct rerating {
    const struct verb_options *options;
    uint64_t since_us, until_us, next_us;
    uint64_t started_ns;
    bool has_bar; /* one is on the screen */
    struct buffer body;
    struct arena names;
    struct sum sums[TARGETS_MAX];
    size_t count;
    struct sum total;
    struct resource_request request;
};

/* --- The question --------------------------------------------------------------------------------- */

static void write_time(struct json_writer *writer, struct slice name, uint64_t time_us)
{
    char text[CLOCK_TEXT_BYTES];
    const unsigned size = clock_format(time_us, 6, text);
    json_write_key(writer, name);
    json_write_string(writer, slice_of(text, size));
}

/* The next call's body: from where the last one stopped. */
static void write_body(struct rerating *rerating)
{
    struct json_writer writer;
    buffer_clear(&rerating->body);
    json_writer_init(&writer, &rerating->body);
    json_write_object(&writer);
    write_time(&writer, SLICE("since"), rerating->next_us);
    write_time(&writer, SLICE("until"), rerating->until_us);
    json_write_key(&writer, SLICE("apply"));
    json_write_bool(&writer, rerating->options->apply);
    json_write_end(&writer);
    rerating->request.body = buffer_slice(&rerating->body);
}

/* --- Answers -------------------------------------------------------------------------------------- */

static enum status read_name(struct json_value object, struct slice member, struct arena *arena,
                             struct slice *name_out)
{
    struct json_value value;
    *name_out = SLICE("");
    if (!json_find(object, member, NULL, &value) || json_is_null(value))
        return STATUS_OK;
    return json_string(value, arena, name_out);
}

static enum status read_number(struct json_value object, const char *member, uint64_t *number_out)
{
    struct json_value value;
    if (!json_find(object, slice_from_text(member), NULL, &value))
        return STATUS_INVALID;
    return json_u64(value, number_out);
}

static enum status read_sum(struct json_value object, struct arena *arena, struct sum *sum_out)
{
    uint64_t old_nanousd = 0, new_nanousd = 0;
    *sum_out = (struct sum){0};
    enum status status = read_name(object, SLICE("provider"), arena, &sum_out->provider);
    if (status == STATUS_OK)
        status = read_name(object, SLICE("model"), arena, &sum_out->model);
    for (size_t i = 0; i < COUNTS && status == STATUS_OK; i++)
        status = read_number(object, count_names[i], &sum_out->counts[i]);
    if (status == STATUS_OK)
        status = read_number(object, "old_cost_nanousd", &old_nanousd);
    if (status == STATUS_OK)
        status = read_number(object, "cost_nanousd", &new_nanousd);
    sum_out->old_nanousd = old_nanousd < INT64_MAX ? (int64_t)old_nanousd : INT64_MAX;
    sum_out->new_nanousd = new_nanousd < INT64_MAX ? (int64_t)new_nanousd : INT64_MAX;
    return status;
}

static void add_money(int64_t *sum, int64_t amount)
{
    *sum = amount > INT64_MAX - *sum ? INT64_MAX : *sum + amount;
}

static void add_sum(struct sum *into, const struct sum *sum)
{
    for (size_t i = 0; i < COUNTS; i++)
        into->counts[i] += sum->counts[i];
    add_money(&into->old_nanousd, sum->old_nanousd);
    add_money(&into->new_nanousd, sum->new_nanousd);
}

/* NULL: no memory. Without a place it goes to "other", as at the server. */
static struct sum *find_sum(struct rerating *rerating, const struct sum *sum)
{
    const bool is_full = rerating->count >= TARGETS_MAX - 1;
    const struct slice provider = is_full ? SLICE("other") : sum->provider;
    const struct slice model = is_full ? SLICE("other") : sum->model;
    for (size_t i = 0; i < rerating->count; i++) {
        struct sum *known = &rerating->sums[i];
        if (slice_equal(known->provider, sum->provider) && slice_equal(known->model, sum->model))
            return known;
    }
    if (rerating->count == TARGETS_MAX)
        return &rerating->sums[TARGETS_MAX - 1];
    struct sum *added = &rerating->sums[rerating->count];
    added->provider = arena_copy(&rerating->names, provider);
    added->model = arena_copy(&rerating->names, model);
    if ((provider.size > 0 && added->provider.data == NULL) ||
        (model.size > 0 && added->model.data == NULL))
        return NULL;
    rerating->count++;
    return added;
}

static enum status take_targets(struct rerating *rerating, struct json_value targets,
                                struct arena *arena)
{
    struct json_walk walk;
    struct json_member item;
    struct sum sum;
    json_walk_init(&walk, targets, NULL);
    while (json_walk_next(&walk, &item)) {
        const enum status status = read_sum(item.value, arena, &sum);
        if (status != STATUS_OK)
            return status;
        struct sum *into = find_sum(rerating, &sum);
        if (into == NULL)
            return STATUS_NO_MEMORY;
        add_sum(into, &sum);
        add_sum(&rerating->total, &sum);
    }
    return STATUS_OK;
}

/* Where the server stopped; the end if it is done. It has to come nearer to it each time. */
static enum status take_next(struct rerating *rerating, struct json_value value,
                             struct arena *arena)
{
    struct slice text;
    uint64_t next_us;
    if (json_is_null(value)) {
        rerating->next_us = rerating->until_us;
        return STATUS_OK;
    }
    enum status status = json_string(value, arena, &text);
    if (status == STATUS_OK)
        status = date_parse(text, &next_us);
    if (status != STATUS_OK)
        return status;
    if (next_us <= rerating->next_us)
        return STATUS_INVALID;
    rerating->next_us = next_us;
    return STATUS_OK;
}

static enum status take_answer(struct rerating *rerating, const struct json_object *answer,
                               struct arena *arena)
{
    enum status status = STATUS_OK;
    bool has_next = false;
    for (size_t i = 0; i < answer->count && status == STATUS_OK; i++) {
        const struct json_member *member = &answer->members[i];
        if (json_key_equal(member->key, SLICE("targets"))) {
            status = take_targets(rerating, member->value, arena);
        } else if (json_key_equal(member->key, SLICE("next"))) {
            has_next = true;
            status = take_next(rerating, member->value, arena);
        }
    }
    return status == STATUS_OK && !has_next ? STATUS_INVALID : status;
}

/* --- Progress ------------------------------------------------------------------------------------- */

static void clear_bar(struct rerating *rerating)
{
    if (rerating->has_bar)
        fprintf(stderr, "\r\033[K");
    rerating->has_bar = false;
}

/* On the terminal of standard error, after a second: by the time that is gone through. */
static void draw_bar(struct rerating *rerating)
{
    const uint64_t elapsed_ns = clock_monotonic_ns() - rerating->started_ns;
    if (elapsed_ns < PROGRESS_MS * NS_PER_MS || !isatty(STDERR_FILENO))
        return;
    const uint64_t whole_s = (rerating->until_us - rerating->since_us) / US_PER_S + 1;
    const uint64_t done_s = (rerating->next_us - rerating->since_us) / US_PER_S;
    const int chars = (int)(done_s * PROGRESS_CHARS / whole_s);
    fprintf(stderr, "\r[%.*s%*s] %3d%%, %llu requests", chars, "##############################",
            PROGRESS_CHARS - chars, "", (int)(done_s * 100 / whole_s),
            (unsigned long long)rerating->total.counts[COUNT_ROWS]);
    fflush(stderr);
    rerating->has_bar = true;
}

/* --- What is printed ------------------------------------------------------------------------------ */

static void write_counts(struct json_writer *writer, const struct sum *sum)
{
    for (size_t i = 0; i < COUNTS; i++) {
        json_write_key(writer, slice_from_text(count_names[i]));
        json_write_u64(writer, sum->counts[i]);
    }
    usage_write_money(writer, "old_cost", sum->old_nanousd);
    usage_write_money(writer, "cost", sum->new_nanousd);
}

static enum status print_json(const struct rerating *rerating)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, TEXT_BYTES_MAX);
    json_writer_init(&writer, &text);
    json_write_object(&writer);
    write_time(&writer, SLICE("since"), rerating->since_us);
    write_time(&writer, SLICE("until"), rerating->until_us);
    json_write_key(&writer, SLICE("apply"));
    json_write_bool(&writer, rerating->options->apply);
    write_counts(&writer, &rerating->total);
    json_write_key(&writer, SLICE("targets"));
    json_write_array(&writer);
    for (size_t i = 0; i < rerating->count; i++) {
        json_write_object(&writer);
        json_write_key(&writer, SLICE("provider"));
        json_write_string(&writer, rerating->sums[i].provider);
        json_write_key(&writer, SLICE("model"));
        json_write_string(&writer, rerating->sums[i].model);
        write_counts(&writer, &rerating->sums[i]);
        json_write_end(&writer);
    }
    json_write_end(&writer);
    json_write_end(&writer);
    const enum status status = buffer_status(&text);
    if (status == STATUS_OK)
        printf("%.*s\n", SLICE_ARGS(buffer_slice(&text)));
    buffer_fini(&text);
    return status;
}

static enum status add_row(struct table *table, const struct sum *sum, unsigned digits)
{
    char texts[5][NUMBER_TEXT_BYTES];
    const struct slice cells[] = {
        sum->provider,
        sum->model,
        number_text(sum->counts[COUNT_ROWS], texts[0]),
        number_text(sum->counts[COUNT_CHANGED], texts[1]),
        number_text(sum->counts[COUNT_LEFT], texts[2]),
        money_text(sum->old_nanousd, digits, texts[3]),
        money_text(sum->new_nanousd, digits, texts[4]),
    };
    return table_add(table, cells);
}

static unsigned digits_of(const struct sum *total)
{
    const bool is_dearer = total->new_nanousd > total->old_nanousd;
    return money_digits(is_dearer ? total->new_nanousd : total->old_nanousd);
}

static void print_notes(const struct rerating *rerating)
{
    const unsigned long long changed = rerating->total.counts[COUNT_CHANGED];
    const unsigned long long left = rerating->total.counts[COUNT_LEFT];
    if (left > 0)
        printf("\n%llu request%s left as recorded: no price is known for the target now, or the "
               "record does not say enough.\n",
               left, left == 1 ? " is" : "s are");
    if (changed > 0 && !rerating->options->apply)
        printf("\nNothing is changed yet; with --apply the new costs are recorded.\n");
    else if (changed > 0)
        printf("\nWhat budgets have counted stays as it is until weir is restarted.\n");
}

static enum status print_table(const struct rerating *rerating)
{
    static const char *const titles[] = {"PROVIDER", "MODEL",    "REQUESTS", "CHANGED",
                                         "LEFT",     "OLD COST", "NEW COST"};
    const unsigned digits = digits_of(&rerating->total);
    struct sum total = rerating->total;
    struct table table;
    enum status status = STATUS_OK;
    if (total.counts[COUNT_ROWS] == 0) {
        printf("No requests in that time.\n");
        return STATUS_OK;
    }
    table_init(&table, titles, sizeof(titles) / sizeof(titles[0]));
    for (size_t i = 2; i < table.column_count; i++)
        table.is_right[i] = true;
    table.has_total = true;
    for (size_t i = 0; i < rerating->count && status == STATUS_OK; i++)
        status = add_row(&table, &rerating->sums[i], digits);
    total.provider = SLICE("total");
    total.model = SLICE(" ");
    if (status == STATUS_OK)
        status = add_row(&table, &total, digits);
    if (status == STATUS_OK) {
        table_print(&table);
        print_notes(rerating);
    }
    table_fini(&table);
    return status;
}

/* -------------------------------------------------------------------------------------------------- */

static int take_and_go_on(void *context, const struct json_object *answer, struct arena *arena)
{
    struct rerating *rerating = context;
    enum status status = take_answer(rerating, answer, arena);
    if (status == STATUS_OK && rerating->next_us < rerating->until_us) {
        draw_bar(rerating);
        write_body(rerating);
        return RESOURCE_AGAIN;
    }
    clear_bar(rerating);
    if (status == STATUS_OK)
        status = rerating->options->json ? print_json(rerating) : print_table(rerating);
    if (status == STATUS_OK)
        return 0;
    fprintf(stderr, "weir: %s\n",
            status == STATUS_INVALID ? "the server's answer cannot be read" : status_name(status));
    return 1;
}

static int run(struct rerating *rerating)
{
    buffer_init(&rerating->body, BODY_BYTES);
    arena_init(&rerating->names, NULL, 0, NAMES_BYTES_MAX);
    rerating->next_us = rerating->since_us;
    rerating->started_ns = clock_monotonic_ns();
    rerating->request = (struct resource_request){
        .method = "POST", .prefix = "/admin/v1/prices/rerate", .needs_config = true};
    write_body(rerating);
    const int code = resource_read(rerating->options, &rerating->request, take_and_go_on, rerating);
    clear_bar(rerating);
    if (code != 0 && rerating->total.counts[COUNT_CHANGED] > 0 && rerating->options->apply)
        fprintf(stderr, "weir: %llu requests were changed before that\n",
                (unsigned long long)rerating->total.counts[COUNT_CHANGED]);
    arena_fini(&rerating->names);
    buffer_fini(&rerating->body);
    return code;
}

static enum status read_times(struct rerating *rerating, struct reason *reason)
{
    const struct verb_options *options = rerating->options;
    const uint64_t now_us = clock_realtime_us();
    rerating->until_us = now_us;
    if (options->since == NULL) {
        reason_set(reason, "say from when: `weir prices rerate --since 30d`");
        return STATUS_INVALID;
    }
    enum status status =
        usage_time_parse(slice_from_text(options->since), now_us, &rerating->since_us, reason);
    if (status == STATUS_OK && options->until != NULL)
        status =
            usage_time_parse(slice_from_text(options->until), now_us, &rerating->until_us, reason);
    if (status == STATUS_OK && rerating->until_us <= rerating->since_us) {
        reason_set(reason, "there is no time between --since and --until");
        status = STATUS_INVALID;
    }
    return status;
}

int prices_rerate_run(const struct verb_options *options)
{
    struct reason reason = {""};
    struct rerating *rerating = alloc_zeroed(1, sizeof(*rerating));
    int code = 1;
    if (rerating == NULL) {
        fprintf(stderr, "weir: out of memory\n");
        return 1;
    }
    rerating->options = options;
    if (read_times(rerating, &reason) == STATUS_OK) {
        code = run(rerating);
    } else {
        fprintf(stderr, "weir: %s\n", reason.text);
        code = 2;
    }
    alloc_free(rerating);
    return code;
}
