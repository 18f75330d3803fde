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
#include "cli/options.h"
#include "cli/version.h"
#include "config/load.h"

/* --- Options --------------------------------------------------------------------------------------------- */

static const char help[] =
    "Usage: weir serve [--listen ADDR:PORT] [--workers N] [--config FILE] [--data-dir DIR]\n"
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

/* --- What a newcomer sees -------------------------------------------------------------------------------------- */

static void print_welcome(const struct config *config, struct slice key)
{
    const struct config_listener *listener = &config->listen.items[0];
    const char *scheme = listener->certificate.size > 0 ? "https" : "http";
    const bool is_v6 = listener->address.ip.size == 16;
    char base[160];
    snprintf(base, sizeof(base), "%s://%s%s%s:%u/v1", scheme, is_v6 ? "[" : "",
             listener->address.host.data, is_v6 ? "]" : "", listener->address.port);
    printf("weir %s is ready\n\n"
           "  address  %s\n"
           "  key      %.*s\n\n"
           "Try it:\n\n"
           "curl %s/chat/completions -H 'Authorization: Bearer %.*s' "
           "-H 'Content-Type: application/json' "
           "-d '{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"Say "
           "hello.\"}]}'\n\n"
           "Or in Python (pip install openai):\n\n"
           "from openai import OpenAI\n"
           "client = OpenAI(base_url=\"%s\", api_key=\"%.*s\")\n"
           "answer = client.chat.completions.create(model=\"gpt-4o-mini\", "
           "messages=[{\"role\": \"user\", \"content\": \"Say hello.\"}])\n"
           "print(answer.choices[0].message.content)\n\n",
           WEIR_VERSION, base, SLICE_ARGS(key), base, SLICE_ARGS(key), base, SLICE_ARGS(key));
    fflush(stdout);
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
static int run(const struct config_source *source, const struct config **config)
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
    if (status == STATUS_OK && control_demo_key(control).size > 0)
        print_welcome(in_force, control_demo_key(control));
    config_unref(&in_force);
    if (status != STATUS_OK)
        return fail(&reason);
    control_run(control);
    control_destroy(&control);
    return 0;
}

static int lock_and_run(const struct config_source *source, const struct config **config)
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
    const int code = run(source, config);
    data_lock_release(&lock);
    return code;
}

int serve_command(int argc, char **argv)
{
    struct config_source source = {.environment = environ};
    const struct option_spec options[] = {
        OPTION_TEXT("listen", &source.listen),
        OPTION_TEXT("workers", &source.workers),
        OPTION_TEXT("config", &source.path),
        OPTION_TEXT("data-dir", &source.data_dir),
    };
    const int code = options_parse(argc, argv, options, 4, NULL, help);
    if (code >= 0)
        return code;
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is a status */
    raise_descriptor_limit();
    struct config_report report;
    const struct config *config;
    config_report_init(&report);
    const enum status status = config_load(&source, &report, &config);
    print_report(&report);
    config_report_fini(&report);
    return status == STATUS_OK ? lock_and_run(&source, &config) : 2;
}
