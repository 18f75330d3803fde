/* load - sends chat requests and checks every byte of what comes back: `load --port N ...`.
 *
 *   by default   each connection sends its next request when the last is answered
 *   --rate R     R requests a second are due whatever the gateway does, and the latency counts
 *                from then on, so that a gateway which stalls cannot hide its queue
 *   --once       one request on each connection; with --ramp-ms the connections begin one by one
 *   --hold       the same, and the connections stay open until standard input ends
 *   --keys FILE  each request has one of these keys, at random
 *
 * An answer must be the provider's to the byte (script.h), with the ticket of its request. Prints
 * one line of JSON; times are microseconds. */
#include "load.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "process.h"

#define EVENTS_PER_WAIT 512
#define WAIT_MS_MAX     50
#define KEYS_BYTES_MAX  ((size_t)1 << 30)

/* --- Keys ----------------------------------------------------------------------------------- */

static void read_keys(struct load *load)
{
    const char *path = load->options.keys;
    char bytes[1 << 16];
    size_t size;
    buffer_init(&load->keys, KEYS_BYTES_MAX);
    if (path == NULL)
        return;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        process_fail("there is no such file of keys");
    while ((size = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buffer_append(&load->keys, slice_of(bytes, size));
    (void)fclose(file);
    ASSERT(buffer_status(&load->keys) == STATUS_OK);
    if (load->keys.size == 0 || load->keys.size % (strlen(load->options.key) + 1) != 0)
        process_fail("the keys of the file are not as long as --key");
}

/* A xorshift generator (Marsaglia): any numbers will do that are soon everywhere. */
static uint64_t next_random(struct load *load)
{
    load->random ^= load->random << 13;
    load->random ^= load->random >> 7;
    load->random ^= load->random << 17;
    return load->random;
}

const char *load_next_key(struct load *load)
{
    const size_t line = load->request.key_size + 1;
    if (load->keys.size == 0)
        return NULL;
    return load->keys.data + next_random(load) % (load->keys.size / line) * line;
}

/* --- The request ---------------------------------------------------------------------------- */

static void write_request(struct load *load)
{
    const struct load_options *options = &load->options;
    const struct script_request request = {.model = options->model,
                                           .body_bytes = options->body_bytes,
                                           .stream = options->stream,
                                           .usage = options->usage};
    struct buffer body;
    buffer_init(&body, (size_t)64 << 20);
    script_write_request(&body, &request);
    form_init(&load->request);
    buffer_printf(&load->request.text,
                  "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json\r\n"
                  "Accept: */*\r\nUser-Agent: load\r\nAuthorization: Bearer %s\r\n"
                  "Content-Length: %zu\r\n\r\n",
                  options->path, (unsigned)options->port, options->key, body.size);
    buffer_append(&load->request.text, buffer_slice(&body));
    if (load->keys.size > 0) {
        load->request.key_at =
            slice_find(buffer_slice(&load->request.text), slice_from_text(options->key));
        load->request.key_size = strlen(options->key);
    }
    form_close(&load->request);
    buffer_fini(&body);
}

static void write_expected(struct load *load)
{
    form_init(&load->answer);
    buffer_append(&load->answer.text, slice_from_text(script_answer));
    form_close(&load->answer);
    script_stream_init(&load->stream, SLICE(""), load->options.events, load->options.usage,
                       SCRIPT_FRAMING_NONE);
}

/* --- When a request starts ------------------------------------------------------------------ */

static bool may_start(const struct load *load)
{
    const uint64_t requests_max = load->options.requests_max;
    return load->now_ns < load->stop_ns &&
           (requests_max == 0 || load->totals.started < requests_max);
}

static void start_next_idle(struct load *load, uint64_t due_ns)
{
    load_client_start(load, load->idle[--load->idle_count], due_ns);
}

static void start_due(struct load *load)
{
    const uint64_t rate = load->options.rate;
    while (load->idle_count > 0 && may_start(load) && load->next_due_ns <= load->now_ns &&
           load->next_due_ns < load->stop_ns) {
        start_next_idle(load, load->next_due_ns);
        load->next_due_ns += MS_PER_S * NS_PER_MS / rate;
    }
}

/* The connections that have not begun yet, evenly over the ramp. */
static void start_new(struct load *load)
{
    const uint64_t ramp_ns = load->options.ramp_ms * NS_PER_MS;
    const uint64_t count = load->options.connections;
    while (load->begun_count < count && may_start(load) &&
           load->now_ns - load->begin_ns >= ramp_ns / count * load->begun_count)
        load_client_start(load, &load->clients[load->begun_count++], load->now_ns);
}

/* Each idle connection gets one request at most: one that fails at once is idle again. */
static void start_again(struct load *load)
{
    for (uint64_t left = load->idle_count; left > 0 && may_start(load); left--)
        start_next_idle(load, load->now_ns);
}

static void start_requests(struct load *load)
{
    if (load->options.rate > 0) {
        start_due(load);
        return;
    }
    start_new(load);
    if (!load->options.once)
        start_again(load);
}

static bool is_finished(const struct load *load)
{
    if (load->busy_count > 0)
        return false;
    if (load->options.rate > 0 && load->next_due_ns >= load->stop_ns)
        return true;
    if (load->options.once && load->begun_count == load->options.connections)
        return true;
    return !may_start(load);
}

static struct timespec time_to_next_start(const struct load *load)
{
    uint64_t left_ns = WAIT_MS_MAX * NS_PER_MS;
    if (load->options.rate > 0 && load->idle_count > 0) {
        const uint64_t due_ns =
            load->next_due_ns > load->now_ns ? load->next_due_ns - load->now_ns : 0;
        left_ns = due_ns < left_ns ? due_ns : left_ns;
    } else if (load->options.rate == 0 && load->begun_count < load->options.connections) {
        left_ns = NS_PER_MS;
    }
    return process_timespec(left_ns);
}

/* --- The loop ------------------------------------------------------------------------------- */

static void check_times(struct load *load)
{
    static uint64_t checked_ns;
    if (load->now_ns - checked_ns < MS_PER_S * NS_PER_MS)
        return;
    checked_ns = load->now_ns;
    for (uint64_t i = 0; i < load->options.connections; i++)
        load_client_check_time(load, &load->clients[i]);
}

static void run(struct load *load)
{
    struct epoll_event events[EVENTS_PER_WAIT];
    load->begin_ns = load->now_ns = load->next_due_ns = clock_monotonic_ns();
    load->stop_ns = load->begin_ns + load->options.duration_ms * NS_PER_MS;
    for (;;) {
        load->now_ns = clock_monotonic_ns();
        start_requests(load);
        if (is_finished(load))
            return;
        const struct timespec timeout = time_to_next_start(load);
        const int count = epoll_pwait2(load->epoll_fd, events, EVENTS_PER_WAIT, &timeout, NULL);
        for (int i = 0; i < count; i++) {
            load->now_ns = clock_monotonic_ns();
            load_client_continue(load, events[i].data.ptr, events[i].events);
        }
        check_times(load);
    }
}

/* --- The result ----------------------------------------------------------------------------- */

static void print_count(const char *name, uint64_t value)
{
    printf("\"%s\":%" PRIu64 ",", name, value);
}

static void print_result(const struct load *load)
{
    static const char *const outcomes[LOAD_OUTCOME_COUNT] = {
        [LOAD_OUTCOME_OK] = "ok",
        [LOAD_OUTCOME_REFUSED] = "refused",
        [LOAD_OUTCOME_BAD_STATUS] = "bad_status",
        [LOAD_OUTCOME_BROKEN] = "broken",
        [LOAD_OUTCOME_LOST] = "lost",
        [LOAD_OUTCOME_REORDERED] = "reordered",
        [LOAD_OUTCOME_DAMAGED] = "damaged",
        [LOAD_OUTCOME_MIXED_UP] = "mixed_up",
        [LOAD_OUTCOME_TIMED_OUT] = "timed_out",
    };
    const struct load_totals *totals = &load->totals;
    const uint64_t ok = totals->outcomes[LOAD_OUTCOME_OK];
    const double elapsed_s =
        totals->started > 0 ? (double)(totals->last_end_ns - load->begin_ns) / 1e9 : 0;
    printf("{");
    for (int i = 0; i < LOAD_OUTCOME_COUNT; i++)
        print_count(outcomes[i], totals->outcomes[i]);
    print_count("started", totals->started);
    print_count("errors", totals->started - ok);
    print_count("events", totals->events);
    print_count("bytes", totals->bytes);
    print_count("retries", totals->retries);
    print_count("reconnects", totals->reconnects);
    printf("\"seconds\":%.4f,\"per_second\":%.1f,", elapsed_s,
           elapsed_s > 0 ? (double)ok / elapsed_s : 0);
    histogram_print_us("latency_us", &totals->latency_ns);
    printf(",");
    histogram_print_us("first_event_us", &totals->first_event_ns);
    printf(",");
    histogram_print_us("gap_us", &totals->gap_ns);
    printf("}\n");
    fflush(stdout);
}

/* --- Start ---------------------------------------------------------------------------------- */

static void read_options(int argc, char **argv, struct load_options *options)
{
    const struct process_option known[] = {
        {"port", .number = &options->port},
        {"path", .text = &options->path},
        {"model", .text = &options->model},
        {"key", .text = &options->key},
        {"keys", .text = &options->keys},
        {"connections", .number = &options->connections},
        {"duration-ms", .number = &options->duration_ms},
        {"requests", .number = &options->requests_max},
        {"rate", .number = &options->rate},
        {"ramp-ms", .number = &options->ramp_ms},
        {"timeout-ms", .number = &options->timeout_ms},
        {"body-bytes", .number = &options->body_bytes},
        {"events", .number = &options->events},
        {"stream", .flag = &options->stream},
        {"usage", .flag = &options->usage},
        {"once", .flag = &options->once},
        {"hold", .flag = &options->hold},
    };
    process_read_options(argc, argv, known, sizeof(known) / sizeof(known[0]));
    if (options->port == 0 || options->port > UINT16_MAX || options->connections == 0 ||
        options->connections > 1000000)
        process_fail("usage: load --port N [--connections N] [--duration-ms N] ... (see load.c)");
    options->once |= options->hold;
}

static void prepare_clients(struct load *load)
{
    const uint64_t count = load->options.connections;
    load->clients = alloc_zeroed(count, sizeof(*load->clients));
    load->idle = alloc_zeroed(count, sizeof(*load->idle));
    ASSERT(load->clients != NULL && load->idle != NULL);
    for (uint64_t i = 0; i < count; i++) {
        load->clients[i].fd = -1;
        buffer_init(&load->clients[i].rest, LOAD_REST_BYTES_MAX);
        if (load->options.rate > 0)
            load->idle[load->idle_count++] = &load->clients[i];
    }
}

int main(int argc, char **argv)
{
    static struct load load = {.options = {.path = "/v1/chat/completions",
                                           .model = "gpt-4o-mini",
                                           .key = "sk-none",
                                           .connections = 1,
                                           .duration_ms = 1000,
                                           .timeout_ms = 30000,
                                           .body_bytes = 250,
                                           .events = 200}};
    read_options(argc, argv, &load.options);
    process_prepare();
    load.next_ticket = load.random = clock_realtime_us(); /* so two runs differ */
    read_keys(&load);
    load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    write_request(&load);
    write_expected(&load);
    prepare_clients(&load);
    run(&load);
    print_result(&load);
    while (load.options.hold && getchar() != EOF)
        ;
    return load.totals.outcomes[LOAD_OUTCOME_OK] == load.totals.started ? 0 : 1;
}
