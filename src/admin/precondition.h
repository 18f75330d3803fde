/* If-Match and entity tags (RFC 9110 sections 8.8.3 and 13.1.1) of the objects of the admin API.
 *
 * An object's tag is its updated_at in hexadecimal: it rises with each change. Pure. */
#ifndef ADMIN_PRECONDITION_H
#define ADMIN_PRECONDITION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define PRECONDITION_TAG_BYTES 19 /* of a tag: 16 digits, two quotes and a final zero */

/* Writes the tag with its quotes. */
struct slice precondition_tag(uint64_t version_us, char text_out[PRECONDITION_TAG_BYTES]);
/* Whether the field's value is `*` or names the version. A weak tag (W/"...") never does. */
bool precondition_matches(struct slice if_match, uint64_t version_us);

#endif
