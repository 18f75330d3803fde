/* A load generator that checks every byte it gets. load.c decides when a request starts,
 * load_client.c is one connection with its request and its answer.
 *
 * One thread; everything belongs to the one struct load. */
#ifndef PERF_LOAD_H
#define PERF_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "form.h"
#include "histogram.h"
#include "message.h"
#include "script.h"

struct load_options {
    uint64_t port;
    const char *path, *model, *key;
    const char *keys; /* a file of them, a line each, all as long as `key`; NULL: there is none */
    uint64_t connections;
    uint64_t duration_ms;
    uint64_t requests_max; /* 0: as many as the duration allows */
    uint64_t rate;         /* requests/s that are due whatever happens; 0: each after the last */
    uint64_t ramp_ms;      /* over which the connections begin */
    uint64_t timeout_ms;   /* of a request */
    uint64_t body_bytes;
    uint64_t events; /* of a stream, as the provider is set */
    bool stream, usage;
    bool once; /* one request on each connection */
    bool hold; /* the same, then keep them open until standard input ends */
};

/* Each request ends in exactly one of these. */
enum load_outcome {
    LOAD_OUTCOME_OK,
    LOAD_OUTCOME_REFUSED,    /* no connection */
    LOAD_OUTCOME_BAD_STATUS, /* not 200 */
    LOAD_OUTCOME_BROKEN,     /* ended or failed before its end */
    LOAD_OUTCOME_LOST,       /* a later event came in the place of this one */
    LOAD_OUTCOME_REORDERED,  /* an earlier event came in the place of this one */
    LOAD_OUTCOME_DAMAGED,    /* other bytes than the provider's */
    LOAD_OUTCOME_MIXED_UP,   /* another request's answer */
    LOAD_OUTCOME_TIMED_OUT,
    LOAD_OUTCOME_COUNT,
};

struct load_totals {
    uint64_t started, events, bytes;
    uint64_t reconnects; /* a kept connection was closed between two requests */
    uint64_t retries;    /* ... or under one, which was sent again */
    uint64_t outcomes[LOAD_OUTCOME_COUNT];
    uint64_t last_end_ns;
    struct histogram latency_ns, first_event_ns, gap_ns;
};

#define LOAD_REST_BYTES_MAX ((size_t)64 << 10)

struct load_client;

struct load {
    struct load_options options;
    struct form request;         /* head and body */
    struct form answer;          /* the body that is expected: of an answer */
    struct script_stream stream; /* ... of a stream */
    struct load_totals totals;
    int epoll_fd;
    uint64_t now_ns, begin_ns, stop_ns;
    uint64_t next_ticket;
    struct buffer keys; /* of the file; each request has one of them at random */
    uint64_t random;
    struct load_client *clients;
    struct load_client **idle; /* a stack of those without a request */
    uint64_t idle_count, busy_count, begun_count;
    uint64_t next_due_ns; /* with a rate */
};

struct load_client {
    int fd; /* -1: not connected */
    bool is_busy, is_reused, is_retried, watches_writing;
    struct ticket ticket;
    uint64_t due_ns; /* when the request should have left */
    size_t sent;

    struct message message;
    struct buffer rest; /* a head or a line of which more must come */
    size_t body_bytes;  /* of the answer, as far as it was right */
    size_t events;
    uint64_t last_event_ns;
};

/* A key of the file; NULL without one. */
const char *load_next_key(struct load *load);

/* Starts a request that was due at `due_ns`. */
void load_client_start(struct load *load, struct load_client *client, uint64_t due_ns);
/* The socket is ready for `epoll_events`. */
void load_client_continue(struct load *load, struct load_client *client, uint32_t epoll_events);
/* Ends the request if it takes longer than is allowed. */
void load_client_check_time(struct load *load, struct load_client *client);

#endif
