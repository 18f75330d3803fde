#include "models/price_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/date.h"

static uint64_t day(const char *text)
{
    uint64_t time_us = 0;
    assert_int_equal(date_parse_day(slice_from_text(text), &time_us), STATUS_OK);
    return time_us;
}

static enum status add(struct price_list *list, const char *provider, const char *model,
                       uint64_t from_us, uint64_t input)
{
    struct price price;
    price_init_unknown(&price);
    price.rates[PRICE_INPUT] = input;
    return price_list_add(list, slice_from_text(provider), slice_from_text(model), from_us, &price);
}

/* The input rate that holds, or PRICE_UNKNOWN. */
static uint64_t input_at(const struct price_list *list, const char *model, uint64_t time_us,
                         uint64_t *next_us)
{
    const struct price *price;
    const enum status status =
        price_list_find(list, SLICE("local"), slice_from_text(model), time_us, &price, next_us);
    assert_true(status == STATUS_OK || status == STATUS_NOT_FOUND);
    return status == STATUS_OK ? price->rates[PRICE_INPUT] : PRICE_UNKNOWN;
}

static void the_latest_beginning_not_after_the_time_holds(void **state)
{
    (void)state;
    struct price_list *list = price_list_create("config");
    uint64_t next_us;
    assert_non_null(list);
    assert_int_equal(add(list, "local", "m", 300, 3), STATUS_OK);
    assert_int_equal(add(list, "local", "m", 100, 1), STATUS_OK);
    assert_int_equal(add(list, "local", "m", 200, 2), STATUS_OK);

    assert_true(input_at(list, "m", 99, &next_us) == PRICE_UNKNOWN);
    assert_int_equal(next_us, 100);
    assert_int_equal(input_at(list, "m", 100, &next_us), 1);
    assert_int_equal(next_us, 200);
    assert_int_equal(input_at(list, "m", 199, &next_us), 1);
    assert_int_equal(input_at(list, "m", 250, &next_us), 2);
    assert_int_equal(input_at(list, "m", UINT64_MAX, &next_us), 3);
    assert_true(next_us == UINT64_MAX);
    price_list_destroy(&list);
    assert_null(list);
}

static void names_are_exact(void **state)
{
    (void)state;
    struct price_list *list = price_list_create("config");
    uint64_t next_us;
    assert_int_equal(add(list, "local", "m", 0, 1), STATUS_OK);
    assert_int_equal(add(list, "other", "n", 0, 2), STATUS_OK);
    assert_int_equal(add(list, "loca", "lm", 0, 3), STATUS_OK);
    assert_int_equal(input_at(list, "m", 5, &next_us), 1);
    assert_true(input_at(list, "n", 5, &next_us) == PRICE_UNKNOWN);
    assert_true(input_at(list, "M", 5, &next_us) == PRICE_UNKNOWN);
    assert_true(input_at(list, "", 5, &next_us) == PRICE_UNKNOWN);
    assert_true(input_at(NULL, "m", 5, &next_us) == PRICE_UNKNOWN);
    price_list_destroy(&list);
}

static void a_whole_name_goes_before_a_prefix_and_a_longer_one_before_a_shorter(void **state)
{
    (void)state;
    struct price_list *list = price_list_create("config");
    uint64_t next_us;
    assert_int_equal(add(list, "local", "our-big*", 0, 2), STATUS_OK);
    assert_int_equal(add(list, "local", "our-*", 0, 3), STATUS_OK);
    assert_int_equal(add(list, "local", "our-big", 0, 1), STATUS_OK);
    assert_int_equal(add(list, "local", "our-bog*", 0, 5), STATUS_OK);
    assert_int_equal(add(list, "other", "*", 0, 6), STATUS_OK);
    assert_int_equal(input_at(list, "our-big", 0, &next_us), 1);
    assert_int_equal(input_at(list, "our-bigger", 0, &next_us), 2);
    assert_int_equal(input_at(list, "our-bi", 0, &next_us), 3);
    assert_int_equal(input_at(list, "our-zebra", 0, &next_us), 3);
    assert_int_equal(input_at(list, "our-", 0, &next_us), 3);
    assert_int_equal(input_at(list, "our-*", 0, &next_us), 3); /* a name, whatever it looks like */
    assert_true(input_at(list, "our", 0, &next_us) == PRICE_UNKNOWN);
    assert_true(input_at(list, "zebra", 0, &next_us) == PRICE_UNKNOWN);
    assert_int_equal(add(list, "local", "*", 0, 4), STATUS_OK);
    assert_int_equal(input_at(list, "our", 0, &next_us), 4);
    assert_int_equal(input_at(list, "", 0, &next_us), 4);
    assert_int_equal(input_at(list, "zebra", 0, &next_us), 4);
    assert_true(next_us == UINT64_MAX);
    price_list_destroy(&list);
}

