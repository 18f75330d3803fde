#include "http/response_head.h"

#include "http/head_internal.h"

#define VERSION_BYTES 8 /* "HTTP/1.1" */
#define STATUS_BYTES  3

static enum status refuse(struct reason *reason, const char *why)
{
    reason_set(reason, "%s", why);
    return STATUS_PROTOCOL;
}

/* RFC 9112 section 4. The phrase may be missing, and the space before it too. */
static enum status read_status_line(struct slice line, struct http_response_head *out,
                                    struct reason *reason)
{
    const char *code = line.data + VERSION_BYTES + 1;
    const size_t end = VERSION_BYTES + 1 + STATUS_BYTES;
    if (line.size < end || line.data[VERSION_BYTES] != ' ' ||
        (line.size > end && line.data[end] != ' '))
        return refuse(reason, "the status line is malformed");
    const enum status status = http_head_version(slice_of(line.data, VERSION_BYTES), &out->minor);
    if (status == STATUS_UNSUPPORTED)
        reason_set(reason, "the response's version is neither HTTP/1.0 nor HTTP/1.1");
    if (status == STATUS_PROTOCOL)
        return refuse(reason, "the status line is malformed");
    if (status != STATUS_OK)
        return status;
    uint64_t number;
    if (slice_to_u64(slice_of(code, STATUS_BYTES), &number) != STATUS_OK || number < 100 ||
        number > 599)
        return refuse(reason, "the status is not a number from 100 to 599");
    if (number == 101)
        return refuse(reason, "the upstream switched protocols, which nobody asked for");
    out->status = (unsigned)number;
    out->reason_phrase = slice_from(line, line.size > end ? end + 1 : end);
    if (!http_value_is_clean(out->reason_phrase)) /* llhttp does not look at it */
        return refuse(reason, "the reason phrase holds a control byte");
    return STATUS_OK;
}

static bool never_has_body(unsigned status)
{
    return status < 200 || status == 204 || status == 304;
}

/* RFC 9112 section 6.3, of which only what cannot be misread is taken. */
static enum status read_framing(struct http_response_head *out, bool to_head, struct reason *reason)
{
    const struct http_fields *fields = &out->fields;
    const enum status chunked = http_fields_chunked(fields, out->minor, reason);
    const enum status length = http_fields_content_length(fields, &out->content_length, reason);
    if (chunked == STATUS_PROTOCOL || length == STATUS_PROTOCOL)
        return STATUS_PROTOCOL;
    out->has_content_length = length == STATUS_OK;
    if (to_head || never_has_body(out->status))
        out->framing = HTTP_FRAMING_NONE;
    else if (chunked == STATUS_OK)
        out->framing = HTTP_FRAMING_CHUNKED;
    else if (length == STATUS_OK)
        out->framing = out->content_length > 0 ? HTTP_FRAMING_LENGTH : HTTP_FRAMING_NONE;
    else
        out->framing = HTTP_FRAMING_CLOSE;
    return STATUS_OK;
}

/* A 1xx or 204 that announces a body may be followed by one, against RFC 9110 section 8.6: the
 * next response could not be found. */
static bool announces_forbidden_body(const struct http_response_head *head)
{
    return (head->status < 200 || head->status == 204) &&
           (head->content_length > 0 ||
            http_fields_has(&head->fields, HTTP_HEADER_TRANSFER_ENCODING));
}

static enum status run_grammar(struct slice head, struct http_response_head *out,
                               struct reason *reason)
{
    llhttp_errno_t why;
    const enum status status = http_head_run(head, HTTP_RESPONSE, &out->fields, &why);
    if (status == STATUS_PROTOCOL)
        reason_set(reason, "the response's head is malformed (%s)", llhttp_errno_name(why));
    return status;
}

static enum status make_room(struct slice head, const struct http_head_limits *limits,
                             struct arena *arena, struct http_response_head *out,
                             struct reason *reason)
{
    const enum status status = http_fields_init(&out->fields, head, limits, arena);
    if (status == STATUS_TOO_LARGE)
        reason_set(reason, "the response has too many header fields");
    else if (status != STATUS_OK)
        reason_set(reason, "out of memory");
    return status;
}

enum status http_response_head_parse(struct slice head, bool to_head,
                                     const struct http_head_limits *limits, struct arena *arena,
                                     struct http_response_head *out, struct reason *reason)
{
    memset(out, 0, sizeof(*out));
    enum status status = read_status_line(http_head_first_line(head), out, reason);
    if (status == STATUS_OK)
        status = make_room(head, limits, arena, out, reason);
    if (status == STATUS_OK)
        status = run_grammar(head, out, reason);
    if (status == STATUS_OK)
        status = read_framing(out, to_head, reason);
    out->keep_alive = status == STATUS_OK && out->framing != HTTP_FRAMING_CLOSE &&
                      http_fields_keep_alive(&out->fields, out->minor) &&
                      !announces_forbidden_body(out);
    return status;
}

unsigned http_status_of(struct slice head)
{
    uint64_t status;
    if (head.size < 12 || !slice_starts_with(head, SLICE("HTTP/1.")) || head.data[8] != ' ' ||
        slice_to_u64(slice_of(head.data + 9, 3), &status) != STATUS_OK)
        return 0;
    return (unsigned)status;
}
