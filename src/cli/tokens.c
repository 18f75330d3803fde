/* `weir tokens`. */
#include <stdio.h>

#include "base/buffer.h"
#include "cli/commands.h"
#include "cli/resource.h"
#include "cli/verb.h"
#include "json/write.h"

#define BODY_BYTES_MAX 65536
#define COUNT(items)   (sizeof(items) / sizeof((items)[0]))

static void write_string(struct json_writer *writer, struct slice name, const char *text)
{
    if (text == NULL)
        return;
    json_write_key(writer, name);
    json_write_string(writer, slice_from_text(text));
}

static int create_token(const struct verb_options *options, const char *name)
{
    struct json_writer writer;
    struct buffer body;
    if (options->role == NULL) {
        fprintf(stderr, "weir: say what it may do: --role admin, operator, viewer or team_admin "
                        "(weir tokens --help says more)\n");
        return 2;
    }
    buffer_init(&body, BODY_BYTES_MAX);
    json_writer_init(&writer, &body);
    json_write_object(&writer);
    write_string(&writer, SLICE("name"), name);
    write_string(&writer, SLICE("role"), options->role);
    write_string(&writer, SLICE("team"), options->team);
    write_string(&writer, SLICE("expires"), options->expires);
    json_write_end(&writer);
    const struct resource_request request = {
        .method = "POST",
        .prefix = "/admin/v1/tokens",
        .body = buffer_slice(&body),
        .note = "Keep the token now: it is not shown again.",
    };
    const int code = resource_call(options, &request);
    buffer_fini(&body);
    return code;
}

static int list_tokens(const struct verb_options *options, const char *argument)
{
    static const struct resource_column columns[] = {{"NAME", "name"},
                                                     {"ROLE", "role"},
                                                     {"TEAM", "team"},
                                                     {"STATE", "state"},
                                                     {"ENDS WITH", "hint"},
                                                     {"EXPIRES", "expires_at"},
                                                     {"LAST USED", "last_used_at"},
                                                     {"ID", "id"}};
    const struct resource_list tokens = {
        .path = "/admin/v1/tokens", .columns = columns, .column_count = COUNT(columns)};
    (void)argument;
    return resource_list(options, &tokens);
}

static int revoke_token(const struct verb_options *options, const char *token)
{
    const struct resource_request request = {
        .method = "POST", .prefix = "/admin/v1/tokens/", .name = token, .suffix = "/revoke"};
    return resource_call(options, &request);
}

static const char notes[] =
    "  --role R        admin (everything), operator (all but tokens, secrets, providers and\n"
    "                  models), viewer (looks), team_admin (users and keys of one team)\n"
    "  --team T        the team of a team_admin\n"
    "  --expires 90d   from now (s, m, h, d), a day or an RFC 3339 time  (default never)\n";

static const struct verb verbs[] = {
    {"create", "NAME", "--role R [--team T] [--expires 90d]",
     "a new token; its secret is shown once",
     "weir tokens create dashboard --role viewer --expires 365d", create_token},
    {"list", NULL, "", "all tokens, without their secrets", "weir tokens list", list_tokens},
    {"revoke", "T", "", "it stops working at once, for ever", "weir tokens revoke dashboard",
     revoke_token},
};

int tokens_command(int argc, char **argv)
{
    static const struct verb_set all = {
        "tokens",
        "Tokens for the admin API. T is an id or a name; a secret never stands in a command.",
        notes, verbs, COUNT(verbs)};
    return verb_set_run(&all, argc, argv);
}
