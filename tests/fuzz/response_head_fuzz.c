/* Any bytes as a response head. What must hold: a head that is accepted has one framing, no control
 * byte and slices within its own bytes; a connection is kept only if the end of the body can be
 * found; written anew from its parts it is accepted again, with the same parts. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "http/head_writer.h"
#include "http/response_head.h"

#define HEAD_BYTES_MAX 4096

static const struct http_head_limits limits = {.headers_max = 64};

static bool is_within(struct slice part, struct slice whole)
{
    return part.size == 0 ||
           (part.data >= whole.data && part.data + part.size <= whole.data + whole.size);
}

static void check_accepted(const struct http_response_head *head, struct slice bytes, bool to_head)
{
    const struct http_fields *fields = &head->fields;
    const bool is_chunked = http_fields_has(fields, HTTP_HEADER_TRANSFER_ENCODING);
    ASSERT(head->status >= 100 && head->status <= 599 && head->status != 101);
    ASSERT(!(is_chunked && head->has_content_length));
    ASSERT(!http_fields_repeated(fields, HTTP_HEADER_CONTENT_LENGTH));
    ASSERT(!to_head || head->framing == HTTP_FRAMING_NONE);
    ASSERT(!head->keep_alive || head->framing != HTTP_FRAMING_CLOSE);
    ASSERT(head->framing != HTTP_FRAMING_CHUNKED || is_chunked);
    ASSERT(is_within(head->reason_phrase, bytes) && http_value_is_clean(head->reason_phrase));
    for (unsigned i = 0; i < fields->count; i++) {
        const struct http_header *header = &fields->items[i];
        ASSERT(is_within(header->name, bytes) && is_within(header->value, bytes));
        ASSERT(http_is_token(header->name) && http_value_is_clean(header->value));
        ASSERT(slice_trim(header->value).size == header->value.size);
    }
}

static void write_and_read_again(const struct http_response_head *head, bool to_head)
{
    static char area[3 * HEAD_BYTES_MAX], memory[HEAD_BYTES_MAX * 8];
    struct head_writer writer;
    struct slice bytes;
    struct arena arena;
    struct http_response_head again;
    head_writer_init(&writer, area, sizeof(area));
    head_writer_status_line(&writer, head->status);
    for (unsigned i = 0; i < head->fields.count; i++)
        head_writer_add(&writer, head->fields.items[i].name, head->fields.items[i].value);
    ASSERT(head_writer_finish(&writer, &bytes) == STATUS_OK);
    if (head->minor == 0)
        return; /* what is written is HTTP/1.1 */
    arena_init(&arena, memory, sizeof(memory), 0);
    ASSERT(http_response_head_parse(bytes, to_head, &limits, &arena, &again, NULL) == STATUS_OK);
    ASSERT(again.status == head->status && again.framing == head->framing);
    ASSERT(again.fields.count == head->fields.count && again.keep_alive == head->keep_alive);
    ASSERT(again.content_length == head->content_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char memory[HEAD_BYTES_MAX * 8];
    struct http_response_head head;
    struct arena arena;
    struct reason reason;
    size_t scanned = 0, head_size;
    if (size < 1 || size > HEAD_BYTES_MAX)
        return 0;
    const bool to_head = data[0] % 2 == 1;
    struct slice bytes = slice_of(data + 1, size - 1);
    if (http_head_find_end(bytes, &scanned, &head_size) != STATUS_OK)
        return 0;
    bytes.size = head_size;
    arena_init(&arena, memory, sizeof(memory), 0);
    if (http_response_head_parse(bytes, to_head, &limits, &arena, &head, &reason) == STATUS_OK) {
        check_accepted(&head, bytes, to_head);
        write_and_read_again(&head, to_head);
    }
    return 0;
}
