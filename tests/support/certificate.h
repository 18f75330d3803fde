/* A certificate authority and a server's certificate of its own, as PEM files in a new folder. */
#ifndef SUPPORT_CERTIFICATE_H
#define SUPPORT_CERTIFICATE_H

#define CERTIFICATE_PATH_BYTES 64

struct certificate {
    char folder[CERTIFICATE_PATH_BYTES];
    char ca[CERTIFICATE_PATH_BYTES];    /* the authority's certificate */
    char chain[CERTIFICATE_PATH_BYTES]; /* the server's */
    char key[CERTIFICATE_PATH_BYTES];
};

enum certificate_validity {
    CERTIFICATE_VALID,
    CERTIFICATE_EXPIRED,
};

/* `names` as in "DNS:upstream.test,IP:127.0.0.1". Fails the test if it cannot be made. */
void certificate_make(struct certificate *certificate, const char *names,
                      enum certificate_validity validity);
/* Removes the files and the folder. */
void certificate_remove(struct certificate *certificate);

#endif
