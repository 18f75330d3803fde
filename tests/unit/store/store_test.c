#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/store/sqlite/database.h"

static char arena_memory[8192];
static struct arena arena;

static int open_store(void **state)
{
    if (database_make_folder(state) != 0)
        return -1;
    arena_init(&arena, arena_memory, sizeof(arena_memory), 65536);
    *state = database_open();
    return 0;
}

static int close_store(void **state)
{
    struct store *store = *state;
    store_close(&store);
    arena_fini(&arena);
    return database_remove_folder(state);
}

static enum status find_user(struct store *store, const char *id_or_name, struct store_user *user)
{
    return store_user_find(store, slice_from_text(id_or_name), &arena, user, NULL);
}

static enum status find_key(struct store *store, const char *id_or_name, struct store_key *key)
{
    return store_key_find(store, slice_from_text(id_or_name), &arena, key, NULL);
}

static const char *text_of_id(unsigned number)
{
    static char text[ID_TEXT_SIZE + 1];
    const struct id id = database_id(number);
    id_format(&id, text);
    return text;
}

static void a_user_is_found_by_name_and_by_id_with_all_that_was_stored(void **state)
{
    struct store *store = *state;
    struct store_user user = database_user(1, "Ada Lovelace"), found;
    user.disabled = true;
    assert_int_equal(store_user_create(store, &user, NULL), STATUS_OK);
    assert_int_equal(find_user(store, "Ada Lovelace", &found), STATUS_OK);
    assert_memory_equal(&found.id, &user.id, sizeof(user.id));
    assert_true(slice_equal(found.name, user.name));
    assert_true(found.disabled);
    assert_int_equal(found.created_at_us, 1000);
    assert_int_equal(found.updated_at_us, 2000);
    assert_int_equal(find_user(store, text_of_id(1), &found), STATUS_OK);
    assert_true(slice_equal(found.name, user.name));
}

static void a_user_that_is_not_there_is_not_found(void **state)
{
    struct store_user found;
    assert_int_equal(find_user(*state, "ada", &found), STATUS_NOT_FOUND);
    assert_int_equal(find_user(*state, "", &found), STATUS_NOT_FOUND);
    assert_int_equal(find_user(*state, text_of_id(1), &found), STATUS_NOT_FOUND);
    assert_int_equal(find_user(*state, "' OR 1=1 --", &found), STATUS_NOT_FOUND);
}

static void two_users_cannot_share_a_name_or_an_id(void **state)
{
    struct store *store = *state;
    struct reason reason = {""};
    database_add_user(store, 1, "ada");
    const struct store_user same_name = database_user(2, "ada");
    const struct store_user same_id = database_user(1, "bob");
    const struct store_user other_case = database_user(3, "Ada");
    assert_int_equal(store_user_create(store, &same_name, &reason), STATUS_EXISTS);
    assert_non_null(strstr(reason.text, "ada"));
    assert_int_equal(store_user_create(store, &same_id, NULL), STATUS_EXISTS);
    assert_int_equal(store_user_create(store, &other_case, NULL), STATUS_OK);
}

static void a_user_can_be_disabled(void **state)
{
    struct store *store = *state;
    struct store_user user = database_user(1, "ada"), found;
    database_add_user(store, 1, "ada");
    user.disabled = true;
    user.updated_at_us = 9;
    assert_int_equal(store_user_update(store, &user, 0, NULL), STATUS_OK);
    assert_int_equal(find_user(store, "ada", &found), STATUS_OK);
    assert_true(found.disabled);
    assert_int_equal(found.updated_at_us, 9);
    user.id = database_id(7);
    assert_int_equal(store_user_update(store, &user, 0, NULL), STATUS_NOT_FOUND);
}

static void deleting_a_user_deletes_its_keys_and_says_how_many(void **state)
{
    struct store *store = *state;
    struct store_key found;
    uint64_t keys = 99;
    const struct id ada = database_id(1);
    database_add_user(store, 1, "ada");
    database_add_user(store, 2, "bob");
    database_add_key(store, 10, 1, "a");
    database_add_key(store, 11, 1, "b");
    database_add_key(store, 12, 2, "c");
    assert_int_equal(store_user_delete(store, &ada, &keys, NULL), STATUS_OK);
    assert_int_equal(keys, 2);
    assert_int_equal(find_key(store, "a", &found), STATUS_NOT_FOUND);
    assert_int_equal(find_key(store, "c", &found), STATUS_OK);
    assert_int_equal(store_user_delete(store, &ada, &keys, NULL), STATUS_NOT_FOUND);
    /* The failed deletion left no transaction open. */
    database_add_user(store, 1, "ada");
}

