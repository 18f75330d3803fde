/* Sealing of small secrets: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) through libsodium.
 *
 * What is sealed can be read only with the key, and only with the same associated data: that is where
 * it belongs, so that a sealed text that was moved elsewhere does not open.
 * Thread: any. Memory: the caller's; no copy of a plain text stays behind. */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/buffer.h"
#include "base/slice.h"
#include "base/status.h"

#define SEAL_KEY_SIZE      32
#define SEAL_KEY_ID_SIZE   8
#define SEAL_NONCE_SIZE    24
#define SEAL_TAG_SIZE      16
#define SEAL_KEY_TEXT_SIZE (2 * SEAL_KEY_SIZE) /* in hexadecimal digits */

/* Appends the sealed text, SEAL_TAG_SIZE bytes longer than the plain one, and makes a new nonce, which
 * belongs to it and is no secret. STATUS_TOO_LARGE and STATUS_NO_MEMORY are the buffer's. */
MUST_CHECK enum status seal_make(const unsigned char key[SEAL_KEY_SIZE], struct slice associated,
                                 struct slice plain, unsigned char nonce_out[SEAL_NONCE_SIZE],
                                 struct buffer *sealed);
/* Appends the plain text. STATUS_INVALID: another key, other associated data, or a changed text; then
 * nothing is appended. STATUS_TOO_LARGE and STATUS_NO_MEMORY are the buffer's. */
MUST_CHECK enum status seal_open(const unsigned char key[SEAL_KEY_SIZE],
                                 const unsigned char nonce[SEAL_NONCE_SIZE],
                                 struct slice associated, struct slice sealed,
                                 struct buffer *plain);

/* Tells keys apart without telling anything about them: a keyed hash, cut. */
void seal_key_id(const unsigned char key[SEAL_KEY_SIZE], unsigned char id_out[SEAL_KEY_ID_SIZE]);
/* Reads a key as 64 hexadecimal digits, as base64, or as its 32 bytes; line ends and spaces after one of
 * the first two do not count. STATUS_INVALID: none of them.
 * STATUS_NO_MEMORY. */
MUST_CHECK enum status seal_key_read(struct slice text, unsigned char key_out[SEAL_KEY_SIZE]);

/* Overwrites what the buffer holds and frees it. */
void seal_wipe(struct buffer *plain);

#endif
