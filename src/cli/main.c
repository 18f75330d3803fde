/* weir: the command line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "base/slice.h"
#include "cli/commands.h"
#include "cli/serve.h"
#include "cli/version.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* NULL: of a later version */
    const char *summary;
    const char *example;
} commands[] = {
    {"serve", serve_command, "run the gateway", "weir serve --listen 127.0.0.1:8000"},
    {"check", check_command, "name every mistake in the configuration",
     "weir check --config weir.yaml"},
    {"config", config_command, "show what is in force, and where it comes from",
     "weir config show"},
    {"teams", teams_command, "create, set, list, show, add, remove, disable, enable, delete",
     "weir teams create research --budget 500usd/month"},
    {"users", users_command, "create, set, list, show, disable, enable, delete",
     "weir users create alice --team research"},
    {"keys", keys_command, "create, set, list, show, rotate, revoke, disable, enable",
     "weir keys create --user alice --expires 90d"},
    {"tokens", tokens_command, "create, list, revoke: who may use the admin API",
     "weir tokens create dashboard --role viewer"},
    {"models", models_command, "list what answers for which name; test one",
     "weir models test gpt-4o-mini"},
    {"usage", usage_command, "what requests used and cost", "weir usage --by model --since 7d"},
    {"prices", prices_command, "show, list and set what models cost; price requests anew",
     "weir prices show gpt-4o-mini"},
    {"explain", explain_command, "what would happen to a request, without calling anyone",
     "weir explain --key ci --model gpt-4o-mini"},
    {"secrets", secrets_command, "providers' credentials: set, list, delete; another master key",
     "weir secrets set openai < key.txt"},
    {"audit", audit_command, "verify, export, tail: the chain of what was done and recorded",
     "weir audit verify"},
    {"version", version_command, "print the version", "weir version --verbose"},
    {"cache", NULL, NULL, NULL},
    {"alerts", NULL, NULL, NULL},
    {"top", NULL, NULL, NULL},
    {"upgrade", NULL, NULL, NULL},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
    fprintf(out, "weir %s: a gateway for language models\n\nUsage: weir COMMAND ...\n\n",
            WEIR_VERSION);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].run != NULL)
            fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    }
    fprintf(out, "\nExamples:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (commands[i].run != NULL)
            fprintf(out, "  %s\n", commands[i].example);
    }
    fprintf(out, "\n`weir help COMMAND` and `weir COMMAND --help` say more.\n");
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

/* Runs the command that argv begins with. */
static int run(int argc, char **argv)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(argv[0], commands[i].name) != 0)
            continue;
        if (commands[i].run != NULL)
            return commands[i].run(argc, argv);
        fprintf(stderr, "weir: `weir %s` is not in this version\n", commands[i].name);
        return 2;
    }
    return refuse_unknown(argv[0]);
}

/* `weir help keys create` is `weir keys create --help`. */
static int help(int argc, char **argv)
{
    static char option[] = "--help";
    char *asked[] = {argc > 1 ? argv[1] : NULL, argc > 2 ? argv[2] : option, option, NULL};
    if (asked[0] != NULL && asked[0][0] != '-')
        return run(3, asked);
    print_help(stdout);
    return 0;
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return help(argc - 1, argv + 1);
    if (strcmp(name, "--version") == 0)
        return version_command(argc - 1, argv + 1);
    return run(argc - 1, argv + 1);
}

/* What was printed may be all there is of a key's secret: a full disk must not go unnoticed. */
int main(int argc, char **argv)
{
    const int code = dispatch(argc, argv);
    if (fflush(stdout) == 0 && ferror(stdout) == 0)
        return code;
    fprintf(stderr, "weir: cannot write the output: %s\n", strerror(errno));
    return code != 0 ? code : 1;
}
