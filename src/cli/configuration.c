#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "config/load.h"
#include "config/show.h"

#define TEXT_BYTES_MAX ((size_t)16 << 20)

static const char check_help[] = "Usage: weir check [--config FILE] [--data-dir DIR]\n"
                                 "\n"
                                 "Reads the configuration and names every mistake, with file, line "
                                 "and a suggestion. Exit code 2\n"
                                 "if there is one.\n"
                                 "\n"
                                 "Example: weir check --config /etc/weir/weir.yaml\n";

static const char config_help[] =
    "Usage: weir config show [--json] [--config FILE] [--data-dir DIR]\n"
    "\n"
    "What is in force, and where each setting comes from. Secrets are shown as ***.\n"
    "\n"
    "Example: weir config show --json\n";

static void print_buffer(const struct buffer *text, FILE *out)
{
    if (buffer_status(text) == STATUS_OK && text->size > 0)
        fwrite(text->data, 1, text->size, out);
}

/* Prints the mistakes and warnings. Returns 2, or -1 with the snapshot. */
static int load(const struct config_source *source, const struct config **config_out)
{
    struct config_report report;
    struct buffer text;
    config_report_init(&report);
    buffer_init(&text, TEXT_BYTES_MAX);
    const enum status status = config_load(source, &report, config_out);
    if (config_report_write(&report, &text) == STATUS_OK)
        print_buffer(&text, stderr);
    if (status == STATUS_NO_MEMORY)
        fprintf(stderr, "weir: out of memory\n");
    buffer_fini(&text);
    config_report_fini(&report);
    return status == STATUS_OK ? -1 : 2;
}

int check_command(int argc, char **argv)
{
    struct config_source source = {.environment = environ};
    const struct option_spec specs[] = {OPTION_TEXT("config", &source.path),
                                        OPTION_TEXT("data-dir", &source.data_dir)};
    const struct config *config;
    int code = options_parse(argc, argv, specs, 2, NULL, check_help);
    if (code >= 0)
        return code;
    code = load(&source, &config);
    if (code >= 0)
        return code;
    if (config->file.size > 0)
        printf("%.*s: ok\n", SLICE_ARGS(config->file));
    else
        printf("no configuration file; the built-in defaults are ok\n");
    config_unref(&config);
    return 0;
}

int config_command(int argc, char **argv)
{
    struct config_source source = {.environment = environ};
    struct option_words words = {.count = 0};
    bool json = false;
    const struct option_spec specs[] = {OPTION_TEXT("config", &source.path),
                                        OPTION_TEXT("data-dir", &source.data_dir),
                                        OPTION_FLAG("json", &json)};
    const struct config *config;
    int code = options_parse(argc, argv, specs, 3, &words, config_help);
    if (code >= 0)
        return code;
    if (words.count != 1 || strcmp(words.items[0], "show") != 0) {
        fprintf(stderr, "weir: write `weir config show`\n");
        return 2;
    }
    code = load(&source, &config);
    if (code >= 0)
        return code;
    struct buffer text;
    buffer_init(&text, TEXT_BYTES_MAX);
    code =
        config_show(config, json ? CONFIG_FORM_JSON : CONFIG_FORM_TEXT, &text) == STATUS_OK ? 0 : 1;
    print_buffer(&text, stdout);
    buffer_fini(&text);
    config_unref(&config);
    return code;
}
