#include "config/settings.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/nearest.h"
#include "config/config.h"

#define KIB                 ((uint64_t)1 << 10)
#define MIB                 ((uint64_t)1 << 20)
#define GIB                 ((uint64_t)1 << 30)
#define HOUR                ((uint64_t)3600 * 1000)
#define DAY                 (24 * HOUR)
#define AT(member)          offsetof(struct config, member)
#define OF(member)          offsetof(struct config_provider, member)
#define BY(member)          offsetof(struct config_rule, member)
#define IN(member)          offsetof(struct config_price, member)

#define LATER(path)         {path, SETTING_TYPE_LATER, 0, 0, 0, NULL, NULL}
#define PRICE(path, member) {path, SETTING_TYPE_MONEY, IN(member), 0, MONEY_MAX, NULL, NULL}

#define CATALOGUE_BYTES_MAX 64
#define TOKENS_MAX          100000000
#define MONEY_MAX           UINT64_C(1000000000000000) /* a million dollars */

static const char *const stores[] = {"sqlite", NULL};
static const char *const dialects[] = {"openai", NULL};
static const char *const usages[] = {"auto", "always", "never", NULL};
static const char *const when_full[] = {"refuse", "unrecorded", NULL};
static const char *const orphans[] = {"estimate", "nothing", NULL};
static const char *const when_short[] = {"shrink", "refuse", NULL};
static const char *const unpriced[] = {"refuse", "allow", NULL};
static const char *const contexts[] = {"default", "pass", "drop_oldest", "middle_out", NULL};

