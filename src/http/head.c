#include "http/head.h"

#include <strings.h>

#include "base/assert.h"
#include "http/head_internal.h"
#include "http/media.h"

/* --- Control bytes ---
 *
 * Sixteen bytes are compared at a time, with the compilers' vector types, so that no instruction
 * set is named. */

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef uint64_t words2 __attribute__((vector_size(16)));

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is a word's lowest");

#define VECTOR_BYTES 16

static bool is_control(char byte)
{
    const unsigned char value = (unsigned char)byte;
    return (value < ' ' && value != '\t') || value == 0x7f;
}

/* The offset of the first control byte of 16, or 16. */
static size_t find_control_16(const char *data)
{
    bytes16 bytes;
    memcpy(&bytes, data, sizeof(bytes));
    const words2 found = (words2)(((bytes < ' ') & (bytes != '\t')) | (bytes == 0x7f));
    if ((found[0] | found[1]) == 0)
        return VECTOR_BYTES;
    return found[0] != 0 ? (size_t)__builtin_ctzll(found[0]) / 8
                         : 8 + (size_t)__builtin_ctzll(found[1]) / 8;
}

size_t http_find_control(struct slice bytes)
{
    size_t at = 0;
    for (; at + VECTOR_BYTES <= bytes.size; at += VECTOR_BYTES) {
        const size_t found = find_control_16(bytes.data + at);
        if (found < VECTOR_BYTES)
            return at + found;
    }
    while (at < bytes.size && !is_control(bytes.data[at]))
        at++;
    return at;
}

/* --- The end of a head --- */

#define LEADING_BYTES_MAX 4 /* two empty lines */

/* The size of the empty lines at the front. */
static size_t leading_lines(struct slice bytes)
{
    size_t at = 0;
    while (at < LEADING_BYTES_MAX && at + 2 <= bytes.size && bytes.data[at] == '\r' &&
           bytes.data[at + 1] == '\n')
        at += 2;
    return at;
}

/* Judges what begins with a control byte. STATUS_OK: an empty line follows this one.
 * STATUS_AGAIN: that cannot be said yet. STATUS_NOT_FOUND: a line ends, and another begins. */
static enum status judge_control(struct slice bytes)
{
    const char *at = bytes.data;
    if (at[0] != '\r' || (bytes.size > 1 && at[1] != '\n'))
        return STATUS_PROTOCOL;
    if (bytes.size < 3)
        return STATUS_AGAIN;
    if (at[2] == ' ' || at[2] == '\t')
        return STATUS_PROTOCOL; /* a folded line (RFC 9112 section 5.2) */
    if (at[2] != '\r')
        return STATUS_NOT_FOUND;
    if (bytes.size < 4)
        return STATUS_AGAIN;
    return at[3] == '\n' ? STATUS_OK : STATUS_PROTOCOL;
}

enum status http_head_find_end(struct slice bytes, size_t *scanned, size_t *size_out)
{
    size_t at = *scanned;
    if (at == 0) {
        at = leading_lines(bytes);
        if (bytes.size - at < 2)
            return STATUS_AGAIN; /* perhaps another empty line */
    }
    for (;;) {
        at += http_find_control(slice_from(bytes, at));
        *scanned = at;
        if (at == bytes.size)
            return STATUS_AGAIN;
        const enum status status = judge_control(slice_from(bytes, at));
        if (status == STATUS_OK)
            *size_out = at + 4;
        if (status != STATUS_NOT_FOUND)
            return status;
        at += 2;
    }
}

/* --- Names --- */

#define NAME_BYTES_MAX 32

struct name {
    char text[NAME_BYTES_MAX];
    size_t size;
};

#define NAME(text) {text, sizeof(text) - 1}

