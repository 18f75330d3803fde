#include "message.h"

#define CHUNK_LINE_MAX 64

void message_init(struct message *message, bool is_response)
{
    *message = (struct message){.is_response = is_response};
}

/* --- The head ------------------------------------------------------------------------------- */

static void read_header(struct message *message, struct slice name, struct slice value,
                        enum status *status)
{
    if (slice_equal_nocase(name, SLICE("content-length"))) {
        if (slice_to_u64(value, &message->left) != STATUS_OK)
            *status = STATUS_PROTOCOL;
        message->part = MESSAGE_PART_SIZED;
    } else if (slice_equal_nocase(name, SLICE("transfer-encoding"))) {
        if (!slice_equal_nocase(value, SLICE("chunked")))
            *status = STATUS_PROTOCOL;
        message->part = MESSAGE_PART_CHUNK_SIZE;
    } else if (slice_equal_nocase(name, SLICE("connection"))) {
        message->is_last = slice_equal_nocase(value, SLICE("close"));
    }
}

static bool read_status(struct message *message, struct slice line)
{
    uint64_t status;
    if (!slice_starts_with(line, SLICE("HTTP/1.")) || line.size < 12 ||
        slice_to_u64(slice_of(line.data + 9, 3), &status) != STATUS_OK)
        return false;
    message->status = (unsigned)status;
    return true;
}

/* Takes the next line, without its end, off the front of a head. */
static struct slice next_line(struct slice *head)
{
    const size_t size = slice_find(*head, SLICE("\r\n"));
    const struct slice line = slice_of(head->data, size);
    *head = slice_from(*head, size + 2 < head->size ? size + 2 : head->size);
    return line;
}

static enum status read_head(struct message *message, struct slice bytes, size_t *used_out)
{
    const size_t size = slice_find(bytes, SLICE("\r\n\r\n"));
    if (size == bytes.size)
        return STATUS_AGAIN;
    message->head = slice_of(bytes.data, size + 2);
    *used_out = size + 4;

    struct slice rest = message->head;
    const struct slice first = next_line(&rest);
    if (message->is_response && !read_status(message, first))
        return STATUS_PROTOCOL;
    enum status status = STATUS_OK;
    message->part = message->is_response ? MESSAGE_PART_UNTIL_CLOSE : MESSAGE_PART_SIZED;
    while (rest.size > 0) {
        const struct slice line = next_line(&rest);
        const size_t colon = slice_find_byte(line, ':');
        if (colon == line.size)
            return STATUS_PROTOCOL;
        read_header(message, slice_of(line.data, colon), slice_trim(slice_from(line, colon + 1)),
                    &status);
    }
    if (message->part == MESSAGE_PART_SIZED && message->left == 0)
        message->part = MESSAGE_PART_DONE;
    return status;
}

/* --- The body ------------------------------------------------------------------------------- */

static bool read_hex(struct slice digits, uint64_t *value_out)
{
    uint64_t value = 0;
    if (digits.size == 0 || digits.size > 8)
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        const char digit = digits.data[i];
        unsigned nibble;
        if (digit >= '0' && digit <= '9')
            nibble = (unsigned)(digit - '0');
        else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
            nibble = (unsigned)((digit | 0x20) - 'a') + 10;
        else
            return false;
        value = value << 4 | nibble;
    }
    *value_out = value;
    return true;
}

/* The lines of the chunked coding: a size, the empty one after the data, the trailer. */
static enum status read_line(struct message *message, struct slice bytes, size_t *used_out)
{
    const size_t size = slice_find(bytes, SLICE("\r\n"));
    if (size == bytes.size)
        return bytes.size > CHUNK_LINE_MAX ? STATUS_PROTOCOL : STATUS_AGAIN;
    *used_out = size + 2;
    switch (message->part) {
    case MESSAGE_PART_CHUNK_SIZE:
        if (!read_hex(slice_of(bytes.data, size), &message->left))
            return STATUS_PROTOCOL;
        message->part = message->left > 0 ? MESSAGE_PART_CHUNK_DATA : MESSAGE_PART_TRAILER;
        return STATUS_OK;
    case MESSAGE_PART_CHUNK_END:
        message->part = MESSAGE_PART_CHUNK_SIZE;
        return size == 0 ? STATUS_OK : STATUS_PROTOCOL;
    default:
        if (size == 0)
            message->part = MESSAGE_PART_DONE;
        return STATUS_OK;
    }
}

static void read_data(struct message *message, struct slice bytes, size_t *used_out,
                      struct slice *body_out)
{
    size_t size = bytes.size;
    if (message->part != MESSAGE_PART_UNTIL_CLOSE) {
        size = message->left < size ? (size_t)message->left : size;
        message->left -= size;
        if (message->left == 0)
            message->part =
                message->part == MESSAGE_PART_SIZED ? MESSAGE_PART_DONE : MESSAGE_PART_CHUNK_END;
    }
    *used_out = size;
    *body_out = slice_of(bytes.data, size);
}

enum status message_take(struct message *message, struct slice bytes, size_t *used_out,
                         struct slice *body_out)
{
    *used_out = 0;
    *body_out = slice_of(NULL, 0);
    if (bytes.size == 0)
        return STATUS_AGAIN;
    switch (message->part) {
    case MESSAGE_PART_HEAD:
        return read_head(message, bytes, used_out);
    case MESSAGE_PART_CHUNK_SIZE:
    case MESSAGE_PART_CHUNK_END:
    case MESSAGE_PART_TRAILER:
        return read_line(message, bytes, used_out);
    case MESSAGE_PART_SIZED:
    case MESSAGE_PART_CHUNK_DATA:
    case MESSAGE_PART_UNTIL_CLOSE:
        read_data(message, bytes, used_out, body_out);
        return STATUS_OK;
    default:
        return STATUS_PROTOCOL;
    }
}
