/* A form is a fixed text with one blank, which holds the ticket of a request, and maybe another one
 * before it, which holds a key.
 *
 * Each request carries a ticket of its own in its prompt, and the answer must bring it back: so an
 * answer that reached the wrong client is noticed. The text around it is shared by all requests.
 *
 * Memory: the form owns its text. Running out of memory ends the program, as everywhere in here. */
#ifndef PERF_FORM_H
#define PERF_FORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

#define TICKET_DIGITS 12
/* What stands in a text where the ticket is to go. */
#define TICKET_BLANK "000000000000"

struct ticket {
    char digits[TICKET_DIGITS];
    const char *key; /* of a form with a blank for one: as long as that */
};

struct form {
    struct buffer text;
    size_t blank_at;         /* where the ticket goes; the size of the text if nowhere */
    size_t key_at, key_size; /* of size 0: there is no such blank */
};

void form_init(struct form *form);
void form_fini(struct form *form);
/* Says that the text is complete: finds the blank, which is the first TICKET_BLANK. */
void form_close(struct form *form);

struct ticket ticket_of(uint64_t number);

/* Writes the form from *sent to `end` into a socket that does not block, and moves *sent on.
 * STATUS_OK all is written, STATUS_AGAIN the socket takes no more, STATUS_IO it is broken. */
MUST_CHECK enum status form_send(const struct form *form, const struct ticket *ticket, int fd,
                                 size_t end, size_t *sent);

/* Whether `bytes` are what the filled-in form holds from `at` on. */
bool form_matches(const struct form *form, const struct ticket *ticket, size_t at,
                  struct slice bytes);

#endif
