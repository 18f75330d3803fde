#include "cli/welcome.h"

#include <stdio.h>
#include <unistd.h>

#include "admin/member_writer.h"
#include "json/write.h"

#define URL_BYTES 160

static struct slice url_of(const struct config_listener *listener, const char *path,
                           char url_out[URL_BYTES])
{
    const char *scheme = listener->certificate.size > 0 ? "https" : "http";
    const bool is_v6 = listener->address.ip.size == 16;
    const int size =
        snprintf(url_out, URL_BYTES, "%s://%s%s%s:%u%s", scheme, is_v6 ? "[" : "",
                 listener->address.host.data, is_v6 ? "]" : "", listener->address.port, path);
    return slice_of(url_out, size > 0 && size < URL_BYTES ? (size_t)size : 0);
}

enum status welcome_write_text(const struct config *config, struct slice key, const char *version,
                               struct buffer *text)
{
    char url[URL_BYTES];
    const struct slice base = url_of(&config->listen.items[0], "/v1", url);
    buffer_printf(text,
                  "weir %s is ready\n\n"
                  "  address  %.*s\n"
                  "  key      %.*s\n\n"
                  "Try it:\n\n"
                  "curl %.*s/chat/completions -H 'Authorization: Bearer %.*s' "
                  "-H 'Content-Type: application/json' "
                  "-d '{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\","
                  "\"content\":\"Say hello.\"}]}'\n\n"
                  "Or in Python (pip install openai):\n\n"
                  "from openai import OpenAI\n"
                  "client = OpenAI(base_url=\"%.*s\", api_key=\"%.*s\")\n"
                  "answer = client.chat.completions.create(model=\"gpt-4o-mini\", "
                  "messages=[{\"role\": \"user\", \"content\": \"Say hello.\"}])\n"
                  "print(answer.choices[0].message.content)\n\n",
                  version, SLICE_ARGS(base), SLICE_ARGS(key), SLICE_ARGS(base), SLICE_ARGS(key),
                  SLICE_ARGS(base), SLICE_ARGS(key));
    return buffer_status(text);
}

static void write_listeners(struct json_writer *writer, struct slice name,
                            const struct config_listeners *listeners)
{
    char url[URL_BYTES];
    json_write_key(writer, name);
    json_write_array(writer);
    for (size_t i = 0; i < listeners->count; i++)
        json_write_string(writer, url_of(&listeners->items[i], "", url));
    json_write_end(writer);
}

enum status welcome_write_json(const struct config *config, struct slice key, const char *version,
                               struct buffer *text)
{
    char url[URL_BYTES];
    struct json_writer writer;
    json_writer_init(&writer, text);
    json_write_object(&writer);
    member_write_filled(&writer, SLICE("version"), slice_from_text(version));
    json_write_key(&writer, SLICE("pid"));
    json_write_u64(&writer, (uint64_t)getpid());
    member_write_filled(&writer, SLICE("address"), url_of(&config->listen.items[0], "/v1", url));
    write_listeners(&writer, SLICE("listen"), &config->listen);
    write_listeners(&writer, SLICE("admin"), &config->admin.listen);
    write_listeners(&writer, SLICE("metrics"), &config->metrics_listen);
    member_write_filled(&writer, SLICE("data_dir"), config->data_dir);
    member_write_filled(&writer, SLICE("file"), config->file);
    member_write_filled(&writer, SLICE("key"), key);
    json_write_end(&writer);
    buffer_append_byte(text, '\n');
    return buffer_status(text);
}
