/* `weir explain`. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "admin/operations.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/member_text.h"
#include "cli/options.h"
#include "cli/resource.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "json/read.h"
#include "json/value.h"
#include "json/walk.h"
#include "json/write.h"

#define COUNT(items) (sizeof(items) / sizeof((items)[0]))

static const char help[] =
    "Usage: weir explain --key K [--model M] [--file body.json] [--route R] [--address A] "
    "[--json]\n"
    "\n"
    "What would happen to a request: which rule and targets it meets, which limits and budgets\n"
    "stand where, what would be held and why. Nobody is called and nothing is changed.\n"
    "\n"
    "  --key K         the key's id or name, never the secret\n"
    "  --model M       the model as a client names it; without it the body's\n"
    "  --file FILE     the body as a client would send it, up to 64 KiB; - for standard input;\n"
    "                  without it a chat with one empty message\n"
    "  --route R       where it would be sent; /v1/chat/completions without it\n"
    "  --address A     where it would come from, such as 10.0.0.7; without it networks that are\n"
    "                  allowed are not asked\n"
    "  --json          the whole answer as an object\n"
    "  --config FILE, --data-dir DIR\n"
    "                  where the configuration and the data are\n"
    "\n"
    "Exit code: 0 if it would be admitted, 1 if it would be refused.\n"
    "\n"
    "Example:\n"
    "  weir explain --key ci --model gpt-4o-mini --file body.json\n";

struct explain_options {
    struct verb_options shared;
    const char *key, *model, *file, *route, *address;
};

static int refuse(const char *why)
{
    fprintf(stderr, "weir: %s (weir explain --help says more)\n", why);
    return 2;
}

/* --- The question ------------------------------------------------------------------------------------------- */

static bool read_file(const char *path, struct buffer *text)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    char piece[1024];
    size_t size = sizeof(piece);
    while (file != NULL && size == sizeof(piece)) {
        size = fread(piece, 1, sizeof(piece), file);
        buffer_append(text, slice_of(piece, size));
    }
    const bool is_read = file != NULL && !ferror(file);
    if (!is_read)
        fprintf(stderr, "weir: cannot read %s: %s\n", path, strerror(errno));
    else if (buffer_status(text) != STATUS_OK)
        fprintf(stderr, "weir: %s is larger than %d bytes\n", path, ADMIN_BODY_BYTES_MAX);
    if (file != NULL && !is_stdin)
        fclose(file);
    return is_read && buffer_status(text) == STATUS_OK;
}

static bool is_object(struct slice text)
{
    struct json_value value;
    struct json_error error;
    if (json_check(text, &JSON_LIMITS_DEFAULT, &value, &error) == STATUS_OK &&
        value.type == JSON_TYPE_OBJECT)
        return true;
    fprintf(stderr, "weir: the file holds no JSON object\n");
    return false;
}

static void write_text(struct json_writer *writer, struct slice name, const char *text)
{
    if (text == NULL)
        return;
    json_write_key(writer, name);
    json_write_string(writer, slice_from_text(text));
}

/* Returns false if it was complained. */
static bool write_body(const struct explain_options *options, struct buffer *body)
{
    struct buffer file;
    struct json_writer writer;
    bool is_good = true;
    buffer_init(&file, ADMIN_BODY_BYTES_MAX);
    if (options->file != NULL)
        is_good = read_file(options->file, &file) && is_object(buffer_slice(&file));
    json_writer_init(&writer, body);
    json_write_object(&writer);
    write_text(&writer, SLICE("key"), options->key);
    write_text(&writer, SLICE("model"), options->model);
    write_text(&writer, SLICE("route"), options->route);
    write_text(&writer, SLICE("address"), options->address);
    if (is_good && options->file != NULL) {
        json_write_key(&writer, SLICE("body"));
        json_write_raw(&writer, slice_trim(buffer_slice(&file)));
    }
    json_write_end(&writer);
    buffer_fini(&file);
    return is_good;
}

/* --- The answer --------------------------------------------------------------------------------------------- */

struct printing {
    const struct explain_options *options;
    struct json_value answer;
    struct arena *arena;
    uint64_t now_us;
};

static struct slice text_of(const struct printing *printing, struct json_value object,
                            const char *name)
{
    const struct slice key = slice_from_text(name);
    struct json_value value;
    if (!json_find(object, key, NULL, &value) || json_is_null(value))
        return (struct slice){0};
    return member_text(key, value, MEMBER_FORM_CELL, printing->now_us, printing->arena);
}

static void print_line(const struct printing *printing, const char *title, const char *name)
{
    struct buffer line;
    const struct slice text = text_of(printing, printing->answer, name);
    buffer_init(&line, (size_t)64 << 10);
    table_append_text(&line, text, 1000);
    if (text.size > 0)
        printf("%-10s%.*s\n", title, (int)line.size, line.data);
    buffer_fini(&line);
}

