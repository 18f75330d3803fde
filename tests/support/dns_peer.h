/* A name server on the loopback, played by the test between the loop's turns.
 *
 * While one is open, name resolution that begins (dns_create) asks it and no other server: c-ares'
 * ares_init_options() is replaced in every program that uses this. */
#ifndef SUPPORT_DNS_PEER_H
#define SUPPORT_DNS_PEER_H

#include <stddef.h>
#include <stdint.h>

enum dns_peer_mode {
    DNS_PEER_ANSWERS,
    DNS_PEER_SILENT,
    DNS_PEER_FAILS,      /* SERVFAIL to everything */
    DNS_PEER_TELLS_LIES, /* before each answer others that do not belong to the question */
};

struct dns_peer_record {
    const char *name;
    const char *value; /* a numeric address, or a name: then it is a CNAME */
    uint32_t ttl_s;
};

struct dns_peer {
    int fd;
    enum dns_peer_mode mode;
    const struct dns_peer_record *records; /* a name without any does not exist */
    size_t record_count;
    unsigned question_count; /* each for one type of records */
};

void dns_peer_open(struct dns_peer *peer);
void dns_peer_close(struct dns_peer *peer);
/* Answers what was asked. */
void dns_peer_serve(struct dns_peer *peer);

#endif
