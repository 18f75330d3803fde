#include "gateway/snapshot.h"

#include "unit/config/loading.h"

#include <unistd.h>

#include "base/alloc.h"
#include "support/certificate.h"

static struct metrics *metrics;

static int make_metrics(void **state)
{
    (void)state;
    const struct metrics_config config = {.version = "1"};
    return metrics_create(&config, &metrics) == STATUS_OK ? 0 : -1;
}

static int destroy_metrics(void **state)
{
    (void)state;
    metrics_destroy(&metrics);
    return 0;
}

/* The configuration is made to believe in the certificate's files; the snapshot reads them. */
static struct certificate certificate;

static enum status make(const char *yaml, struct snapshot **snapshot_out, struct reason *reason)
{
    struct loading loading = {.files = {{certificate.chain, "-----BEGIN CERTIFICATE-----\n"},
                                        {certificate.key, "-----BEGIN PRIVATE KEY-----\n"}}};
    const struct config *config = config_ref(loading_sound(&loading, yaml));
    loading_end(&loading);
    const enum status status = snapshot_create(&config, metrics, snapshot_out, reason);
    assert_null(config); /* it was taken over in any case */
    return status;
}

static struct snapshot *made(const char *yaml)
{
    struct snapshot *snapshot;
    assert_int_equal(make(yaml, &snapshot, NULL), STATUS_OK);
    return snapshot;
}

/* --- Providers --- */

static void assert_head_lines(const char *settings, const char *expected)
{
    char yaml[1024];
    (void)snprintf(yaml, sizeof(yaml),
                   "providers: { p: { base_url: 'http://h.example:81/v1', %s } }\n"
                   "models: [{ name: '*', targets: [p] }]\n",
                   settings);
    struct snapshot *snapshot = made(yaml);
    assert_true(slice_equal(snapshot->providers[0].head_lines, slice_from_text(expected)));
    snapshot_unref(&snapshot);
}

static void a_providers_fixed_lines_are_made_once(void **state)
{
    (void)state;
    assert_head_lines("stream_usage: auto", "host: h.example:81\r\naccept-encoding: identity\r\n");
    assert_head_lines("api_key: k1", "host: h.example:81\r\nauthorization: Bearer k1\r\n"
                                     "accept-encoding: identity\r\n");
    assert_head_lines("api_key: k1, headers: { X-Team: blue }",
                      "host: h.example:81\r\nauthorization: Bearer k1\r\n"
                      "accept-encoding: identity\r\nx-team: blue\r\n");
}

static void a_providers_own_headers_replace_weirs(void **state)
{
    (void)state;
    assert_head_lines("api_key: k1, headers: { Host: other, Authorization: own, "
                      "Accept-Encoding: gzip }",
                      "host: other\r\nauthorization: own\r\naccept-encoding: gzip\r\n");
}

static void what_a_provider_sets_is_known_in_any_case(void **state)
{
    (void)state;
    struct snapshot *snapshot =
        made("providers: { p: { base_url: http://h/v1, headers: { User-Agent: mine } } }\n"
             "models: [{ name: '*', targets: [p] }]\n");
    const struct config_provider *provider = &snapshot->config->providers[0];
    assert_true(provider_sets_header(provider, SLICE("user-agent")));
    assert_true(provider_sets_header(provider, SLICE("USER-Agent")));
    assert_false(provider_sets_header(provider, SLICE("user-agents")));
    assert_false(provider_sets_header(provider, SLICE("")));
    snapshot_unref(&snapshot);
}

static void assert_authorization(const char *proxy, const char *expected)
{
    char yaml[1024];
    (void)snprintf(yaml, sizeof(yaml),
                   "providers: { p: { base_url: http://h/v1, proxy: '%s' } }\n"
                   "models: [{ name: '*', targets: [p] }]\n",
                   proxy);
    struct snapshot *snapshot = made(yaml);
    assert_true(slice_equal(snapshot->providers[0].proxy_authorization, slice_from_text(expected)));
    snapshot_unref(&snapshot);
}

