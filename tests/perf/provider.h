/* A model provider that costs next to nothing: one thread, answers rendered before the first
 * request. See provider.c for what it does and provider_answers.c for what it says. */
#ifndef PERF_PROVIDER_H
#define PERF_PROVIDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/slice.h"
#include "form.h"
#include "script.h"

struct provider_settings {
    uint64_t events;   /* of a stream, between its opening and its closing */
    uint64_t pace_ms;  /* between two of them; 0 sends the stream at once */
    uint64_t delay_ms; /* before an answer */
};

struct provider_stats {
    uint64_t requests, unary, streams, events;
    uint64_t bad;     /* requests that came damaged */
    uint64_t aborted; /* answers that the gateway did not wait for */
    uint64_t accepted, open, busy;
};

enum provider_page {
    PROVIDER_PAGE_ANSWER,
    PROVIDER_PAGE_MODELS,
    PROVIDER_PAGE_OK,
    PROVIDER_PAGE_BAD_REQUEST,
    PROVIDER_PAGE_NOT_FOUND,
    PROVIDER_PAGE_CONFLICT,
    PROVIDER_PAGE_STATS,
    PROVIDER_PAGE_COUNT,
};

struct provider {
    struct provider_settings settings;
    struct provider_stats stats;
    struct form pages[PROVIDER_PAGE_COUNT];
    struct script_stream stream, stream_with_usage;
    struct list_node waiting; /* connections by their due time */
    int epoll_fd;
    uint64_t now_ns;
};

/* What a request is answered with: a page, or a stream. */
struct provider_answer {
    const struct form *form;
    const struct script_stream *stream; /* NULL: a page */
    struct ticket ticket;
};

/* Renders everything anew after the settings changed; no answer may be under way. */
void provider_render(struct provider *provider);

/* Chooses the answer to a request, and counts it. `head` is the request's head. */
struct provider_answer provider_answer_to(struct provider *provider, struct slice head,
                                          struct slice body);

#endif
