#include "cli/resource.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <yyjson.h>

#include "admin/operations.h"
#include "base/alloc.h"
#include "cli/table.h"
#include "config/load.h"
#include "config/report.h"

#define ANSWER_BYTES_MAX (ADMIN_ANSWER_BYTES_MAX + 65536)

/* --- Opening ------------------------------------------------------------------------------------------------ */

static void print_report(const struct config_report *report)
{
    struct buffer text;
    buffer_init(&text, (size_t)1 << 20);
    if (config_report_write(report, &text) == STATUS_OK)
        fwrite(text.data, 1, text.size, stderr);
    buffer_fini(&text);
}

int resource_open(const struct resource_options *options, struct admin_client **client_out)
{
    const struct config_source source = {
        .path = options->config, .data_dir = options->data_dir, .environment = environ};
    struct config_report report;
    struct reason reason = {"out of memory"};
    const struct config *config;
    config_report_init(&report);
    const enum status loaded = config_load(&source, &report, &config);
    if (loaded != STATUS_OK)
        print_report(&report);
    config_report_fini(&report);
    if (loaded != STATUS_OK)
        return 2;
    const enum status status = admin_client_open(config->data_dir.data, client_out, &reason);
    config_unref(&config);
    if (status == STATUS_OK)
        return -1;
    fprintf(stderr, "weir: %s\n", reason.text);
    return 1;
}

/* --- Answers ------------------------------------------------------------------------------------------------ */

/* RFC 9457: the detail says what went wrong. 400 is wrong input. */
static int print_problem(unsigned status, const struct buffer *answer)
{
    yyjson_doc *document = yyjson_read(answer->data, answer->size, 0);
    yyjson_val *root = yyjson_doc_get_root(document);
    const char *text = yyjson_get_str(yyjson_obj_get(root, "detail"));
    if (text == NULL)
        text = yyjson_get_str(yyjson_obj_get(root, "title"));
    fprintf(stderr, "weir: %s\n", text != NULL ? text : "the server answered with an error");
    yyjson_doc_free(document);
    return status == 400 || status == 413 || status == 422 ? 2 : 1;
}

static void put_text(yyjson_val *value, char *cell, size_t size)
{
    size_t index, count, at = 0;
    yyjson_val *item;
    cell[0] = '\0';
    if (yyjson_is_str(value)) {
        snprintf(cell, size, "%s", yyjson_get_str(value));
    } else if (yyjson_is_bool(value)) {
        snprintf(cell, size, "%s", yyjson_get_bool(value) ? "yes" : "no");
    } else if (yyjson_is_num(value)) {
        snprintf(cell, size, "%lld", (long long)yyjson_get_sint(value));
    } else if (yyjson_is_arr(value)) {
        yyjson_arr_foreach(value, index, count, item)
        {
            if (at < size)
                at += (size_t)snprintf(cell + at, size - at, "%s%s", index > 0 ? "," : "",
                                       yyjson_get_str(item));
        }
    }
}

static void print_lines(yyjson_val *root)
{
    size_t index, count;
    yyjson_val *key, *value;
    yyjson_obj_foreach(root, index, count, key, value)
    {
        char cell[1024];
        put_text(value, cell, sizeof(cell));
        printf("%-14s %s\n", yyjson_get_str(key), cell[0] != '\0' ? cell : "-");
    }
}

static int print_object(const struct resource_options *options, const struct buffer *answer,
                        const char *note)
{
    yyjson_doc *document = yyjson_read(answer->data, answer->size, 0);
    if (options->json && answer->size > 0) {
        printf("%.*s\n", (int)answer->size, answer->data);
    } else if (document != NULL) {
        print_lines(yyjson_doc_get_root(document));
        if (note != NULL)
            printf("\n%s\n", note);
    }
    yyjson_doc_free(document);
    return 0;
}

int resource_call(const struct resource_options *options, const char *method, struct slice path,
                  struct slice body, const char *note)
{
    struct admin_client *client = NULL;
    struct reason reason = {"out of memory"};
    struct buffer answer;
    int code = resource_open(options, &client);
    if (code >= 0)
        return code;
    buffer_init(&answer, ANSWER_BYTES_MAX);
    const unsigned status =
        admin_client_call(client, slice_from_text(method), path, body, &answer, &reason);
    if (status == 0) {
        fprintf(stderr, "weir: %s\n", reason.text);
        code = 1;
    } else {
        code =
            status >= 400 ? print_problem(status, &answer) : print_object(options, &answer, note);
    }
    buffer_fini(&answer);
    admin_client_close(&client);
    return code;
}

