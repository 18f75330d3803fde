#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/table.h"
#include "config/load.h"
#include "http/response_head.h"
#include "json/write.h"

#define ANSWER_BYTES_MAX ((size_t)1 << 20)
#define TEST_SECONDS     120

static const char help[] =
    "Usage: weir models list [--json] | test NAME\n"
    "\n"
    "  list        the model names that the configuration knows, and where each goes\n"
    "  test NAME   sends one short request through the running server, with the key in\n"
    "              DATA_DIR/secrets/demo.key or in $WEIR_KEY\n"
    "\n"
    "  --config FILE, --data-dir DIR\n"
    "\n"
    "Example: weir models test gpt-4o-mini\n";

/* --- list -------------------------------------------------------------------------------------------------- */

static void list_json(const struct config *config)
{
    struct buffer text;
    struct json_writer writer;
    buffer_init(&text, (size_t)16 << 20);
    json_writer_init(&writer, &text);
    json_write_array(&writer);
    for (size_t i = 0; i < config->rules.count; i++) {
        const struct rule *rule = &config->rules.items[i];
        json_write_object(&writer);
        json_write_key(&writer, SLICE("name"));
        json_write_string(&writer, rule->name);
        json_write_key(&writer, SLICE("targets"));
        json_write_array(&writer);
        for (size_t j = 0; j < rule->target_count; j++) {
            const struct rule_target *target = &rule->targets[j];
            json_write_object(&writer);
            json_write_key(&writer, SLICE("provider"));
            json_write_string(&writer, config->providers[target->provider].name);
            json_write_key(&writer, SLICE("model"));
            if (target->model.data != NULL)
                json_write_string(&writer, target->model);
            else
                json_write_null(&writer);
            json_write_end(&writer);
        }
        json_write_end(&writer);
        json_write_end(&writer);
    }
    json_write_end(&writer);
    if (buffer_status(&text) == STATUS_OK)
        printf("%.*s\n", (int)text.size, text.data);
    buffer_fini(&text);
}

static void list_table(const struct config *config)
{
    static const char *const titles[] = {"MODEL", "PROVIDER", "ITS MODEL", "BASE URL"};
    struct table *table = table_create(titles, 4);
    for (size_t i = 0; i < config->rules.count && table != NULL; i++) {
        const struct rule *rule = &config->rules.items[i];
        for (size_t j = 0; j < rule->target_count; j++) {
            const struct rule_target *target = &rule->targets[j];
            const struct config_provider *provider = &config->providers[target->provider];
            char url[TABLE_CELL_BYTES];
            snprintf(url, sizeof(url), "%s://%s%s", provider->base_url.is_tls ? "https" : "http",
                     provider->base_url.authority.data, provider->base_url.path.data);
            const char *const cells[] = {
                j == 0 ? rule->name.data : "", provider->name.data,
                target->model.data != NULL
                    ? target->model.data
                    : (target->any_listed ? "same name, or any it lists" : "same name"),
                url};
            table_add(table, cells);
        }
    }
    if (table != NULL)
        table_print(table);
    table_destroy(&table);
}

/* --- test -------------------------------------------------------------------------------------------------- */

static bool read_key(const struct config *config, struct buffer *key)
{
    char path[3000];
    struct reason reason;
    for (char **entry = environ; *entry != NULL; entry++) {
        if (strncmp(*entry, "WEIR_KEY=", 9) == 0)
            return buffer_append(key, slice_from_text(*entry + 9)) == STATUS_OK;
    }
    snprintf(path, sizeof(path), "%s/secrets/demo.key", config->data_dir.data);
    if (config_read_file(NULL, path, key, &reason) != STATUS_OK)
        return false;
    while (key->size > 0 && key->data[key->size - 1] == '\n')
        key->size--;
    return key->size > 0;
}

