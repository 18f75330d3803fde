/* `weir check` and `weir config`. */
#include "cli/configuration.h"

#include <stdio.h>
#include <unistd.h>

#include "admin/member_writer.h"
#include "cli/audit_access.h"
#include "cli/commands.h"
#include "cli/journal_size.h"
#include "cli/options.h"
#include "cli/store_part.h"
#include "config/show.h"
#include "json/write.h"

#define TEXT_BYTES_MAX ((size_t)16 << 20)

/* --- Loading ------------------------------------------------------------------------------------- */

static enum status load(const struct verb_options *options, struct config_report *report,
                        const struct config **config_out)
{
    const struct config_source source = {
        .path = options->config, .data_dir = options->data_dir, .environment = environ};
    return config_load(&source, report, config_out);
}

static void print_report(const struct config_report *report, enum status status)
{
    struct buffer text;
    buffer_init(&text, TEXT_BYTES_MAX);
    if (config_report_write(report, &text) == STATUS_OK)
        fwrite(text.data, 1, text.size, stderr);
    if (status == STATUS_NO_MEMORY)
        fprintf(stderr, "weir: out of memory\n");
    buffer_fini(&text);
}

bool configuration_load(const struct verb_options *options, const struct config **config_out)
{
    struct config_report report;
    config_report_init(&report);
    const enum status status = load(options, &report, config_out);
    if (status != STATUS_OK)
        print_report(&report, status);
    config_report_fini(&report);
    return status == STATUS_OK;
}

bool configuration_load_whole(const struct verb_options *options, const struct config **config_out)
{
    struct reason reason = {""};
    struct store *store = NULL;
    if (!configuration_load(options, config_out))
        return false;
    enum status status = audit_access_open((*config_out)->data_dir.data, &store, &reason);
    if (status == STATUS_NOT_FOUND) /* no server has run yet */
        return true;
    if (status == STATUS_OK)
        status = store_part_look(store, config_out, &reason);
    store_close(&store);
    if (status != STATUS_OK)
        fprintf(stderr, "weir: what the API has added is not shown: %s\n", reason.text);
    return true;
}

/* --- check --------------------------------------------------------------------------------------- */

static const char check_help[] =
    "Usage: weir check [--config FILE] [--data-dir DIR] [--json]\n"
    "\n"
    "Reads the configuration and names every mistake and warning, with file, line, column and\n"
    "what to write instead. Exit code 2 if there is a mistake.\n"
    "\n"
    "  --json          {\"file\",\"ok\",\"mistakes\":[{\"file\",\"line\",\"column\",\"severity\",\n"
    "                  \"message\",\"suggestion\"}],\"left_out\"}\n"
    "\n"
    "Example:\n"
    "  weir check --config /etc/weir/weir.yaml\n";

/* A line or column, from 1; 0: it has none. */
static void write_place(struct json_writer *writer, struct slice name, uint64_t number)
{
    json_write_key(writer, name);
    if (number > 0)
        json_write_u64(writer, number);
    else
        json_write_null(writer);
}

static void write_mistake(struct json_writer *writer, const struct config_mistake *mistake)
{
    const bool is_error = mistake->severity == CONFIG_SEVERITY_ERROR;
    json_write_object(writer);
    member_write_filled(writer, SLICE("file"), mistake->file);
    write_place(writer, SLICE("line"), mistake->line);
    write_place(writer, SLICE("column"), mistake->line > 0 ? mistake->column : 0);
    member_write_filled(writer, SLICE("severity"), is_error ? SLICE("error") : SLICE("warning"));
    member_write_filled(writer, SLICE("message"), mistake->message);
    member_write_filled(writer, SLICE("suggestion"), mistake->suggestion);
    json_write_end(writer);
}

/* `config` is NULL if it was refused. */
static void print_check_json(const struct config_report *report, const struct config *config)
{
    struct json_writer writer;
    struct buffer text;
    buffer_init(&text, TEXT_BYTES_MAX);
    json_writer_init(&writer, &text);
    json_write_object(&writer);
    member_write_filled(&writer, SLICE("file"), config != NULL ? config->file : (struct slice){0});
    json_write_key(&writer, SLICE("ok"));
    json_write_bool(&writer, config != NULL);
    json_write_key(&writer, SLICE("mistakes"));
    json_write_array(&writer);
    for (size_t i = 0; i < report->count; i++)
        write_mistake(&writer, &report->mistakes[i]);
    json_write_end(&writer);
    json_write_key(&writer, SLICE("left_out"));
    json_write_u64(&writer, report->left_out);
    json_write_end(&writer);
    printf("%.*s\n", SLICE_ARGS(buffer_slice(&text)));
    buffer_fini(&text);
}

static void print_check(const struct config_report *report, const struct config *config,
                        enum status status)
{
    print_report(report, status);
    if (config == NULL)
        return;
    if (config->file.size > 0)
        printf("%.*s: ok\n", SLICE_ARGS(config->file));
    else
        printf("no configuration file; the built-in defaults are ok\n");
}

int check_command(int argc, char **argv)
{
    struct verb_options options = {0};
    const struct option_spec specs[] = {OPTION_TEXT("config", &options.config),
                                        OPTION_TEXT("data-dir", &options.data_dir),
                                        OPTION_FLAG("json", &options.json)};
    struct config_report report;
    const struct config *config = NULL;
    const int code = options_parse(argc, argv, specs, 3, NULL, check_help);
    if (code >= 0)
        return code;
    config_report_init(&report);
    enum status status = load(&options, &report, &config);
    if (status == STATUS_OK && !journal_size_check(config, &report)) {
        config_unref(&config);
        status = STATUS_INVALID;
    }
    if (options.json && status != STATUS_NO_MEMORY)
        print_check_json(&report, config);
    else
        print_check(&report, config, status);
    config_report_fini(&report);
    config_unref(&config);
    return status == STATUS_OK ? 0 : 2;
}

/* --- config show --------------------------------------------------------------------------------- */

static int show(const struct verb_options *options, const char *argument)
{
    const enum config_form form = options->json ? CONFIG_FORM_JSON : CONFIG_FORM_TEXT;
    const struct config *config = NULL;
    struct buffer text;
    (void)argument;
    if (!configuration_load_whole(options, &config))
        return 2;
    buffer_init(&text, TEXT_BYTES_MAX);
    const enum status status = config_show(config, form, &text);
    if (status == STATUS_OK)
        fwrite(text.data, 1, text.size, stdout);
    else
        fprintf(stderr, "weir: %s\n", status_name(status));
    buffer_fini(&text);
    config_unref(&config);
    return status == STATUS_OK ? 0 : 1;
}

int config_command(int argc, char **argv)
{
    static const struct verb verbs[] = {
        {"show", NULL, "", "what is in force, and where each setting comes from",
         "weir config show --json", show},
    };
    static const struct verb_set set = {"config", "The configuration. Secrets are shown as ***.",
                                        "", verbs, 1};
    return verb_set_run(&set, argc, argv);
}
