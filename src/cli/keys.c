#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/resource.h"
#include "json/write.h"

#define SECRET_BYTES_MAX 1024 /* more than a key may have, so that it is refused and not cut */

static const char help[] =
    "Usage: weir keys create --user U [--name TEXT] [--models A,B*] [--expires 90d] [--key-stdin]\n"
    "       weir keys set K [--name TEXT] [--models A,B*|none] [--expires 90d|none]\n"
    "       weir keys list [--user U] | show K | revoke K | disable K | enable K\n"
    "\n"
    "API keys. U and K are an id or a name; a secret never stands in a command.\n"
    "\n"
    "  create          a new key; its secret is shown once\n"
    "    --user U      whose it is\n"
    "    --name TEXT   to tell it from the user's other keys\n"
    "    --models A,B* the models it may use; one trailing * each    (default all)\n"
    "    --expires 90d a duration from now or an RFC 3339 time       (default never)\n"
    "    --key-stdin   take an application's existing key from standard input\n"
    "  set K           change these; none removes\n"
    "  list            all keys, or a user's\n"
    "  revoke K        the key stops working within a second, for ever\n"
    "  disable K       ... until `enable`\n"
    "\n"
    "  --json          the object, or an array for list\n"
    "  --config FILE, --data-dir DIR\n"
    "\n"
    "Example: weir keys create --user alice --name laptop --models 'gpt-4o*' --expires 90d\n";

static const struct resource_column columns[] = {{"USER", "user"},
                                                 {"NAME", "name"},
                                                 {"STATE", "state"},
                                                 {"ENDS IN", "hint"},
                                                 {"MODELS", "models"},
                                                 {"EXPIRES", "expires_at"},
                                                 {"LAST USED", "last_used_at"},
                                                 {"ID", "id"}};

struct key_options {
    struct resource_options common;
    const char *user, *name, *models, *expires;
    bool key_stdin;
};

/* --- The body of a request ---------------------------------------------------------------------------------- */

static void write_member(struct json_writer *writer, const char *name, const char *text)
{
    if (text == NULL)
        return;
    json_write_key(writer, slice_from_text(name));
    if (strcmp(text, "none") == 0 && strcmp(name, "user") != 0)
        json_write_null(writer);
    else
        json_write_string(writer, slice_from_text(text));
}

static void write_models(struct json_writer *writer, const char *models)
{
    if (models == NULL)
        return;
    json_write_key(writer, SLICE("models"));
    if (strcmp(models, "none") == 0) {
        json_write_null(writer);
        return;
    }
    json_write_array(writer);
    struct slice rest = slice_from_text(models);
    while (rest.size > 0) {
        const size_t end = slice_find_byte(rest, ',');
        json_write_string(writer, slice_trim(slice_of(rest.data, end)));
        rest = slice_from(rest, end < rest.size ? end + 1 : end);
    }
    json_write_end(writer);
}

static void write_body(const struct key_options *options, const char *secret, struct buffer *body)
{
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_write_object(&writer);
    write_member(&writer, "user", options->user);
    write_member(&writer, "name", options->name);
    write_models(&writer, options->models);
    write_member(&writer, "expires", options->expires);
    write_member(&writer, "key", secret);
    json_write_end(&writer);
}

/* --- Actions -------------------------------------------------------------------------------------------------- */

static int refuse(const char *why, const char *what)
{
    fprintf(stderr, "weir: %s%s (weir keys --help shows how)\n", why, what);
    return 2;
}

static bool read_secret(char *secret)
{
    size_t size = 0;
    ssize_t got;
    while (size < SECRET_BYTES_MAX - 1 &&
           (got = read(STDIN_FILENO, secret + size, SECRET_BYTES_MAX - 1 - size)) > 0)
        size += (size_t)got;
    if (size > 0 && secret[size - 1] == '\n')
        size--;
    if (size > 0 && secret[size - 1] == '\r')
        size--;
    secret[size] = '\0';
    return size > 0;
}

