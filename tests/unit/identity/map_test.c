#include "identity/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "identity/access.h"
#include "identity/entry_internal.h"

/* A hash that stands for key number `number`. */
static const unsigned char *hash_of(uint64_t number)
{
    static _Thread_local unsigned char hash[KEY_HASH_SIZE];
    uint64_t mixed = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    memcpy(hash, &mixed, sizeof(mixed));
    memcpy(hash + 8, &number, sizeof(number));
    return hash;
}

static struct id id_of(uint64_t number)
{
    struct id id = {{0}};
    memcpy(id.bytes + 8, &number, sizeof(number));
    return id;
}

/* Ten keys to a user. */
static struct identity_spec spec_of(uint64_t number, struct slice models)
{
    return (struct identity_spec){
        .key_id = id_of(number),
        .hash = hash_of(number),
        .user_id = id_of(number / 10),
        .user_name = SLICE("ada"),
        .models = models,
    };
}

static void put(struct identity_map *map, uint64_t number, struct slice models)
{
    const struct identity_spec spec = spec_of(number, models);
    assert_int_equal(identity_map_put(map, &spec), STATUS_OK);
}

struct fixture {
    struct identity_map *map;
    struct identity_reader *reader;
};

static int open_map(void **state)
{
    static struct fixture fixture;
    if (identity_map_create(&fixture.map) != STATUS_OK ||
        identity_reader_create(fixture.map, &fixture.reader) != STATUS_OK)
        return -1;
    identity_reader_turn(fixture.reader);
    *state = &fixture;
    return 0;
}

static int close_map(void **state)
{
    struct fixture *fixture = *state;
    identity_reader_destroy(&fixture->reader);
    identity_map_destroy(&fixture->map);
    return 0;
}

static void a_key_is_found_after_it_was_put_and_not_after_it_was_removed(void **state)
{
    const struct fixture *fixture = *state;
    assert_null(identity_find(fixture->reader, hash_of(1)));
    put(fixture->map, 1, slice_of(NULL, 0));
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
    put(fixture->map, 1, slice_of(NULL, 0));
    memcpy(other, hash_of(1), sizeof(other));
    other[KEY_HASH_SIZE - 1] ^= 1;
    assert_null(identity_find(fixture->reader, other));
}

static void many_keys_are_all_found(void **state)
{
    const struct fixture *fixture = *state;
    for (uint64_t i = 0; i < 20000; i++)
        put(fixture->map, i, SLICE("gpt*"));
    for (uint64_t i = 0; i < 20000; i++)
        assert_non_null(identity_find(fixture->reader, hash_of(i)));
    assert_null(identity_find(fixture->reader, hash_of(20000)));
    assert_int_equal(identity_map_key_count(fixture->map), 20000);
    assert_true(identity_map_bytes(fixture->map) / 20000 <= 250);
}

static void an_entry_found_in_this_turn_stays_whole_after_its_removal(void **state)
{
    const struct fixture *fixture = *state;
    put(fixture->map, 1, SLICE("gpt*"));
    const struct identity_key *key = identity_find(fixture->reader, hash_of(1));
    identity_map_remove(fixture->map, hash_of(1));
    identity_map_reclaim(fixture->map);
    assert_true(identity_allows_model(key, SLICE("gpt-4o")));
    assert_true(slice_equal(identity_user_name(key->user), SLICE("ada")));
}