static void a_key_is_found_with_all_that_was_stored(void **state)
{
    struct store *store = *state;
    struct store_key key = database_key(10, 1, "laptop"), found;
    database_add_user(store, 1, "ada");
    key.rules.models = SLICE("gpt*,llama");
    key.disabled = true;
    key.expires_at_us = 5;
    key.revoked_at_us = 6;
    key.last_used_at_us = 7;
    assert_int_equal(store_key_create(store, &key, NULL), STATUS_OK);
    assert_int_equal(find_key(store, "laptop", &found), STATUS_OK);
    assert_memory_equal(&found.id, &key.id, sizeof(key.id));
    assert_memory_equal(&found.user_id, &key.user_id, sizeof(key.user_id));
    assert_memory_equal(found.hash, key.hash, sizeof(key.hash));
    assert_true(slice_equal(found.user_name, SLICE("ada")));
    assert_true(slice_equal(found.name, key.name));
    assert_true(slice_equal(found.hint, key.hint));
    assert_true(slice_equal(found.rules.models, key.rules.models));
    assert_true(found.disabled);
    assert_false(found.user_disabled);
    assert_int_equal(found.expires_at_us, 5);
    assert_int_equal(found.revoked_at_us, 6);
    assert_int_equal(found.created_at_us, 3000);
    assert_int_equal(found.last_used_at_us, 7);
}

static void what_a_key_does_not_have_comes_back_as_nothing(void **state)
{
    struct store *store = *state;
    struct store_key found;
    database_add_user(store, 1, "ada");
    database_add_key(store, 10, 1, NULL);
    assert_int_equal(find_key(store, text_of_id(10), &found), STATUS_OK);
    assert_null(found.name.data);
    assert_null(found.rules.models.data);
    assert_int_equal(found.expires_at_us, 0);
    assert_int_equal(found.revoked_at_us, 0);
    assert_int_equal(found.last_used_at_us, 0);
}

static void a_key_is_found_by_its_hash(void **state)
{
    struct store *store = *state;
    struct store_key key = database_key(10, 1, NULL), found;
    database_add_user(store, 1, "ada");
    database_add_key(store, 10, 1, NULL);
    assert_int_equal(store_key_find_hash(store, key.hash, &arena, &found, NULL), STATUS_OK);
    assert_memory_equal(&found.id, &key.id, sizeof(key.id));
    key.hash[31] = 1;
    assert_int_equal(store_key_find_hash(store, key.hash, &arena, &found, NULL), STATUS_NOT_FOUND);
}

static void a_key_needs_a_user_and_a_hash_of_its_own(void **state)
{
    struct store *store = *state;
    struct reason reason = {""};
    struct store_key key = database_key(10, 1, "a");
    assert_int_equal(store_key_create(store, &key, &reason), STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, "no such user"));
    database_add_user(store, 1, "ada");
    assert_int_equal(store_key_create(store, &key, NULL), STATUS_OK);
    key.id = database_id(11);
    key.name = SLICE("b");
    assert_int_equal(store_key_create(store, &key, &reason), STATUS_EXISTS);
    assert_non_null(strstr(reason.text, "stored already"));
    key.id = database_id(10);
    key.hash[31] = 1;
    assert_int_equal(store_key_create(store, &key, &reason), STATUS_EXISTS);
    assert_non_null(strstr(reason.text, "id"));
}

static void a_users_keys_have_different_names_until_one_is_revoked(void **state)
{
    struct store *store = *state;
    struct reason reason = {""};
    database_add_user(store, 1, "ada");
    database_add_user(store, 2, "bob");
    database_add_key(store, 10, 1, "laptop");
    database_add_key(store, 11, 2, "laptop"); /* another user's */
    struct store_key second = database_key(12, 1, "laptop");
    assert_int_equal(store_key_create(store, &second, &reason), STATUS_EXISTS);
    assert_non_null(strstr(reason.text, "laptop"));

    struct store_key first = database_key(10, 1, "laptop");
    first.revoked_at_us = 5;
    assert_int_equal(store_key_update(store, &first, 0, NULL), STATUS_OK);
    assert_int_equal(store_key_create(store, &second, NULL), STATUS_OK);
    /* Nor can the first come back under its name. */
    first.revoked_at_us = 0;
    assert_int_equal(store_key_update(store, &first, 0, &reason), STATUS_EXISTS);
}

