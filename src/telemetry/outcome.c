#include "telemetry/outcome.h"

#include "base/assert.h"

static const char *const names[OUTCOME_COUNT] = {
    [OUTCOME_COMPLETED] = "completed",
    [OUTCOME_REFUSED] = "refused",
    [OUTCOME_CLIENT_GONE] = "client_gone",
    [OUTCOME_UPSTREAM_FAILED] = "upstream_failed",
    [OUTCOME_UPSTREAM_BROKEN] = "upstream_broken",
    [OUTCOME_TIMED_OUT] = "timed_out",
    [OUTCOME_OUT_OF_BUDGET] = "out_of_budget",
    [OUTCOME_CUT_OFF] = "cut_off",
    [OUTCOME_FAILED] = "failed",
};

const char *outcome_name(enum outcome outcome)
{
    ASSERT((unsigned)outcome < OUTCOME_COUNT);
    return names[outcome];
}
