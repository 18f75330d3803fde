#include "store/store_overlay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "unit/store/sqlite/database.h"

static struct store_secret secret_of(unsigned number, const char *provider)
{
    return (struct store_secret){
        .id = database_id(number),
        .provider = slice_from_text(provider),
        .master_id = {1, 2, 3},
        .nonce = {4, 5, 6},
        .sealed = slice_of("se\0aled", 7),
        .hint = SLICE("last"),
        .created_at_us = 1000,
        .updated_at_us = 2000,
    };
}

static void put(struct store *store, const struct store_secret *secret)
{
    assert_int_equal(store_secret_put(store, secret, NULL), STATUS_OK);
}

static enum status find(struct store *store, const char *provider, struct arena *arena,
                        struct store_secret *secret_out)
{
    return store_secret_find(store, slice_from_text(provider), arena, secret_out, NULL);
}

static void what_was_put_is_found_and_replaced_by_its_id(void **state)
{
    (void)state;
    struct store *store = database_open();
    struct store_secret secret = secret_of(1, "main"), found;
    struct arena arena;
    arena_init(&arena, NULL, 0, 4096);
    put(store, &secret);
    assert_int_equal(find(store, "main", &arena, &found), STATUS_OK);
    assert_memory_equal(&found.id, &secret.id, sizeof(found.id));
    assert_memory_equal(found.master_id, secret.master_id, sizeof(found.master_id));
    assert_memory_equal(found.nonce, secret.nonce, sizeof(found.nonce));
    assert_true(slice_equal(found.sealed, secret.sealed));
    assert_true(slice_equal(found.hint, secret.hint));
    secret.sealed = SLICE("other");
    secret.hint = SLICE("");
    secret.created_at_us = 1; /* its birth stays */
    secret.updated_at_us = 3000;
    put(store, &secret);
    assert_int_equal(find(store, "main", &arena, &found), STATUS_OK);
    assert_true(slice_equal(found.sealed, SLICE("other")));
    assert_int_equal(found.hint.size, 0);
    assert_int_equal(found.created_at_us, 1000);
    assert_int_equal(found.updated_at_us, 3000);
    arena_fini(&arena);
    store_close(&store);
}

static void a_second_one_of_a_provider_is_not_kept(void **state)
{
    (void)state;
    struct store *store = database_open();
    const struct store_secret first = secret_of(1, "main"), second = secret_of(2, "main");
    put(store, &first);
    assert_int_not_equal(store_secret_put(store, &second, NULL), STATUS_OK);
    store_close(&store);
}

static enum status note(void *context, const struct store_secret *secret)
{
    struct buffer *names = context;
    return buffer_printf(names, "%.*s ", SLICE_ARGS(secret->provider));
}

static enum status stop(void *context, const struct store_secret *secret)
{
    (void)context;
    (void)secret;
    return STATUS_AGAIN;
}

static void they_are_listed_by_name_and_deleted(void **state)
{
    (void)state;
    struct store *store = database_open();
    const struct store_secret b = secret_of(1, "b"), a = secret_of(2, "a");
    struct store_secret found;
    struct buffer names;
    struct arena arena;
    arena_init(&arena, NULL, 0, 4096);
    buffer_init(&names, 256);
    put(store, &b);
    put(store, &a);
    assert_int_equal(store_secrets_list(store, note, &names, NULL), STATUS_OK);
    assert_true(slice_equal(buffer_slice(&names), SLICE("a b ")));
    assert_int_equal(store_secrets_list(store, stop, NULL, NULL), STATUS_AGAIN);
    assert_int_equal(store_secret_delete(store, SLICE("a"), NULL), STATUS_OK);
    assert_int_equal(store_secret_delete(store, SLICE("a"), NULL), STATUS_NOT_FOUND);
    assert_int_equal(find(store, "a", &arena, &found), STATUS_NOT_FOUND);
    assert_int_equal(find(store, "b", &arena, &found), STATUS_OK);
    buffer_fini(&names);
    arena_fini(&arena);
    store_close(&store);
}

static void finding_without_memory_is_said(void **state)
{
    (void)state;
    struct store *store = database_open();
    const struct store_secret secret = secret_of(1, "main");
    struct store_secret found;
    struct arena arena;
    put(store, &secret);
    arena_init(&arena, NULL, 0, 1);
    assert_int_equal(find(store, "main", &arena, &found), STATUS_NO_MEMORY);
    arena_fini(&arena);
    store_close(&store);
}

#define IN_FOLDER(test)                                                                            \
    cmocka_unit_test_setup_teardown(test, database_make_folder, database_remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(what_was_put_is_found_and_replaced_by_its_id),
        IN_FOLDER(a_second_one_of_a_provider_is_not_kept),
        IN_FOLDER(they_are_listed_by_name_and_deleted),
        IN_FOLDER(finding_without_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
