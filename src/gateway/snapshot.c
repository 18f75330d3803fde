#include "gateway/snapshot.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/encoding.h"
#include "gateway/guard.h"
#include "gateway/snapshot_prices.h"

#define ARENA_BYTES_MAX ((size_t)16 << 20)

#define CORS_EXPOSED                                                                               \
    "access-control-expose-headers: x-request-id, x-weir-target, x-weir-attempts, x-weir-cost, "   \
    "x-weir-degraded, x-weir-context, cache-status, age, retry-after, retry-after-ms, "            \
    "x-should-retry, server-timing, x-ratelimit-limit-requests, x-ratelimit-limit-tokens, "        \
    "x-ratelimit-remaining-requests, x-ratelimit-remaining-tokens, x-ratelimit-reset-requests, "   \
    "x-ratelimit-reset-tokens\r\n"

/* --- Providers -------------------------------------------------------------------------------- */

bool provider_sets_header(const struct config_provider *config, struct slice name)
{
    for (size_t i = 0; i < config->headers.count; i++) {
        if (slice_equal_nocase(config->headers.items[i].name, name))
            return true;
    }
    return false;
}

static enum status make_head_lines(struct snapshot *snapshot, struct provider *provider)
{
    const struct config_provider *config = provider->config;
    struct buffer lines;
    buffer_init(&lines, (size_t)1 << 20);
    if (!provider_sets_header(config, SLICE("host")))
        buffer_printf(&lines, "host: %.*s\r\n", SLICE_ARGS(config->base_url.authority));
    if (config->api_key.size > 0 && !provider_sets_header(config, SLICE("authorization")))
        buffer_printf(&lines, "authorization: Bearer %.*s\r\n", SLICE_ARGS(config->api_key));
    if (!provider_sets_header(config, SLICE("accept-encoding")))
        buffer_append(&lines, SLICE("accept-encoding: identity\r\n"));
    for (size_t i = 0; i < config->headers.count; i++)
        buffer_printf(&lines, "%.*s: %.*s\r\n", SLICE_ARGS(config->headers.items[i].name),
                      SLICE_ARGS(config->headers.items[i].value));
    provider->head_lines = arena_copy(&snapshot->arena, buffer_slice(&lines));
    const bool is_done = buffer_status(&lines) == STATUS_OK && provider->head_lines.data != NULL;
    buffer_fini(&lines);
    return is_done ? STATUS_OK : STATUS_NO_MEMORY;
}

static int hex_value(char digit)
{
    unsigned char value;
    const char text[2] = {'0', digit};
    return hex_decode(slice_of(text, 2), &value, 1) == STATUS_OK ? value : -1;
}