static void a_more_exact_name_that_begins_later_ends_the_answer_before_it(void **state)
{
    (void)state;
    struct price_list *list = price_list_create("config");
    uint64_t next_us;
    assert_int_equal(add(list, "local", "our-*", 100, 1), STATUS_OK);
    assert_int_equal(add(list, "local", "our-*", 900, 2), STATUS_OK);
    assert_int_equal(add(list, "local", "our-big*", 300, 3), STATUS_OK);
    assert_int_equal(add(list, "local", "our-big", 500, 4), STATUS_OK);
    assert_int_equal(add(list, "local", "*", 50, 5), STATUS_OK);

    assert_true(input_at(list, "our-big", 49, &next_us) == PRICE_UNKNOWN);
    assert_int_equal(next_us, 50);
    assert_int_equal(input_at(list, "our-big", 50, &next_us), 5);
    assert_int_equal(next_us, 100);
    assert_int_equal(input_at(list, "our-big", 299, &next_us), 1);
    assert_int_equal(next_us, 300);
    assert_int_equal(input_at(list, "our-big", 499, &next_us), 3);
    assert_int_equal(next_us, 500);
    assert_int_equal(input_at(list, "our-big", 1000, &next_us), 4);
    assert_true(next_us == UINT64_MAX); /* a wider name's later price is no matter */
    assert_int_equal(input_at(list, "our-small", 800, &next_us), 1);
    assert_int_equal(next_us, 900);
    price_list_destroy(&list);
}

#define SOME_NAMES 124

/* All texts of one to five of two letters, so that many are each other's prefixes; first as whole
 * names, then with a '*'. */
static const char *name_of(unsigned number, char text[8])
{
    size_t size = 0;
    for (unsigned rest = number % (SOME_NAMES / 2) + 2; rest > 1; rest /= 2)
        text[size++] = rest % 2 == 0 ? 'a' : 'b';
    text[size] = '*';
    text[size + (number >= SOME_NAMES / 2)] = '\0';
    return text;
}

/* 0: the name is not for the model; the more exact, the higher. */
static size_t exactness(const char *name, const char *model)
{
    const size_t size = strlen(name);
    if (name[size - 1] == '*')
        return strncmp(name, model, size - 1) == 0 ? size : 0;
    return strcmp(name, model) == 0 ? SIZE_MAX : 0;
}

/* Looks at them all, of which each begins at the moment given; 0: never. Returns the number of the
 * one that holds, or SOME_NAMES. */
static unsigned find_slowly(const uint64_t *from_us, const char *model, uint64_t time_us,
                            uint64_t *next_us_out)
{
    unsigned best = SOME_NAMES;
    size_t exact = 0;
    char name[8];
    *next_us_out = UINT64_MAX;
    for (unsigned i = 0; i < SOME_NAMES; i++) {
        const size_t found = exactness(name_of(i, name), model);
        if (from_us[i] > 0 && from_us[i] <= time_us && found > exact) {
            best = i;
            exact = found;
        }
    }
    for (unsigned i = 0; i < SOME_NAMES; i++) {
        if (exactness(name_of(i, name), model) > exact && from_us[i] > 0 &&
            from_us[i] < *next_us_out)
            *next_us_out = from_us[i];
    }
    return best;
}

