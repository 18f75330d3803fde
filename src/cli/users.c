/* `weir users`. */
#include <stdio.h>

#include "cli/commands.h"
#include "cli/level_call.h"
#include "cli/level_options.h"
#include "cli/resource.h"
#include "cli/verb.h"
#include "json/write.h"

#define COUNT(items) (sizeof(items) / sizeof((items)[0]))

/* `name` is a new user's, or NULL. */
static void write_own(const struct verb_options *options, const char *name,
                      struct json_writer *writer)
{
    if (name != NULL) {
        json_write_key(writer, SLICE("name"));
        json_write_string(writer, slice_from_text(name));
    }
    option_write(writer, SLICE("team"), options->team);
}

static int create_user(const struct verb_options *options, const char *name)
{
    const struct resource_request request = {.method = "POST", .prefix = "/admin/v1/users"};
    const struct level_call call = {.kind = "users",
                                    .options = options,
                                    .request = &request,
                                    .write_own = write_own,
                                    .own = name};
    return level_call_create(&call);
}

static int set_user(const struct verb_options *options, const char *user)
{
    if (options->team == NULL && !level_options_are_given(options)) {
        fprintf(stderr, "weir: say what to set, as --limit, --models or --team "
                        "(weir users --help says more)\n");
        return 2;
    }
    const struct resource_request request = {
        .method = "PATCH", .prefix = "/admin/v1/users/", .name = user};
    const struct level_call call = {
        .kind = "users", .options = options, .request = &request, .write_own = write_own};
    return level_call_set(&call);
}

static int list_users(const struct verb_options *options, const char *argument)
{
    static const struct resource_column columns[] = {
        {"NAME", "name"},          {"TEAM", "team"},
        {"DISABLED", "disabled"},  {"LIMITS", "limits"},
        {"BUDGETS", "budgets"},    {"MODELS", "models"},
        {"CREATED", "created_at"}, {"ID", "id"}};
    const struct resource_list all = {.path = "/admin/v1/users",
                                      .query = "?team=",
                                      .name = options->team,
                                      .columns = columns,
                                      .column_count = COUNT(columns)};
    (void)argument;
    return resource_list(options, &all);
}

static int act(const struct verb_options *options, const char *method, const char *user,
               const char *suffix)
{
    const struct resource_request request = {
        .method = method, .prefix = "/admin/v1/users/", .name = user, .suffix = suffix};
    return resource_call(options, &request);
}

static int show_user(const struct verb_options *options, const char *user)
{
    return act(options, "GET", user, NULL);
}

static int disable_user(const struct verb_options *options, const char *user)
{
    return act(options, "POST", user, "/disable");
}

static int enable_user(const struct verb_options *options, const char *user)
{
    return act(options, "POST", user, "/enable");
}

static int delete_user(const struct verb_options *options, const char *user)
{
    return act(options, "DELETE", user, NULL);
}

static const char notes[] =
    "  --team T        the team the user is in; with list, only the users of T\n" LEVEL_NOTES;

static const struct verb verbs[] = {
    {"create", "NAME", "[--team T]\n           " LEVEL_USAGE, "a new user",
     "weir users create alice --team research --limit 600req/min", create_user},
    {"set", "U", "[--team T]\n           " LEVEL_USAGE, "change these, and nothing else",
     "weir users set alice --budget 50usd/month --budget 5usd/day", set_user},
    {"list", NULL, "[--team T]", "all users, or a team's", "weir users list --json", list_users},
    {"show", "U", "", "one user", "weir users show alice", show_user},
    {"disable", "U", "", "none of the user's keys work until `enable`", "weir users disable alice",
     disable_user},
    {"enable", "U", "", "they work again", "weir users enable alice", enable_user},
    {"delete", "U", "", "the user and all keys of it, for ever", "weir users delete alice",
     delete_user},
};

int users_command(int argc, char **argv)
{
    static const struct verb_set set = {
        "users", "People and applications that may have keys. U and T are an id or a name.", notes,
        verbs, COUNT(verbs)};
    return verb_set_run(&set, argc, argv);
}