static int create(const struct key_options *options)
{
    char secret[SECRET_BYTES_MAX] = "";
    struct buffer body;
    if (options->user == NULL)
        return refuse("a key needs a --user", "");
    if (options->key_stdin && !read_secret(secret))
        return refuse("--key-stdin: standard input holds no key", "");
    buffer_init(&body, 65536);
    write_body(options, options->key_stdin ? secret : NULL, &body);
    const int code = resource_call(&options->common, "POST", SLICE("/admin/v1/keys"),
                                   buffer_slice(&body), "Keep the key now: it is not shown again.");
    explicit_bzero(secret, sizeof(secret));
    if (body.size > 0)
        explicit_bzero(body.data, body.size);
    buffer_fini(&body);
    return code;
}

static int call(const struct key_options *options, const char *method, const char *key,
                const char *suffix, struct slice body)
{
    struct buffer path;
    buffer_init(&path, 8192);
    resource_path(&path, "/admin/v1/keys/", key, suffix);
    const int code = resource_call(&options->common, method, buffer_slice(&path), body, NULL);
    buffer_fini(&path);
    return code;
}

static int set(const struct key_options *options, const char *key)
{
    struct buffer body;
    if (options->name == NULL && options->models == NULL && options->expires == NULL)
        return refuse("say what to set: --name, --models or --expires", "");
    buffer_init(&body, 65536);
    write_body(options, NULL, &body);
    const int code = call(options, "PATCH", key, "", buffer_slice(&body));
    buffer_fini(&body);
    return code;
}

static int list(const struct key_options *options)
{
    struct buffer path;
    buffer_init(&path, 8192);
    if (options->user != NULL)
        resource_path(&path, "/admin/v1/keys?user=", options->user, "");
    else
        buffer_append(&path, SLICE("/admin/v1/keys"));
    const int code = resource_list(&options->common, buffer_slice(&path), columns, 8);
    buffer_fini(&path);
    return code;
}

static const struct action {
    const char *name, *method, *suffix;
} actions[] = {
    {"show", "GET", ""},
    {"revoke", "POST", "/revoke"},
    {"disable", "POST", "/disable"},
    {"enable", "POST", "/enable"},
};

static int dispatch(const struct key_options *options, const struct option_words *words)
{
    const char *verb = words->count > 0 ? words->items[0] : "";
    if (strcmp(verb, "create") == 0 && words->count == 1)
        return create(options);
    if (strcmp(verb, "list") == 0 && words->count == 1)
        return list(options);
    if (strcmp(verb, "set") == 0 && words->count == 2)
        return set(options, words->items[1]);
    if (strcmp(verb, "rotate") == 0)
        return refuse("rotate is not in this version", "");
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(verb, actions[i].name) == 0 && words->count == 2)
            return call(options, actions[i].method, words->items[1], actions[i].suffix,
                        (struct slice){0});
    }
    return words->count == 0 ? refuse("say what to do with keys", "")
                             : refuse("this is no way to use `weir keys`: ", verb);
}

int keys_command(int argc, char **argv)
{
    struct key_options options = {0};
    struct option_words words = {.count = 0};
    const struct option_spec specs[] = {
        OPTION_TEXT("config", &options.common.config),
        OPTION_TEXT("data-dir", &options.common.data_dir),
        OPTION_FLAG("json", &options.common.json),
        OPTION_TEXT("user", &options.user),
        OPTION_TEXT("name", &options.name),
        OPTION_TEXT("models", &options.models),
        OPTION_TEXT("expires", &options.expires),
        OPTION_FLAG("key-stdin", &options.key_stdin),
        OPTION_LATER("limit"),
        OPTION_LATER("max-parallel"),
        OPTION_LATER("budget"),
        OPTION_LATER("warn-only"),
        OPTION_LATER("routes"),
        OPTION_LATER("networks"),
        OPTION_LATER("tags"),
        OPTION_LATER("priority"),
        OPTION_LATER("overlap"),
        OPTION_LATER("rpm"),
        OPTION_LATER("tpm"),
    };
    const int code =
        options_parse(argc, argv, specs, sizeof(specs) / sizeof(specs[0]), &words, help);
    return code >= 0 ? code : dispatch(&options, &words);
}
