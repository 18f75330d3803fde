/* The hash of the key that was presented last, beside the key's text: a client presents the same one with
 * each request of its connection, and comparing costs a hundredth of hashing.
 *
 * The text is a secret, so the memo lives no longer than its connection and is wiped with it by whoever
 * holds it. It is compared in a time that tells nothing but its size, since several clients may share a
 * connection behind a proxy. All zeros: nothing is remembered. Thread: one at a time. */
#ifndef IDENTITY_KEY_MEMO_H
#define IDENTITY_KEY_MEMO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "identity/key.h"
#include "identity/key_hasher.h"

#define KEY_MEMO_BYTES_MAX 64 /* a longer text is not remembered */
_Static_assert(KEY_TEXT_SIZE <= KEY_MEMO_BYTES_MAX, "weir's own keys are");

struct key_memo {
    unsigned char hash[KEY_HASH_SIZE];
    uint8_t size; /* 0: there is none */
    char text[KEY_MEMO_BYTES_MAX];
};

/* Sets hash_out if the text is the one that is remembered. */
bool key_memo_recall(const struct key_memo *memo, struct slice text,
                     unsigned char hash_out[KEY_HASH_SIZE]);
/* In the place of what was there. */
void key_memo_remember(struct key_memo *memo, struct slice text,
                       const unsigned char hash[KEY_HASH_SIZE]);

#endif
