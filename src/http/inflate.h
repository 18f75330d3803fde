/* Decoding of content codings (RFC 9110 section 8.4): gzip (RFC 1952), br (RFC 7932), zstd
 * (RFC 8878), deflate (RFC 1950), from bodies that may be hostile.
 *
 * Lifecycle: create; inflate_step() as input comes and as long as it says STATUS_AGAIN;
 * inflate_finish() when the input has ended; destroy. One step writes at most what `output` takes
 * and reads at most 64 KiB, so the caller can let others run between steps; all steps are short but
 * those that inflate_is_long() tells of, which http/inflate_task.h takes.
 *
 * Thread: one at a time. Memory: a context on the heap, up to 48 KiB (gzip, deflate), 16 MiB (br),
 * 9 MiB (zstd: windows over 8 MiB are refused). Errors: after one, only destroy. */
#ifndef HTTP_INFLATE_H
#define HTTP_INFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "http/head.h"

enum content_coding {
    CONTENT_CODING_IDENTITY,
    CONTENT_CODING_GZIP,
    CONTENT_CODING_BR,
    CONTENT_CODING_ZSTD,
    CONTENT_CODING_DEFLATE,
};

/* What the value of a Content-Encoding field says; empty or `identity` is identity.
 * STATUS_UNSUPPORTED: an unknown coding, or more than one (answered with 415). */
MUST_CHECK enum status content_coding_parse(struct slice value, enum content_coding *coding_out);
/* What all the Content-Encoding fields of a head say; none is identity. Statuses as above: a
 * second field that is not empty is a second coding. */
MUST_CHECK enum status content_coding_of(const struct http_fields *fields,
                                         enum content_coding *coding_out);

struct inflate; /* opaque; defined in inflate.c */

/* Gives a decoder whose output may reach `output_max` bytes in all. `coding` is not
 * CONTENT_CODING_IDENTITY. STATUS_NO_MEMORY. */
MUST_CHECK enum status inflate_create(enum content_coding coding, uint64_t output_max,
                                      struct inflate **inflate_out);
/* Frees *inflate, if any, and sets it to NULL. */
void inflate_destroy(struct inflate **inflate);

/* Decodes from the front of *input, which is advanced, into at most `output_size` (> 0) bytes at
 * `output`; *written_out is set in any case.
 * STATUS_OK: the input is used up, and all that it stands for so far was written.
 * STATUS_AGAIN: there is more to write or to read; call again.
 * STATUS_INVALID: not that coding, damaged, or followed by something else. More gzip members
 * (RFC 1952 section 2.2) and zstd frames may follow.
 * STATUS_TOO_LARGE: more than output_max, or a window larger than allowed.
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status inflate_step(struct inflate *inflate, struct slice *input, char *output,
                                    size_t output_size, size_t *written_out);

/* Whether the next step may take long: Brotli's library returns when it has filled its whole window,
 * of up to 16 MiB, however little is read or may be written. Its other steps hand that out. */
bool inflate_is_long(const struct inflate *inflate, struct slice input);

/* The input has ended. STATUS_INVALID: it was cut short. */
MUST_CHECK enum status inflate_finish(const struct inflate *inflate);

#endif
