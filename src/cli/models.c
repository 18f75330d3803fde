/* `weir models`. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/configuration.h"
#include "cli/model_trial.h"
#include "cli/models_count.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "json/write.h"

#define TEXT_BYTES_MAX   ((size_t)16 << 20)
#define ARENA_BYTES_MAX  ((size_t)32 << 20)
#define ANSWER_CHARS_MAX 60
#define LINE_CHARS_MAX   1000
#define COUNT(items)     (sizeof(items) / sizeof((items)[0]))

/* --- list ---------------------------------------------------------------------------------------- */

static void write_string(struct json_writer *writer, struct slice name, struct slice text)
{
    json_write_key(writer, name);
    if (text.data != NULL)
        json_write_string(writer, text);
    else
        json_write_null(writer);
}

/* Prints what was composed, and a line end. Returns the exit code. */
static int print_composed(const struct buffer *text)
{
    if (buffer_status(text) != STATUS_OK) {
        fprintf(stderr, "weir: %s\n", status_name(buffer_status(text)));
        return 1;
    }
    printf("%.*s\n", SLICE_ARGS(buffer_slice(text)));
    return 0;
}

/* A target without its credential is left out of its rule, so each has one or needs none. */
static struct slice credential_of(const struct config_provider *provider)
{
    return provider->api_key.size > 0 ? SLICE("set") : SLICE("none needed");
}

static void append_url(struct buffer *out, const struct config_url *url)
{
    buffer_printf(out, "%s://%.*s%.*s", url->is_tls ? "https" : "http", SLICE_ARGS(url->authority),
                  SLICE_ARGS(url->path));
}

static void write_target(struct json_writer *writer, const struct config *config,
                         const struct rule_target *target)
{
    const struct config_provider *provider = &config->providers[target->provider];
    struct buffer url;
    buffer_init(&url, TEXT_BYTES_MAX);
    append_url(&url, &provider->base_url);
    json_write_object(writer);
    write_string(writer, SLICE("provider"), provider->name);
    write_string(writer, SLICE("model"), target->model);
    write_string(writer, SLICE("base_url"), buffer_slice(&url));
    write_string(writer, SLICE("credential"), credential_of(provider));
    json_write_end(writer);
    buffer_fini(&url);
}

static int list_json(const struct config *config)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, TEXT_BYTES_MAX);
    json_writer_init(&writer, &text);
    json_write_array(&writer);
    for (size_t i = 0; i < config->rules.count; i++) {
        const struct rule *rule = &config->rules.items[i];
        json_write_object(&writer);
        write_string(&writer, SLICE("name"), rule->name);
        json_write_key(&writer, SLICE("targets"));
        json_write_array(&writer);
        for (size_t j = 0; j < rule->target_count; j++)
            write_target(&writer, config, &rule->targets[j]);
        json_write_end(&writer);
        json_write_end(&writer);
    }
    json_write_end(&writer);
    const int code = print_composed(&text);
    buffer_fini(&text);
    return code;
}

static struct slice model_of(const struct rule_target *target)
{
    if (target->model.data != NULL)
        return target->model;
    return target->any_listed ? SLICE("same name, or one it lists") : SLICE("same name");
}

static enum status add_rule(struct table *table, const struct config *config,
                            const struct rule *rule)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < rule->target_count && status == STATUS_OK; i++) {
        const struct config_provider *provider = &config->providers[rule->targets[i].provider];
        struct buffer url;
        buffer_init(&url, TEXT_BYTES_MAX);
        append_url(&url, &provider->base_url);
        const struct slice cells[] = {i == 0 ? rule->name : SLICE(" "), provider->name,
                                      model_of(&rule->targets[i]), credential_of(provider),
                                      buffer_slice(&url)};
        status = table_add(table, cells);
        buffer_fini(&url);
    }
    return status;
}

/* The notices say which rules are left out, and why. */
static int list_table(const struct config *config)
{
    static const char *const titles[] = {"MODEL", "PROVIDER", "ITS MODEL", "CREDENTIAL",
                                         "BASE URL"};
    struct table table;
    enum status status = STATUS_OK;
    table_init(&table, titles, COUNT(titles));
    for (size_t i = 0; i < config->rules.count && status == STATUS_OK; i++)
        status = add_rule(&table, config, &config->rules.items[i]);
    if (status == STATUS_OK)
        table_print(&table);
    else
        fprintf(stderr, "weir: %s\n", status_name(status));
    for (size_t i = 0; i < config->notices.count; i++)
        printf("%s%.*s\n", i == 0 ? "\n" : "", SLICE_ARGS(config->notices.items[i]));
    table_fini(&table);
    return status == STATUS_OK ? 0 : 1;
}

