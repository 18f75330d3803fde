/* A map with a reader that is in a turn, and keys by number. */
#ifndef TESTS_UNIT_IDENTITY_MAP_FIXTURE_H
#define TESTS_UNIT_IDENTITY_MAP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "identity/map.h"
#include "unit/identity/making_rules.h"

/* A hash that stands for key number `number`. */
static inline const unsigned char *hash_of(uint64_t number)
{
    static _Thread_local unsigned char hash[KEY_HASH_SIZE];
    uint64_t mixed = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
    memcpy(hash, &mixed, sizeof(mixed));
    memcpy(hash + 8, &number, sizeof(number));
    return hash;
}

static inline struct id id_of(uint64_t number)
{
    struct id id = {{0}};
    memcpy(id.bytes + 8, &number, sizeof(number));
    return id;
}

/* Ten keys to a user. The rules are the map's or the caller's. */
static inline struct identity_spec spec_of(uint64_t number, struct slice models)
{
    return (struct identity_spec){
        .key_id = id_of(number),
        .hash = hash_of(number),
        .user_id = id_of(number / 10),
        .rules = making_models(models),
    };
}

static inline void map_put(struct identity_map *map, uint64_t number, struct slice models)
{
    const struct identity_user_spec user = {.id = id_of(number / 10), .name = SLICE("ada")};
    const struct identity_spec spec = spec_of(number, models);
    if (identity_map_find_user(map, &user.id) == NULL)
        assert_int_equal(identity_map_put_user(map, &user), STATUS_OK);
    assert_int_equal(identity_map_put(map, &spec), STATUS_OK);
}

struct fixture {
    struct identity_map *map;
    struct identity_reader *reader;
};

static inline int open_map(void **state)
{
    static struct fixture fixture;
    if (identity_map_create(&fixture.map) != STATUS_OK ||
        identity_reader_create(fixture.map, &fixture.reader) != STATUS_OK)
        return -1;
    identity_reader_turn(fixture.reader);
    *state = &fixture;
    return 0;
}

static inline int close_map(void **state)
{
    struct fixture *fixture = *state;
    identity_reader_destroy(&fixture->reader);
    identity_map_destroy(&fixture->map);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_map, close_map)

#endif
