/* The relay of an event stream. See gateway/relay.h.
 *
 * States: waiting (nothing went to the client; what came is comments at most) → running → ended.
 * Invariants: 1. `unread` holds what came and is not yet relayed, and nothing while all was.
 * 2. Before the task waits, everything that is still needed lies in memory of the relay's own.
 * 3. A client that reads nothing makes weir hold 64 KiB at most, of events that are no larger: what
 * is held and one read together are UPSTREAM_READ_BYTES_MAX, which leaves room for a head.
 * 4. [DONE] goes out only when a choice has finished, or when the body has ended as it should.
 * 5. What lies further than what is held of a budget covers waits in `unread` for its turn. */
#include <string.h>

#include "dialect/openai_stream.h"
#include "gateway/gateway.h"
#include "gateway/limits.h"
#include "gateway/relay.h"
#include "http/answer.h"
#include "http/sse.h"

#define LEADING_BYTES_MAX 4096 /* of comments before the first event */
#define AFTER_DONE_MS     1000 /* for the end of the body after [DONE] */
#define USAGE_STEP_MS     200
#define JOINED_BYTES_MAX  (1024 * 1024)

struct relay {
    struct call *call;
    struct request *request;
    struct sse sse;
    struct openai_stream stream;
    struct json_limits limits;
    struct body_memory unread;
    struct body_memory leading; /* comments that came before the first event */
    struct slice done;          /* [DONE], held back */
    bool has_begun;             /* something went to the client */
    bool has_failed;            /* an error event came */
    bool has_progressed;        /* since the deadline was set */
    bool done_is_relayed;
    bool is_out_of_budget;
    bool has_more;       /* whole events may lie in `unread`: what is held did not cover them */
    size_t relayed_size; /* at the front of `unread`; only while it has more */
    bool client_is_gone; /* what comes is read for its usage alone */
    uint64_t deadline_ms;
};

/* --- Deadlines ------------------------------------------------------------------------------------------ */

static void set_deadline(struct relay *relay)
{
    const struct loop *loop = relay->request->worker->loop;
    const uint64_t gap_ms = relay->request->endpoint->provider->config->timeouts.event_gap_ms;
    if (relay->done_is_relayed)
        relay->deadline_ms = loop_deadline(loop, AFTER_DONE_MS);
    else if (relay->has_progressed)
        relay->deadline_ms = loop_deadline(loop, gap_ms);
    relay->request->account.answer_is_known |= relay->has_progressed;
    relay->has_progressed = false;
}

/* --- One run of events ---------------------------------------------------------------------------------- */

/* What a run leaves to be relayed: the bytes from its start to `size`, moved together. */
struct event_run {
    char *bytes;
    size_t size;  /* to relay */
    size_t quiet; /* up to here nothing is to be noted */
};

static enum openai_event classify(struct relay *relay, const struct sse_event *event)
{
    struct buffer joined;
    struct slice data;
    if (event->data_lines == 0)
        return OPENAI_EVENT_EMPTY;
    buffer_init(&joined, JOINED_BYTES_MAX);
    const enum openai_event kind = sse_event_data(event, &joined, &data) == STATUS_OK
                                       ? openai_stream_event(&relay->stream, data)
                                       : OPENAI_EVENT_PASS;
    buffer_fini(&joined);
    return kind;
}

static void keep_done(struct relay *relay, struct slice raw)
{
    if (relay->done.size == 0)
        relay->done = arena_copy(&relay->request->exchange->arena, raw);
}

/* Whether the event goes to the client now. */
static bool takes_event(struct relay *relay, const struct sse_event *event)
{
    switch (classify(relay, event)) {
    case OPENAI_EVENT_EMPTY:
        return true;
    case OPENAI_EVENT_WITHHOLD:
        relay->has_progressed = true;
        return false;
    case OPENAI_EVENT_DONE:
        relay->has_progressed = true;
        if (!relay->stream.is_finished) {
            keep_done(relay, event->raw);
            return false;
        }
        relay->done_is_relayed = true;
        return true;
    case OPENAI_EVENT_ERROR:
        relay->has_failed = true;
        return relay->has_begun || relay->has_progressed; /* else the attempt has failed */
    case OPENAI_EVENT_PASS:
        break;
    }
    relay->has_progressed = true;
    return true;
}

/* Passes over the events at the front that hold nothing to note, without looking at each of them.
 * Where line ends are plain LF an event ends with an empty line, so the last
 * such end before the first thing to note is found from behind. */
