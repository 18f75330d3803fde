/* The configuration in force: an immutable snapshot, shared by reference.
 *
 * Thread: any; nothing in it changes once config_load() gave it out. Memory: the snapshot owns
 * all that it points to; the last config_unref() frees it. Every slice in it is followed by a
 * zero byte, so that `.data` serves as a C string. A slice of size 0 means "not set" unless its
 * comment says more. Meaning, range and default of each setting: docs/configuration.md. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cidr.h"
#include "base/slice.h"
#include "config/address.h"
#include "config/url.h"
#include "models/rules.h"
#include "policy/limit.h"

/* Where a setting in force comes from. */
enum config_origin_kind {
    CONFIG_ORIGIN_DEFAULT,
    CONFIG_ORIGIN_FILE,
    CONFIG_ORIGIN_ENVIRONMENT,
    CONFIG_ORIGIN_COMMAND_LINE,
    CONFIG_ORIGIN_STORE, /* added through the admin API */
};

struct config_origin {
    enum config_origin_kind kind;
    uint32_t line, column; /* CONFIG_ORIGIN_FILE only; from 1 */
};

#define CONFIG_PROVIDER_NAME_BYTES_MAX 64

struct config_texts {
    const struct slice *items;
    size_t count;
};

struct config_listener {
    struct config_address address; /* port 0: a free one */
    struct slice certificate;      /* path of a PEM chain; not set: no TLS */
    struct slice key;              /* path of its PEM key; set exactly when `certificate` is */
};

struct config_listeners {
    const struct config_listener *items;
    size_t count;
};

struct config_networks {
    const struct cidr *items;
    size_t count;
};

struct config_admin {
    struct config_listeners listen; /* none: no admin listener */
    bool insecure;                  /* an address that others reach may do without TLS */
    struct slice token;             /* a secret that is worth the role admin; not set: none */
    struct config_networks allowed_networks; /* see config/guard.h */
};

struct config_secrets {
    struct slice master_key; /* SEAL_KEY_SIZE bytes; data is NULL: not here */
};

struct config_cors {
    struct config_texts origins; /* "*" or origins such as "https://app.example" */
    bool credentials;
};

struct config_transport {
    uint64_t header_bytes;
    uint32_t headers;
    uint64_t body_bytes; /* on the wire and decompressed, each */
    uint32_t json_depth;
    uint32_t connections;
    uint32_t connections_per_address; /* 0: no limit */
    uint32_t requests_in_flight;
    uint64_t body_memory_bytes;
    uint64_t answer_bytes;
};

struct config_timeouts {
    uint64_t header_ms;
    uint64_t body_ms;
    uint64_t idle_ms;
    uint64_t linger_ms;
    uint64_t drain_ms;
};

enum config_store {
    CONFIG_STORE_SQLITE,
};

/* What becomes of a request that the journal has no room for. */
enum config_when_full {
    CONFIG_WHEN_FULL_REFUSE,
    CONFIG_WHEN_FULL_UNRECORDED, /* it is answered, and counted only as a number */
};

/* What a request costs whose end a crash has taken. */
enum config_orphans {
    CONFIG_ORPHANS_ESTIMATE,
    CONFIG_ORPHANS_NOTHING,
};

struct config_ledger {
    uint64_t journal_bytes; /* of all segments together */
    enum config_when_full when_full;
    enum config_orphans orphans;
    uint64_t sync_ms;      /* what a power cut can take */
    uint64_t retention_ms; /* 0: rows are kept for ever */
};

/* What becomes of a request that is longer than what is left of a budget. */
enum config_when_short {
    CONFIG_WHEN_SHORT_SHRINK, /* its answer may be shorter, down to `min_output_tokens` */
    CONFIG_WHEN_SHORT_REFUSE,
};

/* What becomes of a request under a hard budget whose model has no price. */
enum config_unpriced {
    CONFIG_UNPRICED_REFUSE,
    CONFIG_UNPRICED_ALLOW,
};

#define CONFIG_ALERTS_MAX 8

struct config_percents {
    uint8_t items[CONFIG_ALERTS_MAX]; /* rising, each 1 to 200 */
    size_t count;
};

struct config_budgets {
    uint32_t min_output_tokens;
    uint32_t expected_output_tokens; /* of a request that states no maximum */
    enum config_when_short when_short;
    enum config_unpriced unpriced;
    struct config_percents alerts; /* of each budget: the shares that are told */
    bool is_warn_only;             /* the configuration's own budgets refuse nobody */
};

enum config_dialect {
    CONFIG_DIALECT_OPENAI,
};

enum config_stream_usage {
    CONFIG_STREAM_USAGE_AUTO,
    CONFIG_STREAM_USAGE_ALWAYS,
    CONFIG_STREAM_USAGE_NEVER,
};