static void a_name_that_several_keys_have_is_ambiguous(void **state)
{
    struct store *store = *state;
    struct reason reason = {""};
    struct store_key found;
    database_add_user(store, 1, "ada");
    database_add_user(store, 2, "bob");
    database_add_key(store, 10, 1, "laptop");
    database_add_key(store, 11, 2, "laptop");
    assert_int_equal(store_key_find(store, SLICE("laptop"), &arena, &found, &reason),
                     STATUS_EXISTS);
    assert_non_null(strstr(reason.text, "id"));

    /* A revoked one does not stand in the way of one that works, */
    struct store_key revoked = database_key(10, 1, "laptop");
    revoked.revoked_at_us = 5;
    assert_int_equal(store_key_update(store, &revoked, 0, NULL), STATUS_OK);
    assert_int_equal(find_key(store, "laptop", &found), STATUS_OK);
    assert_int_equal(found.id.bytes[15], 11);
    /* but two revoked ones are ambiguous again. */
    revoked = database_key(11, 2, "laptop");
    revoked.revoked_at_us = 5;
    assert_int_equal(store_key_update(store, &revoked, 0, NULL), STATUS_OK);
    assert_int_equal(find_key(store, "laptop", &found), STATUS_EXISTS);
}

static void an_update_changes_what_it_names_and_nothing_else(void **state)
{
    struct store *store = *state;
    struct store_key key = database_key(10, 1, "old"), found;
    database_add_user(store, 1, "ada");
    database_add_key(store, 10, 1, "old");
    key.name = slice_of(NULL, 0);
    key.rules.models = SLICE("a");
    key.disabled = true;
    key.expires_at_us = 4;
    key.hint = SLICE("zzzz");
    key.hash[5] = 5;
    key.former_hash[5] = 6;
    key.former_until_us = 7;
    key.updated_at_us = 8;
    key.created_at_us = 9;
    key.last_used_at_us = 9;
    assert_int_equal(store_key_update(store, &key, 0, NULL), STATUS_OK);
    assert_int_equal(find_key(store, text_of_id(10), &found), STATUS_OK);
    assert_null(found.name.data);
    assert_true(slice_equal(found.rules.models, SLICE("a")));
    assert_true(found.disabled);
    assert_int_equal(found.expires_at_us, 4);
    assert_true(slice_equal(found.hint, SLICE("zzzz")));
    assert_int_equal(found.hash[5], 5);
    assert_int_equal(found.former_hash[5], 6);
    assert_int_equal(found.former_until_us, 7);
    assert_int_equal(found.updated_at_us, 8);
    assert_int_equal(found.created_at_us, 3000);
    assert_int_equal(found.last_used_at_us, 0);
    key.id = database_id(11);
    assert_int_equal(store_key_update(store, &key, 0, NULL), STATUS_NOT_FOUND);
}

/* Whoever still has it shall not get in under another name. */
static void a_former_secret_is_found_and_cannot_be_entered_anew(void **state)
{
    struct store *store = *state;
    struct reason reason = {""};
    struct store_key key = database_key(10, 1, "a"), other = database_key(11, 1, "b"), found;
    database_add_user(store, 1, "ada");
    database_add_key(store, 10, 1, "a");
    memcpy(key.former_hash, key.hash, sizeof(key.hash));
    key.former_until_us = 1; /* long ago */
    key.hash[9] = 9;
    assert_int_equal(store_key_update(store, &key, 0, NULL), STATUS_OK);
    assert_int_equal(store_key_find_hash(store, key.former_hash, &arena, &found, NULL), STATUS_OK);
    assert_memory_equal(&found.id, &key.id, sizeof(key.id));
    assert_int_equal(store_key_find_hash(store, key.hash, &arena, &found, NULL), STATUS_OK);
    memcpy(other.hash, key.former_hash, sizeof(other.hash));
    assert_int_equal(store_key_create(store, &other, &reason), STATUS_EXISTS);
    assert_non_null(strstr(reason.text, "stored already"));
    memcpy(other.hash, key.hash, sizeof(other.hash));
    assert_int_equal(store_key_create(store, &other, &reason), STATUS_EXISTS);
}