static void pass_quiet(struct relay *relay, struct slice work, struct event_run *run)
{
    static const char end[] = "\n\n";
    if (!sse_is_between(&relay->sse) || !slice_starts_with(work, SLICE("data:")))
        return; /* the rest of a long event is not searched at each piece of it */
    run->quiet = openai_stream_quiet(work);
    if (slice_find_byte(slice_of(work.data, run->quiet), '\r') < run->quiet)
        return;
    size_t size = run->quiet;
    while (size >= 2 && memcmp(work.data + size - 2, end, 2) != 0)
        size--;
    if (size < 2)
        return;
    relay->has_progressed = true;
    run->size = size;
    sse_skip(&relay->sse, size);
}

/* Goes through the whole events at the front of `work`. Most come in runs that hold nothing to
 * note, which one search over the bytes finds. */
static void read_events(struct relay *relay, struct slice work, struct event_run *run)
{
    struct sse_event event;
    *run = (struct event_run){.bytes = (char *)(uintptr_t)work.data};
    pass_quiet(relay, work, run);
    while (!relay->has_failed && sse_next(&relay->sse, work, &event)) {
        const size_t start = (size_t)(event.raw.data - work.data);
        const size_t end = start + event.raw.size;
        if (start >= run->quiet)
            run->quiet = start + openai_stream_quiet(slice_from(work, start));
        bool is_taken = true;
        if (end > run->quiet)
            is_taken = takes_event(relay, &event);
        else
            relay->has_progressed |= event.data_lines > 0;
        if (!is_taken)
            continue;
        if (run->size < start)
            memmove(run->bytes + run->size, event.raw.data, event.raw.size);
        run->size += event.raw.size;
    }
}

/* --- What is held ------------------------------------------------------------------------------------------- */

/* Of `unread` and the next read together. Comments, if there are any, are held beside it. */
static size_t unread_bytes_max(const struct relay *relay)
{
    return UPSTREAM_READ_BYTES_MAX - (relay->has_begun ? 0 : LEADING_BYTES_MAX);
}

/* An event that is larger than what may be held cannot be bounded, and is not read slowly either. */
static void set_read_bytes_max(struct relay *relay)
{
    const size_t most = unread_bytes_max(relay);
    const size_t held = relay->unread.size < most ? relay->unread.size : 0;
    relay->call->attempt.read_bytes_max = most - held;
}

static bool is_unread(const struct relay *relay, struct slice bytes)
{
    return (uintptr_t)bytes.data - (uintptr_t)relay->unread.data < relay->unread.capacity;
}

static enum status add_exactly(struct body_memory *memory, struct slice bytes)
{
    const enum status status = body_memory_reserve(memory, memory->size + bytes.size);
    return status == STATUS_OK ? body_memory_append(memory, bytes.data, bytes.size) : status;
}

/* What comes after the start of an event, mostly a whole read, gets the room that it needs and no
 * more: a client that reads nothing may hold it for long. A long event grows by doubling. */
static enum status add_unread(struct relay *relay, struct slice bytes)
{
    struct body_memory *unread = &relay->unread;
    const size_t most = unread_bytes_max(relay);
    const size_t size = unread->size + bytes.size;
    const size_t doubled = unread->capacity * 2;
    if (bytes.size >= unread->size || size <= unread->capacity)
        return add_exactly(unread, bytes);
    if (body_memory_reserve(unread, size > most || doubled < most ? doubled : most) != STATUS_OK)
        return STATUS_NO_MEMORY;
    return body_memory_append(unread, bytes.data, bytes.size);
}

/* Drops all but `rest`, which is the end of it, and the room that a large event had needed. */
static void keep_unread(struct relay *relay, struct slice rest)
{
    const size_t most = unread_bytes_max(relay);
    struct body_memory exact = {0};
    if (relay->unread.capacity > most && rest.size <= most &&
        add_exactly(&exact, rest) == STATUS_OK) {
        body_memory_free(&relay->unread);
        relay->unread = exact;
        return;
    }
    body_memory_keep(&relay->unread, rest, &rest);
}

/* --- To the client ------------------------------------------------------------------------------------------ */

static enum status begin(struct relay *relay, struct slice events, enum answer_part part)
{
    struct http_exchange *exchange = relay->request->exchange;
    admit_drop_body(relay->request);
    const bool is_apart = relay->leading.size > 0 && is_unread(relay, events);
    struct slice first = events;
    enum status status = STATUS_OK;
    if (relay->leading.size > 0) {
        if (!is_apart) /* they lie in the scratch, and would not outlast a wait */
            status = add_exactly(&relay->leading, events);
        first = slice_of(relay->leading.data, relay->leading.size);
    }
    if (status != STATUS_OK)
        return status;
    relay->has_begun = true;
    relay_begin_answer(relay->call, 200);
    http_answer_header(exchange, SLICE("cache-control"), SLICE("no-cache"));
    status = http_answer_start(exchange, ANSWER_SIZE_UNKNOWN, first, is_apart ? ANSWER_MORE : part);
    if (status == STATUS_OK && is_apart)
        status = http_answer_write(exchange, events, part);
    body_memory_free(&relay->leading);
    return status;
}

