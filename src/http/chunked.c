#include "http/chunked.h"

#include "base/assert.h"
#include "http/head.h"

/* States of the decoder, and what each waits for. A chunk is
 *
 *     SIZE → (EXTENSION →) SIZE_LF → PAYLOAD → PAYLOAD_CR → PAYLOAD_LF → SIZE ...
 *
 * and after the chunk of size 0 the trailer section is
 *
 *     TRAILER_START → TRAILER_NAME → TRAILER → TRAILER_LF → TRAILER_START ... → END_LF → DONE
 *
 * Each state is one function below; `steps` lists them. FAILED is left by none.
 *
 * Invariants: 1. `left` is 0 but in SIZE, where it is the size read so far, and in EXTENSION,
 * SIZE_LF and PAYLOAD. 2. `digits` is the number of digits read, 0 outside of SIZE.
 * 3. `line_bytes` counts all extensions up to TRAILER_START, the trailer section from there on. */
enum chunked_state {
    CHUNKED_SIZE,
    CHUNKED_EXTENSION,
    CHUNKED_SIZE_LF,
    CHUNKED_PAYLOAD,
    CHUNKED_PAYLOAD_CR,
    CHUNKED_PAYLOAD_LF,
    CHUNKED_TRAILER_START,
    CHUNKED_TRAILER_NAME,
    CHUNKED_TRAILER,
    CHUNKED_TRAILER_LF,
    CHUNKED_END_LF,
    CHUNKED_DONE,
    CHUNKED_FAILED,
};

#define DIGITS_MAX     16
#define CHUNK_SIZE_MAX (UINT64_C(1) << 62)

/* The bytes being decoded: those before `to` are payload, those from `from` on are unread. */
struct region {
    char *to;
    char *from;
    char *end;
};

void chunked_init(struct chunked *chunked)
{
    *chunked = (struct chunked){.state = CHUNKED_SIZE};
}

bool chunked_is_done(const struct chunked *chunked)
{
    return chunked->state == CHUNKED_DONE;
}

static int digit_of(char byte)
{
    const unsigned decimal = (unsigned)(unsigned char)byte - '0';
    if (decimal <= 9)
        return (int)decimal;
    const unsigned letter = ((unsigned)(unsigned char)byte | 0x20) - 'a';
    return letter <= 5 ? (int)letter + 10 : -1;
}

/* A step returns STATUS_OK to go on in the state it has set, even at the end of the bytes. */
static enum status take_byte(struct chunked *chunked, struct region *region, char byte,
                             enum chunked_state next)
{
    if (*region->from != byte)
        return STATUS_PROTOCOL;
    region->from++;
    chunked->state = (uint8_t)next;
    return STATUS_OK;
}

static enum status read_size(struct chunked *chunked, struct region *region)
{
    int digit = 0;
    while (region->from < region->end && (digit = digit_of(*region->from)) >= 0) {
        if (chunked->digits == DIGITS_MAX)
            return STATUS_PROTOCOL;
        chunked->left = chunked->left << 4 | (unsigned)digit;
        chunked->digits++;
        region->from++;
    }
    if (region->from == region->end)
        return STATUS_OK;
    if (chunked->digits == 0 || chunked->left > CHUNK_SIZE_MAX)
        return STATUS_PROTOCOL;
    chunked->digits = 0;
    if (*region->from == '\r') {
        region->from++;
        chunked->state = CHUNKED_SIZE_LF;
        return STATUS_OK;
    }
    /* White space before the semicolon, which RFC 9112 section 7.1.1 calls bad, is refused: some
     * take what follows it for a part of the size. */
    if (*region->from != ';')
        return STATUS_PROTOCOL;
    chunked->state = CHUNKED_EXTENSION;
    return STATUS_OK;
}

/* Leaves out bytes up to a CR. */
static enum status skip_line(struct chunked *chunked, struct region *region, unsigned bytes_max,
                             enum chunked_state next)
{
    for (; region->from < region->end; region->from++) {
        const unsigned char byte = (unsigned char)*region->from;
        if (byte == '\r') {
            region->from++;
            chunked->state = (uint8_t)next;
            return STATUS_OK;
        }
        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return STATUS_PROTOCOL;
        if (++chunked->line_bytes > bytes_max)
            return STATUS_TOO_LARGE;
    }
    return STATUS_OK;
}

static enum status skip_extension(struct chunked *chunked, struct region *region)
{
    return skip_line(chunked, region, CHUNKED_EXTENSION_BYTES_MAX, CHUNKED_SIZE_LF);
}

static enum status end_size(struct chunked *chunked, struct region *region)
{
    if (chunked->left > 0)
        return take_byte(chunked, region, '\n', CHUNKED_PAYLOAD);
    chunked->line_bytes = 0;
    return take_byte(chunked, region, '\n', CHUNKED_TRAILER_START);
}

static enum status move_payload(struct chunked *chunked, struct region *region)
{
    const size_t there = (size_t)(region->end - region->from);
    const size_t size = chunked->left < there ? (size_t)chunked->left : there;
    if (region->to != region->from)
        memmove(region->to, region->from, size);
    region->to += size;
    region->from += size;
    chunked->left -= size;
    if (chunked->left == 0)
        chunked->state = CHUNKED_PAYLOAD_CR;
    return STATUS_OK;
}

