#include "models/image_size.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/encoding.h"

#define PNG SLICE("\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\x03\x20\0\0\x02\x58\x08\x06\0\0\0")
#define GIF SLICE("GIF89a\x20\x03\x58\x02\xF7\0\0")
#define JPEG                                                                                       \
    SLICE("\xFF\xD8\xFF\xE0\0\x06JFIF\xFF\xFF\xDB\0\x04\0\0\xFF\xC2\0\x11\x08\x02\x58\x03\x20"     \
          "\x03")
#define VP8  SLICE("RIFF\x24\0\0\0WEBPVP8 \x18\0\0\0\x30\x01\0\x9D\x01\x2A\x20\x03\x58\x02\x01\0")
#define VP8L SLICE("RIFF\x24\0\0\0WEBPVP8L\x18\0\0\0\x2F\x1F\xC3\x95\0\x07\0\0\0\0")
#define VP8X SLICE("RIFF\x24\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x1F\x03\0\x57\x02\0")

static void the_size_of_each_format_is_found(void **state)
{
    (void)state;
    const struct slice files[] = {PNG, GIF, JPEG, VP8, VP8L, VP8X};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct image_size size;
        assert_int_equal(image_size_read(files[i], &size), STATUS_OK);
        assert_int_equal(size.width, 800);
        assert_int_equal(size.height, 600);
    }
}

/* What is cut may still have its size, which then is the right one; nothing else is read. */
static void a_file_that_is_cut_anywhere_has_its_size_or_none(void **state)
{
    (void)state;
    const struct slice files[] = {PNG, GIF, JPEG, VP8, VP8L, VP8X};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        for (size_t cut = 0; cut < files[i].size; cut++) {
            char bytes[64];
            struct image_size size;
            memcpy(bytes, files[i].data, cut);
            if (image_size_read(slice_of(bytes, cut), &size) == STATUS_OK)
                assert_true(size.width == 800 && size.height == 600);
        }
    }
}

static void what_is_no_image_has_no_size(void **state)
{
    (void)state;
    struct image_size size;
    assert_int_equal(image_size_read(SLICE(""), &size), STATUS_NOT_FOUND);
    assert_int_equal(image_size_read(SLICE("BM6\0\0\0 and so on, no format that we know"), &size),
                     STATUS_NOT_FOUND);
    assert_int_equal(image_size_read(SLICE("GIF89a\0\0\x58\x02\xF7\0\0"), &size), STATUS_NOT_FOUND);
    assert_int_equal(image_size_read(SLICE("\xFF\xD8\xFF\xE0\0\0\xFF\xC0\0\x11\x08\0\0"), &size),
                     STATUS_NOT_FOUND);
}

static void urls_that_hold_their_image_tell_its_size(void **state)
{
    (void)state;
    struct buffer url;
    struct image_size size;
    buffer_init(&url, 4096);
    assert_int_equal(buffer_append(&url, SLICE("data:image/png;base64,")), STATUS_OK);
    assert_int_equal(base64_encode(PNG, &url), STATUS_OK);
    assert_int_equal(image_size_of_url(buffer_slice(&url), &size), STATUS_OK);
    assert_int_equal(size.width, 800);
    for (size_t cut = 0; cut < url.size; cut++)
        (void)!image_size_of_url(slice_of(url.data, cut), &size);
    buffer_fini(&url);
    assert_int_equal(image_size_of_url(SLICE("https://host/a.png"), &size), STATUS_NOT_FOUND);
    assert_int_equal(image_size_of_url(SLICE("data:image/png,abc"), &size), STATUS_NOT_FOUND);
    assert_int_equal(image_size_of_url(SLICE("data:;base64,!"), &size), STATUS_NOT_FOUND);
    assert_int_equal(image_size_of_url(SLICE(""), &size), STATUS_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_size_of_each_format_is_found),
        cmocka_unit_test(a_file_that_is_cut_anywhere_has_its_size_or_none),
        cmocka_unit_test(what_is_no_image_has_no_size),
        cmocka_unit_test(urls_that_hold_their_image_tell_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