static void an_acquired_entry_stays_whole_over_many_turns(void **state)
{
    const struct fixture *fixture = *state;
    put(fixture->map, 1, SLICE("gpt*"));
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
    put(fixture->map, 1, SLICE("old"));
    const struct identity_key *before = identity_find(fixture->reader, hash_of(1));
    put(fixture->map, 1, SLICE("new"));
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
    const struct identity_spec spec = spec_of(1, SLICE("a"));
    const size_t bytes = identity_map_bytes(fixture->map);
    struct identity_key *prepared = NULL;
    assert_int_equal(identity_map_prepare(fixture->map, &spec, &prepared), STATUS_OK);
    assert_null(identity_find(fixture->reader, hash_of(1)));
    identity_map_abandon(fixture->map, &prepared);
    assert_null(prepared);
    assert_null(identity_find(fixture->reader, hash_of(1)));
    assert_int_equal(identity_map_bytes(fixture->map), bytes);

    assert_int_equal(identity_map_prepare(fixture->map, &spec, &prepared), STATUS_OK);
    identity_map_publish(fixture->map, &prepared);
    assert_null(prepared);
    assert_non_null(identity_find(fixture->reader, hash_of(1)));
}

static void disabling_a_user_holds_for_all_its_keys_at_once(void **state)
{
    const struct fixture *fixture = *state;
    const struct id user = id_of(0), stranger = id_of(77);
    put(fixture->map, 1, slice_of(NULL, 0));
    put(fixture->map, 2, slice_of(NULL, 0));
    put(fixture->map, 11, slice_of(NULL, 0)); /* another user's */
    const struct identity_key *first = identity_find(fixture->reader, hash_of(1));
    const struct identity_key *second = identity_find(fixture->reader, hash_of(2));
    const struct identity_key *other = identity_find(fixture->reader, hash_of(11));

    identity_map_set_user_disabled(fixture->map, &user, true);
    identity_map_set_user_disabled(fixture->map, &stranger, true);
    assert_int_equal(identity_check(first, 1), IDENTITY_VERDICT_USER_DISABLED);
    assert_int_equal(identity_check(second, 1), IDENTITY_VERDICT_USER_DISABLED);
    assert_int_equal(identity_check(other, 1), IDENTITY_VERDICT_VALID);
    identity_map_set_user_disabled(fixture->map, &user, false);
    assert_int_equal(identity_check(first, 1), IDENTITY_VERDICT_VALID);
}

static void removing_a_user_removes_its_keys_and_no_others(void **state)
{
    const struct fixture *fixture = *state;
    const struct id user = id_of(0);
    for (uint64_t i = 0; i < 20; i++)
        put(fixture->map, i, slice_of(NULL, 0));
    identity_map_remove_user(fixture->map, &user);
    identity_map_remove_user(fixture->map, &user);
    for (uint64_t i = 0; i < 10; i++)
        assert_null(identity_find(fixture->reader, hash_of(i)));
    for (uint64_t i = 10; i < 20; i++)
        assert_non_null(identity_find(fixture->reader, hash_of(i)));
    assert_int_equal(identity_map_key_count(fixture->map), 10);
}

static void memory_returns_to_what_it_was_when_all_keys_are_gone(void **state)
{
    const struct fixture *fixture = *state;
    const size_t bytes = identity_map_bytes(fixture->map);
    for (uint64_t i = 0; i < 100; i++)
        put(fixture->map, i, SLICE("a"));
    for (uint64_t i = 0; i < 100; i++)
        identity_map_remove(fixture->map, hash_of(i));
    assert_int_equal(identity_map_bytes(fixture->map), bytes);
}

static void a_use_is_taken_once_with_its_latest_time(void **state)
{
    const struct fixture *fixture = *state;
    struct identity_use uses[4];
    put(fixture->map, 1, slice_of(NULL, 0));
    struct identity_key *key = identity_find(fixture->reader, hash_of(1));
    identity_note_use(fixture->reader, key, 100);
    identity_note_use(fixture->reader, key, 100);
    identity_note_use(fixture->reader, key, 105);
    identity_note_use(fixture->reader, key, 104); /* another worker's clock lags */
    assert_int_equal(identity_map_take_used(fixture->map, uses, 4), 1);
    assert_int_equal(uses[0].used_at_s, 105);
    assert_memory_equal(&uses[0].key_id, &key->id, sizeof(key->id));
    assert_int_equal(identity_map_take_used(fixture->map, uses, 4), 0);
    identity_note_use(fixture->reader, key, 106);
    assert_int_equal(identity_map_take_used(fixture->map, uses, 4), 1);
    assert_int_equal(uses[0].used_at_s, 106);
}

