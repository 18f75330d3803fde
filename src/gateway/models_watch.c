#include "gateway/models_watch.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "dialect/openai_models.h"
#include "upstream/attempt.h"

#define ANSWER_BYTES_MAX ((size_t)4 << 20)
#define ARENA_BYTES_MAX  ((size_t)4 << 20)
#define ASK_MS           10000

/* One task asks one provider of one snapshot until it is told to stop. */
struct asker {
    struct list_node node;
    struct models_watch *watch;
    struct task *task;
    struct snapshot *snapshot;
    size_t provider;
    struct upstream_endpoint endpoint;
    struct models_list *list; /* the last known */
    bool is_stopping;
    bool has_warned;
};

struct models_watch {
    struct gateway *gateway;
    struct loop *loop;
    struct dns *dns;
    struct log_producer *log;
    struct scratch *scratch;
    struct list_node askers;
};

/* --- Asking -------------------------------------------------------------------------------------------- */

static struct provider *provider_of(const struct asker *asker)
{
    return &asker->snapshot->providers[asker->provider];
}

static struct slice make_request(const struct asker *asker, struct arena *arena)
{
    const struct provider *provider = provider_of(asker);
    const bool has_accept = provider_sets_header(provider->config, SLICE("accept"));
    return arena_printf(arena, "GET %.*s/models HTTP/1.1\r\n%.*s%s\r\n",
                        SLICE_ARGS(provider->config->base_url.path),
                        SLICE_ARGS(provider->head_lines),
                        has_accept ? "" : "accept: application/json\r\n");
}

static enum status read_body(struct upstream_attempt *attempt, uint64_t deadline_ms,
                             struct body_memory *body, struct reason *reason)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !attempt->is_ended) {
        struct slice piece;
        status = upstream_attempt_read(attempt, deadline_ms, &piece, reason);
        if (status == STATUS_OK && body->size + piece.size > ANSWER_BYTES_MAX) {
            reason_set(reason, "the list of models is too long");
            status = STATUS_TOO_LARGE;
        }
        if (status == STATUS_OK)
            status = body_memory_append(body, piece.data, piece.size);
    }
    return status;
}

static enum status take_list(struct asker *asker, struct slice body, struct arena *arena,
                             struct reason *reason)
{
    const struct json_limits limits = JSON_LIMITS_DEFAULT;
    struct openai_models models;
    const enum status status = openai_models_read(body, &limits, MODELS_LIST_MAX, arena, &models);
    if (status != STATUS_OK) {
        reason_set(reason, "the answer to GET /models is no list of models");
        return status;
    }
    struct models_list *list = models_list_create(models.names, models.count);
    if (list == NULL)
        return STATUS_NO_MEMORY;
    const struct gateway *gateway = asker->watch->gateway;
    enum status told = STATUS_OK;
    for (unsigned i = 0; i < gateway->worker_count && told == STATUS_OK; i++)
        told = worker_update_list(gateway->workers[i], asker->snapshot, asker->provider, list);
    models_list_unref(told == STATUS_OK ? &asker->list : &list);
    if (told == STATUS_OK)
        asker->list = list;
    return told;
}

static enum status ask_with(struct asker *asker, struct upstream_attempt *attempt,
                            struct arena *arena, struct body_memory *body, struct reason *reason)
{
    const struct slice head = make_request(asker, arena);
    if (head.data == NULL)
        return STATUS_NO_MEMORY;
    const uint64_t deadline_ms = loop_deadline(asker->watch->loop, ASK_MS);
    const struct upstream_request request = {
        .pieces = {{(char *)(uintptr_t)head.data, head.size}},
        .piece_count = 1,
        .answer_head_bytes_max = 32 * 1024,
        .answer_headers_max = 100,
        .write_ms = ASK_MS,
        .head_deadline_ms = deadline_ms,
    };
    enum status status = upstream_attempt_start(attempt, &asker->endpoint, &request,
                                                asker->watch->scratch, arena, reason);
    if (status == STATUS_OK && attempt->head.status != 200) {
        reason_set(reason, "it answered GET /models with %u", attempt->head.status);
        return STATUS_PROTOCOL;
    }
    if (status == STATUS_OK)
        status = read_body(attempt, deadline_ms, body, reason);
    return status == STATUS_OK ? take_list(asker, slice_of(body->data, body->size), arena, reason)
                               : status;
}

static enum status ask(struct asker *asker, struct reason *reason)
{
    struct upstream_attempt attempt = {0};
    struct body_memory body = {0};
    struct arena arena;
    arena_init(&arena, NULL, 0, ARENA_BYTES_MAX);
    const enum status status = ask_with(asker, &attempt, &arena, &body, reason);
    if (attempt.endpoint != NULL)
        upstream_attempt_finish(&attempt);
    body_memory_free(&body);
    arena_fini(&arena);
    return status;
}

