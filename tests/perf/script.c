#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

/* --- The request ---------------------------------------------------------------------------- */

/* A prompt is "ticket 000000000000 of 00000123 bytes: " and so many bytes of the verse. */
static const char verse[] =
    "Explain in two paragraphs what a weir does to a river in flood, why a series of low weirs "
    "is kinder to fish than a single high one, and what a gauge beside it tells the people "
    "downstream. ";

#define VERSE_BYTES (sizeof(verse) - 1)
#define SIZE_DIGITS 8

static const struct slice prompt_begin = {"\"content\":\"ticket ", 18};
static const struct slice prompt_size_begin = {" of ", 4};
static const struct slice prompt_text_begin = {" bytes: ", 8};

static void write_verse(struct buffer *text, size_t size)
{
    for (size_t written = 0; written < size; written += VERSE_BYTES) {
        const size_t rest = size - written;
        buffer_append(text, slice_of(verse, rest < VERSE_BYTES ? rest : VERSE_BYTES));
    }
}

static void write_request_around(struct buffer *text, const struct script_request *request,
                                 size_t verse_bytes)
{
    buffer_printf(text, "{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",", request->model);
    buffer_append(text, prompt_begin);
    buffer_printf(text, "%s of %0*zu bytes: ", TICKET_BLANK, SIZE_DIGITS, verse_bytes);
    write_verse(text, verse_bytes);
    buffer_append(text, SLICE("\"}],\"max_tokens\":1024"));
    if (request->stream)
        buffer_append(text, SLICE(",\"stream\":true"));
    if (request->usage)
        buffer_append(text, SLICE(",\"stream_options\":{\"include_usage\":true}"));
    buffer_append_byte(text, '}');
}

void script_write_request(struct buffer *text, const struct script_request *request)
{
    const size_t before = text->size;
    write_request_around(text, request, 0);
    const size_t bare = text->size - before;
    text->size = before;
    write_request_around(text, request,
                         request->body_bytes > bare ? request->body_bytes - bare : 0);
}

/* Compares with whole verses, many at a time, so that 100 KB cost a few microseconds. */
static bool is_verse(struct slice text)
{
    static char verses[16 * VERSE_BYTES];
    if (verses[0] == '\0') {
        for (size_t at = 0; at < sizeof(verses); at += VERSE_BYTES)
            memcpy(verses + at, verse, VERSE_BYTES);
    }
    while (text.size > sizeof(verses)) {
        if (memcmp(text.data, verses, sizeof(verses)) != 0)
            return false;
        text = slice_from(text, sizeof(verses));
    }
    return memcmp(text.data, verses, text.size) == 0;
}

/* Takes `prefix` off the front. */
static bool skip(struct slice *text, struct slice prefix)
{
    if (!slice_starts_with(*text, prefix))
        return false;
    *text = slice_from(*text, prefix.size);
    return true;
}

static bool take(struct slice *text, size_t size, struct slice *taken_out)
{
    if (text->size < size)
        return false;
    *taken_out = slice_of(text->data, size);
    *text = slice_from(*text, size);
    return true;
}

bool script_check_request(struct slice body, struct ticket *ticket_out)
{
    struct slice digits, size_digits, text;
    uint64_t size;
    if (body.size < 2 || body.data[0] != '{' || body.data[body.size - 1] != '}')
        return false;
    struct slice rest = slice_from(body, slice_find(body, prompt_begin));
    if (!skip(&rest, prompt_begin) || !take(&rest, TICKET_DIGITS, &digits) ||
        !skip(&rest, prompt_size_begin) || !take(&rest, SIZE_DIGITS, &size_digits) ||
        slice_to_u64(size_digits, &size) != STATUS_OK || !skip(&rest, prompt_text_begin) ||
        !take(&rest, size, &text) || !is_verse(text) || !skip(&rest, SLICE("\"}]")))
        return false;
    *ticket_out = (struct ticket){.key = NULL};
    memcpy(ticket_out->digits, digits.data, TICKET_DIGITS);
    return true;
}

/* --- The answers ---------------------------------------------------------------------------- */

const char script_answer[] =
    "{\"id\":\"chatcmpl-perf\",\"object\":\"chat.completion\",\"created\":1700000000,"
    "\"model\":\"gpt-4o-mini\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
    "\"content\":\"ticket " TICKET_BLANK ": A weir lets a flood pass over its crest and holds the "
    "water back when there is little; a gauge beside it says how much flows, so those who live "
    "downstream know what comes.\",\"refusal\":null},\"logprobs\":null,"
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":58,\"completion_tokens\":47,"
    "\"total_tokens\":105},\"system_fingerprint\":\"fp_perf\"}";

#define CHUNK_BEGIN                                                                                \
    "data: {\"id\":\"chatcmpl-perf\",\"object\":\"chat.completion.chunk\","                        \
    "\"created\":1700000000,\"model\":\"gpt-4o-mini\",\"system_fingerprint\":\"fp_perf\","         \
    "\"choices\":["

#define WORD_BEGIN "\"delta\":{\"content\":\" word-"

static void add_event(struct script_stream *stream, const struct buffer *event,
                      enum script_framing framing)
{
    struct buffer *text = &stream->form.text;
    if (framing == SCRIPT_FRAMING_CHUNKED) {
        buffer_printf(text, "%zx\r\n", event->size);
        buffer_append(text, buffer_slice(event));
        buffer_append(text, SLICE("\r\n"));
    } else {
        buffer_append(text, buffer_slice(event));
    }
}

static void write_closing(struct script_stream *stream, size_t events, bool usage,
                          enum script_framing framing)
{
    struct buffer event;
    buffer_init(&event, 1024);
    buffer_append(&event, SLICE(CHUNK_BEGIN "{\"index\":0,\"delta\":{},\"logprobs\":null,"
                                            "\"finish_reason\":\"stop\"}]}\n\n"));
    add_event(stream, &event, framing);
    if (usage) {
        buffer_clear(&event);
        buffer_append(&event, SLICE(CHUNK_BEGIN "],\"usage\":{\"prompt_tokens\":58,"));
        buffer_printf(&event, "\"completion_tokens\":%zu,\"total_tokens\":%zu}}\n\n", events,
                      events + 58);
        add_event(stream, &event, framing);
    }
    buffer_clear(&event);
    buffer_append(&event, SLICE("data: [DONE]\n\n"));
    add_event(stream, &event, framing);
    buffer_fini(&event);
    if (framing == SCRIPT_FRAMING_CHUNKED)
        buffer_append(&stream->form.text, SLICE("0\r\n\r\n"));
}

void script_stream_init(struct script_stream *stream, struct slice head, size_t events, bool usage,
                        enum script_framing framing)
{
    struct buffer event;
    buffer_init(&event, 1024);
    form_init(&stream->form);
    stream->ends = alloc_zeroed(events + 2, sizeof(*stream->ends));
    ASSERT(stream->ends != NULL);
    stream->count = 0;

    buffer_append(&stream->form.text, head);
    buffer_append(&event, SLICE(CHUNK_BEGIN "{\"index\":0,\"delta\":{\"role\":\"assistant\","
                                            "\"content\":\"ticket " TICKET_BLANK
                                            ":\",\"refusal\":null},\"logprobs\":null,"
                                            "\"finish_reason\":null}]}\n\n"));
    add_event(stream, &event, framing);
    stream->ends[stream->count++] = stream->form.text.size;
    for (size_t i = 0; i < events; i++) {
        buffer_clear(&event);
        buffer_printf(&event,
                      CHUNK_BEGIN "{\"index\":0," WORD_BEGIN "%06zu\"},\"logprobs\":null,"
                                  "\"finish_reason\":null}]}\n\n",
                      i);
        add_event(stream, &event, framing);
        stream->ends[stream->count++] = stream->form.text.size;
    }
    write_closing(stream, events, usage, framing);
    stream->ends[stream->count++] = stream->form.text.size;
    form_close(&stream->form);
    buffer_fini(&event);
}

void script_stream_fini(struct script_stream *stream)
{
    form_fini(&stream->form);
    alloc_free(stream->ends);
}

long script_event_number(struct slice event)
{
    const struct slice mark = SLICE(WORD_BEGIN);
    const size_t at = slice_find(event, mark);
    uint64_t number;
    if (event.size < at + mark.size + 6 ||
        slice_to_u64(slice_of(event.data + at + mark.size, 6), &number) != STATUS_OK)
        return -1;
    return (long)number;
}
