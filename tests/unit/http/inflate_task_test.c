#include "http/inflate_task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <brotli/encode.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "http/shared.h"
#include "support/loop_fixture.h"

#define PLAIN_BYTES ((size_t)6 << 20) /* more than a window of 4 MiB */
#define STEP_BYTES  (64 * 1024)

/* A task that decodes, and another that counts how often it gets a turn meanwhile. */
struct decoding {
    struct http_server server;
    struct inflate *inflate;
    struct slice encoded;
    char *plain; /* PLAIN_BYTES and a step more */
    size_t size;
    enum status status;
    unsigned steps, long_steps;
    unsigned turns_of_others, turns_in_short_steps;
    bool yields; /* between the steps, when they were long enough together */
    bool is_done;
};

static void decode(void *argument)
{
    struct decoding *decoding = argument;
    do {
        const bool is_long = inflate_is_long(decoding->inflate, decoding->encoded);
        const unsigned turns = decoding->turns_of_others;
        size_t written;
        assert_true(decoding->size <= PLAIN_BYTES);
        decoding->status =
            inflate_task_step(&decoding->server, decoding->inflate, &decoding->encoded,
                              decoding->plain + decoding->size, STEP_BYTES, &written);
        decoding->size += written;
        decoding->steps++;
        decoding->long_steps += is_long;
        if (!is_long)
            decoding->turns_in_short_steps += decoding->turns_of_others - turns;
        if (decoding->yields)
            task_pace(decoding->server.loop);
    } while (decoding->status == STATUS_AGAIN);
    decoding->is_done = true;
}

static void take_turns(void *argument)
{
    struct decoding *decoding = argument;
    while (!decoding->is_done) {
        decoding->turns_of_others++;
        task_yield(decoding->server.loop);
    }
}

static void open_for(struct decoding *decoding, enum content_coding coding, struct slice encoded)
{
    *decoding = (struct decoding){.encoded = encoded};
    decoding->server.loop = loop_fixture_create();
    assert_int_equal(http_shared_create(&decoding->server.shared), STATUS_OK);
    assert_int_equal(inflate_create(coding, PLAIN_BYTES, &decoding->inflate), STATUS_OK);
    decoding->plain = alloc_bytes(PLAIN_BYTES + STEP_BYTES);
    assert_non_null(decoding->plain);
}

static void close_it(struct decoding *decoding)
{
    inflate_destroy(&decoding->inflate);
    http_shared_destroy(&decoding->server.shared);
    loop_fixture_destroy(&decoding->server.loop);
    alloc_free(decoding->plain);
}

static void run_both(struct decoding *decoding)
{
    loop_fixture_run(decoding->server.loop, take_turns, decoding);
    loop_fixture_run(decoding->server.loop, decode, decoding);
    loop_fixture_until_set(decoding->server.loop, &decoding->is_done);
    loop_fixture_until_quiet(decoding->server.loop);
}

/* --- Encoding --- */

static char *zeros; /* PLAIN_BYTES */
static char encoded[64 * 1024];

static struct slice brotli_of_zeros(size_t size)
{
    size_t encoded_size = sizeof(encoded);
    assert_true(BrotliEncoderCompress(1, 22, BROTLI_MODE_GENERIC, size, (const uint8_t *)zeros,
                                      &encoded_size, (uint8_t *)encoded));
    return slice_of(encoded, encoded_size);
}