static const struct setting config_items[] = {
    {"listen", SETTING_TYPE_LISTENERS, AT(listen), 0, 0, "127.0.0.1:8000", NULL},
    {"admin.listen", SETTING_TYPE_LISTENERS, AT(admin.listen), 0, 0, "127.0.0.1:8001", NULL},
    {"admin.insecure", SETTING_TYPE_BOOL, AT(admin.insecure), 0, 0, "false", NULL},
    {"admin.token", SETTING_TYPE_SECRET, AT(admin.token), 0, 0, NULL, NULL},
    {"admin.allowed_networks", SETTING_TYPE_NETWORKS, AT(admin.allowed_networks), 0, 0, "", NULL},
    {"secrets.master_key", SETTING_TYPE_KEY, AT(secrets.master_key), 0, 0, NULL, NULL},
    {"metrics.listen", SETTING_TYPE_LISTENERS, AT(metrics_listen), 0, 0, "", NULL},
    {"data_dir", SETTING_TYPE_PATH, AT(data_dir), 0, 0, "./data", NULL},
    {"workers", SETTING_TYPE_COUNT, AT(workers), 0, 128, "0", NULL},
    {"store", SETTING_TYPE_CHOICE, AT(store), 0, 0, "sqlite", stores},
    {"cors.origins", SETTING_TYPE_TEXTS, AT(cors.origins), 0, 0, "*", NULL},
    {"cors.credentials", SETTING_TYPE_BOOL, AT(cors.credentials), 0, 0, "false", NULL},
    {"transport.header_bytes", SETTING_TYPE_SIZE, AT(transport.header_bytes), 1 * KIB, 32 * KIB,
     "32KiB", NULL},
    {"transport.headers", SETTING_TYPE_COUNT, AT(transport.headers), 8, 1000, "100", NULL},
    {"transport.body_bytes", SETTING_TYPE_SIZE, AT(transport.body_bytes), 1 * KIB, 1 * GIB, "32MiB",
     NULL},
    {"transport.json_depth", SETTING_TYPE_COUNT, AT(transport.json_depth), 4, 1024, "64", NULL},
    {"transport.connections", SETTING_TYPE_COUNT, AT(transport.connections), 1, 1000000, "50000",
     NULL},
    {"transport.connections_per_address", SETTING_TYPE_COUNT, AT(transport.connections_per_address),
     0, 1000000, "0", NULL},
    {"transport.requests_in_flight", SETTING_TYPE_COUNT, AT(transport.requests_in_flight), 1, 29000,
     "14000", NULL},
    {"transport.body_memory", SETTING_TYPE_SIZE, AT(transport.body_memory_bytes), 1 * MIB,
     1024 * GIB, "1GiB", NULL},
    {"transport.answer_bytes", SETTING_TYPE_SIZE, AT(transport.answer_bytes), 64 * KIB, 1 * GIB,
     "8MiB", NULL},
    {"timeouts.header", SETTING_TYPE_DURATION, AT(timeouts.header_ms), 1, DAY, "10s", NULL},
    {"timeouts.body", SETTING_TYPE_DURATION, AT(timeouts.body_ms), 1, DAY, "60s", NULL},
    {"timeouts.idle", SETTING_TYPE_DURATION, AT(timeouts.idle_ms), 1, DAY, "75s", NULL},
    {"timeouts.linger", SETTING_TYPE_DURATION, AT(timeouts.linger_ms), 0, DAY, "5s", NULL},
    {"timeouts.drain", SETTING_TYPE_DURATION, AT(timeouts.drain_ms), 0, DAY, "300s", NULL},
    {"ledger.journal_bytes", SETTING_TYPE_SIZE, AT(ledger.journal_bytes), 1 * MIB, 1024 * GIB,
     "4GiB", NULL},
    {"ledger.when_full", SETTING_TYPE_CHOICE, AT(ledger.when_full), 0, 0, "refuse", when_full},
    {"ledger.orphans", SETTING_TYPE_CHOICE, AT(ledger.orphans), 0, 0, "estimate", orphans},
    {"ledger.sync", SETTING_TYPE_DURATION, AT(ledger.sync_ms), 1, 10000, "50ms", NULL},
    {"ledger.retention", SETTING_TYPE_PERIOD, AT(ledger.retention_ms), HOUR, 36500 * DAY, "", NULL},
    {"limits", SETTING_TYPE_LIMITS, AT(limits), 0, 0, "", NULL},
    {"budgets.min_output", SETTING_TYPE_COUNT, AT(budgets.min_output_tokens), 1, TOKENS_MAX, "256",
     NULL},
    {"budgets.expected_output", SETTING_TYPE_COUNT, AT(budgets.expected_output_tokens), 1,
     TOKENS_MAX, "1024", NULL},
    {"budgets.when_short", SETTING_TYPE_CHOICE, AT(budgets.when_short), 0, 0, "shrink", when_short},
    {"budgets.unpriced", SETTING_TYPE_CHOICE, AT(budgets.unpriced), 0, 0, "refuse", unpriced},
    {"budgets.alerts", SETTING_TYPE_PERCENTS, AT(budgets.alerts), 1, 200, "50, 80, 100", NULL},
    {"budgets.warn_only", SETTING_TYPE_BOOL, AT(budgets.is_warn_only), 0, 0, "false", NULL},
    {"trusted_proxies", SETTING_TYPE_NETWORKS, AT(trusted_proxies), 0, 0, "", NULL},
    LATER("cache"),
    LATER("idempotency"),
};

