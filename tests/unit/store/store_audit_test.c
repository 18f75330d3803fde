#include "store/store_audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "unit/store/ledger.h"

static struct store_audit_entry make_entry(uint64_t number)
{
    struct store_audit_entry entry = {
        .number = number,
        .timestamp_us = 1000 + number,
        .actor = SLICE("admin.sock"),
        .action = SLICE("key.create"),
        .details = SLICE("{\"user\":\"ada\"}"),
        .previous_hash = {(unsigned char)(number - 1)},
        .hash = {(unsigned char)number},
    };
    return entry;
}

static void fill(struct store *store, uint64_t count)
{
    for (uint64_t number = 1; number <= count; number++) {
        const struct store_audit_entry entry = make_entry(number);
        assert_int_equal(store_audit_insert(store, &entry, NULL), STATUS_OK);
    }
}

static void assert_same_entry(const struct store_audit_entry *a, const struct store_audit_entry *b)
{
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->timestamp_us, b->timestamp_us);
    assert_true(slice_equal(a->actor, b->actor));
    assert_true(slice_equal(a->action, b->action));
    assert_true(slice_equal(a->subject, b->subject));
    assert_true(slice_equal(a->details, b->details));
    assert_memory_equal(a->previous_hash, b->previous_hash, STORE_HASH_SIZE);
    assert_memory_equal(a->hash, b->hash, STORE_HASH_SIZE);
}

static enum status check_entry(void *context, const struct store_audit_entry *entry)
{
    uint64_t *next = context;
    const struct store_audit_entry expected = make_entry(*next);
    assert_same_entry(entry, &expected);
    return ++*next == 100 ? STATUS_CANCELLED : STATUS_OK;
}

static void entries_are_listed_in_order_from_any_one_on(void **state)
{
    uint64_t next = 3;
    fill(*state, 5);
    assert_int_equal(store_audit_list(*state, 3, check_entry, &next, NULL), STATUS_OK);
    assert_int_equal(next, 6);
    next = 1;
    assert_int_equal(store_audit_list(*state, 0, check_entry, &next, NULL), STATUS_OK);
    assert_int_equal(next, 6);
    assert_int_equal(store_audit_list(*state, UINT64_MAX, check_entry, &next, NULL), STATUS_OK);
    assert_int_equal(next, 6);
}

static void a_number_is_taken_once(void **state)
{
    const struct store_audit_entry entry = make_entry(2);
    struct reason reason = {""};
    fill(*state, 2);
    assert_int_equal(store_audit_insert(*state, &entry, &reason), STATUS_EXISTS);
    assert_non_null(strstr(reason.text, "entry 2"));
    assert_int_equal(ledger_ask("SELECT count(*) FROM audit_log"), 2);
}

static void the_newest_entry_is_copied_into_the_arena(void **state)
{
    char memory[256];
    struct arena arena;
    struct store_audit_entry last;
    const struct store_audit_entry expected = make_entry(3);
    arena_init(&arena, memory, sizeof(memory), 0);
    assert_int_equal(store_audit_last(*state, &arena, &last, NULL), STATUS_NOT_FOUND);
    fill(*state, 3);
    assert_int_equal(store_audit_last(*state, &arena, &last, NULL), STATUS_OK);
    assert_same_entry(&last, &expected);
    arena_fini(&arena);
    arena_init(&arena, memory, 8, 0);
    assert_int_equal(store_audit_last(*state, &arena, &last, NULL), STATUS_NO_MEMORY);
    arena_fini(&arena);
}

static void old_entries_can_be_deleted(void **state)
{
    uint64_t deleted = 99;
    fill(*state, 5);
    assert_int_equal(store_audit_delete_before(*state, 4, &deleted, NULL), STATUS_OK);
    assert_int_equal(deleted, 3);
    assert_int_equal(ledger_ask("SELECT min(number) FROM audit_log"), 4);
    assert_int_equal(store_audit_delete_before(*state, 4, &deleted, NULL), STATUS_OK);
    assert_int_equal(deleted, 0);
}

static void an_entry_is_undone_with_its_transaction(void **state)
{
    assert_int_equal(store_begin(*state, NULL), STATUS_OK);
    fill(*state, 1);
    store_rollback(*state);
    assert_int_equal(ledger_ask("SELECT count(*) FROM audit_log"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, ledger_open, ledger_close)

static enum status count_entry(void *context, const struct store_audit_entry *entry)
{
    uint64_t *numbers = context;
    while (*numbers != 0)
        numbers++;
    *numbers = entry->number;
    return STATUS_OK;
}

/* The numbers of the page, ended by 0. */
static void read_page(struct store *store, const struct store_audit_page *page,
                      uint64_t numbers_out[16])
{
    memset(numbers_out, 0, 16 * sizeof(*numbers_out));
    assert_int_equal(store_audit_page(store, page, count_entry, numbers_out, NULL), STATUS_OK);
}

static void a_page_has_the_newest_first_within_its_bounds(void **state)
{
    struct store_audit_page page = {.from = 2, .before = 9, .until_us = 5000, .limit = 4};
    uint64_t numbers[16];
    fill(*state, 10);
    read_page(*state, &page, numbers);
    assert_memory_equal(numbers, ((uint64_t[]){8, 7, 6, 5, 0}), 5 * sizeof(uint64_t));
    page.since_us = 1003;
    page.until_us = 1005;
    read_page(*state, &page, numbers);
    assert_memory_equal(numbers, ((uint64_t[]){4, 3, 0}), 3 * sizeof(uint64_t));
}

static void a_page_is_of_one_actor_or_one_action_where_that_is_asked(void **state)
{
    struct store_audit_page page = {.from = 1, .before = 9, .until_us = 5000, .limit = 9};
    struct store_audit_entry other = make_entry(3);
    uint64_t numbers[16];
    fill(*state, 2);
    other.actor = SLICE("token:ci");
    other.action = SLICE("user.create");
    assert_int_equal(store_audit_insert(*state, &other, NULL), STATUS_OK);
    page.actor = SLICE("token:ci");
    read_page(*state, &page, numbers);
    assert_memory_equal(numbers, ((uint64_t[]){3, 0}), 2 * sizeof(uint64_t));
    page.action = SLICE("key.create");
    read_page(*state, &page, numbers);
    assert_int_equal(numbers[0], 0);
    page.actor = SLICE("");
    read_page(*state, &page, numbers);
    assert_memory_equal(numbers, ((uint64_t[]){2, 1, 0}), 3 * sizeof(uint64_t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_are_listed_in_order_from_any_one_on),
        TEST(a_number_is_taken_once),
        TEST(the_newest_entry_is_copied_into_the_arena),
        TEST(old_entries_can_be_deleted),
        TEST(an_entry_is_undone_with_its_transaction),
        TEST(a_page_has_the_newest_first_within_its_bounds),
        TEST(a_page_is_of_one_actor_or_one_action_where_that_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