static const struct name names[HTTP_HEADER_COUNT] = {
    [HTTP_HEADER_TE] = NAME("te"),
    [HTTP_HEADER_AGE] = NAME("age"),
    [HTTP_HEADER_VIA] = NAME("via"),
    [HTTP_HEADER_DATE] = NAME("date"),
    [HTTP_HEADER_HOST] = NAME("host"),
    [HTTP_HEADER_ACCEPT] = NAME("accept"),
    [HTTP_HEADER_COOKIE] = NAME("cookie"),
    [HTTP_HEADER_EXPECT] = NAME("expect"),
    [HTTP_HEADER_ORIGIN] = NAME("origin"),
    [HTTP_HEADER_SERVER] = NAME("server"),
    [HTTP_HEADER_TRAILER] = NAME("trailer"),
    [HTTP_HEADER_UPGRADE] = NAME("upgrade"),
    [HTTP_HEADER_LOCATION] = NAME("location"),
    [HTTP_HEADER_FORWARDED] = NAME("forwarded"),
    [HTTP_HEADER_X_API_KEY] = NAME("x-api-key"),
    [HTTP_HEADER_CONNECTION] = NAME("connection"),
    [HTTP_HEADER_KEEP_ALIVE] = NAME("keep-alive"),
    [HTTP_HEADER_SET_COOKIE] = NAME("set-cookie"),
    [HTTP_HEADER_TRACESTATE] = NAME("tracestate"),
    [HTTP_HEADER_USER_AGENT] = NAME("user-agent"),
    [HTTP_HEADER_OPENAI_BETA] = NAME("openai-beta"),
    [HTTP_HEADER_RETRY_AFTER] = NAME("retry-after"),
    [HTTP_HEADER_TRACEPARENT] = NAME("traceparent"),
    [HTTP_HEADER_CONTENT_TYPE] = NAME("content-type"),
    [HTTP_HEADER_X_REQUEST_ID] = NAME("x-request-id"),
    [HTTP_HEADER_AUTHORIZATION] = NAME("authorization"),
    [HTTP_HEADER_CACHE_CONTROL] = NAME("cache-control"),
    [HTTP_HEADER_CONTENT_LENGTH] = NAME("content-length"),
    [HTTP_HEADER_OPENAI_PROJECT] = NAME("openai-project"),
    [HTTP_HEADER_RETRY_AFTER_MS] = NAME("retry-after-ms"),
    [HTTP_HEADER_X_SHOULD_RETRY] = NAME("x-should-retry"),
    [HTTP_HEADER_ACCEPT_ENCODING] = NAME("accept-encoding"),
    [HTTP_HEADER_IDEMPOTENCY_KEY] = NAME("idempotency-key"),
    [HTTP_HEADER_X_FORWARDED_FOR] = NAME("x-forwarded-for"),
    [HTTP_HEADER_X_WEIR_METADATA] = NAME("x-weir-metadata"),
    [HTTP_HEADER_CONTENT_ENCODING] = NAME("content-encoding"),
    [HTTP_HEADER_PROXY_CONNECTION] = NAME("proxy-connection"),
    [HTTP_HEADER_WWW_AUTHENTICATE] = NAME("www-authenticate"),
    [HTTP_HEADER_TRANSFER_ENCODING] = NAME("transfer-encoding"),
    [HTTP_HEADER_X_FORWARDED_PROTO] = NAME("x-forwarded-proto"),
    [HTTP_HEADER_PROXY_AUTHENTICATE] = NAME("proxy-authenticate"),
    [HTTP_HEADER_OPENAI_ORGANIZATION] = NAME("openai-organization"),
    [HTTP_HEADER_PROXY_AUTHORIZATION] = NAME("proxy-authorization"),
    [HTTP_HEADER_X_STAINLESS_TIMEOUT] = NAME("x-stainless-timeout"),
    [HTTP_HEADER_X_STAINLESS_READ_TIMEOUT] = NAME("x-stainless-read-timeout"),
    [HTTP_HEADER_ACCESS_CONTROL_REQUEST_METHOD] = NAME("access-control-request-method"),
    [HTTP_HEADER_ACCESS_CONTROL_REQUEST_HEADERS] = NAME("access-control-request-headers"),
};

/* The first id whose name has that size; the others of the size follow it. */
static const uint8_t first_of_size[NAME_BYTES_MAX] = {
    [2] = HTTP_HEADER_TE,
    [3] = HTTP_HEADER_AGE,
    [4] = HTTP_HEADER_DATE,
    [6] = HTTP_HEADER_ACCEPT,
    [7] = HTTP_HEADER_TRAILER,
    [8] = HTTP_HEADER_LOCATION,
    [9] = HTTP_HEADER_FORWARDED,
    [10] = HTTP_HEADER_CONNECTION,
    [11] = HTTP_HEADER_OPENAI_BETA,
    [12] = HTTP_HEADER_CONTENT_TYPE,
    [13] = HTTP_HEADER_AUTHORIZATION,
    [14] = HTTP_HEADER_CONTENT_LENGTH,
    [15] = HTTP_HEADER_ACCEPT_ENCODING,
    [16] = HTTP_HEADER_CONTENT_ENCODING,
    [17] = HTTP_HEADER_TRANSFER_ENCODING,
    [18] = HTTP_HEADER_PROXY_AUTHENTICATE,
    [19] = HTTP_HEADER_OPENAI_ORGANIZATION,
    [24] = HTTP_HEADER_X_STAINLESS_READ_TIMEOUT,
    [29] = HTTP_HEADER_ACCESS_CONTROL_REQUEST_METHOD,
    [30] = HTTP_HEADER_ACCESS_CONTROL_REQUEST_HEADERS,
};