static void the_quick_search_finds_what_a_slow_one_does(void **state)
{
    (void)state;
    uint32_t random = 1;
    char name[8];
    for (unsigned round = 0; round < 50; round++) {
        struct price_list *list = price_list_create("config");
        uint64_t from_us[SOME_NAMES];
        for (unsigned i = 0; i < SOME_NAMES; i++) {
            random = random * 1664525 + 1013904223;
            from_us[i] = random >> 24 < 4 * round ? random >> 8 & 15 : 0;
            if (from_us[i] > 0)
                assert_int_equal(add(list, "local", name_of(i, name), from_us[i], i), STATUS_OK);
        }
        for (unsigned i = 0; i < SOME_NAMES; i++) {
            uint64_t next_us, expected_us;
            const uint64_t time_us = i * 7 % 16;
            const unsigned best = find_slowly(from_us, name_of(i, name), time_us, &expected_us);
            const uint64_t found = input_at(list, name_of(i, name), time_us, &next_us);
            assert_true(found == (best < SOME_NAMES ? best : PRICE_UNKNOWN));
            assert_true(next_us == expected_us);
        }
        price_list_destroy(&list);
    }
}

static void many_entries_are_found_however_they_were_added(void **state)
{
    (void)state;
    struct price_list *list = price_list_create("store");
    for (unsigned i = 0; i < 1000; i++) {
        char model[] = "m000";
        const unsigned number = i * 7 % 1000;
        model[1] = (char)('0' + number / 100);
        model[2] = (char)('0' + number / 10 % 10);
        model[3] = (char)('0' + number % 10);
        assert_int_equal(add(list, "local", model, 0, number), STATUS_OK);
    }
    assert_int_equal(price_list_count(list), 1000);
    for (unsigned number = 0; number < 1000; number++) {
        char model[] = "m000";
        uint64_t next_us;
        model[1] = (char)('0' + number / 100);
        model[2] = (char)('0' + number / 10 % 10);
        model[3] = (char)('0' + number % 10);
        assert_int_equal(input_at(list, model, 1, &next_us), number);
    }
    price_list_destroy(&list);
}

static void an_id_says_where_the_price_stands(void **state)
{
    (void)state;
    struct price_list *list = price_list_create("config");
    const char *ids[] = {
        "config/local/accounts/a@b@1970-01-01",
        "config/local/our-model@2026-01-01",
        "config/local/our-model@2026-01-01T12:00:00Z",
        "config/local/our-model@2026-01-01T12:00:00.000001Z",
        "config/local/our-*@2026-01-01",
        "config/local/*@1970-01-01",
    };
    const uint64_t noon_us = day("2026-01-01") + UINT64_C(43200000000);
    assert_int_equal(add(list, "local", "accounts/a@b", 0, 1), STATUS_OK);
    assert_int_equal(add(list, "local", "our-model", day("2026-01-01"), 2), STATUS_OK);
    assert_int_equal(add(list, "local", "our-model", noon_us, 3), STATUS_OK);
    assert_int_equal(add(list, "local", "our-model", noon_us + 1, 4), STATUS_OK);
    assert_int_equal(add(list, "local", "our-*", day("2026-01-01"), 5), STATUS_OK);
    assert_int_equal(add(list, "local", "*", 0, 6), STATUS_OK);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        const struct price *price = price_list_find_id(list, slice_from_text(ids[i]));
        assert_non_null(price);
        assert_int_equal(price->rates[PRICE_INPUT], i + 1);
        assert_string_equal(price->id, ids[i]);
    }
    assert_null(price_list_find_id(list, SLICE("config/local/our-model")));
    assert_null(price_list_find_id(NULL, SLICE("config/local/our-model@2026-01-01")));
    price_list_destroy(&list);
}

static void a_second_price_from_the_same_moment_is_refused(void **state)
{
    (void)state;
    struct price_list *list = price_list_create("config");
    uint64_t next_us;
    assert_int_equal(add(list, "local", "m", 100, 1), STATUS_OK);
    assert_int_equal(add(list, "local", "m", 100, 2), STATUS_EXISTS);
    assert_int_equal(add(list, "local", "m*", 100, 3), STATUS_OK);
    assert_int_equal(add(list, "local", "m*", 100, 4), STATUS_EXISTS);
    assert_int_equal(input_at(list, "m", 100, &next_us), 1);
    assert_int_equal(input_at(list, "mm", 100, &next_us), 3);
    assert_int_equal(price_list_count(list), 2);
    price_list_destroy(&list);
}

