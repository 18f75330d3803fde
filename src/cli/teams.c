/* `weir teams`. */
#include <stdio.h>

#include "base/buffer.h"
#include "cli/commands.h"
#include "cli/level_call.h"
#include "cli/level_options.h"
#include "cli/resource.h"
#include "cli/verb.h"
#include "json/write.h"

#define BODY_BYTES_MAX ((size_t)1 << 16)
#define COUNT(items)   (sizeof(items) / sizeof((items)[0]))

/* `name` is a new team's, or NULL. */
static void write_own(const struct verb_options *options, const char *name,
                      struct json_writer *writer)
{
    if (name != NULL) {
        json_write_key(writer, SLICE("name"));
        json_write_string(writer, slice_from_text(name));
    }
    option_write(writer, SLICE("timezone"), options->timezone);
}

static int create_team(const struct verb_options *options, const char *name)
{
    const struct resource_request request = {.method = "POST", .prefix = "/admin/v1/teams"};
    const struct level_call call = {.kind = "teams",
                                    .options = options,
                                    .request = &request,
                                    .write_own = write_own,
                                    .own = name};
    return level_call_create(&call);
}

static int set_team(const struct verb_options *options, const char *team)
{
    if (options->timezone == NULL && !level_options_are_given(options)) {
        fprintf(stderr, "weir: say what to set, as --budget, --models or --timezone "
                        "(weir teams --help says more)\n");
        return 2;
    }
    const struct resource_request request = {
        .method = "PATCH", .prefix = "/admin/v1/teams/", .name = team};
    const struct level_call call = {
        .kind = "teams", .options = options, .request = &request, .write_own = write_own};
    return level_call_set(&call);
}

static int list_teams(const struct verb_options *options, const char *argument)
{
    static const struct resource_column columns[] = {
        {"NAME", "name"},     {"DISABLED", "disabled"},  {"TIMEZONE", "timezone"},
        {"LIMITS", "limits"}, {"BUDGETS", "budgets"},    {"MODELS", "models"},
        {"TAGS", "tags"},     {"CREATED", "created_at"}, {"ID", "id"}};
    const struct resource_list all = {
        .path = "/admin/v1/teams", .columns = columns, .column_count = COUNT(columns)};
    (void)argument;
    return resource_list(options, &all);
}

static int act(const struct verb_options *options, const char *method, const char *team,
               const char *suffix)
{
    const struct resource_request request = {
        .method = method, .prefix = "/admin/v1/teams/", .name = team, .suffix = suffix};
    return resource_call(options, &request);
}

static int show_team(const struct verb_options *options, const char *team)
{
    return act(options, "GET", team, NULL);
}

static int disable_team(const struct verb_options *options, const char *team)
{
    return act(options, "POST", team, "/disable");
}

static int enable_team(const struct verb_options *options, const char *team)
{
    return act(options, "POST", team, "/enable");
}

static int delete_team(const struct verb_options *options, const char *team)
{
    return act(options, "DELETE", team, NULL);
}

/* The user is the word after the team. */
static int move_user(const struct verb_options *options, const char *team, const char *suffix)
{
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body, BODY_BYTES_MAX);
    json_writer_init(&writer, &body);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("user"));
    json_write_string(&writer, slice_from_text(options->words[0]));
    json_write_end(&writer);
    const struct resource_request request = {.method = "POST",
                                             .prefix = "/admin/v1/teams/",
                                             .name = team,
                                             .suffix = suffix,
                                             .body = buffer_slice(&body)};
    const int code = resource_call(options, &request);
    buffer_fini(&body);
    return code;
}

static int add_user(const struct verb_options *options, const char *team)
{
    return move_user(options, team, "/add");
}

static int remove_user(const struct verb_options *options, const char *team)
{
    return move_user(options, team, "/remove");
}

static const char notes[] = "  --timezone Z    of its days, weeks and months, as Europe/Berlin   "
                            "(default UTC)\n" LEVEL_NOTES;

static const struct verb verbs[] = {
    {"create", "NAME", "[--timezone Z]\n           " LEVEL_USAGE, "a new team",
     "weir teams create research --budget 500usd/month --timezone Europe/Berlin", create_team},
    {"set", "T", "[--timezone Z]\n           " LEVEL_USAGE, "change these, and nothing else",
     "weir teams set research --limit 6000req/min --models 'gpt-4o*,llama*'", set_team},
    {"list", NULL, "", "all teams", "weir teams list --json", list_teams},
    {"show", "T", "", "one team; `weir users list --team T` shows who is in it",
     "weir teams show research", show_team},
    {"add", "T U", "", "the user is in this team from now on, and in no other",
     "weir teams add research alice", add_user},
    {"remove", "T U", "", "the user is in no team", "weir teams remove research alice",
     remove_user},
    {"disable", "T", "", "no key of its users works until `enable`", "weir teams disable research",
     disable_team},
    {"enable", "T", "", "they work again", "weir teams enable research", enable_team},
    {"delete", "T", "", "the team, for ever; its users and their keys stay",
     "weir teams delete research", delete_team},
};

int teams_command(int argc, char **argv)
{
    static const struct verb_set set = {
        "teams",
        "Teams of users, with limits and budgets over all of them. T and U are an id or a name.",
        notes, verbs, COUNT(verbs)};
    return verb_set_run(&set, argc, argv);
}
