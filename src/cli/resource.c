#include "cli/resource.h"

#include <stdio.h>
#include <string.h>

#include "admin/operations.h"
#include "base/clock.h"
#include "cli/admin_client.h"
#include "cli/configuration.h"
#include "cli/member_text.h"
#include "cli/table.h"
#include "json/read.h"
#include "json/value.h"
#include "json/walk.h"

#define ANSWER_BYTES_MAX ((size_t)ADMIN_ANSWER_BYTES_MAX + 65536)
#define ARENA_BYTES_MAX  ((size_t)64 << 20)
#define PATH_BYTES_MAX   8192
#define BODY_BYTES_MAX   ((size_t)1 << 20)
#define PAGE_ITEMS       5000
#define LINE_CHARS_MAX   10000

static int fail(const struct reason *reason)
{
    fprintf(stderr, "weir: %s\n", reason->text);
    return 1;
}

/* --- Paths --------------------------------------------------------------------------------------- */

static bool is_unreserved(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' || byte == '.' || byte == '~';
}

void resource_escape(struct buffer *path, const char *text)
{
    for (; *text != '\0'; text++) {
        if (is_unreserved(*text))
            buffer_append_byte(path, *text);
        else
            buffer_printf(path, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

/* Appends what is not NULL. Returns false if a name is longer than any that is there. */
static bool make_path(struct buffer *path, const char *prefix, const char *name, const char *suffix)
{
    buffer_append(path, slice_from_text(prefix));
    if (name != NULL)
        resource_escape(path, name);
    if (suffix != NULL)
        buffer_append(path, slice_from_text(suffix));
    if (buffer_status(path) == STATUS_OK)
        return true;
    fprintf(stderr, "weir: the name is too long\n");
    return false;
}

/* --- Calls --------------------------------------------------------------------------------------- */

/* Gives a client without a server the configuration, which it takes. Returns as below. */
static int use_config(const struct verb_options *options, const struct config **config,
                      struct admin_client **client)
{
    struct reason reason = {"out of memory"};
    int code = -1;
    if (*config == NULL && !configuration_load(options, config))
        code = 2;
    else if (admin_client_use(*client, config, &reason) != STATUS_OK)
        code = fail(&reason);
    if (code >= 0)
        admin_client_close(client);
    return code;
}

/* Opens the client for the data directory that the options or the configuration name. Returns -1
 * to go on, or an exit code. A named directory needs no configuration: a key can be revoked while
 * that is being edited. */
static int open_client(const struct verb_options *options, bool needs_config,
                       struct admin_client **client_out)
{
    const struct config *config = NULL;
    const char *data_dir = options->data_dir;
    struct reason reason = {"out of memory"};
    if (data_dir == NULL || data_dir[0] == '\0') {
        if (!configuration_load(options, &config)) {
            fprintf(stderr, "weir: with --data-dir this needs no configuration\n");
            return 2;
        }
        data_dir = config->data_dir.data;
    }
    const enum status status =
        admin_client_open(data_dir, ADMIN_CLIENT_WAIT_MS, client_out, &reason);
    const int code = status == STATUS_OK ? -1 : fail(&reason);
    if (code < 0 && needs_config && !admin_client_has_server(*client_out))
        return use_config(options, &config, client_out);
    config_unref(&config);
    return code;
}

/* RFC 9457: the detail says what went wrong. 400 is wrong input. */
static int print_problem(unsigned http_status, struct slice problem, struct arena *arena)
{
    struct buffer line;
    struct json_value value = {problem, JSON_TYPE_OBJECT}, detail;
    struct slice text = {NULL, 0};
    if (json_check(problem, &JSON_LIMITS_DEFAULT, &value, &(struct json_error){0}) == STATUS_OK &&
        (json_find(value, SLICE("detail"), NULL, &detail) ||
         json_find(value, SLICE("title"), NULL, &detail)))
        text = member_text(SLICE(""), detail, MEMBER_FORM_LINE, 0, arena);
    buffer_init(&line, (size_t)1 << 20);
    table_append_text(&line, text, LINE_CHARS_MAX);
    if (line.size > 0)
        fprintf(stderr, "weir: %.*s\n", (int)line.size, line.data);
    else
        fprintf(stderr, "weir: the server answered with status %u\n", http_status);
    buffer_fini(&line);
    return http_status == 400 || http_status == 413 || http_status == 422 ? 2 : 1;
}

/* An answer, and what was read of it. */
struct exchange {
    struct buffer answer;
    struct arena arena;
    struct json_object object;
};

static void exchange_init(struct exchange *exchange)
{
    *exchange = (struct exchange){0};
    buffer_init(&exchange->answer, ANSWER_BYTES_MAX);
    arena_init(&exchange->arena, NULL, 0, ARENA_BYTES_MAX);
}

static void exchange_fini(struct exchange *exchange)
{
    if (exchange->answer.size > 0)
        explicit_bzero(exchange->answer.data, exchange->answer.size); /* a new key's secret */
    buffer_fini(&exchange->answer);
    arena_fini(&exchange->arena);
}

/* Calls, and reads the object of the answer. Returns -1 to go on, or an exit code. */
static int exchange_run(struct exchange *exchange, struct admin_client *client, const char *method,
                        struct slice path, struct slice body)
{
    struct reason reason = {"out of memory"};
    struct json_error error;
    const unsigned http_status =
        admin_client_call(client, slice_from_text(method), path, body, &exchange->answer, &reason);
    const struct slice answer = buffer_slice(&exchange->answer);
    if (http_status == 0)
        return fail(&reason);
    if (http_status >= 300)
        return print_problem(http_status, answer, &exchange->arena);
    if (json_read_object(answer, &JSON_LIMITS_DEFAULT, &exchange->arena, &exchange->object,
                         &error) == STATUS_OK)
        return -1;
    fprintf(stderr, "weir: the server's answer cannot be read\n");
    return 1;
}

/* --- One object ---------------------------------------------------------------------------------- */

static void print_lines(const struct json_object *object, struct arena *arena)
{
    struct buffer lines;
    const uint64_t now_us = clock_realtime_us();
    buffer_init(&lines, ANSWER_BYTES_MAX);
    for (size_t i = 0; i < object->count; i++) {
        const struct json_member *member = &object->members[i];
        const struct slice text =
            member_text(member->key, member->value, MEMBER_FORM_LINE, now_us, arena);
        buffer_printf(&lines, "%-14.*s ", SLICE_ARGS(member->key));
        table_append_text(&lines, text.size > 0 ? text : SLICE("-"), LINE_CHARS_MAX);
        buffer_append_byte(&lines, '\n');
    }
    fwrite(lines.data, 1, lines.size, stdout);
    buffer_fini(&lines);
}

/* What printing the answer to a request takes. */
struct printing {
    const struct verb_options *options;
    const struct resource_request *request;
};

static int print_answer(void *context, const struct json_object *answer, struct arena *arena)
{
    const struct printing *printing = context;
    if (printing->options->json) {
        printf("%.*s\n", SLICE_ARGS(answer->text));
        return 0;
    }
    print_lines(answer, arena);
    if (printing->request->note != NULL)
        printf("\n%s\n", printing->request->note);
    return 0;
}

static int call_and_read(struct admin_client *client, const struct resource_request *request,
                         struct slice path, resource_reader *read, void *context)
{
    struct exchange exchange;
    exchange_init(&exchange);
    if (request->must_match)
        admin_client_match(client);
    int code = exchange_run(&exchange, client, request->method, path, request->body);
    if (code < 0)
        code = read(context, &exchange.object, &exchange.arena);
    exchange_fini(&exchange);
    return code;
}

int resource_read(const struct verb_options *options, const struct resource_request *request,
                  resource_reader *read, void *context)
{
    struct buffer path;
    struct admin_client *client = NULL;
    int code = 2;
    buffer_init(&path, PATH_BYTES_MAX);
    if (make_path(&path, request->prefix, request->name, request->suffix))
        code = open_client(options, request->needs_config, &client);
    while (code == RESOURCE_AGAIN)
        code = call_and_read(client, request, buffer_slice(&path), read, context);
    admin_client_close(&client);
    buffer_fini(&path);
    return code;
}

int resource_call(const struct verb_options *options, const struct resource_request *request)
{
    struct printing printing = {options, request};
    return resource_read(options, request, print_answer, &printing);
}

/* A change that begins with a look at what is there. */
struct changing {
    struct printing printing;
    struct resource_request request; /* of the call at hand */
    struct buffer body;
    resource_body_writer *write;
    void *context;
};

static int read_and_change(void *context, const struct json_object *answer, struct arena *arena)
{
    struct changing *changing = context;
    struct json_writer writer;
    if (changing->body.size > 0)
        return print_answer(&changing->printing, answer, arena);
    json_writer_init(&writer, &changing->body);
    json_write_object(&writer);
    if (!changing->write(changing->context, answer, arena, &writer))
        return 1;
    json_write_end(&writer);
    changing->request.method = changing->printing.request->method;
    changing->request.body = buffer_slice(&changing->body);
    changing->request.must_match = true;
    return RESOURCE_AGAIN;
}

int resource_change(const struct verb_options *options, const struct resource_request *request,
                    resource_body_writer *write, void *context)
{
    struct changing changing = {
        .printing = {options, request}, .request = *request, .write = write, .context = context};
    changing.request.method = "GET";
    buffer_init(&changing.body, BODY_BYTES_MAX);
    const int code = resource_read(options, &changing.request, read_and_change, &changing);
    buffer_fini(&changing.body);
    return code;
}

/* --- Lists --------------------------------------------------------------------------------------- */

struct listing {
    struct admin_client *client;
    const struct resource_list *list;
    bool is_json;
    struct table table; /* unless it is JSON */
    size_t count;
    uint64_t now_us;
    char after[ID_TEXT_SIZE + 1]; /* the cursor of the next page; empty: none */
};

static enum status add_row(struct listing *listing, struct json_value item, struct arena *arena)
{
    struct slice cells[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < listing->table.column_count; i++) {
        const struct slice name = slice_from_text(listing->list->columns[i].member);
        struct json_value value;
        cells[i] = SLICE("");
        if (json_find(item, name, NULL, &value))
            cells[i] = member_text(name, value, MEMBER_FORM_CELL, listing->now_us, arena);
    }
    return table_add(&listing->table, cells);
}

static enum status add_items(struct listing *listing, struct json_value items, struct arena *arena)
{
    struct json_walk walk;
    struct json_member item;
    enum status status = STATUS_OK;
    json_walk_init(&walk, items, NULL);
    while (status == STATUS_OK && json_walk_next(&walk, &item)) {
        if (!listing->is_json)
            status = add_row(listing, item.value, arena);
        else
            printf("%s%.*s", listing->count > 0 ? ",\n" : "", SLICE_ARGS(item.value.raw));
        listing->count++;
    }
    return status;
}

static enum status take_page(struct listing *listing, const struct json_object *page,
                             struct arena *arena)
{
    enum status status = STATUS_OK;
    listing->after[0] = '\0';
    for (size_t i = 0; i < page->count && status == STATUS_OK; i++) {
        const struct json_member *member = &page->members[i];
        struct slice text;
        if (json_key_equal(member->key, SLICE("items"))) {
            status = add_items(listing, member->value, arena);
        } else if (json_key_equal(member->key, SLICE("next")) && !json_is_null(member->value)) {
            status = json_string(member->value, arena, &text);
            if (status == STATUS_OK)
                snprintf(listing->after, sizeof(listing->after), "%.*s", SLICE_ARGS(text));
        }
    }
    return status;
}

/* Reads one page. Returns -1 to go on, or an exit code. */
static int read_page(struct listing *listing, struct slice path, bool is_first)
{
    struct exchange exchange;
    exchange_init(&exchange);
    int code = exchange_run(&exchange, listing->client, "GET", path, (struct slice){0});
    if (code < 0 && is_first && listing->is_json)
        putchar('[');
    if (code < 0 && take_page(listing, &exchange.object, &exchange.arena) != STATUS_OK) {
        fprintf(stderr, "weir: out of memory\n");
        code = 1;
    }
    exchange_fini(&exchange);
    return code;
}

/* A list that broke off half-way does not end like a whole one. */
static int read_pages(struct listing *listing, struct buffer *path)
{
    const size_t size = path->size;
    int code = read_page(listing, buffer_slice(path), true);
    while (code < 0 && listing->after[0] != '\0') {
        path->size = size;
        buffer_printf(path, "&after=%s", listing->after);
        code = read_page(listing, buffer_slice(path), false);
    }
    if (code >= 0)
        return code;
    if (listing->is_json)
        puts("]");
    else
        table_print(&listing->table);
    return 0;
}

static int open_and_read(const struct verb_options *options, const struct resource_list *list,
                         struct buffer *path)
{
    const char *titles[TABLE_COLUMNS_MAX];
    struct listing listing = {
        .list = list, .is_json = options->json, .now_us = clock_realtime_us()};
    int code = open_client(options, list->needs_config, &listing.client);
    if (code >= 0)
        return code;
    for (size_t i = 0; i < list->column_count; i++)
        titles[i] = list->columns[i].title;
    table_init(&listing.table, titles, list->column_count);
    code = read_pages(&listing, path);
    table_fini(&listing.table);
    admin_client_close(&listing.client);
    return code;
}

int resource_list(const struct verb_options *options, const struct resource_list *list)
{
    struct buffer path;
    char page[32];
    int code = 2;
    const bool is_narrowed = list->name != NULL;
    const bool has_query = is_narrowed && strchr(list->query, '?') != NULL;
    buffer_init(&path, PATH_BYTES_MAX + sizeof(page) + ID_TEXT_SIZE);
    snprintf(page, sizeof(page), "%climit=%d", has_query ? '&' : '?', PAGE_ITEMS);
    buffer_append(&path, slice_from_text(list->path));
    if (make_path(&path, is_narrowed ? list->query : "", list->name, page))
        code = open_and_read(options, list, &path);
    buffer_fini(&path);
    return code;
}
