#include "cli/models_count.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/table.h"
#include "json/read.h"
#include "json/value.h"
#include "json/write.h"
#include "models/chat_count.h"

#define FILE_BYTES_MAX  ((size_t)1 << 30)
#define READ_BYTES      ((size_t)64 << 10)
#define ARENA_BYTES_MAX ((size_t)16 << 20)
#define TEXT_BYTES_MAX  ((size_t)64 << 10)
#define DEPTH_MAX       JSON_DEPTH_LIMIT
#define MODEL           "gpt-4o" /* where neither the file nor an option names one */

struct counted {
    struct slice model;
    const char *what; /* "chat", "prompt" or "text" */
    const char *encoding;
    struct input_count count;
};

/* --- The file ------------------------------------------------------------------------------------ */

static enum status read_all(FILE *file, struct buffer *text)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !feof(file)) {
        status = buffer_reserve(text, READ_BYTES);
        if (status == STATUS_OK)
            text->size += fread(text->data + text->size, 1, READ_BYTES, file);
        if (status == STATUS_OK && ferror(file))
            status = STATUS_IO;
    }
    return status;
}

static bool read_file(const char *path, struct buffer *text)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    enum status status = file != NULL ? read_all(file, text) : STATUS_IO;
    if (status == STATUS_IO)
        fprintf(stderr, "weir: cannot read %s: %s\n", path, strerror(errno));
    else if (status != STATUS_OK)
        fprintf(stderr, "weir: cannot read %s: %s\n", path, status_name(status));
    if (file != NULL && !is_stdin)
        fclose(file);
    return status == STATUS_OK;
}

/* --- Counting ------------------------------------------------------------------------------------ */

static const struct json_value *find(const struct json_object *body, struct slice name)
{
    for (size_t i = body->count; i > 0; i--) {
        if (json_key_equal(body->members[i - 1].key, name) &&
            !json_is_null(body->members[i - 1].value))
            return &body->members[i - 1].value;
    }
    return NULL;
}

/* The body of a request if it is one; else the file is a plain text. */
static bool read_body(struct slice text, struct arena *arena, struct json_object *body_out)
{
    const struct json_limits limits = {.depth_max = DEPTH_MAX, .members_max = JSON_MEMBERS_DEFAULT};
    struct json_error error;
    return json_read_object(text, &limits, arena, body_out, &error) == STATUS_OK &&
           (find(body_out, SLICE("messages")) != NULL || find(body_out, SLICE("prompt")) != NULL ||
            find(body_out, SLICE("input")) != NULL);
}

static void name_model(const struct verb_options *options, const struct json_object *body,
                       struct arena *arena, struct counted *counted)
{
    const struct json_value *model = body != NULL ? find(body, SLICE("model")) : NULL;
    if (options->model != NULL)
        counted->model = slice_from_text(options->model);
    else if (model == NULL || json_string(*model, arena, &counted->model) != STATUS_OK ||
             counted->model.size == 0)
        counted->model = SLICE(MODEL);
}

static enum status count_body(const struct json_object *body, const struct model_tokens *model,
                              struct counted *counted)
{
    const struct json_value *prompt = find(body, SLICE("prompt"));
    counted->what = "prompt";
    if (find(body, SLICE("messages")) == NULL)
        return count_prompt(model, prompt != NULL ? *prompt : *find(body, SLICE("input")),
                            &JSON_LIMITS_DEFAULT, &counted->count);
    counted->what = "chat";
    return count_chat(model, body, &JSON_LIMITS_DEFAULT, NULL, &counted->count);
}

static enum status count_file(const struct verb_options *options, struct slice text,
                              struct arena *arena, struct counted *counted)
{
    struct json_object body;
    struct reason reason;
    const bool is_body = read_body(text, arena, &body);
    name_model(options, is_body ? &body : NULL, arena, counted);
    const struct model_tokens *model = model_tokens_find(counted->model);
    enum status status = tokenizer_load(model->encoding, &reason);
    counted->encoding = token_encoding_name(model->encoding);
    counted->what = "text";
    if (status == STATUS_OK)
        status = is_body ? count_body(&body, model, counted)
                         : count_text(model, text, &JSON_LIMITS_DEFAULT, &counted->count);
    counted->count.is_estimate |= counted->count.is_unbounded;
    return status;
}

/* --- What is printed ----------------------------------------------------------------------------- */

static int print_json(const struct counted *counted)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, TEXT_BYTES_MAX + 6 * counted->model.size);
    json_writer_init(&writer, &text);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("input_tokens"));
    json_write_u64(&writer, counted->count.input_tokens);
    json_write_key(&writer, SLICE("model"));
    json_write_string(&writer, counted->model);
    json_write_key(&writer, SLICE("estimated"));
    json_write_bool(&writer, counted->count.is_estimate);
    json_write_key(&writer, SLICE("encoding"));
    json_write_string(&writer, slice_from_text(counted->encoding));
    json_write_key(&writer, SLICE("counted_as"));
    json_write_string(&writer, slice_from_text(counted->what));
    json_write_end(&writer);
    const enum status status = buffer_status(&text);
    if (status == STATUS_OK)
        printf("%.*s\n", SLICE_ARGS(buffer_slice(&text)));
    else
        fprintf(stderr, "weir: %s\n", status_name(status));
    buffer_fini(&text);
    return status == STATUS_OK ? 0 : 1;
}

static int print_table(const struct counted *counted)
{
    static const char *const titles[] = {"TOKENS", "MODEL", "ENCODING", "COUNTED AS", "EXACT"};
    struct table table;
    char tokens[24];
    const int size =
        snprintf(tokens, sizeof(tokens), "%llu", (unsigned long long)counted->count.input_tokens);
    const struct slice cells[] = {
        slice_of(tokens, (size_t)size), counted->model, slice_from_text(counted->encoding),
        slice_from_text(counted->what), counted->count.is_estimate ? SLICE("no") : SLICE("yes")};
    table_init(&table, titles, sizeof(titles) / sizeof(titles[0]));
    const enum status status = table_add(&table, cells);
    if (status == STATUS_OK)
        table_print(&table);
    else
        fprintf(stderr, "weir: %s\n", status_name(status));
    table_fini(&table);
    return status == STATUS_OK ? 0 : 1;
}

int models_count(const struct verb_options *options, const char *path)
{
    struct buffer text;
    struct arena arena;
    struct counted counted = {0};
    int code = 2;
    buffer_init(&text, FILE_BYTES_MAX);
    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
    if (read_file(path, &text)) {
        const enum status status = count_file(options, buffer_slice(&text), &arena, &counted);
        code = 1;
        if (status != STATUS_OK)
            fprintf(stderr, "weir: %s\n", status_name(status));
        else
            code = options->json ? print_json(&counted) : print_table(&counted);
    }
    arena_fini(&arena);
    buffer_fini(&text);
    return code;
}
