#include "telemetry/log_record.h"

#include <stdio.h>

#include "base/assert.h"

struct record_head {
    uint64_t time_us;
    uint8_t kind;
    uint8_t level;
};

/* Sizes have this bit set where the text was cut. */
#define CUT_BIT 0x8000U

struct access_record {
    struct record_head head;
    uint16_t text_sizes[ACCESS_TEXT_COUNT];
    struct access_figures figures;
};

struct message_record {
    struct record_head head;
    uint16_t part_size;
    uint16_t message_size;
};

/* The bounds that access.h states. */
static const uint16_t text_sizes_max[ACCESS_TEXT_COUNT] = {
    [ACCESS_TEXT_METHOD] = 16,
    [ACCESS_TEXT_PATH] = 256,
    [ACCESS_TEXT_USER_AGENT] = 192,
    [ACCESS_TEXT_USER_ID] = 64,
    [ACCESS_TEXT_USER_NAME] = 128,
    [ACCESS_TEXT_KEY_ID] = 64,
    [ACCESS_TEXT_MODEL] = 128,
    [ACCESS_TEXT_PROVIDER] = 64,
    [ACCESS_TEXT_TARGET_MODEL] = 128,
    [ACCESS_TEXT_CLIENT_REQUEST_ID] = 128,
    [ACCESS_TEXT_UPSTREAM_REQUEST_ID] = 128,
    [ACCESS_TEXT_TRACE_ID] = 32,
    [ACCESS_TEXT_ERROR_CODE] = 64,
    [ACCESS_TEXT_ERROR_MESSAGE] = 320,
};

static size_t text_size(uint16_t stated)
{
    return stated & ~CUT_BIT;
}

void log_record_access(struct log_ring *ring, enum log_level level, const struct log_access *access)
{
    struct access_record record;
    size_t size = sizeof(record);
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++) {
        const size_t max = text_sizes_max[i];
        const size_t wanted = access->text[i].size;
        record.text_sizes[i] = (uint16_t)(wanted <= max ? wanted : max | CUT_BIT);
        size += wanted <= max ? wanted : max;
    }
    char *at = log_ring_reserve(ring, size);
    if (at == NULL)
        return;

    record.head = (struct record_head){access->time_us, LOG_KIND_ACCESS, (uint8_t)level};
    record.figures = access->figures;
    memcpy(at, &record, sizeof(record));
    at += sizeof(record);
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++) {
        const size_t bytes = text_size(record.text_sizes[i]);
        if (bytes > 0)
            memcpy(at, access->text[i].data, bytes);
        at += bytes;
    }
    log_ring_commit(ring, size);
}

struct log_text log_text_print(char *bytes, const char *format, va_list args)
{
    const int printed = vsnprintf(bytes, LOG_MESSAGE_SIZE, format, args);
    const size_t wanted = printed > 0 ? (size_t)printed : 0;
    const bool is_cut = wanted >= LOG_MESSAGE_SIZE;
    return (struct log_text){slice_of(bytes, is_cut ? LOG_MESSAGE_SIZE - 1 : wanted), is_cut};
}

/* The message is printed where it will lie, after the part's name; what is too much is not
 * published. */
void log_record_message(struct log_ring *ring, uint64_t time_us, enum log_level level,
                        const char *part, const char *format, va_list args)
{
    struct message_record record = {.head = {time_us, LOG_KIND_MESSAGE, (uint8_t)level}};
    const size_t part_size = strnlen(part, LOG_PART_SIZE - 1);
    char *start = log_ring_reserve(ring, sizeof(record) + part_size + LOG_MESSAGE_SIZE);
    if (start == NULL)
        return;

    char *at = start + sizeof(record);
    memcpy(at, part, part_size);
    const struct log_text message = log_text_print(at + part_size, format, args);
    record.part_size = (uint16_t)part_size;
    record.message_size = (uint16_t)(message.bytes.size | (message.is_cut ? CUT_BIT : 0));
    memcpy(start, &record, sizeof(record));
    log_ring_commit(ring, sizeof(record) + part_size + message.bytes.size);
}

uint64_t log_record_time_us(struct slice record)
{
    struct record_head head;
    memcpy(&head, record.data, sizeof(head));
    return head.time_us;
}

static struct log_text take_text(const char **at, uint16_t stated)
{
    const struct log_text text = {slice_of(*at, text_size(stated)), (stated & CUT_BIT) != 0};
    *at += text.bytes.size;
    return text;
}

static void read_access(struct slice record, struct log_view *view_out)
{
    struct access_record fixed;
    memcpy(&fixed, record.data, sizeof(fixed));
    view_out->figures = fixed.figures;
    const char *at = record.data + sizeof(fixed);
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++)
        view_out->text[i] = take_text(&at, fixed.text_sizes[i]);
    ASSERT(at == record.data + record.size);
}

static void read_message(struct slice record, struct log_view *view_out)
{
    struct message_record fixed;
    memcpy(&fixed, record.data, sizeof(fixed));
    const char *at = record.data + sizeof(fixed);
    view_out->part = take_text(&at, fixed.part_size).bytes;
    view_out->message = take_text(&at, fixed.message_size);
    ASSERT(at == record.data + record.size);
}

void log_record_read(struct slice record, struct log_view *view_out)
{
    struct record_head head;
    memcpy(&head, record.data, sizeof(head));
    view_out->time_us = head.time_us;
    view_out->kind = head.kind;
    view_out->level = head.level;
    if (head.kind == LOG_KIND_ACCESS)
        read_access(record, view_out);
    else
        read_message(record, view_out);
}
