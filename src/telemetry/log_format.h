/* Log lines: ECS JSON for machines, aligned text for people. Pure.
 *
 * A line ends in a line feed and has no other; it takes at most LOG_LINE_MAX bytes.
 * Errors: those of the buffer. */
#ifndef TELEMETRY_LOG_FORMAT_H
#define TELEMETRY_LOG_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "telemetry/escape.h"
#include "telemetry/log_record.h"

/* The path and the method stand in the message once more; names and figures take the rest. */
#define LOG_LINE_MAX (ESCAPE_GROWTH * (LOG_RECORD_TEXT_MAX + 512) + 3072)

/* What is the same in every line of a process. */
struct log_service {
    struct slice version;
    uint64_t pid;
};

struct log_style {
    bool colour;
    int32_t utc_offset_s; /* of the local time that the lines show */
};

/* One JSON object with flat dotted names (Elastic Common Schema 8.11). */
void log_json_append(struct buffer *line, const struct log_view *view,
                     const struct log_service *service);

/* "12:34:56.789 200 POST /v1/chat/completions gpt-4o-mini → local/smollm2 812 ms ..." */
void log_text_append(struct buffer *line, const struct log_view *view,
                     const struct log_style *style);

#endif
