#include "admin/master_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/admin/data_dir.h"

#include "base/alloc.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG  HEX_A "aa"
#define WRONG "zz" HEX_A
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static struct master_key key_of(const char *hex)
{
    struct master_key key;
    assert_int_equal(master_key_read(slice_from_text(hex), &key), STATUS_OK);
    return key;
}

static void write_file(const char *path, const char *content)
{
    mkdir(data_dir_path("secrets"), 0700);
    FILE *file = fopen(data_dir_path(path), "w");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(data_dir_path(path), 0600), 0);
}

static struct master_key_places nowhere(void)
{
    return (struct master_key_places){.data_dir = data_dir};
}

/* The key that is found must be this one. */
static void expect(const struct master_key_places *places, const char *hex,
                   enum master_key_source source)
{
    struct master_key key;
    struct reason reason = {""};
    const struct master_key wanted = key_of(hex);
    if (master_key_load(places, false, &key, &reason) != STATUS_OK)
        fail_msg("%s", reason.text);
    assert_memory_equal(key.bytes, wanted.bytes, sizeof(key.bytes));
    assert_memory_equal(key.id, wanted.id, sizeof(key.id));
    assert_int_equal(key.source, source);
}

static void the_first_place_that_has_one_counts(void **state)
{
    (void)state;
    const struct master_key a = key_of(HEX_A);
    struct master_key_places places = nowhere();
    write_file("secrets/master.key", HEX_B "\n");
    expect(&places, HEX_B, MASTER_KEY_FILE);
    places.credentials = data_dir; /* where there is none */
    expect(&places, HEX_B, MASTER_KEY_FILE);
    write_file("weir-master-key", HEX_A "\n");
    expect(&places, HEX_A, MASTER_KEY_CREDENTIAL);
    places.environment = "";
    expect(&places, HEX_A, MASTER_KEY_CREDENTIAL);
    places.environment = HEX_B;
    expect(&places, HEX_B, MASTER_KEY_ENVIRONMENT);
    places.configured = slice_of(a.bytes, sizeof(a.bytes));
    expect(&places, HEX_A, MASTER_KEY_CONFIGURATION);
    unlink(data_dir_path("weir-master-key"));
}

static void one_is_made_only_where_nothing_is_sealed_yet(void **state)
{
    (void)state;
    struct master_key_places places = nowhere();
    struct master_key key, again;
    struct reason reason = {""};
    const struct master_key other = key_of(HEX_A);
    places.used_id = other.id;
    assert_int_equal(master_key_load(&places, true, &key, &reason), STATUS_NOT_FOUND);
    assert_non_null(strstr(reason.text, "master.key is missing"));
    places.used_id = NULL;
    assert_int_equal(master_key_load(&places, false, &key, NULL), STATUS_NOT_FOUND);
    assert_int_equal(master_key_load(&places, true, &key, NULL), STATUS_OK);
    assert_int_equal(master_key_load(&places, true, &again, NULL), STATUS_OK);
    assert_memory_equal(key.bytes, again.bytes, sizeof(key.bytes));
    struct stat info;
    assert_int_equal(stat(data_dir_path("secrets/master.key"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void what_is_no_key_is_refused_with_its_place(void **state)
{
    (void)state;
    static const char *const wrong[] = {"short", "a password of exactly 32 bytes!!", LONG, WRONG};
    struct master_key_places places = nowhere();
    struct master_key key;
    struct reason reason = {""};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        places.environment = wrong[i];
        assert_int_equal(master_key_load(&places, true, &key, &reason), STATUS_INVALID);
        assert_non_null(strstr(reason.text, "WEIR_MASTER_KEY is no key"));
        assert_null(strstr(reason.text, wrong[i]));
    }
    places.environment = NULL;
    write_file("secrets/master.key", "short\n");
    assert_int_equal(master_key_load(&places, true, &key, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "secrets/master.key is no key"));
}

static void a_rotation_that_was_cut_off_is_taken_up(void **state)
{
    (void)state;
    const struct master_key a = key_of(HEX_A), b = key_of(HEX_B);
    struct master_key_places places = nowhere();
    write_file("secrets/master.key", HEX_A);
    assert_int_equal(master_key_prepare(data_dir, &b, NULL), STATUS_OK);
    places.used_id = a.id; /* before the transaction */
    expect(&places, HEX_A, MASTER_KEY_FILE);
    assert_int_equal(access(data_dir_path("secrets/master.key.next"), F_OK), 0);
    places.used_id = b.id; /* after it */
    expect(&places, HEX_B, MASTER_KEY_FILE);
    assert_int_equal(access(data_dir_path("secrets/master.key.next"), F_OK), -1);
    expect(&places, HEX_B, MASTER_KEY_FILE);
}

static void another_key_than_was_used_is_said_with_both_ids(void **state)
{
    (void)state;
    struct master_key a = key_of(HEX_A);
    const struct master_key b = key_of(HEX_B);
    struct reason reason = {""};
    a.source = MASTER_KEY_ENVIRONMENT;
    assert_int_equal(master_key_check(&a, a.id, SLICE("main"), &reason), STATUS_OK);
    assert_int_equal(master_key_check(&a, b.id, SLICE("main"), &reason), STATUS_DENIED);
    assert_non_null(strstr(reason.text, "provider main is sealed under another master key"));
    assert_non_null(strstr(reason.text, "WEIR_MASTER_KEY"));
    assert_null(strstr(reason.text, "aaaaaaaa"));
}

static void loading_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    const struct master_key_places places = nowhere();
    write_file("secrets/master.key", HEX_A);
    for (int nth = 0;; nth++) {
        struct master_key key;
        alloc_fail_nth(nth);
        const enum status status = master_key_load(&places, false, &key, NULL);
        alloc_fail_nth(-1);
        if (status == STATUS_OK)
            return;
        assert_int_equal(status, STATUS_NO_MEMORY);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, data_dir_make, data_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_place_that_has_one_counts),
        TEST(one_is_made_only_where_nothing_is_sealed_yet),
        TEST(what_is_no_key_is_refused_with_its_place),
        TEST(a_rotation_that_was_cut_off_is_taken_up),
        TEST(another_key_than_was_used_is_said_with_both_ids),
        TEST(loading_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