static enum status end_payload(struct chunked *chunked, struct region *region)
{
    return take_byte(chunked, region, '\r', CHUNKED_PAYLOAD_LF);
}

static enum status end_chunk(struct chunked *chunked, struct region *region)
{
    return take_byte(chunked, region, '\n', CHUNKED_SIZE);
}

static enum status start_trailer(struct chunked *chunked, struct region *region)
{
    if (*region->from == '\r')
        return take_byte(chunked, region, '\r', CHUNKED_END_LF);
    if (!http_is_token(slice_of(region->from, 1)))
        return STATUS_PROTOCOL; /* a folded line, for one */
    chunked->state = CHUNKED_TRAILER_NAME;
    return STATUS_OK;
}

static enum status skip_trailer_name(struct chunked *chunked, struct region *region)
{
    for (; region->from < region->end; region->from++) {
        if (*region->from == ':') {
            chunked->state = CHUNKED_TRAILER;
            return STATUS_OK;
        }
        if (!http_is_token(slice_of(region->from, 1)))
            return STATUS_PROTOCOL;
        if (++chunked->line_bytes > CHUNKED_TRAILER_BYTES_MAX)
            return STATUS_TOO_LARGE;
    }
    return STATUS_OK;
}

static enum status skip_trailer(struct chunked *chunked, struct region *region)
{
    return skip_line(chunked, region, CHUNKED_TRAILER_BYTES_MAX, CHUNKED_TRAILER_LF);
}

static enum status end_trailer(struct chunked *chunked, struct region *region)
{
    return take_byte(chunked, region, '\n', CHUNKED_TRAILER_START);
}

static enum status end_body(struct chunked *chunked, struct region *region)
{
    return take_byte(chunked, region, '\n', CHUNKED_DONE);
}

static enum status stay_failed(struct chunked *chunked, struct region *region)
{
    (void)chunked;
    (void)region;
    return STATUS_PROTOCOL;
}

/* What nearly all chunks are: a size of a few digits without extension, and whole in the region.
 * Takes such chunks, at the start of one, without going through the states for each of their
 * parts; what is not of that kind, or wrong, is left to the states. */
#define WHOLE_DIGITS_MAX 6

static void take_whole_chunks(struct region *region)
{
    for (;;) {
        const char *at = region->from;
        const size_t there = (size_t)(region->end - at);
        size_t size = 0;
        unsigned digits = 0;
        int digit;
        if (there < WHOLE_DIGITS_MAX + 2)
            return;
        while (digits < WHOLE_DIGITS_MAX && (digit = digit_of(at[digits])) >= 0) {
            size = size << 4 | (unsigned)digit;
            digits++;
        }
        const size_t head = digits + 2;
        if (size == 0 || there < head + size + 2 || at[digits] != '\r' || at[digits + 1] != '\n' ||
            at[head + size] != '\r' || at[head + size + 1] != '\n')
            return;
        memmove(region->to, at + head, size);
        region->to += size;
        region->from += head + size + 2;
    }
}

typedef enum status step(struct chunked *chunked, struct region *region);

static step *const steps[] = {
    [CHUNKED_SIZE] = read_size,
    [CHUNKED_EXTENSION] = skip_extension,
    [CHUNKED_SIZE_LF] = end_size,
    [CHUNKED_PAYLOAD] = move_payload,
    [CHUNKED_PAYLOAD_CR] = end_payload,
    [CHUNKED_PAYLOAD_LF] = end_chunk,
    [CHUNKED_TRAILER_START] = start_trailer,
    [CHUNKED_TRAILER_NAME] = skip_trailer_name,
    [CHUNKED_TRAILER] = skip_trailer,
    [CHUNKED_TRAILER_LF] = end_trailer,
    [CHUNKED_END_LF] = end_body,
    [CHUNKED_FAILED] = stay_failed,
};

enum status chunked_decode(struct chunked *chunked, char *data, size_t size, size_t *consumed_out,
                           size_t *payload_size_out)
{
    struct region region = {.to = data, .from = data, .end = data + size};
    enum status status = STATUS_OK;
    while (status == STATUS_OK && chunked->state != CHUNKED_DONE && region.from < region.end) {
        if (chunked->state == CHUNKED_SIZE && chunked->digits == 0)
            take_whole_chunks(&region);
        if (region.from == region.end)
            break;
        status = steps[chunked->state](chunked, &region);
    }
    *consumed_out = (size_t)(region.from - data);
    *payload_size_out = (size_t)(region.to - data);
    if (status != STATUS_OK) {
        chunked->state = CHUNKED_FAILED;
        return status;
    }
    return chunked->state == CHUNKED_DONE ? STATUS_OK : STATUS_AGAIN;
}

size_t chunked_header(uint64_t size, char header_out[CHUNKED_HEADER_BYTES])
{
    ASSERT(size > 0);
    const unsigned digits = (67 - (unsigned)__builtin_clzll(size)) / 4;
    for (unsigned i = digits; i > 0; i--, size >>= 4)
        header_out[i - 1] = "0123456789abcdef"[size & 15];
    header_out[digits] = '\r';
    header_out[digits + 1] = '\n';
    return digits + 2;
}
