/* One short chat request through the running server, as an application would send it.
 *
 * Thread: any; blocks for up to two minutes. */
#ifndef CLI_MODEL_TRIAL_H
#define CLI_MODEL_TRIAL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "config/config.h"

/* What came of it. The texts lie in the arena; data is NULL where the answer has no such thing. */
struct model_trial {
    unsigned http_status;
    struct slice target; /* provider/model */
    struct slice answer; /* what the model said */
    struct slice error;  /* the gateway's message */
    struct slice param;  /* the member of the request that it is about */
    uint64_t took_us;
};

/* Asks the first listener without TLS, with the key in $WEIR_KEY or DATA_DIR/secrets/demo.key.
 * On STATUS_OK there was an answer, of whatever status. Else the reason says what to do:
 * STATUS_UNSUPPORTED: all listeners speak TLS; STATUS_NOT_FOUND: there is no key; the statuses of
 * http_call_connect() and http_call_run(). */
MUST_CHECK enum status model_trial_run(const struct config *config, const char *model,
                                       struct arena *arena, struct model_trial *trial_out,
                                       struct reason *reason);

/* Reads the body of an answer to a chat request into `answer`, `error` and `param`. */
void model_trial_read(struct slice body, struct arena *arena, struct model_trial *trial);

#endif
