/* weir: the command line. */
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "cli/commands.h"
#include "cli/serve.h"
#include "cli/version.h"
#include "config/settings.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* NULL: of a later version */
    const char *summary;
} commands[] = {
    {"serve", serve_command, "run the gateway"},
    {"check", check_command, "name every mistake in the configuration"},
    {"config", config_command, "show what is in force, and where it comes from"},
    {"users", users_command, "create, list, show, disable, enable, delete"},
    {"keys", keys_command, "create, set, list, show, revoke, disable, enable"},
    {"models", models_command, "list what answers for which name; test one"},
    {"version", version_command, "print the version"},
    {"teams", NULL, NULL},
    {"tokens", NULL, NULL},
    {"usage", NULL, NULL},
    {"prices", NULL, NULL},
    {"secrets", NULL, NULL},
    {"explain", NULL, NULL},
    {"audit", NULL, NULL},
    {"cache", NULL, NULL},
    {"alerts", NULL, NULL},
    {"top", NULL, NULL},
    {"upgrade", NULL, NULL},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
    fprintf(out, "weir %s: a gateway for language models\n\nUsage: weir COMMAND …\n\n",
            WEIR_VERSION);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].run != NULL)
            fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    }
    fprintf(out,
            "\n`weir COMMAND --help` says more.\n\nExample: weir serve --listen 127.0.0.1:8000\n");
}

int version_command(int argc, char **argv)
{
    bool json = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            puts("Usage: weir version [--json]\n\nExample: weir version --json");
            return 0;
        }
        if (strcmp(argv[i], "--json") != 0) {
            fprintf(stderr, "weir: version takes no '%s'\n", argv[i]);
            return 2;
        }
        json = true;
    }
    printf(json ? "{\"version\":\"%s\"}\n" : "weir %s\n", WEIR_VERSION);
    return 0;
}

static int refuse_unknown(const char *name)
{
    struct slice names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = slice_from_text(commands[i].name);
    const struct slice nearest = nearest_word(names, COMMAND_COUNT, slice_from_text(name));
    fprintf(stderr, "weir: there is no command '%s'", name);
    if (nearest.size > 0)
        fprintf(stderr, "; did you mean '%.*s'?", SLICE_ARGS(nearest));
    fprintf(stderr, " (weir --help lists them)\n");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0)
        return version_command(1, argv);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (commands[i].run != NULL)
            return commands[i].run(argc - 1, argv + 1);
        fprintf(stderr, "weir: %s is not in this version\n", commands[i].name);
        return 2;
    }
    return refuse_unknown(argv[1]);
}