static struct slice gzip_of_zeros(size_t size)
{
    z_stream zlib = {.next_in = (Bytef *)zeros,
                     .avail_in = (uInt)size,
                     .next_out = (Bytef *)encoded,
                     .avail_out = sizeof(encoded)};
    assert_int_equal(deflateInit2(&zlib, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    const size_t written = zlib.total_out;
    deflateEnd(&zlib);
    return slice_of(encoded, written);
}

static int set_up(void **state)
{
    (void)state;
    zeros = alloc_zeroed(1, PLAIN_BYTES);
    return zeros == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    alloc_free(zeros);
    return 0;
}

/* --- Tests --- */

static void a_window_of_brotli_is_filled_while_other_tasks_run(void **state)
{
    (void)state;
    struct decoding decoding;
    open_for(&decoding, CONTENT_CODING_BR, brotli_of_zeros(PLAIN_BYTES));
    run_both(&decoding);
    assert_int_equal(decoding.status, STATUS_OK);
    assert_int_equal(decoding.size, PLAIN_BYTES);
    assert_memory_equal(decoding.plain, zeros, PLAIN_BYTES);
    assert_true(decoding.turns_of_others > 1);
    close_it(&decoding);
}

/* One step in some tens decodes; the others copy out of the window, and do so in the loop. */
static void what_lies_in_the_window_is_handed_out_in_the_loop(void **state)
{
    (void)state;
    struct decoding decoding;
    open_for(&decoding, CONTENT_CODING_BR, brotli_of_zeros(PLAIN_BYTES));
    run_both(&decoding);
    assert_true(decoding.steps >= PLAIN_BYTES / STEP_BYTES);
    assert_in_range(decoding.long_steps, 2, 6);
    assert_int_equal(decoding.turns_in_short_steps, 0);
    close_it(&decoding);
}

static void gzip_stays_in_the_loop(void **state)
{
    (void)state;
    struct decoding decoding;
    open_for(&decoding, CONTENT_CODING_GZIP, gzip_of_zeros(PLAIN_BYTES));
    run_both(&decoding);
    assert_int_equal(decoding.status, STATUS_OK);
    assert_int_equal(decoding.size, PLAIN_BYTES);
    assert_int_equal(decoding.long_steps, 0);
    assert_int_equal(decoding.turns_of_others, 1);
    close_it(&decoding);
}

/* A header, and empty blocks without an end. */
static void what_expands_to_nothing_lets_others_run_too(void **state)
{
    (void)state;
    static const char header[10] = "\x1f\x8b\x08";
    static const char block[5] = "\0\0\0\xff\xff";
    struct decoding decoding;
    size_t size = sizeof(header);
    memcpy(encoded, header, sizeof(header));
    for (; size + sizeof(block) <= sizeof(encoded); size += sizeof(block))
        memcpy(encoded + size, block, sizeof(block));
    open_for(&decoding, CONTENT_CODING_GZIP, slice_of(encoded, size));
    decoding.yields = true;
    run_both(&decoding);
    assert_int_equal(decoding.status, STATUS_OK);
    assert_int_equal(decoding.size, 0);
    assert_true(decoding.turns_of_others >= sizeof(encoded) / (8 * 1024));
    close_it(&decoding);
}

static void without_input_nothing_waits(void **state)
{
    (void)state;
    struct decoding decoding;
    open_for(&decoding, CONTENT_CODING_BR, (struct slice){0});
    run_both(&decoding);
    assert_int_equal(decoding.status, STATUS_OK);
    assert_int_equal(decoding.steps, 1);
    assert_int_equal(decoding.long_steps, 0);
    assert_int_equal(decoding.turns_of_others, 1);
    close_it(&decoding);
}

static void damage_is_found_on_the_thread_too(void **state)
{
    (void)state;
    struct decoding decoding;
    open_for(&decoding, CONTENT_CODING_BR, SLICE("\x11\x1e\x03"));
    run_both(&decoding);
    assert_int_equal(decoding.status, STATUS_INVALID);
    assert_int_equal(decoding.long_steps, 1);
    close_it(&decoding);
}

static void one_byte_over_the_cap_is_refused(void **state)
{
    (void)state;
    struct decoding decoding;
    open_for(&decoding, CONTENT_CODING_BR, brotli_of_zeros(PLAIN_BYTES));
    inflate_destroy(&decoding.inflate);
    assert_int_equal(inflate_create(CONTENT_CODING_BR, PLAIN_BYTES - 1, &decoding.inflate),
                     STATUS_OK);
    run_both(&decoding);
    assert_int_equal(decoding.status, STATUS_TOO_LARGE);
    close_it(&decoding);
}

static void a_thread_that_cannot_start_is_want_of_memory(void **state)
{
    (void)state;
    struct decoding decoding;
    open_for(&decoding, CONTENT_CODING_BR, brotli_of_zeros(1000));
    alloc_fail_nth(0);
    loop_fixture_run(decoding.server.loop, decode, &decoding);
    alloc_fail_nth(-1);
    assert_true(decoding.is_done);
    assert_int_equal(decoding.status, STATUS_NO_MEMORY);
    loop_fixture_run(decoding.server.loop, decode, &decoding); /* and with memory it goes on */
    loop_fixture_until_quiet(decoding.server.loop);
    assert_int_equal(decoding.status, STATUS_OK);
    assert_int_equal(decoding.size, 1000);
    close_it(&decoding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_window_of_brotli_is_filled_while_other_tasks_run),
        cmocka_unit_test(what_lies_in_the_window_is_handed_out_in_the_loop),
        cmocka_unit_test(gzip_stays_in_the_loop),
        cmocka_unit_test(what_expands_to_nothing_lets_others_run_too),
        cmocka_unit_test(without_input_nothing_waits),
        cmocka_unit_test(damage_is_found_on_the_thread_too),
        cmocka_unit_test(one_byte_over_the_cap_is_refused),
        cmocka_unit_test(a_thread_that_cannot_start_is_want_of_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
