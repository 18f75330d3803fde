#include "audit/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/secret_file.h"

static struct audit_keys keys;
static char folder[] = "/tmp/weir-head-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/secrets/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    static const unsigned char secret[MAC_SIZE] = {1, 2, 3};
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    if (mkdtemp(folder) == NULL)
        return -1;
    return audit_keys_init(secret, &keys, NULL) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    audit_keys_fini(&keys);
    unlink(path_of("audit.head"));
    rmdir(path_of(""));
    return rmdir(folder);
}

static void what_was_written_is_read_back(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {1, 10, UINT64_MAX};
    struct audit_head head = {.hash = {1, 2, 3}}, read_back = {0};
    assert_int_equal(head_read(&keys, folder, &read_back, NULL), STATUS_NOT_FOUND);
    for (size_t i = 0; i < 3; i++) {
        head.number = numbers[i];
        assert_int_equal(head_write(&keys, folder, &head, NULL), STATUS_OK);
        assert_int_equal(head_read(&keys, folder, &read_back, NULL), STATUS_OK);
        assert_true(read_back.number == numbers[i]);
        assert_memory_equal(read_back.hash, head.hash, sizeof(head.hash));
    }
}

static void a_head_changed_at_any_byte_or_cut_anywhere_is_invalid(void **state)
{
    (void)state;
    struct audit_head head = {.number = 12345, .hash = {1, 2, 3}}, read_back;
    struct buffer text;
    buffer_init(&text, 512);
    assert_int_equal(head_write(&keys, folder, &head, NULL), STATUS_OK);
    assert_int_equal(secret_file_read(folder, "audit.head", &text, NULL), STATUS_OK);
    assert_int_equal(text.size, 5 + 1 + 64 + 1 + 64);
    for (size_t i = 0; i < text.size; i++) {
        struct reason reason = {""};
        text.data[i] ^= 1;
        assert_int_equal(secret_file_replace(folder, "audit.head", buffer_slice(&text), NULL),
                         STATUS_OK);
        assert_int_equal(head_read(&keys, folder, &read_back, &reason), STATUS_INVALID);
        assert_non_null(strstr(reason.text, "audit.head is not as weir wrote it"));
        text.data[i] ^= 1;
        assert_int_equal(secret_file_replace(folder, "audit.head", slice_of(text.data, i), NULL),
                         STATUS_OK);
        assert_int_equal(head_read(&keys, folder, &read_back, NULL), STATUS_INVALID);
    }
    buffer_fini(&text);
}

static void a_head_that_is_too_long_is_invalid(void **state)
{
    (void)state;
    static char text[1000];
    struct audit_head read_back;
    memset(text, '1', sizeof(text));
    assert_int_equal(secret_file_replace(folder, "audit.head", slice_of(text, sizeof(text)), NULL),
                     STATUS_OK);
    assert_int_equal(head_read(&keys, folder, &read_back, NULL), STATUS_INVALID);
}

static void reading_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    struct audit_head head = {.number = 12345}, read_back;
    assert_int_equal(head_write(&keys, folder, &head, NULL), STATUS_OK);
    alloc_fail_nth(0);
    assert_int_equal(head_read(&keys, folder, &read_back, NULL), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read_back),
        TEST(a_head_changed_at_any_byte_or_cut_anywhere_is_invalid),
        TEST(a_head_that_is_too_long_is_invalid),
        TEST(reading_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
