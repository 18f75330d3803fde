#include "admin/demo_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "identity/key.h"
#include "unit/admin/data_dir.h"

/* Opens, asks for the demo key, closes. */
static enum status demo_key(char secret_out[64], struct reason *reason)
{
    struct admin_context *context = data_dir_open(true);
    struct buffer secret;
    buffer_init(&secret, 512);
    const enum status status = admin_demo_key(context, &secret, reason);
    assert_true(secret.size < 64);
    if (secret.size > 0)
        memcpy(secret_out, secret.data, secret.size);
    secret_out[secret.size] = '\0';
    buffer_fini(&secret);
    admin_context_close(&context);
    return status;
}

static void run(const char *method, const char *path)
{
    struct admin_context *context = data_dir_open(false);
    assert_int_equal(operate(context, method, path, "", NULL), 200);
    admin_context_close(&context);
}

static void the_demo_key_is_made_once_and_given_again(void **state)
{
    (void)state;
    char first[64], second[64];
    assert_int_equal(demo_key(first, NULL), STATUS_OK);
    assert_int_equal(key_check(slice_from_text(first), NULL), STATUS_OK);
    assert_int_equal(demo_key(second, NULL), STATUS_OK);
    assert_string_equal(first, second);
    run("GET", "/admin/v1/keys/demo");
    run("GET", "/admin/v1/users/demo");
}

static void the_secret_survives_the_loss_of_the_database(void **state)
{
    (void)state;
    char first[64], second[64];
    assert_int_equal(demo_key(first, NULL), STATUS_OK);
    data_dir_remove_database();
    assert_int_equal(demo_key(second, NULL), STATUS_OK);
    assert_string_equal(first, second);
    run("GET", "/admin/v1/keys/demo");
}

static void a_lost_secret_gives_a_new_key_and_leaves_the_old_one(void **state)
{
    (void)state;
    char first[64], second[64];
    assert_int_equal(demo_key(first, NULL), STATUS_OK);
    assert_int_equal(unlink(data_dir_path("secrets/demo.key")), 0);
    assert_int_equal(demo_key(second, NULL), STATUS_OK);
    assert_string_not_equal(first, second);

    const char *answer = NULL;
    struct admin_context *context = data_dir_open(false);
    assert_int_equal(operate(context, "GET", "/admin/v1/keys?user=demo", "", &answer), 200);
    assert_non_null(strstr(answer, "\"name\":\"demo\""));
    assert_non_null(strstr(answer, "\"name\":null"));
    admin_context_close(&context);
}

static void a_key_that_does_not_work_is_not_given_out(void **state)
{
    (void)state;
    char secret[64];
    struct reason reason = {""};
    assert_int_equal(demo_key(secret, NULL), STATUS_OK);
    run("POST", "/admin/v1/keys/demo/disable");
    assert_int_equal(demo_key(secret, &reason), STATUS_DENIED);
    assert_string_equal(secret, "");
    run("POST", "/admin/v1/keys/demo/enable");
    run("POST", "/admin/v1/users/demo/disable");
    assert_int_equal(demo_key(secret, &reason), STATUS_DENIED);
    run("POST", "/admin/v1/users/demo/enable");
    assert_int_equal(demo_key(secret, &reason), STATUS_OK);
    run("POST", "/admin/v1/keys/demo/revoke");
    assert_int_equal(demo_key(secret, &reason), STATUS_DENIED);
    assert_non_null(strstr(reason.text, "demo.key"));
}

/* Its file has the secret that was given up, which shall not come back as a new key. */
static void a_rotated_demo_key_is_not_given_out_nor_entered_anew(void **state)
{
    (void)state;
    char secret[64];
    struct reason reason = {""};
    assert_int_equal(demo_key(secret, NULL), STATUS_OK);
    run("POST", "/admin/v1/keys/demo/rotate");
    assert_int_equal(demo_key(secret, &reason), STATUS_DENIED);
    assert_non_null(strstr(reason.text, "rotated"));
    assert_string_equal(secret, "");
}

static void a_file_without_a_key_is_refused(void **state)
{
    (void)state;
    char secret[64];
    struct reason reason = {""};
    assert_int_equal(demo_key(secret, NULL), STATUS_OK);
    FILE *file = fopen(data_dir_path("secrets/demo.key"), "w");
    assert_non_null(file);
    (void)fputs("sk-weir-cut\n", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(demo_key(secret, &reason), STATUS_INVALID);
    assert_null(strstr(reason.text, "sk-weir-cut"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, data_dir_make, data_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_demo_key_is_made_once_and_given_again),
        TEST(the_secret_survives_the_loss_of_the_database),
        TEST(a_lost_secret_gives_a_new_key_and_leaves_the_old_one),
        TEST(a_key_that_does_not_work_is_not_given_out),
        TEST(a_rotated_demo_key_is_not_given_out_nor_entered_anew),
        TEST(a_file_without_a_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