/* Eight bytes in lower case. Letters and '-' differ from no other byte of a token in bit 5 alone
 * than from their other case, so setting it is enough. */
static uint64_t lower_word(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return word | UINT64_C(0x2020202020202020);
}

/* For sizes from 8 on: whole words, the last one overlapping the one before. */
static bool is_long_name(const char *name, const char *text, size_t size)
{
    const size_t last = size - 8;
    if (lower_word(name + last) != lower_word(text + last))
        return false;
    for (size_t at = 0; at < last; at += 8)
        if (lower_word(name + at) != lower_word(text + at))
            return false;
    return true;
}

static bool is_short_name(const char *name, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((name[i] | 0x20) != text[i])
            return false;
    return true;
}

enum http_header_id http_header_identify(struct slice name)
{
    if (name.size >= NAME_BYTES_MAX)
        return HTTP_HEADER_OTHER;
    for (unsigned id = first_of_size[name.size]; id < HTTP_HEADER_COUNT && id > 0; id++) {
        if (names[id].size != name.size)
            break;
        const bool is_same = name.size >= 8 ? is_long_name(name.data, names[id].text, name.size)
                                            : is_short_name(name.data, names[id].text, name.size);
        if (is_same)
            return (enum http_header_id)id;
    }
    return HTTP_HEADER_OTHER;
}

struct slice http_header_name(enum http_header_id id)
{
    ASSERT(id > HTTP_HEADER_OTHER && id < HTTP_HEADER_COUNT);
    return slice_of(names[id].text, names[id].size);
}

bool http_header_has_prefix(struct slice name, struct slice prefix)
{
    return name.size >= prefix.size && strncasecmp(name.data, prefix.data, prefix.size) == 0;
}

/* tchar (RFC 9110 section 5.6.2): bit n of word w stands for the byte 32 × w + n. */
static const uint32_t token_bytes[8] = {
    0,          /* controls */
    0x03ff6cfa, /* ! # $ % & ' * + - . 0 to 9 */
    0xc7fffffe, /* A to Z ^ _ */
    0x57ffffff, /* ` a to z | ~ */
};

bool http_is_token(struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char byte = (unsigned char)text.data[i];
        if ((token_bytes[byte / 32] >> byte % 32 & 1) == 0)
            return false;
    }
    return text.size > 0;
}

/* --- Fields --- */

_Static_assert(HTTP_HEADER_COUNT <= 64, "http_fields.repeated has a bit for each id");

/* Lines end with CRLF, so LFs are counted, in each byte of a vector for as long as it cannot
 * overflow. */
static size_t count_lines(struct slice head)
{
    size_t count = 0, at = 0;
    while (at + VECTOR_BYTES <= head.size) {
        const size_t vectors = (head.size - at) / VECTOR_BYTES;
        const size_t end = at + VECTOR_BYTES * (vectors < UINT8_MAX ? vectors : UINT8_MAX);
        bytes16 counts = {0};
        for (; at < end; at += VECTOR_BYTES) {
            bytes16 bytes;
            memcpy(&bytes, head.data + at, sizeof(bytes));
            counts -= (bytes16)(bytes == '\n');
        }
        for (unsigned i = 0; i < VECTOR_BYTES; i++)
            count += counts[i];
    }
    for (; at < head.size; at++)
        count += head.data[at] == '\n';
    return count;
}

