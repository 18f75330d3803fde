#include "http/inflate.h"

#define ZLIB_CONST /* zlib then takes its input as const */

#include <string.h>

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "http/media.h"

/* --- Which coding --- */

static const struct {
    struct slice name;
    enum content_coding coding;
} coding_names[] = {
    /* RFC 9110 section 8.4.1; RFC 7932 and RFC 8878 for `br` and `zstd`. */
    {{"gzip", 4}, CONTENT_CODING_GZIP},   {{"br", 2}, CONTENT_CODING_BR},
    {{"zstd", 4}, CONTENT_CODING_ZSTD},   {{"deflate", 7}, CONTENT_CODING_DEFLATE},
    {{"x-gzip", 6}, CONTENT_CODING_GZIP}, {{"identity", 8}, CONTENT_CODING_IDENTITY},
};

static enum status coding_of_name(struct slice name, enum content_coding *coding_out)
{
    for (size_t i = 0; i < sizeof(coding_names) / sizeof(coding_names[0]); i++) {
        if (slice_equal_nocase(name, coding_names[i].name)) {
            *coding_out = coding_names[i].coding;
            return STATUS_OK;
        }
    }
    return STATUS_UNSUPPORTED;
}

enum status content_coding_parse(struct slice value, enum content_coding *coding_out)
{
    struct slice name, another;
    *coding_out = CONTENT_CODING_IDENTITY;
    if (!media_list_next(&value, &name))
        return STATUS_OK;
    if (media_list_next(&value, &another))
        return STATUS_UNSUPPORTED;
    return coding_of_name(name, coding_out);
}

enum status content_coding_of(const struct http_fields *fields, enum content_coding *coding_out)
{
    const struct http_header *header = http_fields_get(fields, HTTP_HEADER_CONTENT_ENCODING);
    *coding_out = CONTENT_CODING_IDENTITY;
    for (; header != NULL; header = http_fields_next(fields, header)) {
        enum content_coding coding;
        if (header->value.size == 0)
            continue;
        if (*coding_out != CONTENT_CODING_IDENTITY)
            return STATUS_UNSUPPORTED;
        const enum status status = content_coding_parse(header->value, &coding);
        if (status != STATUS_OK)
            return status;
        *coding_out = coding;
    }
    return STATUS_OK;
}

/* --- The decoder --- */

/* What expands to nothing, such as empty blocks with tables of their own, costs the most by the byte
 * read: 6 ms for 64 KiB of gzip. */
#define STEP_INPUT_BYTES    (8 * 1024)
#define BR_INPUT_BYTES      (64 * 1024) /* not in the loop */
#define ZSTD_WINDOW_LOG_MAX 23          /* 8 MiB, which RFC 9659 allows at most */
#define GZIP_WINDOW_BITS    (15 + 16)   /* zlib: the largest window, in gzip's format */
#define ZLIB_WINDOW_BITS    15

/* A stretch of one step. */
struct piece {
    const char *input;
    size_t input_size; /* what is left of it */
    char *output;
    size_t output_size; /* what is left of it */
};

struct inflate {
    enum content_coding coding;
    uint64_t left;  /* bytes that may still be written */
    bool is_at_end; /* what was read ends with a whole stream, member or frame */
    z_stream zlib;  /* gzip, deflate */
    BrotliDecoderState *brotli;
    bool brotli_lacks_room; /* its last call stopped for want of it, and may go on without input */
    ZSTD_DCtx *zstd;
};

static void *zlib_alloc(void *context, unsigned count, unsigned size)
{
    (void)context;
    return alloc_zeroed(count, size);
}

static void zlib_free(void *context, void *memory)
{
    (void)context;
    alloc_free(memory);
}

static void *brotli_alloc(void *context, size_t size)
{
    (void)context;
    return alloc_bytes(size);
}

static void brotli_free(void *context, void *memory)
{
    (void)context;
    alloc_free(memory);
}