/* --- Lists -------------------------------------------------------------------------------------------------- */

struct listing {
    const struct resource_options *options;
    const struct resource_column *columns;
    size_t column_count;
    struct table *table; /* NULL: JSON */
    size_t printed;
};

static void add_row(struct listing *listing, yyjson_val *item)
{
    char texts[TABLE_COLUMNS_MAX][TABLE_CELL_BYTES];
    const char *cells[TABLE_COLUMNS_MAX];
    for (size_t i = 0; i < listing->column_count; i++) {
        put_text(yyjson_obj_get(item, listing->columns[i].member), texts[i], sizeof(texts[i]));
        cells[i] = texts[i][0] != '\0' ? texts[i] : NULL;
    }
    table_add(listing->table, cells);
}

static void add_items(struct listing *listing, yyjson_val *items)
{
    size_t index, count;
    yyjson_val *item;
    yyjson_arr_foreach(items, index, count, item)
    {
        if (listing->table != NULL) {
            add_row(listing, item);
        } else {
            char *text = yyjson_val_write(item, 0, NULL);
            printf("%s%s", listing->printed++ > 0 ? ",\n" : "", text != NULL ? text : "null");
            alloc_free(text);
        }
    }
}

/* Reads one page; *after is the cursor of the next one, or empty. Returns an exit code or -1. */
static int take_page(struct listing *listing, struct admin_client *client, struct slice path,
                     char *after, size_t after_size)
{
    struct reason reason = {"out of memory"};
    struct buffer answer, full;
    int code = -1;
    buffer_init(&answer, ANSWER_BYTES_MAX);
    buffer_init(&full, 4096);
    buffer_append(&full, path);
    if (after[0] != '\0')
        buffer_printf(&full, "%safter=%s", slice_find_byte(path, '?') < path.size ? "&" : "?",
                      after);
    const unsigned status = admin_client_call(client, SLICE("GET"), buffer_slice(&full),
                                              (struct slice){0}, &answer, &reason);
    after[0] = '\0';
    if (status == 0) {
        fprintf(stderr, "weir: %s\n", reason.text);
        code = 1;
    } else if (status >= 400) {
        code = print_problem(status, &answer);
    } else {
        yyjson_doc *document = yyjson_read(answer.data, answer.size, 0);
        yyjson_val *root = yyjson_doc_get_root(document);
        add_items(listing, yyjson_obj_get(root, "items"));
        put_text(yyjson_obj_get(root, "next"), after, after_size);
        yyjson_doc_free(document);
    }
    buffer_fini(&full);
    buffer_fini(&answer);
    return code;
}

int resource_list(const struct resource_options *options, struct slice path,
                  const struct resource_column *columns, size_t column_count)
{
    struct admin_client *client = NULL;
    const char *titles[TABLE_COLUMNS_MAX];
    char after[128] = "";
    int code = resource_open(options, &client);
    if (code >= 0)
        return code;
    for (size_t i = 0; i < column_count; i++)
        titles[i] = columns[i].title;
    struct listing listing = {.options = options,
                              .columns = columns,
                              .column_count = column_count,
                              .table = options->json ? NULL : table_create(titles, column_count)};
    if (options->json)
        putchar('[');
    do
        code = take_page(&listing, client, path, after, sizeof(after));
    while (code < 0 && after[0] != '\0');
    if (options->json)
        puts("]");
    else if (code < 0 && listing.table != NULL)
        table_print(listing.table);
    table_destroy(&listing.table);
    admin_client_close(&client);
    return code < 0 ? 0 : code;
}

void resource_path(struct buffer *path, const char *prefix, const char *name, const char *suffix)
{
    static const char hex[] = "0123456789ABCDEF";
    buffer_append(path, slice_from_text(prefix));
    for (; *name != '\0'; name++) {
        const unsigned char byte = (unsigned char)*name;
        const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= '0' && byte <= '9') || byte == '-' || byte == '_' ||
                              byte == '.' || byte == '~';
        if (is_plain) {
            buffer_append_byte(path, (char)byte);
        } else {
            const char coded[3] = {'%', hex[byte >> 4], hex[byte & 15]};
            buffer_append(path, slice_of(coded, 3));
        }
    }
    buffer_append(path, slice_from_text(suffix));
}
