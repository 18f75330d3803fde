#include "support/certificate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY_S (24L * 60 * 60)

struct signer {
    X509 *certificate;
    EVP_PKEY *key;
};

static void add_extension(X509 *certificate, X509 *issuer, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

/* A certificate without extensions and signature. */
static struct signer begin(const char *common_name, long number, long from_s, long until_s)
{
    const struct signer made = {X509_new(), EVP_EC_gen("P-256")};
    assert_non_null(made.certificate);
    assert_non_null(made.key);
    X509_set_version(made.certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.certificate), number);
    X509_gmtime_adj(X509_getm_notBefore(made.certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(made.certificate), until_s);
    X509_NAME *name = X509_get_subject_name(made.certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1,
                               0);
    X509_set_pubkey(made.certificate, made.key);
    return made;
}

static void sign(const struct signer *subject, const struct signer *issuer)
{
    X509_set_issuer_name(subject->certificate, X509_get_subject_name(issuer->certificate));
    assert_true(X509_sign(subject->certificate, issuer->key, EVP_sha256()) > 0);
}

static void release(struct signer *signer)
{
    X509_free(signer->certificate);
    EVP_PKEY_free(signer->key);
}

static FILE *create(char path[CERTIFICATE_PATH_BYTES], const char *folder, const char *name)
{
    (void)snprintf(path, CERTIFICATE_PATH_BYTES, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    return file;
}

static void write_files(struct certificate *certificate, const struct signer *authority,
                        const struct signer *server)
{
    FILE *file = create(certificate->ca, certificate->folder, "ca.pem");
    PEM_write_X509(file, authority->certificate);
    (void)fclose(file);
    file = create(certificate->chain, certificate->folder, "chain.pem");
    PEM_write_X509(file, server->certificate);
    (void)fclose(file);
    file = create(certificate->key, certificate->folder, "key.pem");
    PEM_write_PrivateKey(file, server->key, NULL, NULL, 0, NULL, NULL);
    (void)fclose(file);
}

void certificate_make(struct certificate *certificate, const char *names,
                      enum certificate_validity validity)
{
    (void)snprintf(certificate->folder, sizeof(certificate->folder), "/tmp/weir-tls-XXXXXX");
    assert_non_null(mkdtemp(certificate->folder));
    struct signer authority = begin("weir test authority", 1, -10 * DAY_S, 10 * DAY_S);
    add_extension(authority.certificate, authority.certificate, NID_basic_constraints,
                  "critical,CA:TRUE");
    add_extension(authority.certificate, authority.certificate, NID_key_usage,
                  "critical,keyCertSign");
    sign(&authority, &authority);
    struct signer server = begin("weir test server", 2, -5 * DAY_S,
                                 validity == CERTIFICATE_VALID ? 5 * DAY_S : -1 * DAY_S);
    add_extension(server.certificate, authority.certificate, NID_subject_alt_name, names);
    sign(&server, &authority);
    write_files(certificate, &authority, &server);
    release(&authority);
    release(&server);
}

void certificate_remove(struct certificate *certificate)
{
    unlink(certificate->ca);
    unlink(certificate->chain);
    unlink(certificate->key);
    rmdir(certificate->folder);
}