/* Everything after the coding itself. */
static bool set_up(struct inflate *decoder)
{
    switch (decoder->coding) {
    case CONTENT_CODING_GZIP:
    case CONTENT_CODING_DEFLATE:
        decoder->zlib.zalloc = zlib_alloc;
        decoder->zlib.zfree = zlib_free;
        return inflateInit2(&decoder->zlib, decoder->coding == CONTENT_CODING_GZIP
                                                ? GZIP_WINDOW_BITS
                                                : ZLIB_WINDOW_BITS) == Z_OK;
    case CONTENT_CODING_BR:
        decoder->brotli = BrotliDecoderCreateInstance(brotli_alloc, brotli_free, NULL);
        return decoder->brotli != NULL;
    case CONTENT_CODING_ZSTD:
        decoder->zstd = ZSTD_createDCtx();
        return decoder->zstd != NULL &&
               !ZSTD_isError(
                   ZSTD_DCtx_setParameter(decoder->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX));
    case CONTENT_CODING_IDENTITY:
        break;
    }
    return false;
}

enum status inflate_create(enum content_coding coding, uint64_t output_max,
                           struct inflate **inflate_out)
{
    ASSERT(coding != CONTENT_CODING_IDENTITY);
    *inflate_out = NULL;
    struct inflate *decoder = alloc_zeroed(1, sizeof(*decoder));
    if (decoder == NULL)
        return STATUS_NO_MEMORY;
    decoder->coding = coding;
    decoder->left = output_max;
    if (!set_up(decoder)) {
        inflate_destroy(&decoder);
        return STATUS_NO_MEMORY;
    }
    *inflate_out = decoder;
    return STATUS_OK;
}

void inflate_destroy(struct inflate **decoder)
{
    if (*decoder == NULL)
        return;
    inflateEnd(&(*decoder)->zlib); /* refuses, harmlessly, a stream that was not set up */
    if ((*decoder)->brotli != NULL)
        BrotliDecoderDestroyInstance((*decoder)->brotli);
    ZSTD_freeDCtx((*decoder)->zstd);
    alloc_free(*decoder);
    *decoder = NULL;
}

/* --- One step of each library ---
 *
 * They return STATUS_OK when they did what they could with the piece. */

static enum status step_zlib(struct inflate *decoder, struct piece *piece)
{
    z_stream *zlib = &decoder->zlib;
    if (decoder->is_at_end) {
        if (decoder->coding != CONTENT_CODING_GZIP || inflateReset(zlib) != Z_OK)
            return STATUS_INVALID;
        decoder->is_at_end = false; /* another member begins */
    }
    const uInt output_size =
        piece->output_size < UINT32_MAX ? (uInt)piece->output_size : UINT32_MAX;
    zlib->next_in = (const Bytef *)piece->input;
    zlib->avail_in = (uInt)piece->input_size;
    zlib->next_out = (Bytef *)piece->output;
    zlib->avail_out = output_size;
    const int result = inflate(zlib, Z_NO_FLUSH);
    piece->input_size = zlib->avail_in;
    piece->output_size -= output_size - zlib->avail_out;
    decoder->is_at_end = result == Z_STREAM_END;
    if (result == Z_MEM_ERROR)
        return STATUS_NO_MEMORY;
    /* Z_BUF_ERROR: there was nothing to do. */
    return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? STATUS_OK
                                                                             : STATUS_INVALID;
}

