/* `weir keys`. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/commands.h"
#include "cli/level_call.h"
#include "cli/level_options.h"
#include "cli/resource.h"
#include "cli/verb.h"
#include "json/write.h"

#define BODY_BYTES_MAX   ((size_t)1 << 16)
#define SECRET_BYTES_MAX 1024 /* more than a key may have, so that it is refused and not cut */
#define COUNT(items)     (sizeof(items) / sizeof((items)[0]))

/* --- The body of a request ----------------------------------------------------------------------- */

static void write_string(struct json_writer *writer, struct slice name, const char *text)
{
    if (text == NULL)
        return;
    json_write_key(writer, name);
    json_write_string(writer, slice_from_text(text));
}

/* `secret` is the application's own, or NULL. */
static void write_own(const struct verb_options *options, const char *secret,
                      struct json_writer *writer)
{
    write_string(writer, SLICE("user"), options->user);
    option_write(writer, SLICE("name"), options->name);
    option_write(writer, SLICE("expires"), options->expires);
    write_string(writer, SLICE("key"), secret);
}

/* --- Verbs --------------------------------------------------------------------------------------- */

static int refuse(const char *why)
{
    fprintf(stderr, "weir: %s (weir keys --help says more)\n", why);
    return 2;
}

/* The whole of standard input without the line end after it; false if there is nothing. */
static bool read_secret(char secret_out[SECRET_BYTES_MAX])
{
    size_t size = 0;
    ssize_t got;
    while (size < SECRET_BYTES_MAX - 1 &&
           (got = read(STDIN_FILENO, secret_out + size, SECRET_BYTES_MAX - 1 - size)) > 0)
        size += (size_t)got;
    if (size > 0 && secret_out[size - 1] == '\n')
        size--;
    if (size > 0 && secret_out[size - 1] == '\r')
        size--;
    secret_out[size] = '\0';
    return size > 0 && strlen(secret_out) == size;
}

static int create_key(const struct verb_options *options, const char *argument)
{
    char secret[SECRET_BYTES_MAX] = "";
    (void)argument;
    if (options->user == NULL)
        return refuse("say whose key it is: `weir keys create --user U`");
    if (options->key_stdin && !read_secret(secret))
        return refuse("--key-stdin: standard input holds no key");
    const struct resource_request request = {
        .method = "POST",
        .prefix = "/admin/v1/keys",
        .note = options->key_stdin ? NULL : "Keep the key now: it is not shown again.",
    };
    const struct level_call call = {
        .kind = "keys",
        .options = options,
        .request = &request,
        .write_own = write_own,
        .own = options->key_stdin ? secret : NULL,
    };
    const int code = level_call_create(&call);
    explicit_bzero(secret, sizeof(secret));
    return code;
}

static int set_key(const struct verb_options *options, const char *key)
{
    if (options->name == NULL && options->expires == NULL && !level_options_are_given(options))
        return refuse("say what to set, as --limit, --models or --expires");
    const struct resource_request request = {
        .method = "PATCH", .prefix = "/admin/v1/keys/", .name = key};
    const struct level_call call = {
        .kind = "keys", .options = options, .request = &request, .write_own = write_own};
    return level_call_set(&call);
}

static int rotate_key(const struct verb_options *options, const char *key)
{
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body, BODY_BYTES_MAX);
    json_writer_init(&writer, &body);
    json_write_object(&writer);
    write_string(&writer, SLICE("overlap"), options->overlap);
    json_write_end(&writer);
    const struct resource_request request = {
        .method = "POST",
        .prefix = "/admin/v1/keys/",
        .name = key,
        .suffix = "/rotate",
        .body = buffer_slice(&body),
        .note = "Keep the key now: it is not shown again.",
    };
    const int code = resource_call(options, &request);
    buffer_fini(&body);
    return code;
}

static int list_keys(const struct verb_options *options, const char *argument)
{
    static const struct resource_column columns[] = {{"USER", "user"},
                                                     {"NAME", "name"},
                                                     {"STATE", "state"},
                                                     {"ENDS WITH", "hint"},
                                                     {"MODELS", "models"},
                                                     {"LIMITS", "limits"},
                                                     {"BUDGETS", "budgets"},
                                                     {"EXPIRES", "expires_at"},
                                                     {"LAST USED", "last_used_at"},
                                                     {"ID", "id"}};
    const struct resource_list keys = {.path = "/admin/v1/keys",
                                       .query = "?user=",
                                       .name = options->user,
                                       .columns = columns,
                                       .column_count = COUNT(columns)};
    (void)argument;
    return resource_list(options, &keys);
}

static int act(const struct verb_options *options, const char *method, const char *key,
               const char *suffix)
{
    const struct resource_request request = {
        .method = method, .prefix = "/admin/v1/keys/", .name = key, .suffix = suffix};
    return resource_call(options, &request);
}

static int show_key(const struct verb_options *options, const char *key)
{
    return act(options, "GET", key, NULL);
}

static int revoke_key(const struct verb_options *options, const char *key)
{
    return act(options, "POST", key, "/revoke");
}

static int disable_key(const struct verb_options *options, const char *key)
{
    return act(options, "POST", key, "/disable");
}

static int enable_key(const struct verb_options *options, const char *key)
{
    return act(options, "POST", key, "/enable");
}

/* ------------------------------------------------------------------------------------------------- */

static const char notes[] =
    "  --user U        whose key it is; with list, only the keys of U\n"
    "  --name TEXT     to tell it from the user's other keys\n"
    "  --expires 90d   from now (s, m, h, d), a day or an RFC 3339 time  (default never)\n"
    "  --key-stdin     take an application's existing key from standard input\n"
    "  --overlap 24h   how long the former secret works on; 0s: not at all (default "
    "24h)\n" LEVEL_NOTES;

static const struct verb verbs[] = {
    {"create", NULL,
     "--user U [--name TEXT] [--expires 90d] [--key-stdin]\n           " LEVEL_USAGE,
     "a new key; its secret is shown once",
     "weir keys create --user alice --name laptop --limit 60req/min --budget 10usd/month",
     create_key},
    {"set", "K", "[--name TEXT] [--expires 90d]\n           " LEVEL_USAGE,
     "change these, and nothing else",
     "weir keys set laptop --models 'gpt-4o*' --budget none --expires 2027-01-01", set_key},
    {"list", NULL, "[--user U]", "all keys, or a user's", "weir keys list --user alice", list_keys},
    {"show", "K", "", "one key", "weir keys show laptop --json", show_key},
    {"rotate", "K", "[--overlap 24h]",
     "a new secret, shown once; the former one works on for a while", "weir keys rotate laptop",
     rotate_key},
    {"revoke", "K", "", "it stops working within a second, for ever", "weir keys revoke laptop",
     revoke_key},
    {"disable", "K", "", "the same, until `enable`", "weir keys disable laptop", disable_key},
    {"enable", "K", "", "it works again", "weir keys enable laptop", enable_key},
};

int keys_command(int argc, char **argv)
{
    static const struct verb_set all = {
        "keys",
        "Keys for the API. U and K are an id or a name; a secret never stands in a command.", notes,
        verbs, COUNT(verbs)};
    return verb_set_run(&all, argc, argv);
}
