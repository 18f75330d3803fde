#include "unit/identity/map_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "identity/access.h"

static void many_keys_are_all_found(void **state)
{
    const struct fixture *fixture = *state;
    for (uint64_t i = 0; i < 20000; i++)
        map_put(fixture->map, i, SLICE("gpt*"));
    for (uint64_t i = 0; i < 20000; i++)
        assert_non_null(identity_find(fixture->reader, hash_of(i)));
    assert_null(identity_find(fixture->reader, hash_of(20000)));
    assert_int_equal(identity_map_key_count(fixture->map), 20000);
    assert_true(identity_map_bytes(fixture->map) / 20000 <= 220);
}

static void memory_returns_to_what_it_was_when_all_is_gone(void **state)
{
    const struct fixture *fixture = *state;
    const size_t bytes = identity_map_bytes(fixture->map);
    const struct id team_id = id_of(77);
    for (int round = 0; round < 2; round++) { /* the second time all are changed */
        const struct identity_team_spec team = {
            .id = team_id, .name = SLICE("red"), .rules = making_models(SLICE("ab"))};
        assert_int_equal(identity_map_put_team(fixture->map, &team), STATUS_OK);
        for (uint64_t i = 0; i < 10; i++) {
            const struct identity_user_spec user = {.id = id_of(i),
                                                    .name = SLICE("ada"),
                                                    .team_id = &team_id,
                                                    .rules = making_models(SLICE("abc"))};
            assert_int_equal(identity_map_put_user(fixture->map, &user), STATUS_OK);
        }
        for (uint64_t i = 0; i < 100; i++)
            map_put(fixture->map, i, SLICE("a"));
    }
    assert_true(identity_map_bytes(fixture->map) > bytes + 100 * sizeof(struct identity_key));
    for (uint64_t i = 0; i < 50; i++)
        identity_map_remove(fixture->map, hash_of(i));
    identity_map_remove_team(fixture->map, &team_id);
    for (uint64_t i = 0; i < 10; i++) {
        const struct id user_id = id_of(i);
        identity_map_remove_user(fixture->map, &user_id);
    }
    assert_int_equal(identity_map_bytes(fixture->map), bytes);
}