static void names_that_are_none_are_refused(void **state)
{
    (void)state;
    struct price_list *list = price_list_create("config");
    char longest[258];
    memset(longest, 'a', sizeof(longest));
    longest[257] = '\0';
    assert_int_equal(add(list, "", "m", 0, 1), STATUS_INVALID);
    assert_int_equal(add(list, "p", "", 0, 1), STATUS_INVALID);
    assert_int_equal(add(list, "p/q", "m", 0, 1), STATUS_INVALID);
    assert_int_equal(add(list, "p", "m\n", 0, 1), STATUS_INVALID);
    assert_int_equal(add(list, "p", "*m", 0, 1), STATUS_INVALID);
    assert_int_equal(add(list, "p", "m**", 0, 1), STATUS_INVALID);
    assert_int_equal(add(list, "p", longest, 0, 1), STATUS_INVALID);
    longest[256] = '\0';
    assert_int_equal(add(list, "p", longest, 0, 1), STATUS_OK);
    assert_int_equal(add(list, longest, "m", 0, 1), STATUS_INVALID);
    longest[64] = '\0';
    assert_int_equal(add(list, longest, "m", UINT64_C(1), 1), STATUS_OK);
    price_list_destroy(&list);
}

static void the_longest_names_fit_into_an_id(void **state)
{
    (void)state;
    struct price_list *list = price_list_create("config");
    char provider[65], model[257];
    memset(provider, 'p', 64);
    memset(model, 'm', 256);
    provider[64] = model[256] = '\0';
    assert_int_equal(add(list, provider, model, 1, 5), STATUS_OK);
    model[255] = '*';
    assert_int_equal(add(list, provider, model, 1, 6), STATUS_OK);
    model[255] = 'm';
    const struct price *price;
    uint64_t next_us;
    assert_int_equal(
        price_list_find(list, slice_of(provider, 64), slice_of(model, 256), 1, &price, &next_us),
        STATUS_OK);
    assert_true(slice_ends_with(price_id(price), SLICE("m@1970-01-01T00:00:00.000001Z")));
    price_list_destroy(&list);
}

static void without_memory_the_list_is_as_before(void **state)
{
    (void)state;
    alloc_fail_nth(0);
    assert_null(price_list_create("config"));
    struct price_list *list = price_list_create("config");
    uint64_t next_us;
    assert_int_equal(add(list, "local", "b", 0, 1), STATUS_OK);
    for (char name[] = "c"; name[0] < 'z'; name[0]++) {
        const size_t count = price_list_count(list);
        unsigned nth = 0;
        enum status status = STATUS_NO_MEMORY;
        for (; status == STATUS_NO_MEMORY; nth++) {
            alloc_fail_nth((int)nth);
            status = add(list, "local", name, 0, 2);
            alloc_fail_nth(-1);
            assert_int_equal(price_list_count(list), count + (status == STATUS_OK));
            assert_int_equal(input_at(list, "b", 0, &next_us), 1);
        }
        assert_true(nth > 1);
    }
    price_list_destroy(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_beginning_not_after_the_time_holds),
        cmocka_unit_test(names_are_exact),
        cmocka_unit_test(a_whole_name_goes_before_a_prefix_and_a_longer_one_before_a_shorter),
        cmocka_unit_test(a_more_exact_name_that_begins_later_ends_the_answer_before_it),
        cmocka_unit_test(the_quick_search_finds_what_a_slow_one_does),
        cmocka_unit_test(many_entries_are_found_however_they_were_added),
        cmocka_unit_test(an_id_says_where_the_price_stands),
        cmocka_unit_test(a_second_price_from_the_same_moment_is_refused),
        cmocka_unit_test(names_that_are_none_are_refused),
        cmocka_unit_test(the_longest_names_fit_into_an_id),
        cmocka_unit_test(without_memory_the_list_is_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