static bool is_memory_error(BrotliDecoderErrorCode code)
{
    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
           code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

/* Hands out what lies in the window; decodes nothing. */
static enum status take_brotli(struct inflate *decoder, struct piece *piece)
{
    size_t size = piece->output_size;
    const uint8_t *bytes = BrotliDecoderTakeOutput(decoder->brotli, &size);
    if (size == 0)
        return STATUS_INVALID;
    memcpy(piece->output, bytes, size);
    piece->output_size -= size;
    return STATUS_OK;
}

static enum status step_brotli(struct inflate *decoder, struct piece *piece)
{
    if (decoder->is_at_end)
        return STATUS_INVALID; /* something follows the stream */
    if (BrotliDecoderHasMoreOutput(decoder->brotli))
        return take_brotli(decoder, piece);
    const uint8_t *input = (const uint8_t *)piece->input;
    uint8_t *output = (uint8_t *)piece->output;
    const BrotliDecoderResult result = BrotliDecoderDecompressStream(
        decoder->brotli, &piece->input_size, &input, &piece->output_size, &output, NULL);
    decoder->is_at_end = result == BROTLI_DECODER_RESULT_SUCCESS;
    decoder->brotli_lacks_room = result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    if (result != BROTLI_DECODER_RESULT_ERROR)
        return STATUS_OK;
    return is_memory_error(BrotliDecoderGetErrorCode(decoder->brotli)) ? STATUS_NO_MEMORY
                                                                       : STATUS_INVALID;
}

static enum status step_zstd(struct inflate *decoder, struct piece *piece)
{
    ZSTD_inBuffer input = {.src = piece->input, .size = piece->input_size};
    ZSTD_outBuffer output = {.dst = piece->output, .size = piece->output_size};
    const size_t result = ZSTD_decompressStream(decoder->zstd, &output, &input);
    piece->input_size -= input.pos;
    piece->output_size -= output.pos;
    decoder->is_at_end = result == 0; /* further input is another frame */
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_no_error:
        return STATUS_OK;
    case ZSTD_error_frameParameter_windowTooLarge:
        return STATUS_TOO_LARGE;
    case ZSTD_error_memory_allocation:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_INVALID;
    }
}

static enum status step_once(struct inflate *decoder, struct piece *piece)
{
    switch (decoder->coding) {
    case CONTENT_CODING_BR:
        return step_brotli(decoder, piece);
    case CONTENT_CODING_ZSTD:
        return step_zstd(decoder, piece);
    default:
        return step_zlib(decoder, piece);
    }
}

/* Nothing can be written until more input is there. */
static bool needs_input(const struct inflate *decoder)
{
    if (decoder->coding != CONTENT_CODING_BR)
        return decoder->is_at_end;
    return !decoder->brotli_lacks_room && !BrotliDecoderHasMoreOutput(decoder->brotli);
}

enum status inflate_step(struct inflate *decoder, struct slice *input, char *output,
                         size_t output_size, size_t *written_out)
{
    ASSERT(output_size > 0);
    *written_out = 0;
    if (input->size == 0 && needs_input(decoder))
        return STATUS_OK;
    const size_t most = decoder->coding == CONTENT_CODING_BR ? BR_INPUT_BYTES : STEP_INPUT_BYTES;
    const size_t taken = input->size < most ? input->size : most;
    struct piece piece = {
        .input = input->data, .input_size = taken, .output = output, .output_size = output_size};
    const enum status status = step_once(decoder, &piece);
    *input = slice_from(*input, taken - piece.input_size);
    *written_out = output_size - piece.output_size;
    if (status != STATUS_OK)
        return status;
    if (*written_out > decoder->left)
        return STATUS_TOO_LARGE;
    decoder->left -= *written_out;
    const bool is_done = decoder->coding == CONTENT_CODING_BR
                             ? needs_input(decoder)
                             : decoder->is_at_end || piece.output_size > 0;
    return input->size == 0 && is_done ? STATUS_OK : STATUS_AGAIN;
}

bool inflate_is_long(const struct inflate *decoder, struct slice input)
{
    return decoder->coding == CONTENT_CODING_BR && !decoder->is_at_end &&
           !BrotliDecoderHasMoreOutput(decoder->brotli) &&
           (input.size > 0 || !needs_input(decoder));
}

enum status inflate_finish(const struct inflate *decoder)
{
    return decoder->is_at_end ? STATUS_OK : STATUS_INVALID;
}
