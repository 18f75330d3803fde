/* What somebody put into a request that is a secret of weir's own (base/redact.h) is hidden in the log,
 * whichever text it stands in. On the log thread, so that no request waits for it. Pure. */
#ifndef TELEMETRY_LOG_REDACT_H
#define TELEMETRY_LOG_REDACT_H

#include "telemetry/log_record.h"

/* Where the texts of one record are written anew. */
struct log_redacted {
    struct log_view view;
    char texts[LOG_RECORD_TEXT_MAX];
};

/* The view to show: the given one where there is no secret, else that of `redacted`, which borrows from
 * both. */
const struct log_view *log_redact(const struct log_view *view, struct log_redacted *redacted);

#endif
