#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/encoding.h"
#include "json/read.h"
#include "models/chat_count.h"

#define EMPTY 7 /* of a chat of one empty message */

static int load_encoding(void **state)
{
    (void)state;
    struct reason reason;
    return tokenizer_load(TOKEN_ENCODING_O200K, &reason) != STATUS_OK;
}

static int unload_encoding(void **state)
{
    (void)state;
    tokenizer_unload_all();
    return 0;
}

static struct input_count count_part(const char *model, const char *part)
{
    char text[1024];
    struct input_count result;
    struct json_object body;
    struct json_error error;
    struct arena arena;
    arena_init(&arena, NULL, 0, 1 << 20);
    assert_true(snprintf(text, sizeof(text),
                         "{\"messages\":[{\"role\":\"user\",\"content\":[%s]}]}",
                         part) < (int)sizeof(text));
    assert_int_equal(
        json_read_object(slice_from_text(text), &JSON_LIMITS_DEFAULT, &arena, &body, &error),
        STATUS_OK);
    assert_int_equal(count_chat(model_tokens_find(slice_from_text(model)), &body,
                                &JSON_LIMITS_DEFAULT, NULL, &result),
                     STATUS_OK);
    arena_fini(&arena);
    return result;
}

/* An image of this size within its URL. */
static struct input_count count_image(unsigned width, unsigned height)
{
    unsigned char png[24] = "\x89PNG\r\n\x1A\n\0\0\0\rIHDR";
    char part[512];
    struct buffer text;
    for (unsigned i = 0; i < 4; i++) {
        png[16 + i] = (unsigned char)(width >> (24 - 8 * i));
        png[20 + i] = (unsigned char)(height >> (24 - 8 * i));
    }
    buffer_init(&text, 256);
    assert_int_equal(base64_encode(slice_of(png, sizeof(png)), &text), STATUS_OK);
    snprintf(part, sizeof(part),
             "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,%.*s\"}}",
             SLICE_ARGS(buffer_slice(&text)));
    buffer_fini(&text);
    return count_part("gpt-4o", part);
}

static void an_image_of_low_detail_has_one_price(void **state)
{
    (void)state;
    const struct input_count count = count_part(
        "gpt-4o", "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://host/a.png\","
                  "\"detail\":\"low\"}}");
    assert_int_equal(count.input_tokens, EMPTY + 85);
    assert_false(count.is_estimate);
}

static void an_image_of_unknown_size_counts_as_the_largest(void **state)
{
    (void)state;
    static const char part[] = "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://a/b\"}}";
    assert_int_equal(count_part("gpt-4o", part).input_tokens, EMPTY + 85 + 8 * 170);
    assert_true(count_part("gpt-4o", part).is_estimate);
    assert_false(count_part("gpt-4o", part).is_unbounded);
    assert_int_equal(count_part("gpt-4o-mini", part).input_tokens, EMPTY + 2833 + 8 * 5667);
}

static void an_image_within_its_url_costs_by_its_tiles(void **state)
{
    (void)state;
    assert_int_equal(count_image(1024, 1024).input_tokens, EMPTY + 85 + 4 * 170);
    assert_int_equal(count_image(2048, 4096).input_tokens, EMPTY + 85 + 6 * 170);
    assert_int_equal(count_image(512, 512).input_tokens, EMPTY + 85 + 170);
    assert_int_equal(count_image(513, 1).input_tokens, EMPTY + 85 + 2 * 170);
    assert_int_equal(count_image(4096, 1536).input_tokens, EMPTY + 85 + 8 * 170);
    assert_int_equal(count_image(4294967295u, 1).input_tokens, EMPTY + 85 + 4 * 170);
    assert_false(count_image(1024, 1024).is_estimate);
}

static void sound_is_an_estimate_and_what_is_elsewhere_has_no_bound(void **state)
{
    (void)state;
    const struct input_count sound = count_part(
        "gpt-4o",
        "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"AAAA\",\"format\":\"mp3\"}}");
    assert_int_equal(sound.input_tokens, EMPTY + 1);
    assert_true(sound.is_estimate);
    assert_false(sound.is_unbounded);
    assert_true(count_part("gpt-4o", "{\"type\":\"input_audio\",\"input_audio\":{}}").is_unbounded);
    const struct input_count file =
        count_part("gpt-4o", "{\"type\":\"file\",\"file\":{\"file_id\":\"file-1\"}}");
    assert_int_equal(file.input_tokens, EMPTY);
    assert_true(file.is_unbounded && file.is_estimate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_of_low_detail_has_one_price),
        cmocka_unit_test(an_image_of_unknown_size_counts_as_the_largest),
        cmocka_unit_test(an_image_within_its_url_costs_by_its_tiles),
        cmocka_unit_test(sound_is_an_estimate_and_what_is_elsewhere_has_no_bound),
    };
    return cmocka_run_group_tests(tests, load_encoding, unload_encoding);
}
