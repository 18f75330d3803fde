#include "admin/master_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "base/random.h"
#include "config/load.h"
#include "io/secret_file.h"

#define FILE_NAME         "master.key"
#define NEXT_NAME         "master.key.next"
#define CREDENTIAL_NAME   "weir-master-key"
#define PATH_BYTES        2048
#define CONTENT_BYTES_MAX ((size_t)4096)
#define KEY_ID_TEXT_SIZE  (2 * (size_t)SEAL_KEY_ID_SIZE)

struct master_key_places master_key_places_of(struct slice configured, const char *data_dir)
{
    return (struct master_key_places){
        .configured = configured,
        .environment = getenv("WEIR_MASTER_KEY"),
        .credentials = getenv("CREDENTIALS_DIRECTORY"),
        .data_dir = data_dir,
    };
}

const char *master_key_place_name(enum master_key_source source)
{
    static const char *const names[] = {
        [MASTER_KEY_CONFIGURATION] = "secrets.master_key of the configuration",
        [MASTER_KEY_ENVIRONMENT] = "WEIR_MASTER_KEY",
        [MASTER_KEY_CREDENTIAL] = "the systemd credential " CREDENTIAL_NAME,
        [MASTER_KEY_FILE] = "DATA_DIR/secrets/" FILE_NAME,
    };
    return names[source];
}

void master_key_wipe(struct master_key *key)
{
    explicit_bzero(key, sizeof(*key));
}

void master_key_make(struct master_key *key_out)
{
    *key_out = (struct master_key){.source = MASTER_KEY_FILE};
    random_bytes(key_out->bytes, sizeof(key_out->bytes));
    seal_key_id(key_out->bytes, key_out->id);
}

enum status master_key_read(struct slice text, struct master_key *key_out)
{
    *key_out = (struct master_key){.source = MASTER_KEY_FILE};
    const enum status status = seal_key_read(text, key_out->bytes);
    if (status == STATUS_OK)
        seal_key_id(key_out->bytes, key_out->id);
    return status;
}

static enum status read_from(enum master_key_source source, struct slice text,
                             struct master_key *key_out, struct reason *reason)
{
    const enum status status = master_key_read(text, key_out);
    key_out->source = source;
    if (status != STATUS_OK)
        reason_set(reason, "%s is no key of 32 bytes, in hexadecimal or base64",
                   master_key_place_name(source));
    return status;
}

/* --- Files --------------------------------------------------------------------------------------- */

/* systemd has seen to who may read it. */
static enum status load_credential(const char *folder, struct master_key *key_out,
                                   struct reason *reason)
{
    char path[PATH_BYTES];
    struct buffer content;
    if ((size_t)snprintf(path, sizeof(path), "%s/" CREDENTIAL_NAME, folder) >= sizeof(path))
        return STATUS_NOT_FOUND;
    buffer_init(&content, CONTENT_BYTES_MAX);
    enum status status = buffer_reserve(&content, CONTENT_BYTES_MAX);
    if (status == STATUS_OK)
        status = config_read_file(NULL, path, &content, reason);
    if (status == STATUS_OK)
        status = read_from(MASTER_KEY_CREDENTIAL, buffer_slice(&content), key_out, reason);
    seal_wipe(&content);
    return status;
}

static enum status load_file(const char *data_dir, const char *name, struct master_key *key_out,
                             struct reason *reason)
{
    struct buffer content;
    buffer_init(&content, CONTENT_BYTES_MAX);
    enum status status = buffer_reserve(&content, CONTENT_BYTES_MAX);
    if (status == STATUS_OK)
        status = secret_file_read(data_dir, name, &content, reason);
    if (status == STATUS_OK) {
        status = master_key_read(buffer_slice(&content), key_out);
        if (status != STATUS_OK)
            reason_set(reason,
                       "%s/secrets/%s is no key: it has 64 hexadecimal digits; restore it "
                       "from a backup",
                       data_dir, name);
    }
    seal_wipe(&content);
    return status;
}

static enum status create_file(const char *data_dir, struct master_key *key_out,
                               struct reason *reason)
{
    char text[SEAL_KEY_TEXT_SIZE];
    master_key_make(key_out);
    hex_encode(key_out->bytes, sizeof(key_out->bytes), text);
    const enum status status =
        secret_file_create(data_dir, FILE_NAME, slice_of(text, sizeof(text)), reason);
    explicit_bzero(text, sizeof(text));
    return status;
}

