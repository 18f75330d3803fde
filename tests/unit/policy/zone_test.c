#include "policy/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "policy/zone_internal.h"
#include "unit/policy/zone_files.h"

#define CHANGES_FILE   "tests/fixtures/zones/changes.txt"
#define FILE_BYTES_MAX 8192

static void offsets_and_changes_are_those_that_python_finds(void **state)
{
    (void)state;
    FILE *file = fopen(CHANGES_FILE, "r");
    char name[64], what[16];
    long long time_s, last_s = 0;
    int offset_s, last_offset_s = 0;
    unsigned changes = 0;
    assert_non_null(file);
    while (fscanf(file, "%63s %15s %lld %d", name, what, &time_s, &offset_s) == 4) {
        const struct zone *zone = zone_of(name);
        if (strcmp(what, "from") != 0) {
            const int64_t next_s = zone_next_change(zone, last_s);
            if (strcmp(what, "until") == 0) {
                assert_true(next_s > time_s);
                continue;
            }
            assert_int_equal(next_s, time_s);
            assert_int_equal(zone_offset(zone, time_s - 1), last_offset_s);
            assert_int_equal(zone_offset(zone, (last_s + time_s) / 2), last_offset_s);
            changes++;
        }
        assert_int_equal(zone_offset(zone, time_s), offset_s);
        last_s = time_s;
        last_offset_s = offset_s;
    }
    (void)fclose(file);
    assert_int_equal(changes, 997);
}

static void utc_needs_no_file(void **state)
{
    (void)state;
    const struct zone *zone = NULL;
    assert_int_equal(zone_find(SLICE("UTC"), &zone, NULL), STATUS_OK);
    assert_ptr_equal(zone, zone_utc());
    assert_int_equal(zone_find(SLICE(""), &zone, NULL), STATUS_OK);
    assert_ptr_equal(zone, zone_utc());
    assert_int_equal(zone_offset(zone, 1700000000), 0);
    assert_true(zone_next_change(zone, 1700000000) == INT64_MAX);
    assert_int_equal(zone_standard_offset(zone), 0);
    assert_true(slice_equal(zone_name(zone), SLICE("UTC")));
}

static void a_zone_is_read_once(void **state)
{
    (void)state;
    const struct zone *zone = zone_of("Europe/Berlin");
    assert_ptr_equal(zone_of("Europe/Berlin"), zone);
    assert_true(slice_equal(zone_name(zone), SLICE("Europe/Berlin")));
    assert_int_equal(zone_standard_offset(zone), 3600);
    assert_int_equal(zone_standard_offset(zone_of("Asia/Kolkata")), 19800);
    assert_int_equal(zone_standard_offset(zone_of("Australia/Lord_Howe")), 37800);
}

static void a_name_that_leads_elsewhere_is_not_found(void **state)
{
    (void)state;
    static const char *const names[] = {
        "Nowhere/City",  "../files/Europe/Berlin", "/etc/passwd",     "Europe/../Europe/Berlin",
        "Europe",        "./Europe/Berlin",        "europe/berlin",   "Europe/Berlin\n",
        "Europe Berlin", "Europe/Berlin/x",        "Europe/Berlin%s", "."};
    const struct zone *zone = NULL;
    struct reason reason;
    (void)zone_of("Europe/Berlin");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        reason.text[0] = '\0';
        assert_int_equal(zone_find(slice_from_text(names[i]), &zone, &reason), STATUS_NOT_FOUND);
        assert_true(strlen(reason.text) > 0);
    }
    assert_int_equal(zone_find(slice_of("Europe/Berlin\0x", 15), &zone, NULL), STATUS_NOT_FOUND);
    assert_null(zone);
    static char long_name[5000];
    memset(long_name, 'a', sizeof(long_name));
    assert_int_equal(zone_find(slice_of(long_name, sizeof(long_name)), &zone, NULL),
                     STATUS_NOT_FOUND);
}

static void a_file_that_is_no_zone_is_refused(void **state)
{
    (void)state;
    const struct zone *zone = NULL;
    struct reason reason;
    assert_int_equal(setenv("TZDIR", "tests/fixtures/tokens/..", 1), 0);
    assert_int_equal(zone_find(SLICE("zones/files/Europe/Berlin"), &zone, NULL), STATUS_OK);
    assert_int_equal(setenv("TZDIR", "tools", 1), 0);
    assert_int_equal(zone_find(SLICE("check"), &zone, &reason), STATUS_INVALID);
    assert_non_null(strstr(reason.text, "\"check\""));
}

