#include "json/value.h"
#include "models/chat_count_internal.h"

/* OpenAI's guide "Images and vision": at high detail an image is scaled down into a square of 2,048
 * pixels, then until its shorter side has 768, and costs a price for each tile of 512. */
#define TILES_MAX 8 /* 2,048 x 768 */

/* Sound at 100 ms a token, in the densest coding that is usual for speech: 32 kbit/s. */
#define SOUND_BYTES_PER_TOKEN 400

static bool is_low_detail(struct chat_counter *counter, struct json_value image)
{
    struct json_value detail;
    return json_find(image, SLICE("detail"), counter->limits, &detail) &&
           slice_equal(detail.raw, SLICE("\"low\""));
}

static void count_image(struct chat_counter *counter, struct json_value image)
{
    const struct image_price *price = &counter->model->format.image;
    counter->extra += price->base_tokens;
    if (!is_low_detail(counter, image)) {
        counter->extra += (int64_t)TILES_MAX * price->tile_tokens;
        counter->is_estimate = true;
    }
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