static void uses_are_taken_in_pieces_without_loss(void **state)
{
    const struct fixture *fixture = *state;
    struct identity_use uses[3];
    size_t taken = 0, count;
    for (uint64_t i = 0; i < 10; i++) {
        put(fixture->map, i, slice_of(NULL, 0));
        identity_note_use(fixture->reader, identity_find(fixture->reader, hash_of(i)), 7);
    }
    do {
        count = identity_map_take_used(fixture->map, uses, 3);
        taken += count;
    } while (count == 3);
    assert_int_equal(taken, 10);
}

static void a_use_survives_the_change_and_the_removal_of_its_key(void **state)
{
    const struct fixture *fixture = *state;
    struct identity_use uses[4];
    put(fixture->map, 1, SLICE("a"));
    identity_note_use(fixture->reader, identity_find(fixture->reader, hash_of(1)), 100);
    put(fixture->map, 1, SLICE("b"));
    identity_reader_turn(fixture->reader);
    identity_map_reclaim(fixture->map);
    assert_int_equal(identity_map_take_used(fixture->map, uses, 4), 1);
    assert_int_equal(uses[0].used_at_s, 100);
    /* The new entry knows the time, so it is not noted a second time. */
    identity_note_use(fixture->reader, identity_find(fixture->reader, hash_of(1)), 100);
    assert_int_equal(identity_map_take_used(fixture->map, uses, 4), 0);

    identity_note_use(fixture->reader, identity_find(fixture->reader, hash_of(1)), 101);
    identity_map_remove(fixture->map, hash_of(1));
    identity_reader_turn(fixture->reader);
    identity_map_reclaim(fixture->map);
    assert_int_equal(identity_map_take_used(fixture->map, uses, 4), 1);
    assert_int_equal(uses[0].used_at_s, 101);
}

static void a_change_survives_the_failure_of_each_allocation(void **state)
{
    const struct fixture *fixture = *state;
    unsigned failures = 0;
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

static void create_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    for (int nth = 0;; nth++) {
        struct identity_map *map = NULL;
        alloc_fail_nth(nth);
        const enum status status = identity_map_create(&map);
        alloc_fail_nth(-1);
        if (status == STATUS_OK) {
            identity_map_destroy(&map);
            return;
        }
        assert_int_equal(status, STATUS_NO_MEMORY);
        assert_null(map);
    }
}

/* --- one writer and several readers at once --- */

#define STRESS_KEYS    600 /* so that segments fill with removed slots, and split */
#define STRESS_CHANGES 60000
#define STRESS_READERS 3
#define STRESS_HELD    8

static atomic_bool stress_over;
static _Atomic uint64_t stress_finds;

/* The models of key N, in any version, are "N-N": a torn or a freed entry would not say so. */
static void stress_models(uint64_t number, char text_out[32])
{
    (void)snprintf(text_out, 32, "%u-%u", (unsigned)number, (unsigned)number);
}

static void stress_check(const struct identity_key *key, uint64_t number)
{
    char models[32];
    stress_models(number, models);
    ASSERT(memcmp(key->hash, hash_of(number), KEY_HASH_SIZE) == 0);
    ASSERT(identity_allows_model(key, slice_from_text(models)));
    ASSERT(slice_equal(identity_user_name(key->user), SLICE("ada")));
    const enum identity_verdict verdict = identity_check(key, 1);
    ASSERT(verdict == IDENTITY_VERDICT_VALID || verdict == IDENTITY_VERDICT_USER_DISABLED);
}

struct held {
    struct identity_key *key;
    uint64_t number;
};

