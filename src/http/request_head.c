#include "http/request_head.h"

#include "base/assert.h"
#include "http/head_internal.h"
#include "http/media.h"
#include "http/url.h"

/* RFC 9112 section 2.2: empty lines before the request line are ignored. */
static struct slice without_empty_lines(struct slice head)
{
    for (int i = 0; i < 2 && slice_starts_with(head, SLICE("\r\n")); i++)
        head = slice_from(head, 2);
    return head;
}

/* --- The request line --- */

static const struct slice method_names[] = {
    [HTTP_METHOD_OTHER] = {"", 0},        [HTTP_METHOD_GET] = {"GET", 3},
    [HTTP_METHOD_HEAD] = {"HEAD", 4},     [HTTP_METHOD_POST] = {"POST", 4},
    [HTTP_METHOD_PUT] = {"PUT", 3},       [HTTP_METHOD_PATCH] = {"PATCH", 5},
    [HTTP_METHOD_DELETE] = {"DELETE", 6}, [HTTP_METHOD_OPTIONS] = {"OPTIONS", 7},
    [HTTP_METHOD_TRACE] = {"TRACE", 5},
};

#define METHOD_COUNT (sizeof(method_names) / sizeof(method_names[0]))

struct slice http_method_name(enum http_method method)
{
    ASSERT(method < METHOD_COUNT);
    return method_names[method];
}

static enum http_method method_of(struct slice text)
{
    if (slice_equal(text, SLICE("POST")))
        return HTTP_METHOD_POST; /* nearly all of them */
    for (unsigned i = HTTP_METHOD_GET; i < METHOD_COUNT; i++)
        if (slice_equal(text, method_names[i]))
            return (enum http_method)i;
    return HTTP_METHOD_OTHER;
}

/* What a request is refused with. */
struct refusal {
    unsigned *http_status_out;
    struct reason *reason;
};

static enum status refuse(const struct refusal *refusal, enum status status, unsigned http_status,
                          const char *why)
{
    *refusal->http_status_out = http_status;
    if (why != NULL) /* else the reason is recorded already */
        reason_set(refusal->reason, "%s", why);
    return status;
}

