/* A limit as people write it: `60req/min`, `1000000tok/day`, `20parallel`, `10usd/month`.
 *
 * Requests and tokens have a rate per minute, hour or day; requests in flight have none; money has an
 * amount per hour, day, week, month or in total, and is called a budget.
 *
 * Thread: any; pure. Memory: nothing is kept. */
#ifndef POLICY_LIMIT_H
#define POLICY_LIMIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

enum limit_kind {
    LIMIT_REQUESTS,
    LIMIT_TOKENS,
    LIMIT_PARALLEL,
    LIMIT_MONEY,
    LIMIT_KIND_COUNT,
};

enum limit_window {
    LIMIT_WINDOW_NONE, /* of LIMIT_PARALLEL */
    LIMIT_WINDOW_MINUTE,
    LIMIT_WINDOW_HOUR,
    LIMIT_WINDOW_DAY,
    LIMIT_WINDOW_WEEK,
    LIMIT_WINDOW_MONTH,
    LIMIT_WINDOW_TOTAL,
    LIMIT_WINDOW_COUNT,
};

struct limit {
    uint64_t amount; /* of LIMIT_MONEY in nano-dollars; > 0 */
    enum limit_kind kind;
    enum limit_window window;
};

/* Each kind with each of its windows once: three of requests, three of tokens, one of requests in
 * flight, five of money. */
#define LIMITS_MAX         12
#define LIMIT_AMOUNT_MAX   UINT64_C(1000000000000) /* of requests, tokens */
#define LIMIT_PARALLEL_MAX UINT64_C(1000000)
#define LIMIT_NANOUSD_MAX  UINT64_C(100000000000000000) /* a hundred million dollars */

/* All limits of one level. */
struct limits {
    struct limit items[LIMITS_MAX];
    size_t count;
};

/* Bytes of the longest text below, with its final zero; LIMITS_TEXT_BYTES of all of them joined. */
#define LIMIT_TEXT_BYTES  48
#define LIMITS_TEXT_BYTES (LIMITS_MAX * LIMIT_TEXT_BYTES)

/* STATUS_INVALID: it is none; the reason quotes it and shows the right form, naming what is nearest
 * ("did you mean 60req/min?"). STATUS_TOO_LARGE: over the maximum. */
MUST_CHECK enum status limit_parse(struct slice text, struct limit *limit_out,
                                   struct reason *reason);
/* Writes the text that parses to the same; returns its length. */
unsigned limit_format(const struct limit *limit, char text_out[LIMIT_TEXT_BYTES]);

/* STATUS_EXISTS: there is one of this kind and window. */
MUST_CHECK enum status limits_add(struct limits *limits, const struct limit *limit,
                                  struct reason *reason);
/* Reads limits joined by commas, as limits_format() writes them; an empty text is none. Statuses of
 * limit_parse() and limits_add(). */
MUST_CHECK enum status limits_parse(struct slice text, struct limits *limits_out,
                                    struct reason *reason);
unsigned limits_format(const struct limits *limits, char text_out[LIMITS_TEXT_BYTES]);

/* "requests", "tokens", "parallel", "money"; "minute" … "total". Static storage. */
const char *limit_kind_name(enum limit_kind kind);
const char *limit_window_name(enum limit_window window);

#endif