static enum status send_events(struct relay *relay, struct slice events, enum answer_part part)
{
    if (relay->client_is_gone || (events.size == 0 && part == ANSWER_MORE))
        return STATUS_OK;
    if (relay->has_begun)
        return http_answer_write(relay->request->exchange, events, part);
    if (relay->has_progressed || relay->leading.size + events.size > LEADING_BYTES_MAX)
        return begin(relay, events, part);
    return body_memory_append(&relay->leading, events.data, events.size);
}

/* Whether nothing follows this run: then it goes out together with the end of the answer. */
static enum answer_part part_of(const struct relay *relay, struct slice rest)
{
    const bool is_last = relay->call->is_ended && rest.size == 0 && !relay->has_failed &&
                         relay->done_is_relayed && openai_stream_is_whole(&relay->stream);
    return is_last ? ANSWER_LAST : ANSWER_MORE;
}

static void note_usage(struct relay *relay)
{
    struct account *account = &relay->request->account;
    if (relay->stream.has_usage)
        relay->request->usage = relay->stream.usage;
    account->answer_is_known |= relay->has_progressed || relay->has_failed;
    account->usage_is_partial = relay->stream.has_usage && !openai_stream_is_whole(&relay->stream);
    if (relay->stream.service_tier_size > 0)
        account_note_service(account,
                             slice_of(relay->stream.service_tier, relay->stream.service_tier_size));
}

/* What is left of the stream goes out next. */
static void close_account(struct relay *relay)
{
    note_usage(relay);
    account_close(relay->request, 200);
}

/* Up to the last empty line, if there is one: then the next piece begins with an event. */
static size_t whole_size(struct slice bytes)
{
    size_t size = bytes.size;
    while (size >= 2 && memcmp(bytes.data + size - 2, "\n\n", 2) != 0)
        size--;
    return size >= 2 ? size : bytes.size;
}

/* As much of the work as what is held covers. */
static struct slice covered(struct relay *relay, struct slice work)
{
    const struct slice fresh = slice_from(work, relay->sse.scanned);
    size_t size = admit_covered(relay->request, fresh);
    relay->has_more = size < fresh.size;
    if (relay->has_more)
        size = whole_size(slice_of(fresh.data, size));
    return slice_of(work.data, relay->sse.scanned + size);
}

/* What is left for later, at the end of `unread` or of what came. */
static void keep_rest(struct relay *relay, struct slice rest)
{
    if (rest.size == 0) {
        body_memory_free(&relay->unread);
        relay->relayed_size = 0;
    } else if (relay->has_more) { /* it is not moved for each piece */
        relay->relayed_size = relay->unread.size - rest.size;
    } else if (rest.size < relay->unread.size) {
        keep_unread(relay, slice_from(slice_of(relay->unread.data, relay->unread.size),
                                      relay->unread.size - rest.size));
        relay->relayed_size = 0;
    }
}

/* Relays what is whole in the bytes that came; `bytes` lies in the scratch or in the call. */
static enum status relay_bytes(struct relay *relay, struct slice bytes)
{
    const bool is_direct = relay->unread.size == 0;
    struct slice work = bytes;
    struct event_run run;
    if (!is_direct) {
        if (bytes.size > 0 && add_unread(relay, bytes) != STATUS_OK)
            return STATUS_NO_MEMORY;
        work = slice_from(slice_of(relay->unread.data, relay->unread.size), relay->relayed_size);
    }
    read_events(relay, covered(relay, work), &run);
    const size_t complete = sse_complete(&relay->sse);
    sse_drop(&relay->sse, complete);
    struct slice rest = slice_from(work, complete);
    if (is_direct && rest.size > 0 && add_exactly(&relay->unread, rest) != STATUS_OK)
        return STATUS_NO_MEMORY;
    const enum answer_part part = part_of(relay, rest);
    if (run.size > 0)
        account_relayed(&relay->request->account, slice_of(run.bytes, run.size));
    relay->is_out_of_budget = !admit_covers(relay->request);
    if (part == ANSWER_LAST || relay->done_is_relayed) /* for a client [DONE] is the end */
        close_account(relay);
    const enum status status = send_events(relay, slice_of(run.bytes, run.size), part);
    keep_rest(relay, rest);
    return status;
}

