#include "unit/identity/map_fixture.h"

#include "base/alloc.h"
#include "identity/access.h"

static void a_key_is_found_after_it_was_put_and_not_after_it_was_removed(void **state)
{
    const struct fixture *fixture = *state;
    assert_null(identity_find(fixture->reader, hash_of(1)));
    map_put(fixture->map, 1, slice_of(NULL, 0));
    const struct identity_key *key = identity_find(fixture->reader, hash_of(1));
    assert_non_null(key);
    assert_memory_equal(key->hash, hash_of(1), KEY_HASH_SIZE);
    assert_null(identity_find(fixture->reader, hash_of(2)));
    identity_map_remove(fixture->map, hash_of(1));
    assert_null(identity_find(fixture->reader, hash_of(1)));
    identity_map_remove(fixture->map, hash_of(1));
    assert_int_equal(identity_map_key_count(fixture->map), 0);
}

static void a_hash_with_the_same_beginning_is_another_key(void **state)
{
    const struct fixture *fixture = *state;
    unsigned char other[KEY_HASH_SIZE];
    map_put(fixture->map, 1, slice_of(NULL, 0));
    memcpy(other, hash_of(1), sizeof(other));
    other[KEY_HASH_SIZE - 1] ^= 1;
    assert_null(identity_find(fixture->reader, other));
}

static void an_entry_found_in_this_turn_stays_whole_after_its_removal(void **state)
{
    const struct fixture *fixture = *state;
    map_put(fixture->map, 1, SLICE("gpt*"));
    const struct identity_key *key = identity_find(fixture->reader, hash_of(1));
    identity_map_remove(fixture->map, hash_of(1));
    identity_map_reclaim(fixture->map);
    assert_true(identity_allows_model(key, SLICE("gpt-4o")));
    assert_true(slice_equal(identity_user_name(key->user), SLICE("ada")));
}

static void an_acquired_entry_stays_whole_over_many_turns(void **state)
{
    const struct fixture *fixture = *state;
    map_put(fixture->map, 1, SLICE("gpt*"));
    struct identity_key *key = identity_find(fixture->reader, hash_of(1));
    identity_key_acquire(key);
    identity_map_remove(fixture->map, hash_of(1));
    for (int i = 0; i < 3; i++) {
        identity_reader_idle(fixture->reader);
        identity_map_reclaim(fixture->map);
        identity_reader_turn(fixture->reader);
    }
    assert_true(identity_allows_model(key, SLICE("gpt-4o")));
    identity_key_release(&key);
}

static void a_change_replaces_the_entry_and_not_what_readers_hold(void **state)
{
    const struct fixture *fixture = *state;
    map_put(fixture->map, 1, SLICE("old"));
    const struct identity_key *before = identity_find(fixture->reader, hash_of(1));
    map_put(fixture->map, 1, SLICE("new"));
    const struct identity_key *after = identity_find(fixture->reader, hash_of(1));
    assert_ptr_not_equal(before, after);
    assert_true(identity_allows_model(before, SLICE("old")));
    assert_true(identity_allows_model(after, SLICE("new")));
    assert_ptr_equal(before->user, after->user);
    assert_int_equal(identity_map_key_count(fixture->map), 1);
}

static void what_was_prepared_holds_only_once_it_is_published(void **state)
{
    const struct fixture *fixture = *state;
    map_put(fixture->map, 2, slice_of(NULL, 0)); /* of the same user */
    const size_t bytes = identity_map_bytes(fixture->map);
    struct identity_spec spec = spec_of(1, SLICE("a"));
    struct identity_key *prepared = NULL;
    assert_int_equal(identity_map_prepare(fixture->map, &spec, &prepared), STATUS_OK);
    assert_null(identity_find(fixture->reader, hash_of(1)));
    identity_map_abandon(fixture->map, &prepared);
    assert_null(prepared);
    assert_null(identity_find(fixture->reader, hash_of(1)));
    assert_int_equal(identity_map_bytes(fixture->map), bytes);

    spec = spec_of(1, SLICE("a"));
    assert_int_equal(identity_map_prepare(fixture->map, &spec, &prepared), STATUS_OK);
    identity_map_publish(fixture->map, &prepared);
    assert_null(prepared);
    assert_non_null(identity_find(fixture->reader, hash_of(1)));
}

static void a_change_survives_the_failure_of_each_allocation(void **state)
{
    const struct fixture *fixture = *state;
    unsigned failures = 0;
    for (uint64_t i = 0; i < 2000; i += 10) {
        map_put(fixture->map, i, SLICE("a")); /* for the user */
        identity_map_remove(fixture->map, hash_of(i));
    }
    for (uint64_t i = 0; i < 2000; i++) {
        const struct identity_spec spec = spec_of(i, SLICE("a"));
        for (int nth = 0;; nth++) {
            alloc_fail_nth(nth);
            const enum status status = identity_map_put(fixture->map, &spec);
            alloc_fail_nth(-1);
            if (status == STATUS_OK)
                break;
            assert_int_equal(status, STATUS_NO_MEMORY);
            assert_null(identity_find(fixture->reader, spec.hash));
            failures++;
        }
    }
    assert_true(failures >= 2000);
    assert_int_equal(identity_map_key_count(fixture->map), 2000);
    for (uint64_t i = 0; i < 2000; i++)
        assert_non_null(identity_find(fixture->reader, hash_of(i)));
}