static const struct setting provider_items[] = {
    {"dialect", SETTING_TYPE_CHOICE, OF(dialect), 0, 0, "openai", dialects},
    {"base_url", SETTING_TYPE_URL, OF(base_url), 0, 0, NULL, NULL},
    {"api_key", SETTING_TYPE_SECRET, OF(api_key), 0, 0, NULL, NULL},
    {"headers", SETTING_TYPE_HEADERS, OF(headers), 0, 0, NULL, NULL},
    {"forward_headers", SETTING_TYPE_HEADER_NAMES, OF(forward_headers), 0, 0, NULL, NULL},
    {"proxy", SETTING_TYPE_PROXY, OF(proxy), 0, 0, NULL, NULL},
    {"stream_usage", SETTING_TYPE_CHOICE, OF(stream_usage), 0, 0, "auto", usages},
    {"timeouts.connect", SETTING_TYPE_DURATION, OF(timeouts.connect_ms), 1, DAY, "5s", NULL},
    {"timeouts.first_byte", SETTING_TYPE_DURATION, OF(timeouts.first_byte_ms), 1, DAY, "120s",
     NULL},
    {"timeouts.event_gap", SETTING_TYPE_DURATION, OF(timeouts.event_gap_ms), 1, DAY, "300s", NULL},
    {"timeouts.total", SETTING_TYPE_DURATION, OF(timeouts.total_ms), 1, DAY, "600s", NULL},
    {"timeouts.stream_total", SETTING_TYPE_DURATION, OF(timeouts.stream_total_ms), 1, 30 * DAY,
     "1h", NULL},
    {"timeouts.usage_drain", SETTING_TYPE_DURATION, OF(timeouts.usage_drain_ms), 0, 600000, "0s",
     NULL},
    {"connections.max", SETTING_TYPE_COUNT, OF(connections.max), 1, 1000000, "1024", NULL},
    {"connections.idle", SETTING_TYPE_DURATION, OF(connections.idle_ms), 0, DAY, "4s", NULL},
    {"tls.ca", SETTING_TYPE_PEM, OF(tls_ca), 0, 0, NULL, NULL},
    {"tls.verify", SETTING_TYPE_BOOL, OF(tls_verify), 0, 0, "true", NULL},
    {"free", SETTING_TYPE_BOOL, OF(is_free), 0, 0, "false", NULL},
    {"catalogue", SETTING_TYPE_TEXT, OF(catalogue), 0, CATALOGUE_BYTES_MAX, "", NULL},
    {"region", SETTING_TYPE_TEXT, OF(region), 0, CATALOGUE_BYTES_MAX, "", NULL},
    {"limits", SETTING_TYPE_LIMITS, OF(limits), 0, 0, "", NULL},
    LATER("breaker"),
};

static const struct setting rule_items[] = {
    {"window", SETTING_TYPE_COUNT, BY(rule.window_tokens), 1, TOKENS_MAX, NULL, NULL},
    {"max_output", SETTING_TYPE_COUNT, BY(rule.max_output_tokens), 1, TOKENS_MAX, NULL, NULL},
    {"context.strategy", SETTING_TYPE_CHOICE, BY(rule.context), 0, 0, "default", contexts},
    {"context.reserve_output", SETTING_TYPE_COUNT, BY(rule.reserve_output_tokens), 1, TOKENS_MAX,
     NULL, NULL},
    {"limits", SETTING_TYPE_LIMITS, BY(limits), 0, 0, NULL, NULL},
    LATER("strategy"),
    LATER("retries"),
    LATER("fallbacks"),
    LATER("fallbacks_context"),
    LATER("fallbacks_content"),
    LATER("degraded"),
    LATER("cache"),
};

static const struct setting price_items[] = {
    {"provider", SETTING_TYPE_TEXT, IN(provider), 1, CONFIG_PROVIDER_NAME_BYTES_MAX, NULL, NULL},
    {"model", SETTING_TYPE_TEXT, IN(model), 1, RULE_NAME_BYTES_MAX, NULL, NULL},
    PRICE("input", input_nanousd),
    PRICE("output", output_nanousd),
    PRICE("cache_read", cache_read_nanousd),
    PRICE("cache_write", cache_write_nanousd),
    PRICE("reasoning", reasoning_nanousd),
    PRICE("audio_input", audio_input_nanousd),
    PRICE("audio_output", audio_output_nanousd),
    {"per_request", SETTING_TYPE_MONEY, IN(per_request_nanousd), 0, MONEY_MAX / 100, NULL, NULL},
    {"from", SETTING_TYPE_DATE, IN(from_us), 0, 0, NULL, NULL},
};