/* method SP target SP version */
static enum status read_request_line(struct slice line, struct http_request_head *out,
                                     const struct refusal *refusal)
{
    const size_t method_size = slice_find_byte(line, ' ');
    if (line.size < method_size + 1 + 9 || line.data[line.size - 9] != ' ')
        return refuse(refusal, STATUS_PROTOCOL, 400, "the request line is malformed");
    out->method_text = slice_of(line.data, method_size);
    out->target = slice_of(line.data + method_size + 1, line.size - method_size - 1 - 9);
    const enum status status = http_head_version(slice_from(line, line.size - 8), &out->minor);
    if (status == STATUS_UNSUPPORTED)
        return refuse(refusal, status, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    if (status != STATUS_OK)
        return refuse(refusal, status, 400, "the request line is malformed");
    if (!http_is_token(out->method_text))
        return refuse(refusal, STATUS_PROTOCOL, 400, "the method is malformed");
    out->method = method_of(out->method_text);
    if (out->method == HTTP_METHOD_OTHER && slice_equal(out->method_text, SLICE("CONNECT")))
        return refuse(refusal, STATUS_UNSUPPORTED, 501, "CONNECT is not supported");
    return STATUS_OK;
}

/* --- The target (RFC 9112 section 3.2) --- */

/* Visible ASCII but '#', with which a fragment begins. */
static bool target_is_clean(struct slice target)
{
    for (size_t i = 0; i < target.size; i++) {
        const unsigned char byte = (unsigned char)target.data[i];
        if (byte <= ' ' || byte >= 0x7f || byte == '#')
            return false;
    }
    return target.size > 0;
}

/* Takes an absolute target's scheme and authority off its front. */
static enum status split_absolute(struct slice *target, struct http_request_head *out)
{
    const struct slice http = SLICE("http://"), https = SLICE("https://");
    uint16_t port;
    if (http_header_has_prefix(*target, http))
        *target = slice_from(*target, http.size);
    else if (http_header_has_prefix(*target, https))
        *target = slice_from(*target, https.size);
    else
        return STATUS_PROTOCOL;
    size_t size = 0;
    while (size < target->size && target->data[size] != '/' && target->data[size] != '?')
        size++;
    struct slice host;
    out->host = slice_of(target->data, size);
    *target = slice_from(*target, size);
    if (url_authority(out->host, &host, &port) != STATUS_OK || host.size == 0)
        return STATUS_PROTOCOL;
    return STATUS_OK;
}

static enum status read_target(struct http_request_head *out, const struct refusal *refusal)
{
    struct slice rest = out->target;
    if (!target_is_clean(rest))
        return refuse(refusal, STATUS_PROTOCOL, 400, "the request target holds a byte it may not");
    if (rest.size == 1 && rest.data[0] == '*' && out->method == HTTP_METHOD_OPTIONS) {
        out->path = rest;
        return STATUS_OK;
    }
    if (rest.data[0] != '/' && split_absolute(&rest, out) != STATUS_OK)
        return refuse(refusal, STATUS_PROTOCOL, 400, "the request target is malformed");
    const size_t path_size = slice_find_byte(rest, '?');
    out->path = path_size > 0 ? slice_of(rest.data, path_size) : SLICE("/");
    if (path_size < rest.size)
        out->query = slice_from(rest, path_size + 1);
    if (!url_percent_is_valid(out->path))
        return refuse(refusal, STATUS_PROTOCOL, 400, "the path's percent-encoding is malformed");
    return STATUS_OK;
}

/* --- What the fields say --- */

/* RFC 9112 section 3.2: just one Host, in HTTP/1.1 always. */
static enum status read_host(struct http_request_head *out, const struct refusal *refusal)
{
    struct slice host;
    uint16_t port;
    if (http_fields_repeated(&out->fields, HTTP_HEADER_HOST))
        return refuse(refusal, STATUS_PROTOCOL, 400, "Host stands more than once");
    const struct http_header *header = http_fields_get(&out->fields, HTTP_HEADER_HOST);
    if (header == NULL)
        return out->minor == 0 ? STATUS_OK
                               : refuse(refusal, STATUS_PROTOCOL, 400, "Host is missing");
    if (url_authority(header->value, &host, &port) != STATUS_OK)
        return refuse(refusal, STATUS_PROTOCOL, 400, "Host is malformed");
    if (out->host.data == NULL)
        out->host = header->value;
    return STATUS_OK;
}

/* RFC 9112 section 6.3, of which only what cannot be misread is taken. */
static enum status read_framing(struct http_request_head *out, const struct refusal *refusal)
{
    const enum status chunked = http_fields_chunked(&out->fields, out->minor, refusal->reason);
    if (chunked == STATUS_PROTOCOL)
        return refuse(refusal, chunked, 400, NULL);
    const enum status length =
        http_fields_content_length(&out->fields, &out->content_length, refusal->reason);
    if (length == STATUS_PROTOCOL)
        return refuse(refusal, length, 400, NULL);
    out->is_chunked = chunked == STATUS_OK;
    out->has_content_length = length == STATUS_OK;
    if (out->is_chunked)
        out->framing = HTTP_FRAMING_CHUNKED;
    else if (out->content_length > 0)
        out->framing = HTTP_FRAMING_LENGTH;
    return STATUS_OK;
}

/* RFC 9110 section 10.1.1: from HTTP/1.0 it means nothing. */
static enum status read_expect(struct http_request_head *out, const struct refusal *refusal)
{
    const struct http_header *header = http_fields_get(&out->fields, HTTP_HEADER_EXPECT);
    if (out->minor == 0)
        return STATUS_OK;
    for (; header != NULL; header = http_fields_next(&out->fields, header)) {
        struct slice rest = header->value, member;
        while (media_list_next(&rest, &member)) {
            if (!slice_equal_nocase(member, SLICE("100-continue")))
                return refuse(refusal, STATUS_UNSUPPORTED, 417, "Expect is not 100-continue");
            out->expects_continue = true;
        }
    }
    return STATUS_OK;
}

/* --- The whole head --- */

static enum status run_grammar(struct slice head, struct http_request_head *out,
                               const struct refusal *refusal)
{
    llhttp_errno_t why;
    const enum status status = http_head_run(head, HTTP_REQUEST, &out->fields, &why);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (why == HPE_INVALID_METHOD)
        return refuse(refusal, STATUS_UNSUPPORTED, 501, "the method is unknown");
    reason_set(refusal->reason, "the head is malformed (%s)", llhttp_errno_name(why));
    return refuse(refusal, status, 400, NULL);
}

static enum status make_room(struct slice head, const struct http_head_limits *limits,
                             struct arena *arena, struct http_fields *fields,
                             const struct refusal *refusal)
{
    const enum status status = http_fields_init(fields, head, limits, arena);
    if (status == STATUS_TOO_LARGE)
        return refuse(refusal, status, 431, "there are too many header fields");
    if (status != STATUS_OK)
        return refuse(refusal, status, 503, "out of memory");
    return STATUS_OK;
}

enum status http_request_head_parse(struct slice head, const struct http_head_limits *limits,
                                    struct arena *arena, struct http_request_head *out,
                                    unsigned *http_status_out, struct reason *reason)
{
    const struct refusal refusal = {http_status_out, reason};
    memset(out, 0, sizeof(*out));
    head = without_empty_lines(head);
    enum status status = read_request_line(http_head_first_line(head), out, &refusal);
    if (status == STATUS_OK)
        status = read_target(out, &refusal);
    if (status == STATUS_OK)
        status = make_room(head, limits, arena, &out->fields, &refusal);
    if (status == STATUS_OK)
        status = run_grammar(head, out, &refusal);
    if (status == STATUS_OK)
        status = read_host(out, &refusal);
    if (status == STATUS_OK)
        status = read_framing(out, &refusal);
    if (status == STATUS_OK)
        status = read_expect(out, &refusal);
    out->keep_alive = status == STATUS_OK && http_fields_keep_alive(&out->fields, out->minor);
    return status;
}
