/* Media types and comma-separated lists in field values (RFC 9110 sections 5.6 and 8.3).
 *
 * Thread: any. Memory: slices point into the value. Nothing here fails: what is malformed is
 * simply not the type, or not in the list, that was asked for. */
#ifndef HTTP_MEDIA_H
#define HTTP_MEDIA_H

#include <stdbool.h>

#include "base/slice.h"

/* Whether a Content-Type is `type` ("text/plain"), without regard to case and parameters. */
bool media_is(struct slice content_type, struct slice type);
/* application/json or anything with the suffix +json (RFC 6839 section 3.1). */
bool media_is_json(struct slice content_type);
/* text/event-stream. */
bool media_is_event_stream(struct slice content_type);

/* Takes the next member off the front of *rest, which is the value at first; false at its end.
 * Members have no white space at their ends; empty ones are left out; a comma within a quoted
 * string separates nothing. */
bool media_list_next(struct slice *rest, struct slice *member_out);
/* Whether the list has the member `token`, without regard to case. */
bool media_list_has(struct slice value, struct slice token);

#endif