static void nothing_is_written_over_what_changed_since_it_was_seen(void **state)
{
    struct store *store = *state;
    struct reason reason = {""};
    struct store_key key = database_key(10, 1, "a");
    struct store_user user = database_user(1, "ada");
    database_add_user(store, 1, "ada");
    database_add_key(store, 10, 1, "a");
    user.updated_at_us = key.updated_at_us = 2001;
    assert_int_equal(store_user_update(store, &user, 2000, NULL), STATUS_OK);
    assert_int_equal(store_user_update(store, &user, 2000, &reason), STATUS_AGAIN);
    assert_non_null(strstr(reason.text, "user"));
    assert_int_equal(store_user_update(store, &user, 2001, NULL), STATUS_OK);
    assert_int_equal(store_key_update(store, &key, 1, &reason), STATUS_AGAIN);
    assert_non_null(strstr(reason.text, "key"));
}

struct seen {
    unsigned ids[16];
    unsigned count;
    unsigned stop_at; /* 0: never */
};

static enum status see(struct seen *seen, const struct id *id)
{
    seen->ids[seen->count++] = id->bytes[15];
    return seen->count == seen->stop_at ? STATUS_CANCELLED : STATUS_OK;
}

static enum status see_user(void *context, const struct store_user *user)
{
    return see(context, &user->id);
}

static enum status see_key(void *context, const struct store_key *key)
{
    return see(context, &key->id);
}

static void lists_come_in_pages_ordered_by_id(void **state)
{
    struct store *store = *state;
    struct store_page page = {.limit = 2};
    struct seen seen = {.count = 0};
    database_add_user(store, 3, "c");
    database_add_user(store, 1, "a");
    database_add_user(store, 2, "b");
    assert_int_equal(store_users_list(store, NULL, &page, see_user, &seen, NULL), STATUS_OK);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.ids[0], 1);
    page.after = database_id(2);
    assert_int_equal(store_users_list(store, NULL, &page, see_user, &seen, NULL), STATUS_OK);
    assert_int_equal(seen.count, 3);
    assert_int_equal(seen.ids[2], 3);
}

static void keys_are_listed_of_all_users_or_of_one(void **state)
{
    struct store *store = *state;
    const struct store_page page = {.limit = 10};
    const struct id bob = database_id(2);
    struct seen all = {.count = 0}, of_bob = {.count = 0}, loaded = {.count = 0};
    database_add_user(store, 1, "ada");
    database_add_user(store, 2, "bob");
    database_add_key(store, 12, 2, NULL);
    database_add_key(store, 11, 1, NULL);
    database_add_key(store, 10, 2, NULL);
    assert_int_equal(store_keys_list(store, NULL, &page, see_key, &all, NULL), STATUS_OK);
    assert_int_equal(all.count, 3);
    assert_int_equal(all.ids[0], 10);
    assert_int_equal(store_keys_list(store, &bob, &page, see_key, &of_bob, NULL), STATUS_OK);
    assert_int_equal(of_bob.count, 2);
    assert_int_equal(of_bob.ids[1], 12);
    assert_int_equal(store_keys_load(store, see_key, &loaded, NULL), STATUS_OK);
    assert_int_equal(loaded.count, 3);
}

static void a_visitor_that_stops_ends_the_reading_with_its_status(void **state)
{
    struct store *store = *state;
    const struct store_page page = {.limit = 10};
    struct seen seen = {.stop_at = 1};
    database_add_user(store, 1, "a");
    database_add_user(store, 2, "b");
    assert_int_equal(store_users_list(store, NULL, &page, see_user, &seen, NULL), STATUS_CANCELLED);
    assert_int_equal(seen.count, 1);
    seen = (struct seen){.count = 0};
    assert_int_equal(store_users_list(store, NULL, &page, see_user, &seen, NULL), STATUS_OK);
    assert_int_equal(seen.count, 2);
}