/* --- The end -------------------------------------------------------------------------------------------------- */

/* An event that lacks its blank line at the end of the body counts if the stream is whole with it;
 * then it goes out as it came. Else it may be half an event. */
static enum status relay_last(struct relay *relay)
{
    struct sse sse;
    struct sse_event event;
    const size_t size = relay->unread.size;
    if (size == 0)
        return STATUS_OK;
    if (body_memory_append(&relay->unread, "\n\n", 2) != STATUS_OK)
        return STATUS_NO_MEMORY;
    sse_init(&sse);
    if (!sse_next(&sse, slice_of(relay->unread.data, relay->unread.size), &event) ||
        !takes_event(relay, &event) || !openai_stream_is_whole(&relay->stream))
        return STATUS_OK;
    return send_events(relay, slice_of(relay->unread.data, size), ANSWER_MORE);
}

static enum status relay_done(struct relay *relay, enum relay_end end)
{
    if (relay->done.size == 0 && end == RELAY_END_WITH_DONE && !relay->done_is_relayed)
        relay->done = SLICE("data: [DONE]\n\n");
    relay->has_progressed = true;
    return relay->done_is_relayed ? STATUS_OK : send_events(relay, relay->done, ANSWER_MORE);
}

/* What the client is told about a stream that it has seen a part of. */
static void tell_broken(struct relay *relay)
{
    struct request *request = relay->request;
    struct buffer text;
    struct buffer body;
    buffer_init(&body, 4096);
    buffer_init(&text, 4096 + 64);
    if (error_write(&request->error, ERROR_STYLE_OPENAI, &body) == STATUS_OK) {
        buffer_append(&text, SLICE("data: "));
        buffer_append(&text, buffer_slice(&body));
        buffer_append(&text, SLICE("\n\n"));
    }
    if (buffer_status(&text) == STATUS_OK &&
        http_answer_write(request->exchange, buffer_slice(&text), ANSWER_MORE) != STATUS_OK)
        request->outcome = OUTCOME_CLIENT_GONE;
    buffer_fini(&text);
    buffer_fini(&body);
}

/* The call's failure is noted. The answer of a stream that did not begin is written by others. */
static void end_broken(struct relay *relay)
{
    struct request *request = relay->request;
    if (request->outcome == OUTCOME_CLIENT_GONE || !relay->has_begun)
        return;
    if (request->outcome == OUTCOME_COMPLETED)
        request->outcome = request->error.kind == ERROR_UPSTREAM_TIMEOUT ? OUTCOME_TIMED_OUT
                                                                         : OUTCOME_UPSTREAM_BROKEN;
    close_account(relay);
    if (!relay->has_failed) /* the client has not been told yet */
        tell_broken(relay);
    http_answer_break(request->exchange);
}

static void fail(struct relay *relay, enum upstream_failure failure, const char *why)
{
    struct call *call = relay->call;
    if (call->attempt.failure == UPSTREAM_FAILURE_NONE) {
        call->attempt.failure = failure;
        reason_set(&relay->request->reason, "%s", why);
    }
    call_fail(call);
    end_broken(relay);
}

/* What is left of a budget does not cover what is still to come; the error is noted. */
static void end_out_of_budget(struct relay *relay)
{
    relay->request->outcome = OUTCOME_OUT_OF_BUDGET;
    end_broken(relay);
}

static void finish(struct relay *relay, enum relay_end end)
{
    enum status status = relay_last(relay);
    if (relay->has_failed) {
        fail(relay, UPSTREAM_FAILURE_CLOSED, "upstream sent an error event");
        return;
    }
    if (status == STATUS_OK && !openai_stream_is_whole(&relay->stream)) {
        fail(relay, UPSTREAM_FAILURE_CLOSED, "upstream's stream stopped before its end");
        return;
    }
    if (status == STATUS_OK) {
        close_account(relay);
        status = relay_done(relay, end);
    }
    if (status == STATUS_OK && relay->has_begun && !relay->request->exchange->is_ended)
        status = http_answer_end(relay->request->exchange);
    if (status != STATUS_OK)
        relay->request->outcome = OUTCOME_CLIENT_GONE;
}

/* --- The loop ---------------------------------------------------------------------------------------------------- */

