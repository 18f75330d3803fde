#include "telemetry/access.h"

#include <string.h>

void log_access_init(struct log_access *access)
{
    memset(access, 0, sizeof(*access));
    struct access_figures *figures = &access->figures;
    figures->first_byte_ns = ACCESS_UNKNOWN;
    figures->input_tokens = ACCESS_UNKNOWN;
    figures->output_tokens = ACCESS_UNKNOWN;
    figures->cached_tokens = ACCESS_UNKNOWN;
    figures->cache_write_tokens = ACCESS_UNKNOWN;
    figures->reasoning_tokens = ACCESS_UNKNOWN;
}