static void without_a_database_the_reason_says_what_to_install(void **state)
{
    (void)state;
    const struct zone *zone = NULL;
    struct reason reason;
    assert_int_equal(setenv("TZDIR", "tests/nowhere", 1), 0);
    assert_int_equal(zone_find(SLICE("Europe/Paris"), &zone, &reason), STATUS_NOT_FOUND);
    assert_string_equal(reason.text, "no time zone \"Europe/Paris\": there is no folder "
                                     "tests/nowhere; install tzdata");
    assert_int_equal(setenv("TZDIR", ZONE_FILES, 1), 0);
    assert_int_equal(zone_find(SLICE("Europe/Paris"), &zone, &reason), STATUS_NOT_FOUND);
    assert_string_equal(reason.text,
                        "no time zone \"Europe/Paris\": " ZONE_FILES " has none of this name");
}

static struct slice read_zone_file(const char *name)
{
    static char bytes[FILE_BYTES_MAX];
    char path[128];
    (void)snprintf(path, sizeof(path), ZONE_FILES "/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t size = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    return slice_of(bytes, size);
}

/* The bytes stand in memory of exactly their size, so that a sanitizer sees a read behind them. */
static enum status create_exact(struct slice bytes, struct zone **zone_out)
{
    char *copy = alloc_bytes(bytes.size + (bytes.size == 0));
    if (bytes.size > 0)
        memcpy(copy, bytes.data, bytes.size);
    const enum status status = zone_create(SLICE("x"), slice_of(copy, bytes.size), zone_out, NULL);
    alloc_free(copy);
    return status;
}

static void a_truncated_file_is_refused_wherever_it_ends(void **state)
{
    (void)state;
    const struct slice bytes = read_zone_file("Europe/Berlin");
    for (size_t size = 0; size < bytes.size; size++) {
        struct zone *zone = NULL;
        assert_int_equal(create_exact(slice_of(bytes.data, size), &zone), STATUS_INVALID);
        assert_null(zone);
    }
}

static void a_damaged_file_is_refused_or_still_answers(void **state)
{
    (void)state;
    static char damaged[FILE_BYTES_MAX];
    const struct slice bytes = read_zone_file("Pacific/Apia");
    unsigned refused = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        struct zone *zone = NULL;
        memcpy(damaged, bytes.data, bytes.size);
        damaged[i] = (char)(damaged[i] ^ 0xFF);
        if (create_exact(slice_of(damaged, bytes.size), &zone) != STATUS_OK) {
            refused++;
            continue;
        }
        for (int64_t time_s = -4000000000; time_s < 8000000000; time_s += 100000000) {
            const int32_t offset_s = zone_offset(zone, time_s);
            assert_true(offset_s > -90000 && offset_s < 93600);
            assert_true(zone_next_change(zone, time_s) > time_s);
        }
        (void)zone_offset(zone, INT64_MAX);
        (void)zone_next_change(zone, INT64_MIN);
        zone_destroy(&zone);
    }
    assert_true(refused > 50);
}

static void the_first_version_of_the_format_has_no_rule(void **state)
{
    (void)state;
    struct slice bytes = read_zone_file("Asia/Kolkata");
    static char old[FILE_BYTES_MAX];
    struct zone *zone = NULL;
    memcpy(old, bytes.data, bytes.size);
    old[4] = '\0';
    assert_int_equal(create_exact(slice_of(old, bytes.size), &zone), STATUS_OK);
    assert_int_equal(zone_offset(zone, 1700000000), 19800);
    assert_int_equal(zone_standard_offset(zone), 19800);
    assert_true(zone_next_change(zone, 1700000000) == INT64_MAX);
    zone_destroy(&zone);
}

static void without_memory_no_zone_is_found_and_later_it_is(void **state)
{
    (void)state;
    const struct zone *zone = NULL;
    enum status status = STATUS_NO_MEMORY;
    assert_int_equal(setenv("TZDIR", ZONE_FILES, 1), 0);
    int nth = 0;
    for (; status != STATUS_OK; nth++) {
        alloc_fail_nth(nth);
        status = zone_find(SLICE("America/St_Johns"), &zone, NULL);
        alloc_fail_nth(-1);
        assert_true(status == STATUS_OK || (status == STATUS_NO_MEMORY && zone == NULL));
    }
    assert_true(nth > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_no_zone_is_found_and_later_it_is),
        cmocka_unit_test(offsets_and_changes_are_those_that_python_finds),
        cmocka_unit_test(utc_needs_no_file),
        cmocka_unit_test(a_zone_is_read_once),
        cmocka_unit_test(a_name_that_leads_elsewhere_is_not_found),
        cmocka_unit_test(a_file_that_is_no_zone_is_refused),
        cmocka_unit_test(without_a_database_the_reason_says_what_to_install),
        cmocka_unit_test(a_truncated_file_is_refused_wherever_it_ends),
        cmocka_unit_test(a_damaged_file_is_refused_or_still_answers),
        cmocka_unit_test(the_first_version_of_the_format_has_no_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