enum status http_fields_init(struct http_fields *fields, struct slice head,
                             const struct http_head_limits *limits, struct arena *arena)
{
    memset(fields, 0, sizeof(*fields));
    const size_t lines = count_lines(head);
    const size_t count = lines > 2 ? lines - 2 : 0; /* but the first line and the empty one */
    if (count > limits->headers_max || count > UINT16_MAX)
        return STATUS_TOO_LARGE;
    fields->capacity = (uint16_t)count;
    if (count == 0)
        return STATUS_OK;
    fields->items = arena_alloc(arena, count * sizeof(*fields->items));
    return fields->items != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status http_fields_add(struct http_fields *fields, struct slice name, struct slice value)
{
    if (fields->count == fields->capacity)
        return STATUS_TOO_LARGE;
    const enum http_header_id id = http_header_identify(name);
    fields->items[fields->count++] = (struct http_header){name, value, id};
    if (fields->first[id] == 0)
        fields->first[id] = fields->count;
    else
        fields->repeated |= UINT64_C(1) << id;
    return STATUS_OK;
}

const struct http_header *http_fields_next(const struct http_fields *fields,
                                           const struct http_header *header)
{
    const struct http_header *end = fields->items + fields->count;
    for (const struct http_header *at = header + 1; at < end; at++)
        if (at->id == header->id)
            return at;
    return NULL;
}

const struct http_header *http_fields_find(const struct http_fields *fields, struct slice name)
{
    const enum http_header_id id = http_header_identify(name);
    if (id != HTTP_HEADER_OTHER)
        return http_fields_get(fields, id);
    for (unsigned i = 0; i < fields->count; i++)
        if (slice_equal_nocase(fields->items[i].name, name))
            return &fields->items[i];
    return NULL;
}

/* --- What the fields say of the message --- */

bool http_fields_keep_alive(const struct http_fields *fields, unsigned minor)
{
    bool keeps = minor >= 1;
    const struct http_header *header = http_fields_get(fields, HTTP_HEADER_CONNECTION);
    for (; header != NULL; header = http_fields_next(fields, header)) {
        if (media_list_has(header->value, SLICE("close")))
            return false;
        keeps = keeps || media_list_has(header->value, SLICE("keep-alive"));
    }
    return keeps;
}

enum status http_fields_content_length(const struct http_fields *fields, uint64_t *length_out,
                                       struct reason *reason)
{
    if (!http_fields_has(fields, HTTP_HEADER_CONTENT_LENGTH))
        return STATUS_NOT_FOUND;
    if (http_fields_repeated(fields, HTTP_HEADER_CONTENT_LENGTH)) {
        reason_set(reason, "Content-Length stands more than once");
        return STATUS_PROTOCOL;
    }
    const struct slice value = http_fields_value(fields, HTTP_HEADER_CONTENT_LENGTH);
    if (slice_to_u64(value, length_out) != STATUS_OK || *length_out > INT64_MAX) {
        reason_set(reason, "Content-Length is not one decimal number");
        return STATUS_PROTOCOL;
    }
    return STATUS_OK;
}

enum status http_fields_chunked(const struct http_fields *fields, unsigned minor,
                                struct reason *reason)
{
    if (!http_fields_has(fields, HTTP_HEADER_TRANSFER_ENCODING))
        return STATUS_NOT_FOUND;
    const char *why = NULL;
    if (minor == 0)
        why = "Transfer-Encoding in HTTP/1.0";
    else if (http_fields_has(fields, HTTP_HEADER_CONTENT_LENGTH))
        why = "Transfer-Encoding beside Content-Length";
    else if (http_fields_repeated(fields, HTTP_HEADER_TRANSFER_ENCODING))
        why = "Transfer-Encoding stands more than once";
    else if (!slice_equal_nocase(http_fields_value(fields, HTTP_HEADER_TRANSFER_ENCODING),
                                 SLICE("chunked")))
        why = "Transfer-Encoding is not just \"chunked\"";
    if (why == NULL)
        return STATUS_OK;
    reason_set(reason, "%s", why);
    return STATUS_PROTOCOL;
}

/* --- llhttp --- */

static int on_name(llhttp_t *parser, const char *at, size_t size)
{
    /* There is room for as many fields as there are lines, unless this is no whole head. */
    return http_fields_add(parser->data, slice_of(at, size), (struct slice){0}) == STATUS_OK
               ? HPE_OK
               : HPE_USER;
}

/* llhttp leaves out the white space before a value, but not what stands after it. */
static int on_value(llhttp_t *parser, const char *at, size_t size)
{
    const struct http_fields *fields = parser->data;
    struct http_header *header = &fields->items[fields->count - 1];
    while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t'))
        size--;
    header->value = slice_of(at, size);
    return HPE_OK;
}

static int on_end(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

enum status http_head_run(struct slice head, llhttp_type_t type, struct http_fields *fields,
                          llhttp_errno_t *errno_out)
{
    static const llhttp_settings_t settings = {
        .on_header_field = on_name, .on_header_value = on_value, .on_headers_complete = on_end};
    llhttp_t parser;
    llhttp_init(&parser, type, &settings);
    parser.data = fields;
    *errno_out = llhttp_execute(&parser, head.data, head.size);
    const bool is_whole =
        *errno_out == HPE_PAUSED && llhttp_get_error_pos(&parser) == head.data + head.size;
    return is_whole ? STATUS_OK : STATUS_PROTOCOL;
}

enum status http_head_version(struct slice version, unsigned *minor_out)
{
    const char *text = version.data;
    if (version.size != 8 || memcmp(text, "HTTP/", 5) != 0 || text[6] != '.')
        return STATUS_PROTOCOL;
    if (text[5] < '0' || text[5] > '9' || text[7] < '0' || text[7] > '9')
        return STATUS_PROTOCOL;
    if (text[5] != '1' || text[7] > '1')
        return STATUS_UNSUPPORTED;
    *minor_out = (unsigned)(text[7] - '0');
    return STATUS_OK;
}