static void a_proxys_credentials_are_percent_decoded(void **state)
{
    (void)state;
    assert_authorization("http://proxy:1", "");
    assert_authorization("http://user:pass@proxy:1", "Basic dXNlcjpwYXNz");
    assert_authorization("http://u%40x:%41b@proxy:1", "Basic dUB4OkFi");
}

/* --- CORS --- */

static bool has_lines(const char *cors, const char *line)
{
    struct snapshot *snapshot = made(cors);
    const bool has =
        slice_find(snapshot->cors_lines, slice_from_text(line)) < snapshot->cors_lines.size;
    assert_true(snapshot->cors_exposed_lines.size > 0);
    snapshot_unref(&snapshot);
    return has;
}

static void cors_lines_are_fixed_where_the_origin_does_not_matter(void **state)
{
    (void)state;
    assert_true(has_lines("workers: 1\n", "access-control-allow-origin: *\r\n"));
    assert_true(has_lines("workers: 1\n", "access-control-expose-headers: x-request-id, "));
    assert_false(has_lines("cors: { origins: ['https://a.example'] }\n", "access-control"));
    assert_false(has_lines("cors: { credentials: true, origins: ['https://a.example'] }\n",
                           "access-control"));
}

/* --- What goes wrong --- */

static void a_file_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    struct snapshot *snapshot;
    struct reason reason = {""};
    char yaml[1024];
    certificate_make(&certificate, "DNS:weir.test", CERTIFICATE_VALID);
    (void)snprintf(yaml, sizeof(yaml),
                   "listen: [{ address: 127.0.0.1:1, tls: { certificate: %s, key: %s } }]\n",
                   certificate.chain, certificate.key);
    snapshot = made(yaml);
    assert_non_null(snapshot->listeners[0].tls);
    snapshot_unref(&snapshot);

    assert_int_equal(truncate(certificate.key, 100), 0);
    assert_int_equal(make(yaml, &snapshot, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, certificate.key));
    certificate_remove(&certificate);
}

static void every_failed_allocation_leaves_nothing(void **state)
{
    (void)state;
    static const char yaml[] =
        "providers:\n"
        "  p: { base_url: 'https://h/v1', api_key: k, proxy: 'http://u:p@x:1', headers: {a: b} }\n"
        "models: [{ name: '*', targets: [p] }]\n";
    unsigned failures = 0;
    for (int nth = 0;; nth++) {
        struct loading loading = {0};
        struct snapshot *snapshot = NULL;
        const struct config *config = config_ref(loading_sound(&loading, yaml));
        loading_end(&loading);
        alloc_fail_nth(nth);
        const enum status status = snapshot_create(&config, metrics, &snapshot, NULL);
        alloc_fail_nth(-1);
        assert_null(config);
        snapshot_unref(&snapshot);
        if (status == STATUS_OK)
            break;
        assert_int_equal(status, STATUS_NO_MEMORY);
        failures++;
        assert_true(nth < 100);
    }
    assert_true(failures > 3);
}

static void the_last_holder_frees_it(void **state)
{
    (void)state;
    struct snapshot *snapshot = made("workers: 1\n"), *other = snapshot_ref(snapshot);
    assert_ptr_equal(other, snapshot);
    snapshot_unref(&snapshot);
    assert_null(snapshot);
    assert_int_equal(other->config->workers, 1);
    snapshot_unref(&other);
    snapshot_unref(&other); /* there is none any more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_providers_fixed_lines_are_made_once),
        cmocka_unit_test(a_providers_own_headers_replace_weirs),
        cmocka_unit_test(what_a_provider_sets_is_known_in_any_case),
        cmocka_unit_test(a_proxys_credentials_are_percent_decoded),
        cmocka_unit_test(cors_lines_are_fixed_where_the_origin_does_not_matter),
        cmocka_unit_test(a_file_that_cannot_be_used_is_named),
        cmocka_unit_test(every_failed_allocation_leaves_nothing),
        cmocka_unit_test(the_last_holder_frees_it),
    };
    return cmocka_run_group_tests(tests, make_metrics, destroy_metrics);
}
