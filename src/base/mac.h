/* SHA-256 (FIPS 180-4) and HMAC over it (RFC 2104), with the two keyed states kept.
 *
 * Thread: any; a struct mac is not changed by its use. Memory: none. Errors: none. */
#ifndef BASE_MAC_H
#define BASE_MAC_H

#include <stdint.h>

/* The digest's own functions, which OpenSSL 3 keeps for compatibility: their state is a plain value
 * that may be copied, which makes a MAC a third as dear as through a kept EVP_MAC_CTX. */
#ifndef OPENSSL_API_COMPAT
#define OPENSSL_API_COMPAT 0x10100000L
#endif
#include <openssl/sha.h>

#include "base/slice.h"

#define MAC_SIZE 32

struct mac {
    SHA256_CTX inner, outer; /* after the key's block */
};

void mac_init(struct mac *mac, const unsigned char key[MAC_SIZE]);
void mac_fini(struct mac *mac); /* wipes it */
void mac_of(const struct mac *mac, struct slice bytes, unsigned char mac_out[MAC_SIZE]);

void sha256_of(struct slice bytes, unsigned char hash_out[MAC_SIZE]);

#endif