static void print_key(const struct printing *printing)
{
    const struct slice name = text_of(printing, printing->answer, "key");
    const struct slice id = text_of(printing, printing->answer, "key_id");
    struct buffer line;
    buffer_init(&line, (size_t)64 << 10);
    table_append_text(&line, name, 1000);
    if (name.size > 0)
        printf("%-10s%.*s (%.*s)\n", "key", (int)line.size, line.data, SLICE_ARGS(id));
    else
        printf("%-10s%.*s\n", "key", SLICE_ARGS(id));
    buffer_fini(&line);
}

/* What is not known before the request is made, or asked with more. */
static void print_notes(const struct printing *printing)
{
    static const struct {
        const char *member, *note;
    } notes[] = {
        {"network", "the key is bound to networks: --address A asks for one"},
        {"context", "messages may be dropped to fit the model's window: not asked here"},
    };
    for (size_t i = 0; i < COUNT(notes); i++) {
        if (slice_equal(text_of(printing, printing->answer, notes[i].member), SLICE("not_asked")))
            printf("%-10s%s\n", "note", notes[i].note);
    }
}

static bool is_admitted(const struct printing *printing)
{
    struct json_value value;
    bool is_true = false;
    return json_find(printing->answer, SLICE("admitted"), NULL, &value) &&
           json_bool(value, &is_true) == STATUS_OK && is_true;
}

/* "user ada: 60req/min, in 1204 ms" */
static void print_refusing_limit(const struct printing *printing)
{
    struct json_value refused_by;
    if (!json_find(printing->answer, SLICE("refused_by"), NULL, &refused_by) ||
        json_is_null(refused_by))
        return;
    const struct slice level = text_of(printing, refused_by, "level");
    const struct slice name = text_of(printing, refused_by, "name");
    const struct slice limit = text_of(printing, refused_by, "limit");
    const struct slice again = text_of(printing, refused_by, "retry_after_ms");
    struct buffer line;
    buffer_init(&line, (size_t)64 << 10);
    table_append_text(&line, name, 1000);
    printf("%-10s%.*s%s%.*s: %.*s", "limit", SLICE_ARGS(level), name.size > 0 ? " " : "",
           (int)line.size, name.size > 0 ? line.data : "", SLICE_ARGS(limit));
    if (again.size > 0)
        printf(", again in %.*s ms", SLICE_ARGS(again));
    printf("\n");
    buffer_fini(&line);
}

static void print_verdict(const struct printing *printing)
{
    const bool has_looks = terminal_has_looks();
    if (is_admitted(printing)) {
        printf("%swould be admitted%s\n\n", has_looks ? "\033[32m" : "",
               has_looks ? "\033[0m" : "");
        return;
    }
    const struct slice status = text_of(printing, printing->answer, "status");
    const struct slice code = text_of(printing, printing->answer, "code");
    printf("%swould be refused%s: %.*s %.*s\n", has_looks ? "\033[31m" : "",
           has_looks ? "\033[0m" : "", SLICE_ARGS(status), SLICE_ARGS(code));
    print_line(printing, "", "message");
    print_refusing_limit(printing);
    printf("\n");
}

/* An array of objects as a table, nothing if it is empty. */
static int print_array(const struct printing *printing, const char *name,
                       const struct resource_column *columns, size_t column_count)
{
    const char *titles[TABLE_COLUMNS_MAX];
    struct slice cells[TABLE_COLUMNS_MAX];
    struct json_value array;
    struct json_walk walk;
    struct json_member item;
    struct table table;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < column_count; i++)
        titles[i] = columns[i].title;
    table_init(&table, titles, column_count);
    if (json_find(printing->answer, slice_from_text(name), NULL, &array)) {
        json_walk_init(&walk, array, NULL);
        while (status == STATUS_OK && json_walk_next(&walk, &item)) {
            for (size_t i = 0; i < column_count; i++)
                cells[i] = text_of(printing, item.value, columns[i].member);
            status = table_add(&table, cells);
        }
    }
    if (status == STATUS_OK && table.row_count > 0) {
        printf("\n");
        table_print(&table);
    }
    table_fini(&table);
    return status == STATUS_OK ? 0 : 1;
}

static void print_tokens(const struct printing *printing)
{
    const struct slice tokens = text_of(printing, printing->answer, "tokens_taken");
    const struct slice choices = text_of(printing, printing->answer, "choices");
    if (tokens.size == 0)
        return;
    printf("%-10s%.*s of limits of tokens", "takes", SLICE_ARGS(tokens));
    if (!slice_equal(choices, SLICE("1")))
        printf(", for %.*s choices", SLICE_ARGS(choices));
    printf("\n");
}

