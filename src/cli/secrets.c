/* `weir secrets`. */
#include <stdio.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/seal.h"
#include "cli/commands.h"
#include "cli/resource.h"
#include "cli/verb.h"
#include "config/load.h"
#include "json/write.h"

#define CONTENT_BYTES_MAX ((size_t)65536) /* more than a secret may have, so that it is not cut */
#define BODY_BYTES_MAX    ((size_t)1 << 20)
#define COUNT(items)      (sizeof(items) / sizeof((items)[0]))

/* --- What is read -------------------------------------------------------------------------------- */

static bool read_input(struct buffer *content)
{
    ssize_t got;
    do {
        const size_t left = content->size_max - content->size;
        got = left > 0 ? read(STDIN_FILENO, content->data + content->size, left) : 0;
        content->size += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    if (got < 0)
        perror("weir: cannot read standard input");
    return got == 0;
}

static bool read_file(const char *path, struct buffer *content)
{
    struct reason reason = {""};
    const enum status status = config_read_file(NULL, path, content, &reason);
    if (status == STATUS_NOT_FOUND)
        fprintf(stderr, "weir: %s: there is no such file\n", path);
    else if (status != STATUS_OK)
        fprintf(stderr, "weir: %s\n", reason.text);
    return status == STATUS_OK;
}

/* Standard input if `path` is NULL. One line end after it is cut. */
static bool read_content(const char *path, struct buffer *content)
{
    buffer_init(content, CONTENT_BYTES_MAX);
    if (buffer_reserve(content, CONTENT_BYTES_MAX) != STATUS_OK) {
        fprintf(stderr, "weir: out of memory\n");
        return false;
    }
    if (path != NULL ? !read_file(path, content) : !read_input(content))
        return false;
    if (content->size > 0 && content->data[content->size - 1] == '\n')
        content->size--;
    if (content->size > 0 && content->data[content->size - 1] == '\r')
        content->size--;
    return true;
}

/* --- Verbs --------------------------------------------------------------------------------------- */

static int refuse(const char *why)
{
    fprintf(stderr, "weir: %s (weir secrets --help says more)\n", why);
    return 2;
}

/* A body with this one member. */
static void write_body(struct buffer *body, struct slice name, struct slice value)
{
    struct json_writer writer;
    buffer_init(body, BODY_BYTES_MAX);
    buffer_reserve(body, 8 * CONTENT_BYTES_MAX); /* so that it is never moved */
    json_writer_init(&writer, body);
    json_write_object(&writer);
    json_write_key(&writer, name);
    json_write_string(&writer, value);
    json_write_end(&writer);
}

/* What is no text would be changed on its way as JSON. */
static bool has_control_bytes(struct slice value)
{
    for (size_t i = 0; i < value.size; i++) {
        if ((unsigned char)value.data[i] < 0x20 || value.data[i] == 0x7f)
            return true;
    }
    return false;
}

static int put_secret(const struct verb_options *options, const char *provider, struct slice value)
{
    struct buffer body;
    if (value.size == 0)
        return refuse("there is no secret on standard input, nor in the file");
    if (has_control_bytes(value))
        return refuse("a secret is one line without control characters");
    write_body(&body, SLICE("value"), value);
    const struct resource_request request = {.method = "PUT",
                                             .prefix = "/admin/v1/secrets/",
                                             .name = provider,
                                             .body = buffer_slice(&body),
                                             .needs_config = true};
    const int code = resource_call(options, &request);
    seal_wipe(&body);
    return code;
}

static int set_secret(const struct verb_options *options, const char *provider)
{
    struct buffer content;
    int code = 1;
    if (options->file == NULL && isatty(STDIN_FILENO))
        fprintf(stderr, "Type the secret, then Enter and Ctrl-D.\n");
    if (read_content(options->file, &content))
        code = put_secret(options, provider, buffer_slice(&content));
    seal_wipe(&content);
    return code;
}

static int list_secrets(const struct verb_options *options, const char *argument)
{
    static const struct resource_column columns[] = {{"PROVIDER", "provider"},
                                                     {"ENDS WITH", "hint"},
                                                     {"MASTER KEY", "master_id"},
                                                     {"SET", "updated_at"}};
    const struct resource_list all = {
        .path = "/admin/v1/secrets", .columns = columns, .column_count = COUNT(columns)};
    (void)argument;
    return resource_list(options, &all);
}

static int delete_secret(const struct verb_options *options, const char *provider)
{
    const struct resource_request request = {
        .method = "DELETE", .prefix = "/admin/v1/secrets/", .name = provider};
    return resource_call(options, &request);
}

static int rotate_with(const struct verb_options *options, struct slice body)
{
    const struct resource_request request = {.method = "POST",
                                             .prefix = "/admin/v1/secrets/rotate-master",
                                             .body = body,
                                             .needs_config = true};
    return resource_call(options, &request);
}

static int rotate_to_key(const struct verb_options *options, struct slice content)
{
    unsigned char key[SEAL_KEY_SIZE];
    char text[SEAL_KEY_TEXT_SIZE];
    struct buffer body;
    if (seal_key_read(content, key) != STATUS_OK)
        return refuse(
            "--new-key-file: the file holds no key of 32 bytes, in hexadecimal or base64");
    hex_encode(key, sizeof(key), text);
    write_body(&body, SLICE("new_key"), slice_of(text, sizeof(text)));
    const int code = rotate_with(options, buffer_slice(&body));
    seal_wipe(&body);
    explicit_bzero(key, sizeof(key));
    explicit_bzero(text, sizeof(text));
    return code;
}

static int rotate_master(const struct verb_options *options, const char *argument)
{
    struct buffer content;
    int code = 1;
    (void)argument;
    if (options->new_key_file == NULL)
        return rotate_with(options, SLICE("{}"));
    buffer_init(&content, CONTENT_BYTES_MAX);
    if (buffer_reserve(&content, CONTENT_BYTES_MAX) == STATUS_OK &&
        read_file(options->new_key_file, &content))
        code = rotate_to_key(options, buffer_slice(&content));
    seal_wipe(&content);
    return code;
}

/* ------------------------------------------------------------------------------------------------- */

static const char notes[] =
    "  --file PATH           read the secret from there instead of standard input\n"
    "  --new-key-file PATH   the next master key: 32 bytes, in hexadecimal or base64. Needed "
    "where\n"
    "                        the present one does not lie in DATA_DIR/secrets/master.key\n";

static const struct verb verbs[] = {
    {"set", "PROVIDER", "[--file PATH]",
     "keep a provider's credential in the store, sealed; it is read from standard input",
     "weir secrets set openai < key.txt", set_secret},
    {"list", NULL, "", "which providers have one", "weir secrets list", list_secrets},
    {"delete", "PROVIDER", "", "the provider has none from then on", "weir secrets delete openai",
     delete_secret},
    {"rotate-master", NULL, "[--new-key-file PATH]", "seal all of them under another master key",
     "weir secrets rotate-master", rotate_master},
};

int secrets_command(int argc, char **argv)
{
    static const struct verb_set set = {
        "secrets",
        "Credentials of providers. They never stand in a command, and are never shown again.",
        notes, verbs, COUNT(verbs)};
    return verb_set_run(&set, argc, argv);
}
