/* Configuration files: whatever stands in one, loading ends, with a snapshot or with mistakes, and
 * never with both or neither. It should reach: every YAML event, every type of setting, providers,
 * rules, ${...}, file:PATH, and both forms of show.
 *
 * What must hold. A snapshot can be used without looking: it listens somewhere, its slices end in a
 * zero byte and hold no control byte, each target has a provider with a credential. A report has a
 * line per mistake. What stands in a secret's file is in neither. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "config/load.h"
#include "config/show.h"

#define CANARY      "jK8z-canary-Qw3"
#define SHOWN_BYTES ((size_t)64 << 20)

static enum status give(void *context, const char *path, struct buffer *content,
                        struct reason *reason)
{
    const struct slice name = slice_from_text(path);
    if (slice_equal(name, SLICE("fuzz.yaml")))
        return buffer_append(content, *(const struct slice *)context);
    if (slice_equal(name, SLICE("key")))
        return buffer_append(content, SLICE(CANARY "\n"));
    if (slice_ends_with(name, SLICE(".pem")))
        return buffer_append(content, SLICE("-----BEGIN CERTIFICATE-----\n" CANARY));
    if (slice_ends_with(name, SLICE("denied"))) {
        reason_set(reason, "%s: Permission denied", path);
        return STATUS_DENIED;
    }
    return STATUS_NOT_FOUND;
}

static void check_slice(struct slice slice)
{
    if (slice.data == NULL)
        return;
    ASSERT(slice.data[slice.size] == '\0');
    for (size_t i = 0; i < slice.size; i++)
        ASSERT((unsigned char)slice.data[i] >= 0x20 && slice.data[i] != 0x7f);
}

static void check_listeners(const struct config_listeners *listeners)
{
    for (size_t i = 0; i < listeners->count; i++) {
        const struct config_listener *item = &listeners->items[i];
        ASSERT(item->address.ip.size == 4 || item->address.ip.size == 16);
        ASSERT((item->certificate.size > 0) == (item->key.size > 0));
        check_slice(item->address.host);
        check_slice(item->certificate);
        check_slice(item->key);
    }
}

static void check_url(const struct config_url *url)
{
    ASSERT(url->host.size == 0 || url->port > 0);
    check_slice(url->host);
    check_slice(url->authority);
    check_slice(url->path);
    check_slice(url->userinfo);
}

static void check_provider(const struct config_provider *provider)
{
    ASSERT(provider->name.size > 0 && provider->base_url.host.size > 0);
    ASSERT(provider->tls_verify && provider->origins != NULL);
    ASSERT(provider->has_credential || provider->api_key.size == 0);
    check_slice(provider->name);
    check_slice(provider->api_key);
    check_slice(provider->tls_ca);
    check_slice(provider->catalogue);
    check_slice(provider->region);
    ASSERT(provider->timeouts.usage_drain_ms <= 600000);
    check_url(&provider->base_url);
    check_url(&provider->proxy);
    for (size_t i = 0; i < provider->headers.count; i++) {
        check_slice(provider->headers.items[i].name);
        check_slice(provider->headers.items[i].value);
    }
    for (size_t i = 0; i < provider->forward_headers.count; i++) {
        check_slice(provider->forward_headers.items[i]);
        ASSERT(!slice_equal_nocase(provider->forward_headers.items[i], SLICE("authorization")));
        ASSERT(!slice_equal_nocase(provider->forward_headers.items[i], SLICE("content-length")));
    }
}

static void check_rules(const struct config *config)
{
    for (size_t i = 0; i < config->rules.count; i++) {
        const struct rule *rule = &config->rules.items[i];
        ASSERT(rule->target_count > 0);
        check_slice(rule->name);
        for (size_t j = 0; j < rule->target_count; j++) {
            ASSERT(rule->targets[j].provider < config->provider_count);
            ASSERT(config->providers[rule->targets[j].provider].has_credential);
            check_slice(rule->targets[j].model);
        }
        ASSERT(rule->window_tokens == 0 || rule->max_output_tokens <= rule->window_tokens);
        ASSERT(rule->window_tokens == 0 || rule->reserve_output_tokens < rule->window_tokens);
        ASSERT(rule_matches(rule, rule->literal));
        ASSERT(rules_match(&config->rules, rule->literal) != NULL);
    }
}

static void check_amount(int64_t nanousd)
{
    ASSERT(nanousd >= CONFIG_PRICE_UNSET && nanousd <= INT64_C(1000000000000000));
}

static void check_prices(const struct config *config)
{
    for (size_t i = 0; i < config->prices.count; i++) {
        const struct config_price *price = &config->prices.items[i];
        check_slice(price->provider);
        check_slice(price->model);
        ASSERT(config_provider_find(config, price->provider) != NULL && price->model.size > 0);
        ASSERT(price->origin.kind == CONFIG_ORIGIN_FILE && price->origin.line > 0);
        check_amount(price->input_nanousd);
        check_amount(price->output_nanousd);
        check_amount(price->reasoning_nanousd);
        check_amount(price->per_request_nanousd);
    }
}

static void check_ledger(const struct config_ledger *ledger)
{
    ASSERT(ledger->journal_bytes >= (uint64_t)1 << 20);
    ASSERT(ledger->sync_ms >= 1 && ledger->sync_ms <= 10000);
    ASSERT(ledger->retention_ms == 0 || ledger->retention_ms >= 3600000);
}

static void check_limits(const struct limits *limits)
{
    ASSERT(limits->count <= LIMITS_MAX);
    for (size_t i = 0; i < limits->count; i++)
        ASSERT(limits->items[i].amount > 0);
}

static void check_governance(const struct config *config)
{
    const struct config_percents *alerts = &config->budgets.alerts;
    check_limits(&config->limits);
    for (size_t i = 0; i < config->provider_count; i++)
        check_limits(&config->providers[i].limits);
    for (size_t i = 0; i < config->rules.count; i++)
        check_limits(&config->rule_limits[i]);
    ASSERT(alerts->count <= CONFIG_ALERTS_MAX);
    for (size_t i = 0; i < alerts->count; i++)
        ASSERT(alerts->items[i] > (i > 0 ? alerts->items[i - 1] : 0) && alerts->items[i] <= 200);
    ASSERT(config->trusted_proxies.count <= 256);
}

static void check_config(const struct config *config)
{
    ASSERT(config->listen.count > 0 && config->data_dir.size > 0);
    check_listeners(&config->listen);
    check_listeners(&config->admin.listen);
    check_listeners(&config->metrics_listen);
    for (size_t i = 0; i < config->admin.listen.count; i++)
        ASSERT(config_ip_is_loopback(&config->admin.listen.items[i].address.ip));
    for (size_t i = 0; i < config->provider_count; i++)
        check_provider(&config->providers[i]);
    for (size_t i = 0; i < config->cors.origins.count; i++)
        check_slice(config->cors.origins.items[i]);
    check_slice(config->data_dir);
    check_rules(config);
    check_prices(config);
    check_ledger(&config->ledger);
    check_governance(config);
}

static bool shows_canary(const struct buffer *text)
{
    return slice_find(buffer_slice(text), SLICE(CANARY)) < text->size;
}

static void check_shown(const struct config *config, enum config_form form, bool may_show)
{
    struct buffer text;
    buffer_init(&text, SHOWN_BYTES);
    ASSERT(config_show(config, form, &text) == STATUS_OK);
    ASSERT(text.size > 0 && text.data[text.size - 1] == '\n');
    ASSERT(may_show || !shows_canary(&text));
    buffer_fini(&text);
    buffer_init(&text, SHOWN_BYTES);
    ASSERT(config_diff_restart(config, config, &text) == STATUS_OK && text.size == 0);
    buffer_fini(&text);
}

static void check_report(const struct config_report *report, bool may_show)
{
    struct buffer text;
    size_t lines = 0;
    buffer_init(&text, SHOWN_BYTES);
    ASSERT(config_report_write(report, &text) == STATUS_OK);
    for (size_t i = 0; i < text.size; i++) {
        lines += text.data[i] == '\n';
        ASSERT(text.data[i] == '\n' || (unsigned char)text.data[i] >= 0x20);
    }
    ASSERT(lines == report->count + (report->left_out > 0));
    ASSERT(may_show || !shows_canary(&text));
    buffer_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *const environment[] = {(char[]){"A=1"}, (char[]){"E="}, (char[]){"WEIR_WORKERS=2"},
                                 (char[]){"HTTPS_PROXY=proxy:3128"}, NULL};
    const struct slice text = slice_of(data, size);
    const bool may_show = slice_find(text, SLICE("canary")) < size;
    const struct config_source source = {.path = "fuzz.yaml",
                                         .environment = environment,
                                         .read = give,
                                         .read_context = (void *)(uintptr_t)&text};
    struct config_report report;
    const struct config *config = NULL;
    config_report_init(&report);
    const enum status status = config_load(&source, &report, &config);
    ASSERT((status == STATUS_OK) == (config != NULL));
    ASSERT((status == STATUS_INVALID) == (report.error_count > 0) || status == STATUS_NO_MEMORY);
    check_report(&report, may_show);
    if (status == STATUS_OK) {
        check_config(config);
        check_shown(config, CONFIG_FORM_TEXT, may_show);
        check_shown(config, CONFIG_FORM_JSON, may_show);
        config_unref(&config);
    }
    config_report_fini(&report);
    return 0;
}
