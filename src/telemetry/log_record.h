/* Records as they lie in a ring, and how they are read there.
 *
 * The layout is private to the process and to this file: a fixed head, then the bytes of the texts
 * without anything between them.
 * Thread: writing is the producer's, reading the log thread's. */
#ifndef TELEMETRY_LOG_RECORD_H
#define TELEMETRY_LOG_RECORD_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "telemetry/access.h"
#include "telemetry/log.h"
#include "telemetry/log_ring.h"

enum log_kind { LOG_KIND_ACCESS, LOG_KIND_MESSAGE };

/* A text, and whether its end is missing. */
struct log_text {
    struct slice bytes;
    bool is_cut;
};

/* A record as the formats see it; it borrows from the ring. */
struct log_view {
    uint64_t time_us;
    enum log_kind kind;
    enum log_level level;
    struct access_figures figures;           /* of an access record */
    struct log_text text[ACCESS_TEXT_COUNT]; /* of an access record */
    struct slice part;                       /* of a message */
    struct log_text message;                 /* of a message */
};

/* The most that the texts of one record take together, unescaped. */
#define LOG_RECORD_TEXT_MAX 2048

/* Appends to the ring, which drops and counts what it has no room for. */
void log_record_access(struct log_ring *ring, enum log_level level,
                       const struct log_access *access);
__attribute__((format(printf, 5, 0))) void log_record_message(struct log_ring *ring,
                                                              uint64_t time_us,
                                                              enum log_level level,
                                                              const char *part, const char *format,
                                                              va_list args);

/* When the record was made, without reading the rest. */
uint64_t log_record_time_us(struct slice record);
void log_record_read(struct slice record, struct log_view *view_out);

/* Fills `bytes` (LOG_MESSAGE_SIZE of them) with the message, cut to fit, without a zero byte. */
__attribute__((format(printf, 2, 0))) struct log_text log_text_print(char *bytes,
                                                                     const char *format,
                                                                     va_list args);

#endif