/* RFC 7617; the user information of a URL is percent-encoded, what is sent is not. */
static enum status make_proxy_authorization(struct snapshot *snapshot, struct provider *provider)
{
    const struct slice encoded = provider->config->proxy.userinfo;
    if (encoded.size == 0)
        return STATUS_OK;
    struct buffer plain, text;
    buffer_init(&plain, 4096);
    buffer_init(&text, 8192);
    for (size_t i = 0; i < encoded.size; i++) {
        const bool is_escape = encoded.data[i] == '%' && i + 2 < encoded.size;
        const int high = is_escape ? hex_value(encoded.data[i + 1]) : -1;
        const int low = is_escape ? hex_value(encoded.data[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            buffer_append_byte(&plain, (char)(high << 4 | low));
            i += 2;
        } else {
            buffer_append_byte(&plain, encoded.data[i]);
        }
    }
    buffer_append(&text, SLICE("Basic "));
    base64_encode(buffer_slice(&plain), &text);
    provider->proxy_authorization = arena_copy(&snapshot->arena, buffer_slice(&text));
    const bool is_done = buffer_status(&plain) == STATUS_OK && buffer_status(&text) == STATUS_OK &&
                         provider->proxy_authorization.data != NULL;
    buffer_fini(&plain);
    buffer_fini(&text);
    return is_done ? STATUS_OK : STATUS_NO_MEMORY;
}

static enum status make_provider(struct snapshot *snapshot, struct provider *provider,
                                 struct metrics *metrics, struct reason *reason)
{
    const struct config_provider *config = provider->config;
    provider->metrics_index = metrics_provider(metrics, config->name);
    enum status status = make_head_lines(snapshot, provider);
    if (status == STATUS_OK)
        status = make_proxy_authorization(snapshot, provider);
    if (status == STATUS_OK && config->base_url.is_tls && config->has_credential)
        status = tls_client_context_create(config->tls_ca.size > 0 ? config->tls_ca.data : NULL,
                                           &provider->tls, reason);
    return status;
}

struct upstream_endpoint_config snapshot_endpoint(const struct snapshot *snapshot,
                                                  const struct provider *provider)
{
    const struct config_provider *config = provider->config;
    return (struct upstream_endpoint_config){
        .host = config->base_url.host,
        .port = config->base_url.port,
        .tls = provider->tls,
        .proxy = {config->proxy.host, config->proxy.port, provider->proxy_authorization},
        .connections_max = config->connections.max,
        .idle_ms = config->connections.idle_ms,
        .connect_ms = config->timeouts.connect_ms,
        .may_connect = config->is_from_api ? guard_may_connect : NULL,
        .may_connect_context = &snapshot->config->admin.allowed_networks,
    };
}

/* What is counted by model and provider goes by the names of rules, which are few. */
static enum status find_target_metrics(struct snapshot *snapshot, struct metrics *metrics)
{
    const struct rules *rules = &snapshot->config->rules;
    snapshot->target_metrics =
        arena_zeroed(&snapshot->arena, (rules->count + 1) * sizeof(uint32_t *));
    if (snapshot->target_metrics == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->items[i];
        uint32_t *cells = arena_alloc(&snapshot->arena, rule->target_count * sizeof(uint32_t));
        if (cells == NULL)
            return STATUS_NO_MEMORY;
        for (size_t j = 0; j < rule->target_count; j++)
            cells[j] = metrics_target(metrics, rule->name,
                                      snapshot->config->providers[rule->targets[j].provider].name);
        snapshot->target_metrics[i] = cells;
    }
    return STATUS_OK;
}

/* --- Listeners -------------------------------------------------------------------------------- */

static enum status make_listener(struct snapshot_listener *listener,
                                 const struct config_listener *config, struct reason *reason)
{
    const enum status status =
        address_parse(config->address.host, config->address.port, &listener->address);
    ASSERT(status == STATUS_OK); /* the configuration holds numeric addresses only */
    if (config->certificate.size == 0)
        return STATUS_OK;
    return tls_server_context_create(config->certificate.data, config->key.data, &listener->tls,
                                     reason);
}

/* --- CORS (Fetch standard, "CORS protocol") ------------------------------------------------------ */

static void make_cors_lines(struct snapshot *snapshot)
{
    const struct config_cors *cors = &snapshot->config->cors;
    snapshot->cors_exposed_lines = SLICE(CORS_EXPOSED);
    const bool is_any = cors->origins.count == 1 && slice_equal(cors->origins.items[0], SLICE("*"));
    if (is_any && !cors->credentials)
        snapshot->cors_lines = SLICE("access-control-allow-origin: *\r\n" CORS_EXPOSED);
}

/* ---------------------------------------------------------------------------------------------- */

/* One that knows its configuration, which it takes over in any case; NULL: no memory. */
static struct snapshot *begin(const struct config **config)
{
    struct snapshot *snapshot = alloc_zeroed(1, sizeof(*snapshot));
    if (snapshot == NULL) {
        config_unref(config);
        return NULL;
    }
    arena_init(&snapshot->arena, NULL, 0, ARENA_BYTES_MAX);
    atomic_store(&snapshot->references, 1);
    snapshot->config = *config;
    *config = NULL;
    const size_t count = snapshot->config->provider_count;
    if (count == 0)
        return snapshot;
    snapshot->providers = arena_zeroed(&snapshot->arena, count * sizeof(struct provider));
    if (snapshot->providers == NULL) {
        snapshot_unref(&snapshot);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        snapshot->providers[i].config = &snapshot->config->providers[i];
    return snapshot;
}

enum status snapshot_create_for_prices(const struct config **config, struct snapshot **snapshot_out,
                                       struct reason *reason)
{
    struct snapshot *snapshot = begin(config);
    if (snapshot == NULL)
        return STATUS_NO_MEMORY;
    const enum status status = snapshot_prices_make(snapshot, reason);
    if (status != STATUS_OK)
        snapshot_unref(&snapshot);
    *snapshot_out = snapshot;
    return status;
}

enum status snapshot_create(const struct config **config, struct metrics *metrics,
                            struct snapshot **snapshot_out, struct reason *reason)
{
    struct snapshot *snapshot = begin(config);
    if (snapshot == NULL)
        return STATUS_NO_MEMORY;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < snapshot->config->provider_count; i++) {
        status = make_provider(snapshot, &snapshot->providers[i], metrics, reason);
        if (status != STATUS_OK)
            goto fail;
    }
    const size_t listener_count = snapshot->config->listen.count;
    snapshot->listeners =
        arena_zeroed(&snapshot->arena, listener_count * sizeof(struct snapshot_listener));
    status = snapshot->listeners != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    for (size_t i = 0; i < listener_count && status == STATUS_OK; i++)
        status = make_listener(&snapshot->listeners[i], &snapshot->config->listen.items[i], reason);
    if (status == STATUS_OK)
        status = find_target_metrics(snapshot, metrics);
    if (status == STATUS_OK)
        status = snapshot_prices_make(snapshot, reason);
    if (status != STATUS_OK)
        goto fail;
    make_cors_lines(snapshot);
    *snapshot_out = snapshot;
    return STATUS_OK;

fail:
    snapshot_unref(&snapshot);
    return status;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    atomic_fetch_add(&snapshot->references, 1);
    return snapshot;
}

void snapshot_unref(struct snapshot **taken)
{
    struct snapshot *snapshot = *taken;
    *taken = NULL;
    if (snapshot == NULL || atomic_fetch_sub(&snapshot->references, 1) != 1)
        return;
    for (size_t i = 0; snapshot->providers != NULL && i < snapshot->config->provider_count; i++)
        tls_context_unref(&snapshot->providers[i].tls);
    for (size_t i = 0; snapshot->listeners != NULL && i < snapshot->config->listen.count; i++)
        tls_context_unref(&snapshot->listeners[i].tls);
    snapshot_levels_free(snapshot);
    price_list_destroy(&snapshot->config_prices);
    price_list_destroy(&snapshot->store_prices);
    config_unref(&snapshot->config);
    arena_fini(&snapshot->arena);
    alloc_free(snapshot);
}
