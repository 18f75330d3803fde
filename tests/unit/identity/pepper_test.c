#include "identity/pepper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

static char folder[] = "/tmp/weir-pepper-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

/* Each test has a folder of its own. */
static int make_folder(void **state)
{
    (void)state;
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path_of("secrets/pepper"));
    rmdir(path_of("secrets"));
    return rmdir(folder);
}

static void write_pepper(const char *content)
{
    mkdir(path_of("secrets"), 0700);
    unlink(path_of("secrets/pepper"));
    FILE *file = fopen(path_of("secrets/pepper"), "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path_of("secrets/pepper"), 0600), 0);
}

static void a_pepper_is_made_once_and_then_loaded(void **state)
{
    (void)state;
    unsigned char made[PEPPER_SIZE], loaded[PEPPER_SIZE], again[PEPPER_SIZE];
    assert_int_equal(pepper_load(folder, loaded, NULL), STATUS_NOT_FOUND);
    assert_int_equal(pepper_create(folder, made, NULL), STATUS_OK);
    assert_int_equal(pepper_load(folder, loaded, NULL), STATUS_OK);
    assert_memory_equal(made, loaded, PEPPER_SIZE);
    assert_int_equal(pepper_create(folder, again, NULL), STATUS_EXISTS);
    assert_int_equal(pepper_load(folder, loaded, NULL), STATUS_OK);
    assert_memory_equal(made, loaded, PEPPER_SIZE);
}

static void a_pepper_cut_at_any_place_is_refused(void **state)
{
    (void)state;
    char text[2 * PEPPER_SIZE + 1];
    unsigned char pepper[PEPPER_SIZE];
    memset(text, 'a', sizeof(text));
    for (size_t size = 0; size < sizeof(text) - 1; size++) {
        struct reason reason = {""};
        text[size] = '\0';
        write_pepper(text);
        assert_int_equal(pepper_load(folder, pepper, &reason), STATUS_INVALID);
        assert_non_null(strstr(reason.text, "64 hexadecimal digits"));
        text[size] = 'a';
    }
    text[sizeof(text) - 1] = '\0';
    write_pepper(text);
    assert_int_equal(pepper_load(folder, pepper, NULL), STATUS_OK);
}

static void a_pepper_that_is_not_hexadecimal_is_refused(void **state)
{
    (void)state;
    unsigned char pepper[PEPPER_SIZE];
    write_pepper("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
    assert_int_equal(pepper_load(folder, pepper, NULL), STATUS_INVALID);
}

static void loading_without_memory_says_so(void **state)
{
    (void)state;
    unsigned char pepper[PEPPER_SIZE];
    assert_int_equal(pepper_create(folder, pepper, NULL), STATUS_OK);
    alloc_fail_nth(0);
    assert_int_equal(pepper_load(folder, pepper, NULL), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pepper_is_made_once_and_then_loaded),
        TEST(a_pepper_cut_at_any_place_is_refused),
        TEST(a_pepper_that_is_not_hexadecimal_is_refused),
        TEST(loading_without_memory_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