static void stress_turn(struct identity_reader *reader, struct held *held, uint64_t turn)
{
    const uint64_t number = turn * UINT64_C(7919) % STRESS_KEYS;
    struct identity_key *key = identity_find(reader, hash_of(number));
    if (key == NULL)
        return;
    stress_check(key, number);
    identity_note_use(reader, key, (uint32_t)(turn / 50));
    if (held->key != NULL)
        stress_check(held->key, held->number);
    identity_key_release(&held->key);
    if (turn % 3 == 0) {
        identity_key_acquire(key);
        *held = (struct held){key, number};
    }
}

static void *stress_reader(void *map)
{
    struct identity_reader *reader = NULL;
    struct held held[STRESS_HELD] = {{NULL, 0}};
    uint64_t turn = 0;
    ASSERT(identity_reader_create(map, &reader) == STATUS_OK);
    for (; !atomic_load(&stress_over); turn++) {
        identity_reader_turn(reader);
        stress_turn(reader, &held[turn % STRESS_HELD], turn);
        if (turn % 64 == 0) {
            identity_reader_idle(reader);
            sched_yield();
        }
    }
    identity_reader_idle(reader);
    for (size_t i = 0; i < STRESS_HELD; i++)
        identity_key_release(&held[i].key);
    identity_reader_destroy(&reader);
    atomic_fetch_add(&stress_finds, turn);
    return NULL;
}

static void stress_change(struct identity_map *map, uint64_t round)
{
    const uint64_t number = round * UINT64_C(104729) % STRESS_KEYS;
    const struct id user = id_of(number / 10);
    struct identity_use use;
    char models[32];
    stress_models(number, models);
    if (round % 3 == 0)
        identity_map_remove(map, hash_of(number));
    else
        put(map, number, slice_from_text(models));
    if (round % 16 == 0)
        identity_map_set_user_disabled(map, &user, round % 32 == 0);
    if (round % 1024 == 0)
        identity_map_remove_user(map, &user);
    if (round % 100 == 0)
        identity_map_reclaim(map);
    while (round % 500 == 0 && identity_map_take_used(map, &use, 1) > 0)
        continue;
}

static void readers_find_only_whole_entries_while_the_writer_changes_them(void **state)
{
    (void)state;
    struct identity_map *map = NULL;
    pthread_t threads[STRESS_READERS];
    assert_int_equal(identity_map_create(&map), STATUS_OK);
    atomic_store(&stress_over, false);
    for (size_t i = 0; i < STRESS_READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, stress_reader, map), 0);
    for (uint64_t round = 0; round < STRESS_CHANGES; round++)
        stress_change(map, round);
    atomic_store(&stress_over, true);
    for (size_t i = 0; i < STRESS_READERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(atomic_load(&stress_finds) > 0);
    identity_map_destroy(&map);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_map, close_map)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_key_is_found_after_it_was_put_and_not_after_it_was_removed),
        TEST(a_hash_with_the_same_beginning_is_another_key),
        TEST(many_keys_are_all_found),
        TEST(an_entry_found_in_this_turn_stays_whole_after_its_removal),
        TEST(an_acquired_entry_stays_whole_over_many_turns),
        TEST(a_change_replaces_the_entry_and_not_what_readers_hold),
        TEST(what_was_prepared_holds_only_once_it_is_published),
        TEST(disabling_a_user_holds_for_all_its_keys_at_once),
        TEST(removing_a_user_removes_its_keys_and_no_others),
        TEST(memory_returns_to_what_it_was_when_all_keys_are_gone),
        TEST(a_use_is_taken_once_with_its_latest_time),
        TEST(uses_are_taken_in_pieces_without_loss),
        TEST(a_use_survives_the_change_and_the_removal_of_its_key),
        TEST(a_change_survives_the_failure_of_each_allocation),
        cmocka_unit_test(create_survives_the_failure_of_each_allocation),
        cmocka_unit_test(readers_find_only_whole_entries_while_the_writer_changes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
