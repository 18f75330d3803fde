/* What limits cost a request: reading, taking and settling, on one thread.
 *
 * Usage: admission REQUESTS [KEYS]
 *
 * Each request has a key, a user and a team, each with one of `60000req/min`, `1000000000000tok/day` and
 * a monthly budget in Berlin's calendar; KEYS (1) keys take turns. Prints one line of JSON;
 * instructions are 0 where the kernel does not let one count them.
 *
 * Built by: cc -std=c17 -D_GNU_SOURCE -O2 -Isrc tests/perf/admission.c src/policy/X.c src/base/X.c
 * -lcrypto -lsodium, X standing for all files there. */
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
#include "policy/admission.h"

#define REALTIME_US UINT64_C(1795521600000000)
#define NS_PER_US   1000
#define STEP_NS     1000000 /* between two requests: a rate within the limits */

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

static struct level *level_of(struct counters *counters, const char *text)
{
    struct limits limits;
    struct level *level = NULL;
    struct reason reason;
    if (limits_parse(slice_from_text(text), &limits, &reason) != STATUS_OK ||
        level_create(counters, &limits, false, NULL, &level) != STATUS_OK) {
        (void)fprintf(stderr, "no level of %s\n", text);
        exit(1);
    }
    return level;
}

static void make_levels(struct counters *counters, const struct zone *zone,
                        struct admission_levels *levels)
{
    levels->of[LEVEL_KEY] = level_of(counters, "60000req/min");
    levels->of[LEVEL_USER] = level_of(counters, "1000000000000tok/day");
    levels->of[LEVEL_TEAM] = level_of(counters, "1000000usd/month");
    for (unsigned i = 0; i < LEVEL_KIND_COUNT; i++)
        levels->zones[i] = zone;
}

/* As a request does it. False: it was refused. */
static bool serve(const struct admission_levels *levels, uint64_t number)
{
    struct admission_take takes[ADMISSION_TAKES_MAX];
    struct admission_grant grant = {.takes = takes};
    struct admission_refusal refusal;
    const uint64_t now_ns = UINT64_C(1000000000000) + number * STEP_NS;
    const struct admission_demand demand = {now_ns, REALTIME_US + number * (STEP_NS / NS_PER_US),
                                            1500, 4500000};
    const struct admission_actual actual = {now_ns + STEP_NS, 1200, 3100000, false};
    if (admission_take(levels, &demand, &grant, &refusal) != ADMISSION_ADMITTED)
        return false;
    admission_settle(&grant, &actual, NULL);
    return true;
}

static int run(uint64_t requests, size_t keys)
{
    struct counters *counters = NULL;
    const struct zone *zone = NULL;
    struct reason reason = {""};
    struct admission_levels *levels = alloc_zeroed(keys, sizeof(*levels));
    if (levels == NULL || counters_create(&counters, &reason) != STATUS_OK ||
        zone_find(SLICE("Europe/Berlin"), &zone, &reason) != STATUS_OK) {
        (void)fprintf(stderr, "%s\n", reason.text);
        return 1;
    }
    for (size_t i = 0; i < keys; i++)
        make_levels(counters, zone, &levels[i]);
    for (size_t i = 0; i < keys; i++) /* each record's page is there */
        (void)serve(&levels[i], 0);
    const int counter = open_counter();
    const uint64_t instructions = read_counter(counter), start_ns = cpu_ns();
    uint64_t refused = 0;
    for (uint64_t i = 0; i < requests; i++)
        refused += !serve(&levels[i * 7919 % keys], i);
    const uint64_t took_ns = cpu_ns() - start_ns;
    (void)printf("{\"requests\": %llu, \"keys\": %zu, \"refused\": %llu, \"cpu_ns\": %.1f,"
                 " \"instructions\": %.0f}\n",
                 (unsigned long long)requests, keys, (unsigned long long)refused,
                 (double)took_ns / (double)requests,
                 (double)(read_counter(counter) - instructions) / (double)requests);
    for (size_t i = 0; i < keys; i++) {
        for (unsigned kind = 0; kind < LEVEL_KIND_COUNT; kind++)
            level_unref(&levels[i].of[kind]);
    }
    counters_destroy(&counters);
    alloc_free(levels);
    return refused == 0 ? 0 : 1;
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