static void a_key_needs_its_user(void **state)
{
    const struct fixture *fixture = *state;
    struct identity_spec spec = spec_of(1, SLICE("a"));
    assert_int_equal(identity_map_put(fixture->map, &spec), STATUS_NOT_FOUND);
    assert_null(identity_find(fixture->reader, hash_of(1)));
    identity_rules_unref(&spec.rules); /* still the caller's */
}

/* The new secret takes the place of the former one, which works for a while. */
static void a_rotated_key_has_two_entries_that_share_their_rules(void **state)
{
    const struct fixture *fixture = *state;
    map_put(fixture->map, 1, slice_of(NULL, 0));
    struct identity_spec fresh = spec_of(1, SLICE("a")), former = fresh;
    struct identity_key *prepared[2] = {NULL, NULL};
    fresh.hash = hash_of(500);
    assert_int_equal(identity_map_prepare(fixture->map, &fresh, &prepared[0]), STATUS_OK);
    former.hash = hash_of(1);
    former.expires_at_us = 100;
    former.rules = identity_rules_ref(fresh.rules);
    assert_int_equal(identity_map_prepare(fixture->map, &former, &prepared[1]), STATUS_OK);
    identity_map_publish(fixture->map, &prepared[0]);
    identity_map_publish(fixture->map, &prepared[1]);

    const struct identity_key *first = identity_find(fixture->reader, hash_of(1));
    const struct identity_key *second = identity_find(fixture->reader, hash_of(500));
    assert_ptr_equal(first->rules, second->rules);
    assert_memory_equal(&first->id, &second->id, sizeof(first->id));
    assert_int_equal(identity_check(first, 100), IDENTITY_VERDICT_EXPIRED);
    assert_int_equal(identity_check(second, 100), IDENTITY_VERDICT_VALID);
    assert_int_equal(identity_map_key_count(fixture->map), 2);

    identity_map_remove(fixture->map, hash_of(1));
    identity_reader_turn(fixture->reader);
    identity_map_reclaim(fixture->map);
    assert_null(identity_find(fixture->reader, hash_of(1)));
    assert_true(identity_allows_model(second, SLICE("a")));
    assert_false(identity_allows_model(second, SLICE("b")));
}

static void removing_a_user_removes_both_entries_of_a_rotated_key(void **state)
{
    const struct fixture *fixture = *state;
    const struct id user = id_of(0);
    map_put(fixture->map, 1, slice_of(NULL, 0));
    struct identity_spec former = spec_of(1, slice_of(NULL, 0));
    former.hash = hash_of(500);
    assert_int_equal(identity_map_put(fixture->map, &former), STATUS_OK);
    identity_map_remove_user(fixture->map, &user);
    assert_null(identity_find(fixture->reader, hash_of(1)));
    assert_null(identity_find(fixture->reader, hash_of(500)));
    assert_int_equal(identity_map_key_count(fixture->map), 0);
}

/* Each was given its room before any was inserted, with the table about to grow. */
static void as_many_as_may_be_prepared_are_published(void **state)
{
    const struct fixture *fixture = *state;
    uint64_t number = 0;
    for (unsigned round = 0; round < 200; round++) {
        struct identity_key *prepared[IDENTITY_PREPARED_MAX] = {NULL};
        for (unsigned i = 0; i < IDENTITY_PREPARED_MAX; i++) {
            const struct identity_user_spec user = {.id = id_of(number + i), .name = SLICE("ada")};
            assert_int_equal(identity_map_put_user(fixture->map, &user), STATUS_OK);
            if (i + 1 < IDENTITY_PREPARED_MAX) {
                struct identity_spec spec = spec_of(number + i, slice_of(NULL, 0));
                spec.user_id = user.id;
                assert_int_equal(identity_map_prepare(fixture->map, &spec, &prepared[i]),
                                 STATUS_OK);
            }
        }
        for (unsigned i = IDENTITY_PREPARED_MAX - 1; i-- > 0;)
            identity_map_publish(fixture->map, &prepared[i]);
        number += IDENTITY_PREPARED_MAX - 1;
    }
    for (uint64_t i = 0; i < number; i++)
        assert_non_null(identity_find(fixture->reader, hash_of(i)));
}

static void the_writer_finds_a_key_by_its_hash(void **state)
{
    const struct fixture *fixture = *state;
    map_put(fixture->map, 1, slice_of(NULL, 0));
    assert_ptr_equal(identity_map_find_key(fixture->map, hash_of(1)),
                     identity_find(fixture->reader, hash_of(1)));
    assert_null(identity_map_find_key(fixture->map, hash_of(2)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_found_after_it_was_put_and_not_after_it_was_removed),
        TEST(a_hash_with_the_same_beginning_is_another_key),
        TEST(an_entry_found_in_this_turn_stays_whole_after_its_removal),
        TEST(an_acquired_entry_stays_whole_over_many_turns),
        TEST(a_change_replaces_the_entry_and_not_what_readers_hold),
        TEST(what_was_prepared_holds_only_once_it_is_published),
        TEST(a_change_survives_the_failure_of_each_allocation),
        TEST(a_key_needs_its_user),
        TEST(a_rotated_key_has_two_entries_that_share_their_rules),
        TEST(removing_a_user_removes_both_entries_of_a_rotated_key),
        TEST(as_many_as_may_be_prepared_are_published),
        TEST(the_writer_finds_a_key_by_its_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
