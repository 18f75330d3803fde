/* What it costs a request that its key is checked and that limits hold, on one thread: hashing the key's
 * text, finding it, asking what it may do; then reading, taking and settling. At most 1 µs together.
 *
 * Usage: admission REQUESTS [KEYS]
 *
 * Each request has a key, a user and a team, each with one of `60000req/min`, `1000000000000tok/day` and
 * a monthly budget in Berlin's calendar; KEYS (1) keys, each with a user and limits of its own, take
 * turns, all in one team. Prints one line of JSON; instructions are 0 where the kernel does not let one
 * count them. Built and run by admission.py. */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/reason.h"
#include "identity/access.h"
#include "identity/key_hasher.h"
#include "identity/map.h"
#include "policy/admission.h"

#define REALTIME_US UINT64_C(1795521600000000)
#define NS_PER_US   1000
#define STEP_NS     1000000 /* between two requests: a rate within the limits */
#define TURN        8       /* requests in one turn of a loop */
#define KEY_SIZE    47

static uint64_t cpu_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int open_counter(void)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attributes),
        .config = PERF_COUNT_HW_INSTRUCTIONS,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

static uint64_t read_counter(int descriptor)
{
    uint64_t count = 0;
    if (descriptor < 0 || read(descriptor, &count, sizeof(count)) != (ssize_t)sizeof(count))
        return 0;
    return count;
}

/* --- Keys ------------------------------------------------------------------------------------------------ */

struct bench {
    struct counters *counters;
    const struct zone *zone;
    struct identity_map *map;
    struct identity_reader *reader;
    struct key_hasher *hasher;
    char (*texts)[KEY_SIZE + 1];
    size_t key_count;
};

static void fail(const char *why)
{
    (void)fprintf(stderr, "admission: %s\n", why);
    exit(1);
}

static void unref_level(struct level **level)
{
    level_unref(level);
}

static struct identity_rules *rules_of(struct bench *bench, const char *text)
{
    struct identity_rules_spec spec = {.unref = unref_level};
    struct identity_rules *rules = NULL;
    struct limits limits;
    struct reason reason;
    if (limits_parse(slice_from_text(text), &limits, &reason) != STATUS_OK ||
        level_create(bench->counters, &limits, false, NULL, &spec.level) != STATUS_OK ||
        identity_rules_create(&spec, &rules, &reason) != STATUS_OK)
        fail(text);
    return rules;
}

static struct id id_of(uint64_t number)
{
    struct id id = {{1}};
    memcpy(id.bytes + 8, &number, sizeof(number));
    return id;
}

static void add_key(struct bench *bench, size_t number)
{
    const struct id team_id = id_of(0);
    unsigned char hash[KEY_HASH_SIZE];
    char *text = bench->texts[number];
    (void)snprintf(text, KEY_SIZE + 1, "sk-perf-%039zu", number);
    const struct identity_user_spec user = {.id = id_of(number + 1),
                                            .name = slice_from_text(text),
                                            .team_id = &team_id,
                                            .rules = rules_of(bench, "1000000000000tok/day")};
    const struct identity_spec key = {.key_id = user.id,
                                      .hash = hash,
                                      .user_id = user.id,
                                      .rules = rules_of(bench, "60000req/min")};
    if (key_hasher_hash(bench->hasher, slice_of(text, KEY_SIZE), hash) != STATUS_OK ||
        identity_map_put_user(bench->map, &user) != STATUS_OK ||
        identity_map_put(bench->map, &key) != STATUS_OK)
        fail("no memory");
}

static void set_up(struct bench *bench, size_t key_count)
{
    static const unsigned char pepper[PEPPER_SIZE];
    struct reason reason = {""};
    *bench = (struct bench){.key_count = key_count};
    bench->texts = alloc_zeroed(key_count, sizeof(bench->texts[0]));
    if (bench->texts == NULL || counters_create(&bench->counters, &reason) != STATUS_OK ||
        zone_find(SLICE("Europe/Berlin"), &bench->zone, &reason) != STATUS_OK ||
        identity_map_create(&bench->map) != STATUS_OK ||
        identity_reader_create(bench->map, &bench->reader) != STATUS_OK ||
        key_hasher_create(pepper, &bench->hasher) != STATUS_OK)
        fail(reason.text);
    const struct identity_team_spec team = {.id = id_of(0),
                                            .name = SLICE("perf"),
                                            .zone = bench->zone,
                                            .rules = rules_of(bench, "100000000usd/month")};
    if (identity_map_put_team(bench->map, &team) != STATUS_OK)
        fail("no memory");
    for (size_t i = 0; i < key_count; i++)
        add_key(bench, i);
}

static void tear_down(struct bench *bench)
{
    identity_reader_destroy(&bench->reader);
    identity_map_destroy(&bench->map);
    counters_destroy(&bench->counters);
    key_hasher_destroy(&bench->hasher);
    alloc_free(bench->texts);
}

/* --- A request ------------------------------------------------------------------------------------------- */

