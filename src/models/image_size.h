/* How large an image is, from the start of its file: PNG (ISO 15948), GIF (89a specification), JPEG
 * (ITU T.81, annex B) and WebP (RFC 9649). Pure; any bytes may come. Thread: any. */
#ifndef MODELS_IMAGE_SIZE_H
#define MODELS_IMAGE_SIZE_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

/* Where a JPEG's size stands depends on what a camera put before it; most have it in here. */
#define IMAGE_START_BYTES ((size_t)2880)

struct image_size {
    uint32_t width; /* in pixels, at least 1 */
    uint32_t height;
};

/* `start` is the beginning of the file, or all of it. STATUS_NOT_FOUND: of another format, damaged,
 * or the size does not stand in this much of it. */
MUST_CHECK enum status image_size_read(struct slice start, struct image_size *size_out);

/* The same of a "data:" URL (RFC 2397) in base64, as it stands in a string of JSON. */
MUST_CHECK enum status image_size_of_url(struct slice url, struct image_size *size_out);

#endif