static int list(const struct verb_options *options, const char *argument)
{
    const struct config *config = NULL;
    (void)argument;
    if (!configuration_load_whole(options, &config))
        return 2;
    const int code = options->json ? list_json(config) : list_table(config);
    config_unref(&config);
    return code;
}

/* --- test ---------------------------------------------------------------------------------------- */

static void print_line(const char *name, struct slice text, size_t chars_max)
{
    struct buffer line;
    buffer_init(&line, TEXT_BYTES_MAX);
    table_append_text(&line, text.size > 0 ? text : SLICE("-"), chars_max);
    printf("%-8s %.*s\n", name, SLICE_ARGS(buffer_slice(&line)));
    buffer_fini(&line);
}

static void print_trial(const struct model_trial *trial)
{
    printf("%-8s %u\n", "status", trial->http_status);
    print_line("target", trial->target, LINE_CHARS_MAX);
    printf("%-8s %.1f ms\n", "took", (double)trial->took_us / 1000);
    if (trial->http_status == 200)
        print_line("answer", trial->answer, ANSWER_CHARS_MAX);
}

static int print_trial_json(const char *model, const struct model_trial *trial)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, TEXT_BYTES_MAX);
    json_writer_init(&writer, &text);
    json_write_object(&writer);
    write_string(&writer, SLICE("model"), slice_from_text(model));
    json_write_key(&writer, SLICE("status"));
    json_write_u64(&writer, trial->http_status);
    write_string(&writer, SLICE("target"), trial->target);
    json_write_key(&writer, SLICE("took_us"));
    json_write_u64(&writer, trial->took_us);
    write_string(&writer, SLICE("answer"), trial->answer);
    write_string(&writer, SLICE("error"), trial->error);
    json_write_end(&writer);
    const int code = print_composed(&text);
    buffer_fini(&text);
    return code;
}

static int report(const struct verb_options *options, const char *model,
                  const struct model_trial *trial)
{
    struct buffer line;
    int code = 0;
    if (options->json)
        code = print_trial_json(model, trial);
    else
        print_trial(trial);
    if (trial->http_status == 200)
        return code;
    buffer_init(&line, TEXT_BYTES_MAX);
    table_append_text(&line, trial->error, LINE_CHARS_MAX);
    fflush(stdout);
    if (line.size > 0)
        fprintf(stderr, "weir: %.*s\n", SLICE_ARGS(buffer_slice(&line)));
    else
        fprintf(stderr, "weir: the request failed with status %u\n", trial->http_status);
    buffer_fini(&line);
    return 1;
}

static int test(const struct verb_options *options, const char *model)
{
    const struct config *config = NULL;
    struct model_trial trial;
    struct reason reason = {"out of memory"};
    struct arena arena;
    int code = 1;
    if (!configuration_load(options, &config))
        return 2;
    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
    if (model_trial_run(config, model, &arena, &trial, &reason) == STATUS_OK)
        code = report(options, model, &trial);
    else
        fprintf(stderr, "weir: %s\n", reason.text);
    arena_fini(&arena);
    config_unref(&config);
    return code;
}

/* ------------------------------------------------------------------------------------------------- */

static const struct verb verbs[] = {
    {"list", NULL, "", "the names that the configuration knows, and where each goes",
     "weir models list", list},
    {"test", "NAME", "",
     "one short request through the running server, with the key in DATA_DIR/secrets/demo.key\n"
     "      or in $WEIR_KEY; exit code 1 if it fails",
     "weir models test gpt-4o-mini", test},
    {"count", "FILE", "[--model M]",
     "the tokens of a request's body (JSON) or of a plain text, as M would count them; `-` is\n"
     "      standard input, and M the body's model, else gpt-4o. Needs no server",
     "weir models count request.json", models_count},
};

int models_command(int argc, char **argv)
{
    static const struct verb_set set = {"models", "Models: which provider answers for which name.",
                                        "", verbs, COUNT(verbs)};
    return verb_set_run(&set, argc, argv);
}
