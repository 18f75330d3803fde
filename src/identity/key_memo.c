#include "identity/key_memo.h"

#include <string.h>

/* Each byte of both is looked at, whatever the others are. */
static bool is_same(const char *a, const char *b, size_t size)
{
    uint64_t difference = 0;
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t)) {
        uint64_t of_a, of_b;
        memcpy(&of_a, a + at, sizeof(of_a));
        memcpy(&of_b, b + at, sizeof(of_b));
        difference |= of_a ^ of_b;
        __asm__("" : "+r"(difference)); /* so that no compiler ends the loop early */
    }
    for (; at < size; at++) {
        difference |= (unsigned char)(a[at] ^ b[at]);
        __asm__("" : "+r"(difference));
    }
    return difference == 0;
}

bool key_memo_recall(const struct key_memo *memo, struct slice text,
                     unsigned char hash_out[KEY_HASH_SIZE])
{
    if (text.size == 0 || memo->size != text.size || !is_same(memo->text, text.data, text.size))
        return false;
    memcpy(hash_out, memo->hash, KEY_HASH_SIZE);
    return true;
}

void key_memo_remember(struct key_memo *memo, struct slice text,
                       const unsigned char hash[KEY_HASH_SIZE])
{
    if (text.size == 0 || text.size > sizeof(memo->text))
        return;
    memo->size = (uint8_t)text.size;
    memcpy(memo->text, text.data, text.size);
    memcpy(memo->hash, hash, KEY_HASH_SIZE);
}
