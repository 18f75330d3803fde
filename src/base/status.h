/* What an operation came to. A programmer's mistake is no status: it stops the process at ASSERT.
 *
 * The reason in words is recorded once, where it is found, in a struct reason (base/reason.h). */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

#define MUST_CHECK __attribute__((warn_unused_result))

enum status {
    STATUS_OK,
    STATUS_AGAIN,       /* nothing wrong, but more input (or a later call) is needed */
    STATUS_INVALID,     /* the input can never work */
    STATUS_NOT_FOUND,   /* no such thing */
    STATUS_EXISTS,      /* the name or number is taken */
    STATUS_DENIED,      /* the caller may not */
    STATUS_TOO_LARGE,   /* a stated size was exceeded */
    STATUS_UNSUPPORTED, /* well formed, but weir does not do it */
    STATUS_NO_MEMORY,   /* memory or a bound that stands for it ran out; this request is refused */
    STATUS_LIMITED,     /* a rate or a count was reached; later it works */
    STATUS_CLOSED,      /* the peer ended the connection */
    STATUS_TIMED_OUT,   /* a deadline passed */
    STATUS_CANCELLED,   /* whoever asked for it no longer wants it */
    STATUS_PROTOCOL,    /* the peer broke the protocol */
    STATUS_IO,          /* the operating system reported an error */
    STATUS_COUNT,
};

/* The status in lower-case words, such as "timed out". Static storage. */
const char *status_name(enum status status);

#endif
