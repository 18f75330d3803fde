/* `weir users`. */
#include "base/buffer.h"
#include "cli/commands.h"
#include "cli/resource.h"
#include "cli/verb.h"
#include "json/write.h"

#define BODY_BYTES_MAX ((size_t)1 << 20)
#define COUNT(items)   (sizeof(items) / sizeof((items)[0]))

static int create_user(const struct verb_options *options, const char *name)
{
    struct buffer body;
    struct json_writer writer;
    buffer_init(&body, BODY_BYTES_MAX);
    json_writer_init(&writer, &body);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("name"));
    json_write_string(&writer, slice_from_text(name));
    json_write_end(&writer);
    const struct resource_request request = {
        .method = "POST", .prefix = "/admin/v1/users", .body = buffer_slice(&body)};
    const int code = resource_call(options, &request);
    buffer_fini(&body);
    return code;
}

static int list_users(const struct verb_options *options, const char *argument)
{
    static const struct resource_column columns[] = {
        {"NAME", "name"}, {"DISABLED", "disabled"}, {"CREATED", "created_at"}, {"ID", "id"}};
    const struct resource_list all = {
        .path = "/admin/v1/users", .columns = columns, .column_count = COUNT(columns)};
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

static const struct verb verbs[] = {
    {"create", "NAME", "", "a new user", "weir users create alice", create_user},
    {"list", NULL, "", "all users", "weir users list --json", list_users},
    {"show", "U", "", "one user", "weir users show alice", show_user},
    {"disable", "U", "", "none of the user's keys work until `enable`", "weir users disable alice",
     disable_user},
    {"enable", "U", "", "they work again", "weir users enable alice", enable_user},
    {"delete", "U", "", "the user and all keys of it, for ever", "weir users delete alice",
     delete_user},
    {"set", "U", "", NULL, NULL, NULL},
};

int users_command(int argc, char **argv)
{
    static const struct verb_set set = {
        "users", "People and applications that may have keys. U is an id or a name.", "", verbs,
        COUNT(verbs)};
    return verb_set_run(&set, argc, argv);
}
