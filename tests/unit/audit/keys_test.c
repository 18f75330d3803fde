#include "audit/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/secret_file.h"

static char folder[] = "/tmp/weir-keys-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/secrets/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path_of("audit.key"));
    unlink(path_of("audit.pub"));
    rmdir(path_of(""));
    return rmdir(folder);
}

static enum status load(bool create, struct reason *reason)
{
    struct audit_keys keys;
    const enum status status = audit_keys_load(folder, create, &keys, reason);
    if (status == STATUS_OK)
        audit_keys_fini(&keys);
    return status;
}

static void keys_are_made_once_and_for_the_owner_alone(void **state)
{
    (void)state;
    struct stat info;
    struct audit_keys first, second;
    assert_int_equal(load(false, NULL), STATUS_NOT_FOUND);
    assert_int_equal(audit_keys_load(folder, true, &first, NULL), STATUS_OK);
    assert_int_equal(audit_keys_load(folder, true, &second, NULL), STATUS_OK);
    assert_memory_equal(first.public_key, second.public_key, sizeof(first.public_key));
    assert_memory_equal(&first.entries, &second.entries, sizeof(first.entries));
    assert_memory_not_equal(&first.entries, &first.rows, sizeof(first.entries));
    assert_memory_not_equal(&first.entries, &first.head, sizeof(first.entries));
    assert_int_equal(stat(path_of("audit.key"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    audit_keys_fini(&first);
    audit_keys_fini(&second);
}

static void a_lost_public_key_is_written_again_by_serve_alone(void **state)
{
    (void)state;
    assert_int_equal(load(true, NULL), STATUS_OK);
    assert_int_equal(unlink(path_of("audit.pub")), 0);
    assert_int_equal(load(false, NULL), STATUS_OK);
    assert_int_equal(access(path_of("audit.pub"), F_OK), -1);
    assert_int_equal(load(true, NULL), STATUS_OK);
    assert_int_equal(access(path_of("audit.pub"), F_OK), 0);
}

static void a_public_key_of_another_secret_is_refused(void **state)
{
    (void)state;
    struct reason reason = {""};
    assert_int_equal(load(true, NULL), STATUS_OK);
    char other[64];
    memset(other, 'a', sizeof(other));
    assert_int_equal(secret_file_replace(folder, "audit.pub", slice_of(other, sizeof(other)), NULL),
                     STATUS_OK);
    assert_int_equal(load(true, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "not the public half"));
}

static void a_key_that_is_no_key_is_refused(void **state)
{
    (void)state;
    struct reason reason = {""};
    assert_int_equal(secret_file_create(folder, "audit.key", SLICE("zz"), NULL), STATUS_OK);
    assert_int_equal(load(true, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "is not 64 hexadecimal digits"));
}

static void a_signature_holds_for_its_bytes_alone(void **state)
{
    (void)state;
    struct audit_keys keys;
    unsigned char signature[AUDIT_SIGNATURE_SIZE];
    assert_int_equal(audit_keys_load(folder, true, &keys, NULL), STATUS_OK);
    assert_int_equal(audit_sign(&keys, SLICE("bytes"), signature, NULL), STATUS_OK);
    assert_int_equal(audit_check_signature(keys.public_key, SLICE("bytes"), signature, NULL),
                     STATUS_OK);
    assert_int_equal(audit_check_signature(keys.public_key, SLICE("bytez"), signature, NULL),
                     STATUS_INVALID);
    for (size_t i = 0; i < sizeof(signature); i++) {
        signature[i] ^= 1;
        assert_int_equal(audit_check_signature(keys.public_key, SLICE("bytes"), signature, NULL),
                         STATUS_INVALID);
        signature[i] ^= 1;
    }
    audit_keys_fini(&keys);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_are_made_once_and_for_the_owner_alone),
        TEST(a_lost_public_key_is_written_again_by_serve_alone),
        TEST(a_public_key_of_another_secret_is_refused),
        TEST(a_key_that_is_no_key_is_refused),
        TEST(a_signature_holds_for_its_bytes_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
