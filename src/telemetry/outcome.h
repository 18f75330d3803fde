/* How a request ended, as the access log and the metrics name it. */
#ifndef TELEMETRY_OUTCOME_H
#define TELEMETRY_OUTCOME_H

enum outcome {
    OUTCOME_COMPLETED,       /* the whole answer went out, whatever its status */
    OUTCOME_REFUSED,         /* weir answered with an error of its own and called nobody */
    OUTCOME_CLIENT_GONE,     /* the client left before it had the whole answer */
    OUTCOME_UPSTREAM_FAILED, /* no upstream answered; the client got weir's error */
    OUTCOME_UPSTREAM_BROKEN, /* an upstream's answer began and did not end well */
    OUTCOME_TIMED_OUT,       /* a limit on time passed */
    OUTCOME_OUT_OF_BUDGET,   /* the answer became longer than a budget covers, and was ended */
    OUTCOME_CUT_OFF,         /* shutdown, or the deadline of the drain, ended it */
    OUTCOME_FAILED,          /* weir could not go on: memory, or a fault of its own */
    OUTCOME_COUNT,
};

/* In lower case, such as "client_gone". Static storage. */
const char *outcome_name(enum outcome outcome);

#endif
