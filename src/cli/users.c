#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/resource.h"
#include "json/write.h"

static const char help[] =
    "Usage: weir users create NAME | list | show U | disable U | enable U | delete U\n"
    "\n"
    "People and applications that may have keys. U is an id or a name.\n"
    "\n"
    "  create NAME   a new user\n"
    "  list          all of them\n"
    "  show U        one of them\n"
    "  disable U     none of the user's keys work until `enable`\n"
    "  delete U      the user and all keys, for ever\n"
    "\n"
    "  --json        the object, or an array for list\n"
    "  --config FILE, --data-dir DIR\n"
    "\n"
    "Example: weir users create alice\n";

static const struct resource_column columns[] = {
    {"NAME", "name"}, {"DISABLED", "disabled"}, {"CREATED", "created_at"}, {"ID", "id"}};

static int create(const struct resource_options *options, const char *name)
{
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body, 65536);
    json_writer_init(&writer, &body);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("name"));
    json_write_string(&writer, slice_from_text(name));
    json_write_end(&writer);
    const int code =
        resource_call(options, "POST", SLICE("/admin/v1/users"), buffer_slice(&body), NULL);
    buffer_fini(&body);
    return code;
}

static const struct action {
    const char *name, *method, *suffix;
} actions[] = {
    {"show", "GET", ""},
    {"disable", "POST", "/disable"},
    {"enable", "POST", "/enable"},
    {"delete", "DELETE", ""},
};

static int act(const struct resource_options *options, const struct action *action,
               const char *user)
{
    struct buffer path;
    buffer_init(&path, 8192);
    resource_path(&path, "/admin/v1/users/", user, action->suffix);
    const int code =
        resource_call(options, action->method, buffer_slice(&path), (struct slice){0}, NULL);
    buffer_fini(&path);
    return code;
}

static int refuse(const char *why, const char *what)
{
    fprintf(stderr, "weir: %s%s (weir users --help shows how)\n", why, what);
    return 2;
}

int users_command(int argc, char **argv)
{
    struct resource_options options = {0};
    struct option_words words = {.count = 0};
    const struct option_spec specs[] = {
        OPTION_TEXT("config", &options.config),
        OPTION_TEXT("data-dir", &options.data_dir),
        OPTION_FLAG("json", &options.json),
        OPTION_LATER("limit"),
        OPTION_LATER("max-parallel"),
        OPTION_LATER("budget"),
        OPTION_LATER("warn-only"),
        OPTION_LATER("models"),
        OPTION_LATER("routes"),
        OPTION_LATER("networks"),
        OPTION_LATER("tags"),
        OPTION_LATER("rpm"),
        OPTION_LATER("tpm"),
    };
    const int code =
        options_parse(argc, argv, specs, sizeof(specs) / sizeof(specs[0]), &words, help);
    if (code >= 0)
        return code;
    const char *verb = words.count > 0 ? words.items[0] : "";
    if (strcmp(verb, "list") == 0 && words.count == 1)
        return resource_list(&options, SLICE("/admin/v1/users"), columns, 4);
    if (strcmp(verb, "set") == 0)
        return refuse("what can be set of a user is not in this version", "");
    if (strcmp(verb, "create") == 0 && words.count == 2)
        return create(&options, words.items[1]);
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(verb, actions[i].name) == 0 && words.count == 2)
            return act(&options, &actions[i], words.items[1]);
    }
    return words.count == 0 ? refuse("say what to do with users", "")
                            : refuse("this is no way to use `weir users`: ", verb);
}