enum status master_key_prepare(const char *data_dir, const struct master_key *key,
                               struct reason *reason)
{
    char text[SEAL_KEY_TEXT_SIZE];
    hex_encode(key->bytes, sizeof(key->bytes), text);
    const enum status status =
        secret_file_replace(data_dir, NEXT_NAME, slice_of(text, sizeof(text)), reason);
    explicit_bzero(text, sizeof(text));
    return status;
}

enum status master_key_finish(const char *data_dir, struct reason *reason)
{
    return secret_file_rename(data_dir, NEXT_NAME, FILE_NAME, reason);
}

static bool is_used(const struct master_key_places *places, const struct master_key *key)
{
    return places->used_id == NULL || memcmp(places->used_id, key->id, sizeof(key->id)) == 0;
}

/* Whether a rotation was cut off between its transaction and its end; then it is ended here, or where
 * the disk does not let it, the next time. */
static bool take_up_rotation(const struct master_key_places *places, struct master_key *key)
{
    struct master_key next = {.source = MASTER_KEY_FILE};
    struct reason ignored;
    const bool is_taken = load_file(places->data_dir, NEXT_NAME, &next, &ignored) == STATUS_OK &&
                          is_used(places, &next);
    if (is_taken) {
        const enum status status = master_key_finish(places->data_dir, &ignored);
        (void)status;
        *key = next;
    }
    master_key_wipe(&next);
    return is_taken;
}

static enum status load_own(const struct master_key_places *places, bool create,
                            struct master_key *key_out, struct reason *reason)
{
    const enum status status = load_file(places->data_dir, FILE_NAME, key_out, reason);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    if (status == STATUS_OK && is_used(places, key_out))
        return STATUS_OK;
    if (places->used_id != NULL && take_up_rotation(places, key_out))
        return STATUS_OK;
    if (status == STATUS_OK)
        return status; /* another one than was used: master_key_check() says so */
    if (places->used_id == NULL && create)
        return create_file(places->data_dir, key_out, reason);
    reason_set(reason,
               "%s/secrets/" FILE_NAME " is missing, without which no secret in %s/weir.db can be "
               "opened; restore it from a backup, or name the key in WEIR_MASTER_KEY",
               places->data_dir, places->data_dir);
    return STATUS_NOT_FOUND;
}

/* --- Finding ------------------------------------------------------------------------------------- */

/* A text of 32 characters is a password, not the bytes of a key. */
static enum status read_environment(const char *text, struct master_key *key_out,
                                    struct reason *reason)
{
    const struct slice given = slice_from_text(text);
    return read_from(MASTER_KEY_ENVIRONMENT,
                     given.size != SEAL_KEY_SIZE ? given : (struct slice){0}, key_out, reason);
}

static enum status find(const struct master_key_places *places, bool create,
                        struct master_key *key_out, struct reason *reason)
{
    if (places->configured.data != NULL)
        return read_from(MASTER_KEY_CONFIGURATION, places->configured, key_out, reason);
    if (places->environment != NULL && places->environment[0] != '\0')
        return read_environment(places->environment, key_out, reason);
    enum status status = STATUS_NOT_FOUND;
    if (places->credentials != NULL)
        status = load_credential(places->credentials, key_out, reason);
    return status == STATUS_NOT_FOUND ? load_own(places, create, key_out, reason) : status;
}

enum status master_key_load(const struct master_key_places *places, bool create,
                            struct master_key *key_out, struct reason *reason)
{
    *key_out = (struct master_key){.source = MASTER_KEY_FILE};
    const enum status status = find(places, create, key_out, reason);
    if (status != STATUS_OK)
        master_key_wipe(key_out);
    return status;
}

enum status master_key_check(const struct master_key *key,
                             const unsigned char used_id[SEAL_KEY_ID_SIZE], struct slice provider,
                             struct reason *reason)
{
    char used[KEY_ID_TEXT_SIZE], given[KEY_ID_TEXT_SIZE];
    if (memcmp(key->id, used_id, SEAL_KEY_ID_SIZE) == 0)
        return STATUS_OK;
    hex_encode(used_id, SEAL_KEY_ID_SIZE, used);
    hex_encode(key->id, SEAL_KEY_ID_SIZE, given);
    reason_set(reason,
               "the secret of provider %.*s is sealed under another master key (%.*s) than %s "
               "gives (%.*s); give the former one, or delete the secret",
               SLICE_ARGS(provider), (int)sizeof(used), used, master_key_place_name(key->source),
               (int)sizeof(given), given);
    return STATUS_DENIED;
}
