#include "admin/precondition.h"

#include <inttypes.h>
#include <stdio.h>

#include "http/media.h"

struct slice precondition_tag(uint64_t version_us, char text_out[PRECONDITION_TAG_BYTES])
{
    const int size = snprintf(text_out, PRECONDITION_TAG_BYTES, "\"%" PRIx64 "\"", version_us);
    return slice_of(text_out, (size_t)size);
}

bool precondition_matches(struct slice if_match, uint64_t version_us)
{
    char text[PRECONDITION_TAG_BYTES];
    const struct slice tag = precondition_tag(version_us, text);
    struct slice member;
    if (slice_equal(slice_trim(if_match), SLICE("*")))
        return true;
    while (media_list_next(&if_match, &member)) {
        if (slice_equal(member, tag))
            return true;
    }
    return false;
}
