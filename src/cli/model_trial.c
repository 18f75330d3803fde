#include "cli/model_trial.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/http_call.h"
#include "config/load.h"
#include "json/read.h"
#include "json/value.h"
#include "json/walk.h"
#include "json/write.h"

#define TRIAL_MS         120000
#define TOKENS_MAX       8 /* of the answer */
#define PATH_BYTES       3000
#define KEY_BYTES_MAX    1024
#define BODY_BYTES_MAX   ((size_t)1 << 20)
#define ANSWER_BYTES_MAX ((size_t)8 << 20)

/* --- Where, and with what key -------------------------------------------------------------------- */

static const struct config_listener *choose_listener(const struct config_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        if (listeners->items[i].certificate.size == 0)
            return &listeners->items[i];
    }
    return NULL;
}

static bool read_key(const struct config *config, struct buffer *key)
{
    char path[PATH_BYTES];
    const char *given = getenv("WEIR_KEY");
    if (given != NULL)
        return buffer_append(key, slice_trim(slice_from_text(given))) == STATUS_OK && key->size > 0;
    snprintf(path, sizeof(path), "%s/secrets/demo.key", config->data_dir.data);
    if (config_read_file(NULL, path, key, NULL) != STATUS_OK)
        return false;
    while (key->size > 0 && key->data[key->size - 1] == '\n')
        key->size--;
    return key->size > 0;
}

static socklen_t fill_address(const struct config_address *from, struct sockaddr_storage *address)
{
    *address = (struct sockaddr_storage){0};
    if (from->ip.size == 4) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(from->port)};
        memcpy(&v4.sin_addr, from->ip.bytes, 4);
        memcpy(address, &v4, sizeof(v4));
        return sizeof(v4);
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(from->port)};
    memcpy(&v6.sin6_addr, from->ip.bytes, 16);
    memcpy(address, &v6, sizeof(v6));
    return sizeof(v6);
}

/* --- The answer ---------------------------------------------------------------------------------- */

/* The text at the end of a path of members; data is NULL if there is none. */
static struct slice text_of(struct json_value value, const struct slice *names, size_t count,
                            struct arena *arena)
{
    struct slice text = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        if (!json_find(value, names[i], NULL, &value))
            return text;
    }
    return json_string(value, arena, &text) == STATUS_OK ? text : (struct slice){NULL, 0};
}

void model_trial_read(struct slice body, struct arena *arena, struct model_trial *trial)
{
    static const struct slice error[] = {{"error", 5}, {"message", 7}};
    static const struct slice param[] = {{"error", 5}, {"param", 5}};
    static const struct slice content[] = {{"message", 7}, {"content", 7}};
    struct json_value root, choices;
    struct json_member choice;
    struct json_walk walk;
    if (json_check(body, &JSON_LIMITS_DEFAULT, &root, &(struct json_error){0}) != STATUS_OK)
        return;
    trial->error = text_of(root, error, 2, arena);
    trial->param = text_of(root, param, 2, arena);
    if (!json_find(root, SLICE("choices"), NULL, &choices))
        return;
    json_walk_init(&walk, choices, NULL);
    if (json_walk_next(&walk, &choice))
        trial->answer = text_of(choice.value, content, 2, arena);
}

static enum status read_answer(const struct http_response_head *head, struct slice body,
                               struct arena *arena, struct model_trial *trial)
{
    const struct http_header *target = http_fields_find(&head->fields, SLICE("x-weir-target"));
    const struct slice kept = arena_copy(arena, body);
    trial->http_status = head->status;
    if (kept.data == NULL)
        return STATUS_NO_MEMORY;
    if (target != NULL)
        trial->target = target->value;
    model_trial_read(kept, arena, trial);
    return STATUS_OK;
}

/* --- The request --------------------------------------------------------------------------------- */

/* What an application sends, and under which name it limits the answer. */
struct question {
    const char *model;
    const char *limit_name;
    struct slice key;
};

