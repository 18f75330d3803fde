/* Any bytes as a chunked body. What must hold: decoded in place, in two pieces or byte by byte they
 * come to the same end with the same payload; a body that is accepted without extensions and
 * trailers is accepted by llhttp too, with the same payload; a payload that is encoded comes
 * back. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <llhttp.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/buffer.h"
#include "http/chunked.h"

#define BODY_BYTES_MAX 4096

/* Decodes the first `first` bytes, then the rest in pieces of `step`. */
static enum status decode(struct slice bytes, size_t first, size_t step, struct buffer *payload,
                          size_t *used_out)
{
    struct chunked chunked;
    enum status status = STATUS_AGAIN;
    size_t end = first < bytes.size ? first : bytes.size;
    chunked_init(&chunked);
    for (*used_out = 0; status == STATUS_AGAIN && *used_out < bytes.size;) {
        const size_t size = end - *used_out;
        char *piece = alloc_bytes(size + 1);
        size_t consumed, decoded;
        if (size > 0)
            memcpy(piece, bytes.data + *used_out, size);
        status = chunked_decode(&chunked, piece, size, &consumed, &decoded);
        ASSERT(decoded <= consumed && consumed <= size);
        ASSERT(status != STATUS_AGAIN || consumed == size);
        buffer_append(payload, slice_of(piece, decoded));
        *used_out += consumed;
        end = step < bytes.size - end ? end + step : bytes.size;
        alloc_free(piece);
    }
    ASSERT(buffer_status(payload) == STATUS_OK);
    return status;
}

static int on_body(llhttp_t *parser, const char *at, size_t size)
{
    buffer_append(parser->data, slice_of(at, size));
    return 0;
}

/* Whether an accepted body has extensions or trailers. */
static bool has_more_than_chunks(struct slice body)
{
    for (;;) {
        char digits[17] = "";
        const size_t line_size = slice_find_byte(body, '\r');
        if (line_size >= sizeof(digits) || slice_find_byte(body, ';') < line_size)
            return true;
        memcpy(digits, body.data, line_size);
        const size_t size = strtoull(digits, NULL, 16);
        if (size == 0)
            return body.size > line_size + 4;
        body = slice_from(body, line_size + 2 + size + 2);
    }
}

static void compare_with_llhttp(struct slice body, struct slice payload)
{
    static const char head[] = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const llhttp_settings_t settings = {.on_body = on_body};
    struct buffer theirs;
    llhttp_t parser;
    if (has_more_than_chunks(body))
        return;
    buffer_init(&theirs, BODY_BYTES_MAX);
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = &theirs;
    ASSERT(llhttp_execute(&parser, head, sizeof(head) - 1) == HPE_OK);
    ASSERT(llhttp_execute(&parser, body.data, body.size) == HPE_OK);
    ASSERT(slice_equal(buffer_slice(&theirs), payload));
    buffer_fini(&theirs);
}

static void encode_and_decode(struct slice bytes, size_t chunk_size)
{
    struct buffer body, payload;
    size_t used;
    buffer_init(&body, 16 * BODY_BYTES_MAX);
    buffer_init(&payload, BODY_BYTES_MAX);
    for (size_t at = 0; at < bytes.size; at += chunk_size) {
        const size_t left = bytes.size - at;
        const size_t size = chunk_size < left ? chunk_size : left;
        char header[CHUNKED_HEADER_BYTES];
        buffer_append(&body, slice_of(header, chunked_header(size, header)));
        buffer_append(&body, slice_of(bytes.data + at, size));
        buffer_append(&body, CHUNKED_PAYLOAD_END);
    }
    buffer_append(&body, CHUNKED_BODY_END);
    ASSERT(decode(buffer_slice(&body), 5, 11, &payload, &used) == STATUS_OK);
    ASSERT(used == body.size && slice_equal(buffer_slice(&payload), bytes));
    buffer_fini(&body);
    buffer_fini(&payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer whole, split, single;
    size_t whole_used, split_used, single_used;
    if (size < 2 || size > BODY_BYTES_MAX)
        return 0;
    const struct slice bytes = slice_of(data + 1, size - 1);
    buffer_init(&whole, BODY_BYTES_MAX);
    buffer_init(&split, BODY_BYTES_MAX);
    buffer_init(&single, BODY_BYTES_MAX);
    const enum status status = decode(bytes, bytes.size, 1, &whole, &whole_used);
    ASSERT(decode(bytes, data[0], bytes.size, &split, &split_used) == status);
    ASSERT(decode(bytes, 1, 1, &single, &single_used) == status);
    ASSERT(split_used == whole_used && single_used == whole_used);
    ASSERT(slice_equal(buffer_slice(&split), buffer_slice(&whole)));
    ASSERT(slice_equal(buffer_slice(&single), buffer_slice(&whole)));
    if (status == STATUS_OK)
        compare_with_llhttp(slice_of(bytes.data, whole_used), buffer_slice(&whole));
    buffer_fini(&whole);
    buffer_fini(&split);
    buffer_fini(&single);
    encode_and_decode(bytes, (size_t)data[0] + 1);
    return 0;
}