static const struct slice config_sections[] = {{"providers", 9}, {"models", 6}, {"prices", 6}};
static const struct slice rule_sections[] = {{"name", 4}, {"targets", 7}, {"optional", 8}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct settings settings_of_config = {config_items, COUNT(config_items), config_sections,
                                            COUNT(config_sections)};
const struct settings settings_of_provider = {provider_items, COUNT(provider_items), NULL, 0};
const struct settings settings_of_rule = {rule_items, COUNT(rule_items), rule_sections,
                                          COUNT(rule_sections)};
const struct settings settings_of_price = {price_items, COUNT(price_items), NULL, 0};

static struct slice make_name(const char *prefix, const char *path,
                              char text_out[SETTINGS_NAME_BYTES])
{
    const int size = snprintf(text_out, SETTINGS_NAME_BYTES, "%s%s", prefix, path);
    ASSERT(size > 0 && size < SETTINGS_NAME_BYTES);
    return slice_of(text_out, (size_t)size);
}

struct slice settings_variable(const struct setting *setting, char text_out[SETTINGS_NAME_BYTES])
{
    const struct slice name = make_name("WEIR_", setting->path, text_out);
    for (size_t i = 0; i < name.size; i++) {
        if (text_out[i] == '.')
            text_out[i] = '_';
        else if (text_out[i] >= 'a' && text_out[i] <= 'z')
            text_out[i] = (char)(text_out[i] - 'a' + 'A');
    }
    return name;
}

struct slice settings_option(const struct setting *setting, char text_out[SETTINGS_NAME_BYTES])
{
    const struct slice name = make_name("--", setting->path, text_out);
    for (size_t i = 0; i < name.size; i++) {
        if (text_out[i] == '.' || text_out[i] == '_')
            text_out[i] = '-';
    }
    return name;
}

const struct setting *settings_find(const struct settings *settings, struct slice path)
{
    for (size_t i = 0; i < settings->count; i++) {
        if (slice_equal(slice_from_text(settings->items[i].path), path))
            return &settings->items[i];
    }
    return NULL;
}

/* What follows `group` and its point in the path, if it stands below it. */
static bool is_below(struct slice path, struct slice group, struct slice *rest_out)
{
    if (group.size == 0) {
        *rest_out = path;
        return true;
    }
    if (path.size <= group.size || !slice_starts_with(path, group) || path.data[group.size] != '.')
        return false;
    *rest_out = slice_from(path, group.size + 1);
    return true;
}

bool settings_is_group(const struct settings *settings, struct slice path)
{
    struct slice rest;
    for (size_t i = 0; i < settings->count; i++) {
        if (is_below(slice_from_text(settings->items[i].path), path, &rest))
            return true;
    }
    return false;
}

bool settings_is_section(const struct settings *settings, struct slice name)
{
    for (size_t i = 0; i < settings->section_count; i++) {
        if (slice_equal(settings->sections[i], name))
            return true;
    }
    return false;
}

struct slice settings_nearest(const struct settings *settings, struct slice group,
                              struct slice name)
{
    struct nearest nearest;
    struct slice rest;
    nearest_begin(&nearest, name);
    for (size_t i = 0; i < settings->count; i++) {
        if (is_below(slice_from_text(settings->items[i].path), group, &rest))
            nearest_consider(&nearest, slice_of(rest.data, slice_find_byte(rest, '.')));
    }
    for (size_t i = 0; group.size == 0 && i < settings->section_count; i++)
        nearest_consider(&nearest, settings->sections[i]);
    return nearest.found;
}

struct slice settings_elsewhere(const struct settings *settings, struct slice name)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct slice path = slice_from_text(settings->items[i].path);
        const size_t point = path.size > name.size ? path.size - name.size - 1 : 0;
        if (point > 0 && path.data[point] == '.' && slice_ends_with(path, name))
            return path;
    }
    return (struct slice){0};
}
