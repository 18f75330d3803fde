#include "form.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "base/assert.h"

#define FORM_BYTES_MAX ((size_t)64 << 20)
#define PIECES_MAX     5 /* two blanks, and the text around them */

void form_init(struct form *form)
{
    buffer_init(&form->text, FORM_BYTES_MAX);
    form->blank_at = form->key_at = form->key_size = 0;
}

void form_fini(struct form *form)
{
    buffer_fini(&form->text);
}

void form_close(struct form *form)
{
    ASSERT(buffer_status(&form->text) == STATUS_OK);
    form->blank_at = slice_find(buffer_slice(&form->text), SLICE(TICKET_BLANK));
    ASSERT(form->key_at + form->key_size <= form->blank_at);
}

struct ticket ticket_of(uint64_t number)
{
    struct ticket ticket = {.key = NULL};
    for (size_t at = TICKET_DIGITS; at-- > 0; number /= 10)
        ticket.digits[at] = (char)('0' + number % 10);
    return ticket;
}

/* The pieces of the filled-in form between `from` and `end`; returns how many. */
static int pieces_of(const struct form *form, const struct ticket *ticket, size_t from, size_t end,
                     struct iovec pieces_out[PIECES_MAX])
{
    const size_t bounds[PIECES_MAX + 1] = {0,
                                           form->key_at,
                                           form->key_at + form->key_size,
                                           form->blank_at,
                                           form->blank_at + TICKET_DIGITS,
                                           form->text.size};
    const char *const filled[PIECES_MAX] = {[1] = ticket->key, [3] = ticket->digits};
    int count = 0;
    for (int i = 0; i < PIECES_MAX; i++) {
        const size_t begin = from > bounds[i] ? from : bounds[i];
        const size_t stop = end < bounds[i + 1] ? end : bounds[i + 1];
        if (begin >= stop)
            continue;
        const char *data =
            filled[i] != NULL ? filled[i] + (begin - bounds[i]) : form->text.data + begin;
        pieces_out[count++] = (struct iovec){(char *)data, stop - begin};
    }
    return count;
}

enum status form_send(const struct form *form, const struct ticket *ticket, int fd, size_t end,
                      size_t *sent)
{
    while (*sent < end) {
        struct iovec pieces[PIECES_MAX];
        const int count = pieces_of(form, ticket, *sent, end, pieces);
        const ssize_t written = writev(fd, pieces, count);
        if (written < 0 && errno == EAGAIN)
            return STATUS_AGAIN;
        if (written < 0)
            return STATUS_IO;
        *sent += (size_t)written;
    }
    return STATUS_OK;
}

bool form_matches(const struct form *form, const struct ticket *ticket, size_t at,
                  struct slice bytes)
{
    if (at > form->text.size || bytes.size > form->text.size - at)
        return false;
    struct iovec pieces[PIECES_MAX];
    const int count = pieces_of(form, ticket, at, at + bytes.size, pieces);
    size_t seen = 0;
    for (int i = 0; i < count; i++) {
        if (memcmp(bytes.data + seen, pieces[i].iov_base, pieces[i].iov_len) != 0)
            return false;
        seen += pieces[i].iov_len;
    }
    return true;
}
