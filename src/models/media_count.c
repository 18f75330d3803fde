#include "json/value.h"
#include "models/chat_count_internal.h"
#include "models/image_size.h"

/* OpenAI's guide "Images and vision": at high detail an image is scaled down into a square of 2,048
 * pixels, then until its shorter side has 768, and costs a price for each tile of 512. */
#define SQUARE_PIXELS 2048
#define SIDE_PIXELS   768
#define TILE_PIXELS   512
#define TILES_MAX     8 /* 2,048 x 768 */

/* Sound at 100 ms a token, in the densest coding that is usual for speech: 32 kbit/s. */
#define SOUND_BYTES_PER_TOKEN 400

static bool is_low_detail(struct chat_counter *counter, struct json_value image)
{
    struct json_value detail;
    return json_find(image, SLICE("detail"), counter->limits, &detail) &&
           slice_equal(detail.raw, SLICE("\"low\""));
}

/* Scaled so that the side has at most so many pixels. */
static void shrink(struct image_size *size, uint64_t side, uint64_t pixels_max)
{
    if (side <= pixels_max)
        return;
    size->width = (uint32_t)(size->width * pixels_max / side);
    size->height = (uint32_t)(size->height * pixels_max / side);
}

static uint32_t tiles_of(struct image_size size)
{
    shrink(&size, size.width > size.height ? size.width : size.height, SQUARE_PIXELS);
    shrink(&size, size.width < size.height ? size.width : size.height, SIDE_PIXELS);
    const uint32_t columns = (size.width + TILE_PIXELS - 1) / TILE_PIXELS;
    const uint32_t rows = (size.height + TILE_PIXELS - 1) / TILE_PIXELS;
    return (columns > 0 ? columns : 1) * (rows > 0 ? rows : 1);
}

/* The URL's image, if it is in the URL itself. */
static bool knows_size(struct chat_counter *counter, struct json_value image,
                       struct image_size *size)
{
    struct json_value url = image;
    if (image.type == JSON_TYPE_OBJECT && !json_find(image, SLICE("url"), counter->limits, &url))
        return false;
    return url.type == JSON_TYPE_STRING &&
           image_size_of_url(slice_of(url.raw.data + 1, url.raw.size - 2), size) == STATUS_OK;
}

static void count_image(struct chat_counter *counter, struct json_value image)
{
    const struct image_price *price = &counter->model->format.image;
    struct image_size size;
    counter->extra += price->base_tokens;
    if (is_low_detail(counter, image))
        return;
    const bool is_known = knows_size(counter, image, &size);
    counter->is_estimate |= !is_known;
    counter->extra += (int64_t)(is_known ? tiles_of(size) : TILES_MAX) * price->tile_tokens;
}

static void count_sound(struct chat_counter *counter, struct json_value sound)
{
    struct json_value data;
    counter->is_estimate = true;
    if (json_find(sound, SLICE("data"), counter->limits, &data))
        counter->extra += (int64_t)(data.raw.size / 4 * 3 / SOUND_BYTES_PER_TOKEN + 1);
    else
        counter->is_unbounded = true;
}

enum status chat_counter_media(struct chat_counter *counter, struct json_value part)
{
    struct json_value value;
    if (json_find(part, SLICE("image_url"), counter->limits, &value)) {
        count_image(counter, value);
    } else if (json_find(part, SLICE("input_audio"), counter->limits, &value)) {
        count_sound(counter, value);
    } else {
        counter->is_estimate = true;
        counter->is_unbounded = true;
    }
    return STATUS_OK;
}