static int connect_to(const struct config_address *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(address->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
    const bool is_v4 = address->ip.size == 4;
    memcpy(&v4.sin_addr, address->ip.bytes, 4);
    memcpy(&v6.sin6_addr, address->ip.bytes, 16);
    const int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval limit = {.tv_sec = TEST_SECONDS};
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    const int failed = is_v4 ? connect(fd, (const struct sockaddr *)&v4, sizeof(v4))
                             : connect(fd, (const struct sockaddr *)&v6, sizeof(v6));
    if (failed == 0)
        return fd;
    close(fd);
    return -1;
}

static void compose(const char *model, const struct buffer *key, struct buffer *request)
{
    struct buffer body;
    buffer_init(&body, 65536);
    buffer_append(&body, SLICE("{\"model\":"));
    json_append_string(&body, slice_from_text(model));
    buffer_append(&body, SLICE(",\"max_tokens\":8,\"messages\":[{\"role\":\"user\",\"content\":"
                               "\"Say OK.\"}]}"));
    buffer_printf(request,
                  "POST /v1/chat/completions HTTP/1.1\r\nHost: weir\r\nConnection: close\r\n"
                  "Authorization: Bearer %.*s\r\nContent-Type: application/json\r\n"
                  "Content-Length: %zu\r\n\r\n",
                  (int)key->size, key->data, body.size);
    buffer_append(request, buffer_slice(&body));
    buffer_fini(&body);
}

static bool exchange(int fd, const struct buffer *request, struct buffer *answer)
{
    if (send(fd, request->data, request->size, MSG_NOSIGNAL) != (ssize_t)request->size)
        return false;
    for (;;) {
        if (buffer_reserve(answer, 16384) != STATUS_OK)
            return false;
        const ssize_t got = recv(fd, answer->data + answer->size, 16384, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return got == 0 && buffer_append_byte(answer, '\0') == STATUS_OK;
        answer->size += (size_t)got;
    }
}

static void print_header(const char *head, const char *name)
{
    const char *at = strstr(head, name);
    if (at != NULL)
        printf("%-8s %.*s\n", "target", (int)strcspn(at + strlen(name), "\r"), at + strlen(name));
}

static int report(const struct buffer *answer, uint64_t took_ns)
{
    const unsigned status = http_status_of(buffer_slice(answer));
    const char *body = strstr(answer->data, "\r\n\r\n");
    if (body == NULL || status == 0) {
        fprintf(stderr, "weir: the server's answer was not understood\n");
        return 1;
    }
    yyjson_doc *document = yyjson_read(body + 4, strlen(body + 4), 0);
    yyjson_val *root = yyjson_doc_get_root(document);
    const char *content = yyjson_get_str(yyjson_ptr_get(root, "/choices/0/message/content"));
    const char *message = yyjson_get_str(yyjson_ptr_get(root, "/error/message"));
    printf("%-8s %u\n", "status", status);
    print_header(answer->data, "x-weir-target: ");
    printf("%-8s %.1f ms\n", "took", (double)took_ns / 1e6);
    if (content != NULL)
        printf("%-8s %.60s\n", "answer", content);
    if (status != 200)
        fprintf(stderr, "weir: %s\n", message != NULL ? message : "the request failed");
    yyjson_doc_free(document);
    return status == 200 ? 0 : 1;
}

static int test(const struct config *config, const char *model)
{
    struct buffer key, request, answer;
    int code = 1;
    buffer_init(&key, 4096);
    buffer_init(&request, 131072);
    buffer_init(&answer, ANSWER_BYTES_MAX);
    const struct config_listener *listener = &config->listen.items[0];
    if (listener->certificate.size > 0) {
        fprintf(stderr,
                "weir: the first listener speaks TLS; `models test` needs one in the clear\n");
    } else if (!read_key(config, &key)) {
        fprintf(stderr, "weir: no key: set WEIR_KEY (there is none in %s/secrets/demo.key)\n",
                config->data_dir.data);
    } else {
        const int fd = connect_to(&listener->address);
        compose(model, &key, &request);
        const uint64_t before_ns = clock_monotonic_ns();
        if (fd < 0 || !exchange(fd, &request, &answer))
            fprintf(stderr, "weir: no server answers at %s port %u\n", listener->address.host.data,
                    listener->address.port);
        else
            code = report(&answer, clock_monotonic_ns() - before_ns);
        if (fd >= 0)
            close(fd);
    }
    buffer_fini(&key);
    buffer_fini(&request);
    buffer_fini(&answer);
    return code;
}

/* ----------------------------------------------------------------------------------------------------------------- */

static int load(const struct config_source *source, const struct config **config_out)
{
    struct config_report found;
    struct buffer text;
    config_report_init(&found);
    buffer_init(&text, (size_t)1 << 20);
    const enum status status = config_load(source, &found, config_out);
    if (status != STATUS_OK && config_report_write(&found, &text) == STATUS_OK)
        fwrite(text.data, 1, text.size, stderr);
    buffer_fini(&text);
    config_report_fini(&found);
    return status == STATUS_OK ? -1 : 2;
}

int models_command(int argc, char **argv)
{
    struct config_source source = {.environment = environ};
    struct option_words words = {.count = 0};
    bool json = false;
    const struct option_spec specs[] = {OPTION_TEXT("config", &source.path),
                                        OPTION_TEXT("data-dir", &source.data_dir),
                                        OPTION_FLAG("json", &json)};
    const struct config *config;
    int code = options_parse(argc, argv, specs, 3, &words, help);
    if (code >= 0)
        return code;
    const bool is_list = words.count == 1 && strcmp(words.items[0], "list") == 0;
    const bool is_test = words.count == 2 && strcmp(words.items[0], "test") == 0;
    if (words.count > 0 && strcmp(words.items[0], "count") == 0) {
        fprintf(stderr, "weir: models count is not in this version\n");
        return 2;
    }
    if (!is_list && !is_test) {
        fprintf(stderr, "weir: write `weir models list` or `weir models test NAME`\n");
        return 2;
    }
    code = load(&source, &config);
    if (code >= 0)
        return code;
    code = 0;
    if (is_test)
        code = test(config, words.items[1]);
    else if (json)
        list_json(config);
    else
        list_table(config);
    config_unref(&config);
    return code;
}
