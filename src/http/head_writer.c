#include "http/head_writer.h"

#include "base/assert.h"
#include "http/head.h"

/* --- Start lines --- */

#define STATUS_MIN 100
#define STATUS_MAX 599

#define LINE(status, phrase)                                                                       \
    [(status) - STATUS_MIN] = {"HTTP/1.1 " #status " " phrase "\r\n",                              \
                               sizeof("HTTP/1.1 " #status " " phrase "\r\n") - 1}

/* RFC 9110 section 15, RFC 6585, RFC 8297. */
static const struct slice status_lines[STATUS_MAX - STATUS_MIN + 1] = {
    LINE(100, "Continue"),
    LINE(101, "Switching Protocols"),
    LINE(103, "Early Hints"),
    LINE(200, "OK"),
    LINE(201, "Created"),
    LINE(202, "Accepted"),
    LINE(203, "Non-Authoritative Information"),
    LINE(204, "No Content"),
    LINE(205, "Reset Content"),
    LINE(206, "Partial Content"),
    LINE(300, "Multiple Choices"),
    LINE(301, "Moved Permanently"),
    LINE(302, "Found"),
    LINE(303, "See Other"),
    LINE(304, "Not Modified"),
    LINE(307, "Temporary Redirect"),
    LINE(308, "Permanent Redirect"),
    LINE(400, "Bad Request"),
    LINE(401, "Unauthorized"),
    LINE(402, "Payment Required"),
    LINE(403, "Forbidden"),
    LINE(404, "Not Found"),
    LINE(405, "Method Not Allowed"),
    LINE(406, "Not Acceptable"),
    LINE(407, "Proxy Authentication Required"),
    LINE(408, "Request Timeout"),
    LINE(409, "Conflict"),
    LINE(410, "Gone"),
    LINE(411, "Length Required"),
    LINE(412, "Precondition Failed"),
    LINE(413, "Content Too Large"),
    LINE(414, "URI Too Long"),
    LINE(415, "Unsupported Media Type"),
    LINE(416, "Range Not Satisfiable"),
    LINE(417, "Expectation Failed"),
    LINE(421, "Misdirected Request"),
    LINE(422, "Unprocessable Content"),
    LINE(424, "Failed Dependency"),
    LINE(425, "Too Early"),
    LINE(426, "Upgrade Required"),
    LINE(428, "Precondition Required"),
    LINE(429, "Too Many Requests"),
    LINE(431, "Request Header Fields Too Large"),
    LINE(451, "Unavailable For Legal Reasons"),
    LINE(500, "Internal Server Error"),
    LINE(501, "Not Implemented"),
    LINE(502, "Bad Gateway"),
    LINE(503, "Service Unavailable"),
    LINE(504, "Gateway Timeout"),
    LINE(505, "HTTP Version Not Supported"),
    LINE(507, "Insufficient Storage"),
    LINE(511, "Network Authentication Required"),
};

struct slice http_status_line(unsigned status)
{
    ASSERT(status >= STATUS_MIN && status <= STATUS_MAX);
    return status_lines[status - STATUS_MIN];
}

void head_writer_init(struct head_writer *writer, char *area, size_t size)
{
    *writer = (struct head_writer){.area = area, .at = area, .end = area + size};
}

void head_writer_status_line(struct head_writer *writer, unsigned status)
{
    const struct slice line = http_status_line(status);
    if (line.size > 0) {
        head_writer_lines(writer, line);
        return;
    }
    /* RFC 9112 section 4: the phrase may be empty, the space before it not. */
    char unnamed[] = "HTTP/1.1 000 \r\n";
    unnamed[9] = (char)('0' + status / 100);
    unnamed[10] = (char)('0' + status / 10 % 10);
    unnamed[11] = (char)('0' + status % 10);
    head_writer_lines(writer, slice_of(unnamed, sizeof(unnamed) - 1));
}

static bool has_room(struct head_writer *writer, size_t size)
{
    if (size <= (size_t)(writer->end - writer->at))
        return true;
    writer->failed = STATUS_TOO_LARGE;
    return false;
}

static void put(struct head_writer *writer, struct slice bytes)
{
    if (bytes.size > 0)
        memcpy(writer->at, bytes.data, bytes.size);
    writer->at += bytes.size;
}

void head_writer_request_line(struct head_writer *writer, struct slice method, struct slice target)
{
    const struct slice version = SLICE(" HTTP/1.1\r\n");
    if (!http_is_token(method) || target.size == 0 || !http_value_is_clean(target) ||
        slice_find_byte(target, ' ') < target.size || slice_find_byte(target, '\t') < target.size) {
        writer->failed = STATUS_INVALID;
        return;
    }
    if (!has_room(writer, method.size + 1 + target.size + version.size))
        return;
    put(writer, method);
    *writer->at++ = ' ';
    put(writer, target);
    put(writer, version);
}

/* --- Fields --- */

void head_writer_add_checked(struct head_writer *writer, struct slice name, struct slice value)
{
    if (!has_room(writer, name.size + 2 + value.size + 2))
        return;
    put(writer, name);
    *writer->at++ = ':';
    *writer->at++ = ' ';
    put(writer, value);
    *writer->at++ = '\r';
    *writer->at++ = '\n';
}

void head_writer_add(struct head_writer *writer, struct slice name, struct slice value)
{
    if (http_is_token(name) && http_value_is_clean(value))
        head_writer_add_checked(writer, name, value);
    else
        writer->failed = STATUS_INVALID;
}

static size_t count_digits(uint64_t number)
{
    size_t count = 1;
    for (; number >= 10000; number /= 10000)
        count += 4;
    return count + (number >= 10) + (number >= 100) + (number >= 1000);
}

size_t http_write_number(uint64_t number, char digits_out[20])
{
    static const char pairs[] = "0001020304050607080910111213141516171819"
                                "2021222324252627282930313233343536373839"
                                "4041424344454647484950515253545556575859"
                                "6061626364656667686970717273747576777879"
                                "8081828384858687888990919293949596979899";
    const size_t size = count_digits(number);
    size_t at = size;
    for (; number >= 10; number /= 100) {
        at -= 2;
        memcpy(digits_out + at, pairs + 2 * (number % 100), 2);
        if (at == 0)
            return size;
    }
    if (at > 0)
        digits_out[0] = (char)('0' + number);
    return size;
}

void head_writer_add_u64(struct head_writer *writer, struct slice name, uint64_t value)
{
    char digits[20];
    head_writer_add_checked(writer, name, slice_of(digits, http_write_number(value, digits)));
}

enum status head_writer_finish(struct head_writer *writer, struct slice *head_out)
{
    head_writer_lines(writer, SLICE("\r\n"));
    if (writer->failed != STATUS_OK)
        return writer->failed;
    *head_out = slice_of(writer->area, (size_t)(writer->at - writer->area));
    return STATUS_OK;
}