static void times_of_use_only_move_forward(void **state)
{
    struct store *store = *state;
    struct store_key found;
    database_add_user(store, 1, "ada");
    database_add_key(store, 10, 1, "a");
    database_add_key(store, 11, 1, "b");
    const struct store_use uses[] = {
        {database_id(10), 100}, {database_id(99), 5}, {database_id(11), 7}, {database_id(10), 90}};
    assert_int_equal(store_keys_used(store, uses, 4, NULL), STATUS_OK);
    assert_int_equal(store_keys_used(store, uses, 0, NULL), STATUS_OK);
    assert_int_equal(find_key(store, "a", &found), STATUS_OK);
    assert_int_equal(found.last_used_at_us, 100);
    assert_int_equal(find_key(store, "b", &found), STATUS_OK);
    assert_int_equal(found.last_used_at_us, 7);
}

static void what_was_stored_is_there_after_a_restart(void **state)
{
    struct store *store = *state;
    struct store_key found;
    database_add_user(store, 1, "ada");
    database_add_key(store, 10, 1, "a");
    store_close(&store);
    *state = store = database_open();
    assert_int_equal(find_key(store, "a", &found), STATUS_OK);
}

static void a_row_that_was_cut_by_hand_is_damage_and_not_a_crash(void **state)
{
    struct store *store = *state;
    struct store_key found;
    struct reason reason = {""};
    database_add_user(store, 1, "ada");
    database_add_key(store, 10, 1, "a");
    database_execute("PRAGMA ignore_check_constraints = ON; UPDATE api_keys SET hash = x'0102'");
    assert_int_equal(store_key_find(store, SLICE("a"), &arena, &found, &reason), STATUS_IO);
    assert_non_null(strstr(reason.text, "damaged"));
}

static void finding_without_memory_says_so(void **state)
{
    struct store *store = *state;
    struct store_user user;
    struct store_key key;
    struct arena none;
    database_add_user(store, 1, "ada");
    database_add_key(store, 10, 1, "a");
    arena_init(&none, NULL, 0, 0);
    assert_int_equal(store_user_find(store, SLICE("ada"), &none, &user, NULL), STATUS_NO_MEMORY);
    assert_int_equal(store_key_find(store, SLICE("a"), &none, &key, NULL), STATUS_NO_MEMORY);
    arena_fini(&none);
    assert_int_equal(find_key(store, "a", &key), STATUS_OK);
}

static void a_store_that_is_only_read_shows_what_others_write_and_changes_nothing(void **state)
{
    struct store_config config = database_config();
    struct store *reader = NULL;
    struct store_user user = database_user(2, "bob");
    config.read_only = true;
    database_add_user(*state, 1, "ada");
    assert_int_equal(store_open(&config, &reader, NULL), STATUS_OK);
    assert_int_equal(find_user(reader, "ada", &user), STATUS_OK);
    database_add_user(*state, 3, "eve");
    assert_int_equal(find_user(reader, "eve", &user), STATUS_OK);
    user = database_user(2, "bob");
    assert_int_equal(store_user_create(reader, &user, NULL), STATUS_DENIED);
    store_close(&reader);
    database_execute("DELETE FROM schema_version WHERE version > 1");
    assert_int_equal(store_open(&config, &reader, NULL), STATUS_UNSUPPORTED);
    assert_null(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_user_is_found_by_name_and_by_id_with_all_that_was_stored),
        TEST(a_user_that_is_not_there_is_not_found),
        TEST(two_users_cannot_share_a_name_or_an_id),
        TEST(a_user_can_be_disabled),
        TEST(deleting_a_user_deletes_its_keys_and_says_how_many),
        TEST(a_key_is_found_with_all_that_was_stored),
        TEST(what_a_key_does_not_have_comes_back_as_nothing),
        TEST(a_key_is_found_by_its_hash),
        TEST(a_key_needs_a_user_and_a_hash_of_its_own),
        TEST(a_users_keys_have_different_names_until_one_is_revoked),
        TEST(a_name_that_several_keys_have_is_ambiguous),
        TEST(an_update_changes_what_it_names_and_nothing_else),
        TEST(a_former_secret_is_found_and_cannot_be_entered_anew),
        TEST(nothing_is_written_over_what_changed_since_it_was_seen),
        TEST(lists_come_in_pages_ordered_by_id),
        TEST(keys_are_listed_of_all_users_or_of_one),
        TEST(a_visitor_that_stops_ends_the_reading_with_its_status),
        TEST(times_of_use_only_move_forward),
        TEST(what_was_stored_is_there_after_a_restart),
        TEST(a_row_that_was_cut_by_hand_is_damage_and_not_a_crash),
        TEST(finding_without_memory_says_so),
        TEST(a_store_that_is_only_read_shows_what_others_write_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