/* What is to be relayed next: nothing new, where there is more. */
static enum status read_next(struct relay *relay, uint64_t deadline_ms, struct slice *bytes_out)
{
    *bytes_out = (struct slice){0};
    if (relay->has_more)
        return STATUS_OK;
    set_read_bytes_max(relay);
    return call_read(relay->call, deadline_ms, bytes_out);
}

static bool has_ended(const struct relay *relay)
{
    return relay->call->is_ended && !relay->has_more;
}

/* Reads on for the usage, in steps, so that a stop of the process is noticed. A client's going may be
 * told more than once. */
static enum status read_for_usage(struct relay *relay, uint64_t deadline_ms)
{
    struct call *call = relay->call;
    const struct worker *worker = relay->request->worker;
    struct slice bytes = {0};
    const uint64_t step_ms = loop_deadline(worker->loop, USAGE_STEP_MS);
    call->attempt.failure = UPSTREAM_FAILURE_NONE;
    const enum status status =
        read_next(relay, step_ms < deadline_ms ? step_ms : deadline_ms, &bytes);
    if (status == STATUS_OK)
        return relay_bytes(relay, bytes);
    const bool goes_on = status == STATUS_CANCELLED || status == STATUS_TIMED_OUT;
    const bool is_over =
        loop_now_ms(worker->loop) >= deadline_ms || atomic_load(&worker->gateway->is_cutting_off);
    return goes_on && !is_over ? STATUS_OK : status;
}

/* The client has gone. Where the provider bills a generation to its end, its usage is awaited for as
 * long as the configuration says; else upstream is closed at once. */
static void drain_usage(struct relay *relay)
{
    struct call *call = relay->call;
    const uint64_t wait_ms = relay->request->endpoint->provider->config->timeouts.usage_drain_ms;
    const uint64_t deadline_ms = loop_deadline(relay->request->worker->loop, wait_ms);
    enum status status = STATUS_OK;
    relay->request->outcome = OUTCOME_CLIENT_GONE;
    relay->client_is_gone = true;
    while (wait_ms > 0 && status == STATUS_OK && !has_ended(relay) && !relay->has_failed &&
           !(relay->stream.has_usage && openai_stream_is_whole(&relay->stream)))
        status = read_for_usage(relay, deadline_ms);
    if (!call->is_ended)
        call->attempt.failure = UPSTREAM_FAILURE_CANCELLED;
}

static void run(struct relay *relay, enum relay_end end)
{
    struct call *call = relay->call;
    while (!has_ended(relay)) {
        struct slice bytes;
        const enum status read = read_next(relay, relay->deadline_ms, &bytes);
        if (read == STATUS_TIMED_OUT && relay->done_is_relayed) {
            call->attempt.failure = UPSTREAM_FAILURE_NONE; /* it is complete; only not closed */
            break;
        }
        if (read == STATUS_CANCELLED) {
            drain_usage(relay);
            return;
        }
        if (read != STATUS_OK) {
            fail(relay, UPSTREAM_FAILURE_CLOSED, "upstream's stream broke");
            return;
        }
        const enum status status = relay_bytes(relay, bytes);
        if (status == STATUS_NO_MEMORY && !relay->request->exchange->closes) {
            fail(relay, UPSTREAM_FAILURE_LIMITED, "transport.body_memory is used up");
            return;
        }
        if (status != STATUS_OK) {
            drain_usage(relay);
            return;
        }
        if (relay->has_failed) {
            fail(relay, UPSTREAM_FAILURE_CLOSED, "upstream sent an error event");
            return;
        }
        if (relay->is_out_of_budget && !relay->done_is_relayed) {
            end_out_of_budget(relay);
            return;
        }
        if (relay->unread.size >
            relay->request->calling->snapshot->config->transport.answer_bytes) {
            fail(relay, UPSTREAM_FAILURE_PROTOCOL, "upstream sent too large an event");
            return;
        }
        set_deadline(relay);
    }
    finish(relay, end);
}

void relay_events(struct call *call, enum relay_end end)
{
    struct request *request = call->request;
    struct relay relay = {
        .call = call,
        .request = request,
        .limits = limits_for_json(request->worker),
        .deadline_ms = call->first_byte_deadline_ms,
    };
    relay.limits.pause = NULL; /* events lie in the scratch, which does not outlive a pause */
    sse_init(&relay.sse);
    openai_stream_init(&relay.stream, request->openai.include_usage, &relay.limits);
    metric_add(&request->worker->metrics->streams_open, 1);
    run(&relay, end);
    metric_subtract(&request->worker->metrics->streams_open, 1);
    note_usage(&relay);
    body_memory_free(&relay.unread);
    body_memory_free(&relay.leading);
}