static void print_hold(const struct printing *printing)
{
    static const struct {
        const char *word, *text;
    } reasons[] = {
        {"bytes", "a token a byte at most"},    {"counted", "counted"},
        {"window", "the model's whole window"}, {"request", "the request's own maximum"},
        {"model", "the model's maximum"},       {"written", "written into the request"},
        {"none", "this route makes none"},
    };
    struct json_value hold;
    if (!json_find(printing->answer, SLICE("hold"), NULL, &hold) || json_is_null(hold))
        return;
    const struct slice cost = text_of(printing, hold, "cost");
    printf("\n%-10s%.*s%s\n", "hold", SLICE_ARGS(cost.size > 0 ? cost : SLICE("price unknown")),
           cost.size > 0 ? " USD at most" : "");
    static const char *const parts[][2] = {{"input_tokens", "input_by"},
                                           {"output_tokens", "output_by"}};
    for (size_t i = 0; i < COUNT(parts); i++) {
        const struct slice tokens = text_of(printing, hold, parts[i][0]);
        const struct slice by = text_of(printing, hold, parts[i][1]);
        const char *why = "";
        for (size_t j = 0; j < COUNT(reasons); j++) {
            if (slice_equal(by, slice_from_text(reasons[j].word)))
                why = reasons[j].text;
        }
        printf("%-10s%.*s tokens of %s: %s\n", "", SLICE_ARGS(tokens), i == 0 ? "input" : "output",
               why);
    }
}

static int print_words(const struct printing *printing)
{
    static const struct resource_column targets[] = {
        {"PROVIDER", "provider"}, {"MODEL", "model"}, {"PRICE", "price_id"}};
    static const struct resource_column limits[] = {
        {"LIMIT OF", "level"}, {"NAME", "name"},      {"LIMIT", "limit"},
        {"USED", "used"},      {"LEFT", "remaining"}, {"WHOLE AGAIN", "reset_at"}};
    static const struct resource_column budgets[] = {
        {"BUDGET OF", "level"},      {"NAME", "name"},           {"BUDGET", "limit"},
        {"SPENT", "spent"},          {"HELD", "held"},           {"LEFT", "remaining"},
        {"BEGINS ANEW", "reset_at"}, {"WARNS ONLY", "warn_only"}};
    print_verdict(printing);
    print_key(printing);
    print_line(printing, "user", "user");
    print_line(printing, "team", "team");
    print_line(printing, "model", "model");
    print_line(printing, "rule", "rule");
    print_notes(printing);
    print_tokens(printing);
    print_hold(printing);
    int code = print_array(printing, "targets", targets, COUNT(targets));
    if (code == 0)
        code = print_array(printing, "limits", limits, COUNT(limits));
    if (code == 0)
        code = print_array(printing, "budgets", budgets, COUNT(budgets));
    return code;
}

static int print_answer(void *context, const struct json_object *answer, struct arena *arena)
{
    const struct explain_options *options = context;
    const struct printing printing = {
        .options = options,
        .answer = {.raw = answer->text, .type = JSON_TYPE_OBJECT},
        .arena = arena,
        .now_us = clock_realtime_us(),
    };
    int code = 0;
    if (options->shared.json)
        printf("%.*s\n", SLICE_ARGS(answer->text));
    else
        code = print_words(&printing);
    return code == 0 && !is_admitted(&printing) ? 1 : code;
}

int explain_command(int argc, char **argv)
{
    struct explain_options options = {0};
    const struct option_spec specs[] = {
        OPTION_TEXT("key", &options.key),
        OPTION_TEXT("model", &options.model),
        OPTION_TEXT("file", &options.file),
        OPTION_TEXT("route", &options.route),
        OPTION_TEXT("address", &options.address),
        OPTION_FLAG("json", &options.shared.json),
        OPTION_TEXT("config", &options.shared.config),
        OPTION_TEXT("data-dir", &options.shared.data_dir),
    };
    int code = options_parse(argc, argv, specs, COUNT(specs), NULL, help);
    if (code >= 0)
        return code;
    if (options.key == NULL)
        return refuse("--key is missing: the key's id or name");
    if (options.model == NULL && options.file == NULL)
        return refuse("--model or --file is missing");
    struct buffer body;
    buffer_init(&body, ADMIN_BODY_BYTES_MAX);
    code = 2;
    if (write_body(&options, &body)) {
        const struct resource_request request = {
            .method = "POST", .prefix = "/admin/v1/explain", .body = buffer_slice(&body)};
        code = resource_read(&options.shared, &request, print_answer, &options);
    }
    buffer_fini(&body);
    return code;
}
