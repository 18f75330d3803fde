/* Any bytes as a request head. What must hold: the end of a head is found where a byte-by-byte scan
 * finds it, however the bytes are split; a head that is accepted has one framing, no control byte
 * and slices within its own bytes; written anew from its parts it is accepted again, with the same
 * parts. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "http/head_writer.h"
#include "http/request_head.h"

#define HEAD_BYTES_MAX 4096

static const struct http_head_limits limits = {.headers_max = 64};

/* The rules of http_head_find_end(), one byte after the other. */
static enum status scan_slowly(struct slice bytes, size_t *size_out)
{
    size_t at = 0;
    while (at < 4 && at + 1 < bytes.size && bytes.data[at] == '\r' && bytes.data[at + 1] == '\n')
        at += 2;
    if (bytes.size - at < 2)
        return STATUS_AGAIN;
    for (bool is_line_start = false; at < bytes.size;) {
        const char byte = bytes.data[at];
        const char next = at + 1 < bytes.size ? bytes.data[at + 1] : '\n';
        if (is_line_start && (byte == ' ' || byte == '\t'))
            return STATUS_PROTOCOL;
        if (byte == '\r' && next == '\n') {
            if (at + 1 == bytes.size)
                return STATUS_AGAIN;
            at += 2;
            *size_out = at;
            if (is_line_start)
                return STATUS_OK;
            is_line_start = true;
            continue;
        }
        if (((unsigned char)byte < ' ' && byte != '\t') || byte == 0x7f)
            return STATUS_PROTOCOL;
        is_line_start = false;
        at++;
    }
    return STATUS_AGAIN;
}

static enum status find_end(struct slice bytes, size_t split, size_t *size_out)
{
    size_t scanned = 0, slow_size = 0;
    enum status status = STATUS_AGAIN;
    for (size_t size = split % (bytes.size + 1); status == STATUS_AGAIN; size++) {
        status = http_head_find_end(slice_of(bytes.data, size), &scanned, size_out);
        if (size == bytes.size)
            break;
    }
    const enum status slow = scan_slowly(bytes, &slow_size);
    ASSERT(status == slow && (status != STATUS_OK || *size_out == slow_size));
    return status;
}

static bool is_within(struct slice part, struct slice whole)
{
    return part.size == 0 ||
           (part.data >= whole.data && part.data + part.size <= whole.data + whole.size);
}

static void check_accepted(const struct http_request_head *head, struct slice bytes)
{
    ASSERT(is_within(head->target, bytes) && is_within(head->query, bytes));
    ASSERT(is_within(head->host, bytes) && is_within(head->method_text, bytes));
    ASSERT(head->path.size > 0 && (head->path.data[0] == '/' || head->path.data[0] == '*'));
    ASSERT(!(head->is_chunked && head->has_content_length));
    ASSERT(!head->is_chunked || head->minor == 1);
    ASSERT(head->minor == 0 || http_fields_has(&head->fields, HTTP_HEADER_HOST));
    ASSERT(!http_fields_repeated(&head->fields, HTTP_HEADER_HOST));
    ASSERT(!http_fields_repeated(&head->fields, HTTP_HEADER_CONTENT_LENGTH));
    ASSERT((head->framing == HTTP_FRAMING_LENGTH) == (head->content_length > 0));
    for (unsigned i = 0; i < head->fields.count; i++) {
        const struct http_header *header = &head->fields.items[i];
        ASSERT(is_within(header->name, bytes) && is_within(header->value, bytes));
        ASSERT(http_is_token(header->name) && http_value_is_clean(header->value));
        ASSERT(slice_trim(header->value).size == header->value.size);
    }
}

static void write_and_read_again(const struct http_request_head *head)
{
    static char area[3 * HEAD_BYTES_MAX], memory[HEAD_BYTES_MAX * 8];
    struct head_writer writer;
    struct slice bytes;
    struct arena arena;
    struct http_request_head again;
    unsigned http_status;
    head_writer_init(&writer, area, sizeof(area));
    head_writer_request_line(&writer, head->method_text, head->target);
    for (unsigned i = 0; i < head->fields.count; i++)
        head_writer_add(&writer, head->fields.items[i].name, head->fields.items[i].value);
    ASSERT(head_writer_finish(&writer, &bytes) == STATUS_OK);
    if (head->minor == 0)
        return; /* what is written is HTTP/1.1 */
    arena_init(&arena, memory, sizeof(memory), 0);
    ASSERT(http_request_head_parse(bytes, &limits, &arena, &again, &http_status, NULL) ==
           STATUS_OK);
    ASSERT(again.fields.count == head->fields.count && again.framing == head->framing);
    ASSERT(again.content_length == head->content_length && again.keep_alive == head->keep_alive);
    ASSERT(slice_equal(again.path, head->path) && slice_equal(again.host, head->host));
    for (unsigned i = 0; i < head->fields.count; i++)
        ASSERT(slice_equal(again.fields.items[i].value, head->fields.items[i].value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char memory[HEAD_BYTES_MAX * 8];
    struct http_request_head head;
    struct arena arena;
    struct reason reason;
    unsigned http_status = 0;
    if (size < 1 || size > HEAD_BYTES_MAX)
        return 0;
    struct slice bytes = slice_of(data + 1, size - 1);
    if (find_end(bytes, data[0], &bytes.size) != STATUS_OK)
        return 0;
    arena_init(&arena, memory, sizeof(memory), 0);
    const enum status status =
        http_request_head_parse(bytes, &limits, &arena, &head, &http_status, &reason);
    if (status == STATUS_OK) {
        check_accepted(&head, bytes);
        write_and_read_again(&head);
    } else {
        ASSERT(http_status == 400 || http_status == 417 || http_status == 431 ||
               http_status == 501 || http_status == 505);
    }
    return 0;
}