static void a_use_is_taken_once_with_its_latest_time(void **state)
{
    const struct fixture *fixture = *state;
    struct identity_use uses[4];
    map_put(fixture->map, 1, slice_of(NULL, 0));
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
        map_put(fixture->map, i, slice_of(NULL, 0));
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
    map_put(fixture->map, 1, SLICE("a"));
    identity_note_use(fixture->reader, identity_find(fixture->reader, hash_of(1)), 100);
    map_put(fixture->map, 1, SLICE("b"));
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

struct visit {
    unsigned teams, users, keys;
    uint64_t numbers; /* their sum */
};

static uint64_t number_of(const struct id *id)
{
    uint64_t number;
    memcpy(&number, id->bytes + 8, sizeof(number));
    return number;
}

static void count_team(void *context, const struct identity_team *team)
{
    struct visit *visit = context;
    visit->teams++;
    visit->numbers += number_of(&team->id);
}

static void count_user(void *context, const struct identity_user *user)
{
    struct visit *visit = context;
    visit->users++;
    visit->numbers += number_of(&user->id);
}

static void count_key(void *context, const struct identity_key *key)
{
    struct visit *visit = context;
    visit->keys++;
    visit->numbers += number_of(&key->id);
}

static void a_visit_meets_each_team_user_and_key_once(void **state)
{
    const struct fixture *fixture = *state;
    struct visit visit = {0};
    for (uint64_t i = 0; i < 3; i++) {
        const struct identity_team_spec team = {.id = id_of(i), .name = SLICE("red")};
        assert_int_equal(identity_map_put_team(fixture->map, &team), STATUS_OK);
    }
    for (uint64_t i = 0; i < 100; i++)
        map_put(fixture->map, i, slice_of(NULL, 0));
    identity_map_remove(fixture->map, hash_of(99));
    identity_map_visit_teams(fixture->map, count_team, &visit);
    assert_int_equal(visit.numbers, 0 + 1 + 2);
    identity_map_visit_users(fixture->map, count_user, &visit);
    assert_int_equal(visit.numbers, 3 + 45);
    identity_map_visit_keys(fixture->map, count_key, &visit);
    assert_int_equal(visit.numbers, 3 + 45 + 98 * 99 / 2);
    assert_true(visit.teams == 3 && visit.users == 10 && visit.keys == 99);
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
    ASSERT(verdict == IDENTITY_VERDICT_VALID || verdict == IDENTITY_VERDICT_USER_DISABLED ||
           verdict == IDENTITY_VERDICT_TEAM_DISABLED);
    ASSERT(identity_allows_route(key, SLICE("/v1/models")));
    const struct identity_team *team = identity_key_team(key);
    ASSERT(team == NULL || slice_equal(identity_team_name(team), SLICE("red")));
}

struct held {
    struct identity_key *key;
    uint64_t number;
};

/* What a turn found stays whole until the turn ends, whatever the writer does meanwhile. */
static void stress_linger(struct identity_reader *reader, uint64_t turn)
{
    const struct identity_key *key = identity_find(reader, hash_of(turn % STRESS_KEYS));
    if (key == NULL)
        return;
    const struct identity_team *team = identity_key_team(key);
    const struct identity_rules *of_user = identity_key_user_rules(key);
    const struct identity_rules *of_team = identity_team_rules(team);
    sched_yield();
    ASSERT(identity_rules_allow_route(of_user, SLICE("/v1/models")));
    ASSERT(identity_rules_allow_route(of_team, SLICE("/v1/models")));
    ASSERT(team == NULL || slice_equal(identity_team_name(team), SLICE("red")));
    stress_check(key, turn % STRESS_KEYS);
}

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
        if (turn % 8 == 0)
            stress_linger(reader, turn);
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

/* In every version all of them allow what stress_check() asks for. */
static struct identity_rules *stress_rules(uint64_t round)
{
    static const struct slice routes[] = {{"*", 1}, {"/v1/*", 5}, {"x,/v1/models", 12}, {NULL, 0}};
    const struct identity_rules_spec spec = {.routes = routes[round / 4 % 4]};
    return making_rules(&spec);
}

static void stress_change_owners(struct identity_map *map, uint64_t round)
{
    const struct id team_id = id_of(STRESS_KEYS + round % 3);
    const struct identity_team_spec team = {.id = team_id,
                                            .name = SLICE("red"),
                                            .disabled = round % 5 == 0,
                                            .rules = stress_rules(round)};
    const struct identity_user_spec user = {.id = id_of(round * 31 % (STRESS_KEYS / 10)),
                                            .name = SLICE("ada"),
                                            .team_id = round % 7 == 0 ? NULL : &team_id,
                                            .rules = stress_rules(round)};
    assert_int_equal(identity_map_put_team(map, &team), STATUS_OK);
    assert_int_equal(identity_map_put_user(map, &user), STATUS_OK);
    if (round % 11 == 0)
        identity_map_remove_team(map, &team_id);
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
        map_put(map, number, slice_from_text(models));
    if (round % 4 == 0)
        stress_change_owners(map, round);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(many_keys_are_all_found),
        TEST(memory_returns_to_what_it_was_when_all_is_gone),
        TEST(a_use_is_taken_once_with_its_latest_time),
        TEST(uses_are_taken_in_pieces_without_loss),
        TEST(a_use_survives_the_change_and_the_removal_of_its_key),
        TEST(a_visit_meets_each_team_user_and_key_once),
        cmocka_unit_test(create_survives_the_failure_of_each_allocation),
        cmocka_unit_test(readers_find_only_whole_entries_while_the_writer_changes_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
