#include "admin/context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "identity/key.h"
#include "unit/admin/data_dir.h"

static enum status open_status(bool create, struct reason *reason)
{
    const struct admin_config config = {.data_dir = data_dir, .create = create, .with_map = true};
    struct admin_context *context = NULL;
    const enum status status = admin_context_open(&config, &context, reason);
    admin_context_close(&context);
    return status;
}

static void make_key(void)
{
    struct admin_context *context = data_dir_open(false);
    assert_int_equal(operate(context, "POST", "/admin/v1/users", "{\"name\":\"ada\"}", NULL), 201);
    assert_int_equal(operate(context, "POST", "/admin/v1/keys",
                             "{\"user\":\"ada\",\"name\":\"laptop\",\"key\":\"0123456789abcdef\"}",
                             NULL),
                     201);
    admin_context_close(&context);
    assert_null(context);
}

static struct identity_key *find(struct admin_context *context, struct identity_reader *reader,
                                 struct slice secret)
{
    unsigned char hash[KEY_HASH_SIZE];
    assert_int_equal(key_hasher_hash(context->hasher, secret, hash), STATUS_OK);
    return identity_find(reader, hash);
}

static void a_server_makes_what_is_missing_and_a_command_does_not(void **state)
{
    (void)state;
    struct reason reason = {""};
    assert_int_equal(open_status(false, &reason), STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, "weir.db"));
    assert_int_equal(open_status(true, NULL), STATUS_OK);
    assert_int_equal(open_status(false, NULL), STATUS_OK);
}

static void the_map_is_filled_with_the_stored_keys(void **state)
{
    (void)state;
    struct identity_reader *reader = NULL;
    make_key();
    struct admin_context *context = data_dir_open(true);
    assert_int_equal(identity_map_key_count(context->map), 1);
    assert_int_equal(identity_reader_create(context->map, &reader), STATUS_OK);
    identity_reader_turn(reader);
    const struct identity_key *key = find(context, reader, SLICE("0123456789abcdef"));
    assert_non_null(key);
    assert_true(slice_equal(identity_user_name(key->user), SLICE("ada")));
    assert_null(find(context, reader, SLICE("0123456789abcdeF")));
    identity_reader_destroy(&reader);
    admin_context_close(&context);
}

static void the_map_is_filled_with_users_that_have_no_keys(void **state)
{
    (void)state;
    struct admin_context *context = data_dir_open(false);
    const struct store_user user = {.id = {{7}}, .name = SLICE("eve"), .disabled = true};
    assert_int_equal(store_user_create(context->store, &user, NULL), STATUS_OK);
    admin_context_close(&context);
    context = data_dir_open(true);
    const struct identity_user *found = identity_map_find_user(context->map, &user.id);
    assert_non_null(found);
    assert_true(slice_equal(identity_user_name(found), SLICE("eve")));
    assert_true(atomic_load(&found->disabled));
    admin_context_close(&context);
}

static void a_missing_pepper_is_not_replaced_while_there_are_keys_under_it(void **state)
{
    (void)state;
    struct reason reason = {""};
    make_key();
    assert_int_equal(unlink(data_dir_path("secrets/pepper")), 0);
    assert_int_equal(open_status(true, &reason), STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, "pepper is missing"));
    assert_int_not_equal(access(data_dir_path("secrets/pepper"), F_OK), 0);
}

static void a_pepper_that_others_may_read_stops_the_start(void **state)
{
    (void)state;
    struct reason reason = {""};
    make_key();
    assert_int_equal(chmod(data_dir_path("secrets/pepper"), 0644), 0);
    assert_int_equal(open_status(true, &reason), STATUS_DENIED);
    assert_non_null(strstr(reason.text, "chmod 600"));
}

static void the_last_use_reaches_the_store(void **state)
{
    (void)state;
    struct identity_reader *reader = NULL;
    const char *answer = NULL;
    make_key();
    struct admin_context *context = data_dir_open(true);
    assert_int_equal(identity_reader_create(context->map, &reader), STATUS_OK);
    identity_reader_turn(reader);
    identity_note_use(reader, find(context, reader, SLICE("0123456789abcdef")), 1769860900);
    identity_reader_destroy(&reader);
    assert_int_equal(admin_save_last_used(context, NULL), STATUS_OK);
    admin_context_close(&context);

    context = data_dir_open(false);
    assert_int_equal(admin_save_last_used(context, NULL), STATUS_OK); /* nothing to do */
    assert_int_equal(operate(context, "GET", "/admin/v1/keys/laptop", "", &answer), 200);
    assert_non_null(strstr(answer, "\"last_used_at\":\"2026-01-31T12:01:40.000Z\""));
    admin_context_close(&context);
}

static void open_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    make_key();
    for (int nth = 0;; nth++) {
        struct reason reason = {""};
        alloc_fail_nth(nth);
        const enum status status = open_status(true, &reason);
        alloc_fail_nth(-1);
        if (status == STATUS_OK) {
            assert_in_range(nth, 8, 100);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_true(reason.text[0] != '\0');
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, data_dir_make, data_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_server_makes_what_is_missing_and_a_command_does_not),
        TEST(the_map_is_filled_with_the_stored_keys),
        TEST(the_map_is_filled_with_users_that_have_no_keys),
        TEST(a_missing_pepper_is_not_replaced_while_there_are_keys_under_it),
        TEST(a_pepper_that_others_may_read_stops_the_start),
        TEST(the_last_use_reaches_the_store),
        TEST(open_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