static enum status compose(const struct question *question, struct buffer *fields,
                           struct buffer *body)
{
    buffer_printf(fields, "Authorization: Bearer %.*s\r\nContent-Type: application/json\r\n",
                  SLICE_ARGS(question->key));
    buffer_append(body, SLICE("{\"model\":"));
    json_append_string(body, slice_from_text(question->model));
    buffer_append(body, SLICE(",\"messages\":[{\"role\":\"user\",\"content\":\"Say OK.\"}]"));
    buffer_printf(body, ",\"%s\":%d}", question->limit_name, TOKENS_MAX);
    return buffer_status(fields) != STATUS_OK ? buffer_status(fields) : buffer_status(body);
}

static enum status call(const struct config_address *address, const struct http_call *request,
                        struct arena *arena, struct model_trial *trial)
{
    struct sockaddr_storage to;
    struct http_response_head head;
    struct buffer answer;
    int fd;
    const socklen_t size = fill_address(address, &to);
    const uint64_t before_ns = clock_monotonic_ns();
    enum status status =
        http_call_connect((const struct sockaddr *)&to, size, request->deadline_ns, &fd);
    if (status != STATUS_OK)
        return status;
    buffer_init(&answer, ANSWER_BYTES_MAX);
    status = http_call_run(fd, request, &answer, arena, &head);
    trial->took_us = (clock_monotonic_ns() - before_ns) / 1000;
    if (status == STATUS_OK)
        status = read_answer(&head, buffer_slice(&answer), arena, trial);
    buffer_fini(&answer);
    close(fd);
    return status;
}

static enum status ask(const struct config_address *address, const struct question *question,
                       struct arena *arena, struct model_trial *trial)
{
    struct buffer fields, body;
    buffer_init(&fields, KEY_BYTES_MAX + 256);
    buffer_init(&body, BODY_BYTES_MAX);
    enum status status = compose(question, &fields, &body);
    const struct http_call request = {
        .method = SLICE("POST"),
        .target = SLICE("/v1/chat/completions"),
        .fields = buffer_slice(&fields),
        .body = buffer_slice(&body),
        .deadline_ns = clock_monotonic_ns() + TRIAL_MS * NS_PER_MS,
    };
    if (status == STATUS_OK)
        status = call(address, &request, arena, trial);
    buffer_fini(&body);
    buffer_fini(&fields);
    return status;
}

/* Models that think before they answer know the limit by another name only. */
static enum status ask_in_either_way(const struct config_address *address, const char *model,
                                     struct slice key, struct arena *arena,
                                     struct model_trial *trial)
{
    struct question question = {.model = model, .limit_name = "max_tokens", .key = key};
    const enum status status = ask(address, &question, arena, trial);
    if (status != STATUS_OK || trial->http_status != 400 ||
        !slice_equal(trial->param, SLICE("max_tokens")))
        return status;
    *trial = (struct model_trial){0};
    question.limit_name = "max_completion_tokens";
    return ask(address, &question, arena, trial);
}

enum status model_trial_run(const struct config *config, const char *model, struct arena *arena,
                            struct model_trial *trial_out, struct reason *reason)
{
    const struct config_listener *listener = choose_listener(&config->listen);
    *trial_out = (struct model_trial){0};
    if (listener == NULL) {
        reason_set(reason, "all listeners speak TLS; `weir models test` needs one in the clear");
        return STATUS_UNSUPPORTED;
    }
    struct buffer key;
    enum status status = STATUS_NOT_FOUND;
    buffer_init(&key, KEY_BYTES_MAX);
    if (!read_key(config, &key) || !http_value_is_clean(buffer_slice(&key))) {
        reason_set(reason,
                   "no key to ask with: set WEIR_KEY (there is none in %s/secrets/demo.key)",
                   config->data_dir.data);
    } else {
        status = ask_in_either_way(&listener->address, model, buffer_slice(&key), arena, trial_out);
        reason_set(reason, "no answer from %s port %u: %s", listener->address.host.data,
                   listener->address.port,
                   status == STATUS_CLOSED ? "no server listens there" : status_name(status));
    }
    buffer_fini(&key);
    return status;
}