/* A provider that stays away is complained of once. */
static void say(struct asker *asker, enum status status, const struct reason *reason)
{
    const struct slice name = provider_of(asker)->config->name;
    if (status == STATUS_OK && asker->has_warned)
        log_write(asker->watch->log, LOG_LEVEL_INFO, "models", "provider %.*s lists %zu models",
                  SLICE_ARGS(name), asker->list->count);
    if (status != STATUS_OK && !asker->has_warned && !asker->is_stopping)
        log_write(asker->watch->log, LOG_LEVEL_WARN, "models",
                  "cannot read the models of provider %.*s: %s", SLICE_ARGS(name), reason->text);
    asker->has_warned = status != STATUS_OK;
}

static void asker_destroy(struct asker *asker)
{
    list_remove(&asker->node);
    upstream_endpoint_fini(&asker->endpoint);
    models_list_unref(&asker->list);
    snapshot_unref(&asker->snapshot);
    alloc_free(asker);
}

static void asker_run(void *argument)
{
    struct asker *asker = argument;
    struct loop *loop = asker->watch->loop;
    asker->task = task_current(loop);
    while (!asker->is_stopping) {
        struct reason reason = {"out of memory"};
        const enum status status = ask(asker, &reason);
        say(asker, status, &reason);
        const uint64_t wait_ms = asker->list != NULL ? MODELS_WATCH_MS : MODELS_WATCH_RETRY_MS;
        if (!asker->is_stopping && task_sleep(loop, wait_ms) != STATUS_OK)
            break;
    }
    asker_destroy(asker);
}

/* --- Who is asked ---------------------------------------------------------------------------------------- */

static bool is_asked(const struct config *config, size_t provider)
{
    for (size_t i = 0; i < config->rules.count; i++) {
        const struct rule *rule = &config->rules.items[i];
        if (rule->is_prefix && rule->targets[0].provider == provider &&
            rule->targets[0].model.data == NULL)
            return true;
    }
    return false;
}

static enum status asker_start(struct models_watch *watch, struct snapshot *snapshot,
                               size_t provider)
{
    struct asker *asker = alloc_zeroed(1, sizeof(*asker));
    if (asker == NULL)
        return STATUS_NO_MEMORY;
    const struct upstream_endpoint_config upstream =
        snapshot_endpoint(snapshot, &snapshot->providers[provider]);
    static const struct upstream_endpoint_hooks no_hooks;
    asker->watch = watch;
    asker->snapshot = snapshot_ref(snapshot);
    asker->provider = provider;
    upstream_endpoint_init(&asker->endpoint, watch->loop, watch->dns, &upstream, &no_hooks,
                           &snapshot->providers[provider].load);
    list_push_back(&watch->askers, &asker->node);
    const enum status status = task_spawn(watch->loop, asker_run, asker);
    if (status != STATUS_OK)
        asker_destroy(asker);
    return status;
}

static enum status start_askers(struct models_watch *watch)
{
    struct snapshot *snapshot = watch->gateway->snapshot;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < snapshot->config->provider_count && status == STATUS_OK; i++) {
        if (is_asked(snapshot->config, i))
            status = asker_start(watch, snapshot, i);
    }
    return status;
}

/* --- Birth and death ---------------------------------------------------------------------------------------- */

enum status models_watch_start(struct gateway *gateway, struct loop *loop, struct dns *dns,
                               struct log_producer *log, struct models_watch **watch_out)
{
    struct models_watch *watch = alloc_zeroed(1, sizeof(*watch));
    if (watch == NULL)
        return STATUS_NO_MEMORY;
    *watch = (struct models_watch){.gateway = gateway, .loop = loop, .dns = dns, .log = log};
    list_init(&watch->askers);
    watch->scratch = alloc_bytes(sizeof(*watch->scratch));
    if (watch->scratch == NULL) {
        alloc_free(watch);
        return STATUS_NO_MEMORY;
    }
    *watch_out = watch;
    return start_askers(watch); /* on failure those that were started are stopped as usual */
}

void models_watch_stop(struct models_watch *watch)
{
    for (struct list_node *at = watch->askers.next; at != &watch->askers; at = at->next) {
        struct asker *asker = LIST_ENTRY(at, struct asker, node);
        asker->is_stopping = true;
        if (asker->task != NULL)
            task_cancel(asker->task);
    }
}

void models_watch_follow(struct models_watch *watch)
{
    models_watch_stop(watch);
    if (start_askers(watch) != STATUS_OK)
        log_write(watch->log, LOG_LEVEL_ERROR, "models", "out of memory for lists of models");
}

bool models_watch_is_quiet(const struct models_watch *watch)
{
    return list_is_empty(&watch->askers);
}

void models_watch_destroy(struct models_watch **watch)
{
    if (*watch == NULL)
        return;
    ASSERT(models_watch_is_quiet(*watch));
    alloc_free((*watch)->scratch);
    alloc_free(*watch);
    *watch = NULL;
}