struct config_header {
    struct slice name;  /* in lower case */
    struct slice value; /* a secret; may be empty */
};

struct config_headers {
    const struct config_header *items;
    size_t count;
};

struct config_provider_timeouts {
    uint64_t connect_ms;
    uint64_t first_byte_ms; /* streamed answers only */
    uint64_t event_gap_ms;
    uint64_t total_ms;        /* of an answer that is not streamed */
    uint64_t stream_total_ms; /* of one that is */
    uint64_t usage_drain_ms;  /* for the usage of a stream whose client left; 0: none */
};

struct config_provider_connections {
    uint32_t max;     /* of the whole process */
    uint64_t idle_ms; /* an idle one older than this is not used again */
};

struct config_provider {
    struct slice name;
    enum config_dialect dialect;
    struct config_url base_url;
    struct slice api_key; /* a secret; data is NULL: none was configured, none is sent */
    bool has_credential;  /* false: an api_key was configured and is empty; do not call it */
    bool is_from_api;     /* added through the admin API: guarded, see config/guard.h */
    struct config_headers headers;       /* sent with every call, over weir's own */
    struct config_texts forward_headers; /* names in lower case, of the client's request */
    struct config_url proxy;             /* HTTP CONNECT; host.size 0: none. userinfo is a secret */
    enum config_stream_usage stream_usage;
    bool is_free;           /* what has no price in `prices` costs nothing */
    struct slice catalogue; /* a name of the catalogue of prices; not set: by host or name */
    struct slice region;    /* for prices that differ by region */
    struct config_provider_timeouts timeouts;
    struct config_provider_connections connections;
    struct limits limits;                /* of all that is asked of it */
    struct slice tls_ca;                 /* path of a PEM bundle; not set: the system's */
    bool tls_verify;                     /* always true */
    const struct config_origin *origins; /* for config_show() */
    struct config_origin origin;         /* of the whole entry; DEFAULT: it is built in */
};

/* An entry of `models`: the rule, and what is not the rules' matter. */
struct config_rule {
    struct rule rule;
    struct limits limits;
};

#define CONFIG_PRICE_UNSET INT64_C(-1)

/* An entry of `prices`. Amounts are of a million tokens, or CONFIG_PRICE_UNSET; at least one is set,
 * none is more than a million dollars. No two entries have the same provider, model and time. */
struct config_price {
    struct slice provider; /* of one that there is */
    struct slice model;    /* the provider's name for it; a '*' at its end: all that start so */
    int64_t input_nanousd, output_nanousd;
    int64_t cache_read_nanousd, cache_write_nanousd;
    int64_t reasoning_nanousd;
    int64_t audio_input_nanousd, audio_output_nanousd;
    int64_t per_request_nanousd; /* of one request; × 1,000,000 fits in a uint64_t */
    uint64_t from_us;            /* holds from then on, since 1970; 0: it always has */
    struct config_origin origin; /* where the entry stands */
};

struct config_prices {
    const struct config_price *items; /* in the order of the file */
    size_t count;
};

struct config {
    struct slice file;              /* the file it was read from; not set: none */
    struct config_listeners listen; /* at least one */
    struct config_admin admin;
    struct config_listeners metrics_listen; /* none: /metrics stands on the admin listener only */
    struct slice data_dir;
    uint32_t workers; /* 0: one per core */
    enum config_store store;
    struct config_cors cors;
    struct config_transport transport;
    struct config_timeouts timeouts;
    struct config_ledger ledger;
    struct limits limits; /* of the whole gateway */
    struct config_budgets budgets;
    struct config_networks trusted_proxies;
    struct config_secrets secrets;

    const struct config_provider *providers;
    size_t provider_count;
    struct rules rules;               /* only those left with a target; see rules_match() */
    const struct limits *rule_limits; /* one for each of `rules` */
    struct config_prices prices;
    struct config_texts notices; /* to be said once at start, a line each, no full stop */

    /* Of config/ alone. */
    atomic_uint references;
    struct arena arena;
    const struct config_origin *origins;
    const struct config_origin *rule_origins; /* one for each of `rules` */
    /* As many as settings_of_rule has for each of `rules`. */
    const struct config_origin *rule_setting_origins;
    struct config_memory *memory; /* for config_load_again() */
};

/* One more holder of the snapshot; returns it. */
const struct config *config_ref(const struct config *config);
/* Lets go of *config, if any, and sets it to NULL; the last one frees it. */
void config_unref(const struct config **config);

/* Where its credential stands. */
struct config_origin config_provider_key_origin(const struct config_provider *provider);

/* The provider of that name, or NULL. */
const struct config_provider *config_provider_find(const struct config *config, struct slice name);

#endif
