#include "cli/serve.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/data_lock.h"
#include "cli/journal_size.h"
#include "cli/options.h"
#include "cli/version.h"
#include "cli/welcome.h"
#include "config/load.h"

#define WELCOME_BYTES_MAX ((size_t)64 << 10)

/* --- Options --------------------------------------------------------------------------------------------- */

static const char help[] =
    "Usage: weir serve [--listen ADDR:PORT] [--workers N] [--config FILE] [--data-dir DIR]\n"
    "                  [--json]\n"
    "\n"
    "Runs the gateway until SIGTERM or SIGINT. Without a configuration file it answers with a\n"
    "model served at http://localhost:1234/v1 (and, if OPENAI_API_KEY is set, sends gpt* to\n"
    "OpenAI), and prints a key to try it with.\n"
    "\n"
    "  --listen ADDR:PORT  where clients connect        (default 127.0.0.1:8000)\n"
    "  --workers N         threads that serve           (default one per core)\n"
    "  --config FILE       the configuration            (default ./weir.yaml, "
    "/etc/weir/weir.yaml)\n"
    "  --data-dir DIR      database, keys, secrets      (default ./data)\n"
    "  --json              when ready, prints one line: {\"version\",\"pid\",\"address\",\n"
    "                      "
    "\"listen\":[],\"admin\":[],\"metrics\":[],\"data_dir\",\"file\",\"key\"}\n"
    "\n"
    "Example: weir serve --listen 0.0.0.0:8000 --config /etc/weir/weir.yaml\n";

/* --- The surroundings ---------------------------------------------------------------------------------------- */

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit); /* what is in force is read back where it matters */
}

static enum status make_data_dir(const char *path, struct reason *reason)
{
    struct stat found;
    if (mkdir(path, 0700) == 0 ||
        (errno == EEXIST && stat(path, &found) == 0 && S_ISDIR(found.st_mode)))
        return STATUS_OK;
    reason_set(reason, "cannot make the data directory %s: %s; choose another with --data-dir",
               path, strerror(errno));
    return STATUS_IO;
}

/* --- When it is ready ------------------------------------------------------------------------------------------- */

/* Text is for the newcomer, who gets a key; JSON for whoever asked for it. */
static void print_welcome(const struct config *config, struct slice key, bool as_json)
{
    struct buffer text;
    buffer_init(&text, WELCOME_BYTES_MAX);
    enum status status = STATUS_OK;
    if (as_json)
        status = welcome_write_json(config, key, WEIR_VERSION, &text);
    else if (key.size > 0)
        status = welcome_write_text(config, key, WEIR_VERSION, &text);
    if (status == STATUS_OK)
        fwrite(text.data, 1, text.size, stdout);
    fflush(stdout);
    buffer_fini(&text);
}

/* --- Serving ------------------------------------------------------------------------------------------------------ */

static void print_report(const struct config_report *report)
{
    struct buffer text;
    buffer_init(&text, (size_t)1 << 20);
    if (config_report_write(report, &text) == STATUS_OK)
        fwrite(text.data, 1, text.size, stderr);
    buffer_fini(&text);
}

static int fail(const struct reason *reason)
{
    fprintf(stderr, "weir: %s\n", reason->text);
    return 1;
}

/* The address is taken from the snapshot before it is handed over. */
static int run(const struct config_source *source, const struct config **config, bool as_json)
{
    struct reason reason = {"out of memory"};
    struct control *control;
    const struct config *in_force = config_ref(*config);
    const struct control_config wanted = {
        .source = source,
        .version = WEIR_VERSION,
        .with_demo_key = in_force->file.size == 0,
    };
    const enum status status = control_create(&wanted, config, &control, &reason);
    if (status == STATUS_OK)
        print_welcome(in_force, control_demo_key(control), as_json);
    config_unref(&in_force);
    if (status != STATUS_OK)
        return fail(&reason);
    control_run(control);
    control_destroy(&control);
    return 0;
}

static int lock_and_run(const struct config_source *source, const struct config **config,
                        bool as_json)
{
    struct reason reason = {"out of memory"};
    struct data_lock lock;
    const char *path = (*config)->data_dir.data;
    enum status status = make_data_dir(path, &reason);
    if (status == STATUS_OK)
        status = data_lock_take(path, &lock, &reason);
    if (status != STATUS_OK) {
        config_unref(config);
        return fail(&reason);
    }
    const int code = run(source, config, as_json);
    data_lock_release(&lock);
    return code;
}

int serve_command(int argc, char **argv)
{
    struct config_source source = {.environment = environ};
    bool as_json = false;
    const struct option_spec options[] = {
        OPTION_TEXT("listen", &source.listen), OPTION_TEXT("workers", &source.workers),
        OPTION_TEXT("config", &source.path),   OPTION_TEXT("data-dir", &source.data_dir),
        OPTION_FLAG("json", &as_json),
    };
    const int code = options_parse(argc, argv, options, 5, NULL, help);
    if (code >= 0)
        return code;
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is a status */
    raise_descriptor_limit();
    struct config_report report;
    const struct config *config;
    config_report_init(&report);
    bool is_sound = config_load(&source, &report, &config) == STATUS_OK;
    if (is_sound && !journal_size_check(config, &report)) {
        config_unref(&config);
        is_sound = false;
    }
    print_report(&report);
    config_report_fini(&report);
    return is_sound ? lock_and_run(&source, &config, as_json) : 2;
}
