#include "admin/problem.h"

#include <stddef.h>

#include "admin/member_writer.h"

static const struct phrase {
    unsigned http_status;
    const char *title; /* RFC 9110 section 15 */
} phrases[] = {
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {428, "Precondition Required"}, /* RFC 6585 section 3 */
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

static const char *title_of(unsigned http_status)
{
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++) {
        if (phrases[i].http_status == http_status)
            return phrases[i].title;
    }
    return "Error";
}

void problem_write(unsigned http_status, struct slice detail, struct buffer *answer)
{
    struct json_writer writer;
    buffer_clear(answer);
    json_writer_init(&writer, answer);
    json_write_object(&writer);
    member_write_text(&writer, SLICE("type"), SLICE("about:blank"));
    member_write_text(&writer, SLICE("title"), slice_from_text(title_of(http_status)));
    member_write_number(&writer, SLICE("status"), http_status);
    member_write_text(&writer, SLICE("detail"), detail);
    json_write_end(&writer);
}