/* As gateway/request.c and gateway/target.c do it. NULL: refused. */
static struct identity_key *authenticate(struct bench *bench, uint64_t number)
{
    static const unsigned char address[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
    const char *text = bench->texts[number * 7919 % bench->key_count];
    const uint64_t now_us = REALTIME_US + number * (STEP_NS / NS_PER_US);
    unsigned char hash[KEY_HASH_SIZE];
    if (number % TURN == 0)
        identity_reader_turn(bench->reader);
    if (key_hasher_hash(bench->hasher, slice_of(text, KEY_SIZE), hash) != STATUS_OK)
        return NULL;
    struct identity_key *key = identity_find(bench->reader, hash);
    if (key == NULL || identity_check(key, now_us) != IDENTITY_VERDICT_VALID ||
        !identity_allows_route(key, SLICE("/v1/chat/completions")) ||
        !identity_allows_address(key, address) || !identity_allows_model(key, SLICE("gpt-4o-mini")))
        return NULL;
    identity_key_acquire(key);
    identity_note_use(bench->reader, key, (uint32_t)(now_us / 1000000));
    return key;
}

static void find_levels(const struct identity_key *key, struct admission_levels *levels)
{
    const struct identity_team *team = identity_key_team(key);
    const struct zone *zone = identity_team_zone(team);
    *levels = (struct admission_levels){
        .of = {[LEVEL_KEY] = identity_rules_level(key->rules),
               [LEVEL_USER] = identity_rules_level(identity_key_user_rules(key)),
               [LEVEL_TEAM] = identity_rules_level(identity_team_rules(team))},
        .zones = {[LEVEL_KEY] = zone, [LEVEL_USER] = zone, [LEVEL_TEAM] = zone}};
}

/* As gateway/admit.c does it: a look, a hold and its settling. False: it was refused. */
static bool admit(const struct identity_key *key, uint64_t number)
{
    struct admission_levels levels;
    struct admission_take takes[ADMISSION_TAKES_MAX];
    struct admission_grant grant = {.takes = takes};
    struct admission_refusal refusal;
    const uint64_t now_ns = UINT64_C(1000000000000) + number * STEP_NS;
    struct admission_demand demand = {now_ns, REALTIME_US + number * (STEP_NS / NS_PER_US), 1500,
                                      0};
    const struct admission_actual actual = {now_ns + STEP_NS, 1200, 3100000, false};
    find_levels(key, &levels);
    if (admission_check(&levels, &demand, &refusal) != ADMISSION_ADMITTED)
        return false;
    demand.cost_nanousd = 4500000;
    if (admission_take(&levels, &demand, &grant, &refusal) != ADMISSION_ADMITTED)
        return false;
    admission_settle(&grant, &actual, NULL);
    return true;
}

static bool serve(struct bench *bench, uint64_t number, bool is_limited)
{
    struct identity_key *key = authenticate(bench, number);
    const bool is_served = key != NULL && (!is_limited || admit(key, number));
    identity_key_release(&key);
    return is_served;
}

/* --- Measuring ------------------------------------------------------------------------------------------- */

struct figures {
    double cpu_ns, instructions;
    uint64_t refused;
};

static struct figures measure(struct bench *bench, uint64_t requests, bool is_limited)
{
    const int counter = open_counter();
    const uint64_t instructions = read_counter(counter), start_ns = cpu_ns();
    struct figures figures = {0};
    for (uint64_t i = 0; i < requests; i++)
        figures.refused += !serve(bench, i, is_limited);
    figures.cpu_ns = (double)(cpu_ns() - start_ns) / (double)requests;
    figures.instructions = (double)(read_counter(counter) - instructions) / (double)requests;
    if (counter >= 0)
        (void)close(counter);
    return figures;
}

static int run(uint64_t requests, size_t keys)
{
    struct bench bench;
    set_up(&bench, keys);
    for (size_t i = 0; i < keys; i++) /* each record's page is there */
        (void)serve(&bench, i, true);
    const struct figures checked = measure(&bench, requests, false);
    const struct figures all = measure(&bench, requests, true);
    (void)printf("{\"requests\": %llu, \"keys\": %zu, \"refused\": %llu, \"key_ns\": %.0f,"
                 " \"limits_ns\": %.0f, \"all_ns\": %.0f, \"instructions\": %.0f}\n",
                 (unsigned long long)requests, keys,
                 (unsigned long long)(checked.refused + all.refused), checked.cpu_ns,
                 all.cpu_ns - checked.cpu_ns, all.cpu_ns, all.instructions);
    tear_down(&bench);
    return checked.refused + all.refused == 0 ? 0 : 1;
}

int main(int count, char **arguments)
{
    if (count < 2) {
        (void)fprintf(stderr, "usage: admission REQUESTS [KEYS]\n");
        return 2;
    }
    const size_t keys = count > 2 ? strtoull(arguments[2], NULL, 10) : 1;
    return run(strtoull(arguments[1], NULL, 10), keys > 0 ? keys : 1);
}
