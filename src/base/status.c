#include "base/status.h"

#include "base/assert.h"

static const char *const names[STATUS_COUNT] = {
    [STATUS_OK] = "ok",
    [STATUS_AGAIN] = "more needed",
    [STATUS_INVALID] = "invalid",
    [STATUS_NOT_FOUND] = "not found",
    [STATUS_EXISTS] = "exists",
    [STATUS_DENIED] = "denied",
    [STATUS_TOO_LARGE] = "too large",
    [STATUS_UNSUPPORTED] = "unsupported",
    [STATUS_NO_MEMORY] = "out of memory",
    [STATUS_LIMITED] = "limited",
    [STATUS_CLOSED] = "closed",
    [STATUS_TIMED_OUT] = "timed out",
    [STATUS_CANCELLED] = "cancelled",
    [STATUS_PROTOCOL] = "protocol error",
    [STATUS_IO] = "input/output error",
};

const char *status_name(enum status status)
{
    ASSERT(status < STATUS_COUNT);
    return names[status];
}
