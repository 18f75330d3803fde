#include "admin/secret_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/admin/data_dir.h"

#include <sqlite3.h>

#include "admin/overlay.h"
#include "base/alloc.h"

#define VALUE "sk-a-credential-of-a-provider"

static int open_context(void **state)
{
    if (data_dir_make(state) != 0)
        return -1;
    *state = data_dir_open(false);
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    return data_dir_remove(state);
}

static enum status set(struct admin_context *context, const char *provider, const char *value,
                       struct reason *reason)
{
    struct arena arena;
    struct store_secret secret;
    arena_init(&arena, NULL, 0, 65536);
    const enum status status = secret_set(context, slice_from_text(provider),
                                          slice_from_text(value), &arena, &secret, reason);
    arena_fini(&arena);
    return status;
}

/* The credentials that a server would get, as "provider=value ". */
static enum status opened(struct admin_context *context, struct buffer *text, struct reason *reason)
{
    struct overlay *overlay = NULL;
    const enum status status = overlay_load(context, NULL, &overlay, reason);
    buffer_clear(text);
    for (size_t i = 0; overlay != NULL && i < overlay->entries.secrets.count; i++) {
        const struct config_entry *entry = &overlay->entries.secrets.items[i];
        buffer_printf(text, "%.*s=%.*s ", SLICE_ARGS(entry->name), SLICE_ARGS(entry->text));
    }
    overlay_destroy(&overlay);
    return status;
}

static void expect(struct admin_context *context, const char *text)
{
    struct buffer got;
    struct reason reason = {""};
    buffer_init(&got, 4096);
    assert_int_equal(opened(context, &got, &reason), STATUS_OK);
    if (!slice_equal(buffer_slice(&got), slice_from_text(text)))
        fail_msg("%.*s instead of %s", SLICE_ARGS(buffer_slice(&got)), text);
    buffer_fini(&got);
}

static void expect_refused(struct admin_context *context, enum status status, const char *words)
{
    struct buffer got;
    struct reason reason = {""};
    buffer_init(&got, 4096);
    assert_int_equal(opened(context, &got, &reason), status);
    if (strstr(reason.text, words) == NULL)
        fail_msg("'%s' is not in: %s", words, reason.text);
    buffer_fini(&got);
}

static void execute(const char *sql)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(data_dir_path("weir.db"), &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void a_secret_that_was_set_opens_and_the_last_one_counts(void **state)
{
    expect(*state, "");
    assert_int_equal(access(data_dir_path("secrets/master.key"), F_OK), -1);
    assert_int_equal(set(*state, "main", VALUE, NULL), STATUS_OK);
    assert_int_equal(set(*state, "a", "second-credential", NULL), STATUS_OK);
    expect(*state, "a=second-credential main=" VALUE " ");
    assert_int_equal(set(*state, "main", "another-credential", NULL), STATUS_OK);
    expect(*state, "a=second-credential main=another-credential ");
    assert_int_equal(secret_delete(*state, SLICE("a"), NULL), STATUS_OK);
    assert_int_equal(secret_delete(*state, SLICE("a"), NULL), STATUS_NOT_FOUND);
    expect(*state, "main=another-credential ");
}

static void what_is_no_credential_is_refused(void **state)
{
    static char large[SECRET_BYTES_MAX + 2];
    static const char *const wrong[] = {"", "a\nb", "a\x7f", " a", "a ", large};
    memset(large, 'a', sizeof(large) - 1);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(set(*state, "main", wrong[i], NULL), STATUS_INVALID);
    large[SECRET_BYTES_MAX] = '\0';
    assert_int_equal(set(*state, "main", large, NULL), STATUS_OK);
}

static void updated_at_rises_even_where_the_clock_stands(void **state)
{
    struct admin_context *context = *state;
    struct arena arena;
    struct store_secret first, second;
    arena_init(&arena, NULL, 0, 65536);
    assert_int_equal(secret_set(context, SLICE("main"), SLICE(VALUE), &arena, &first, NULL),
                     STATUS_OK);
    assert_int_equal(secret_set(context, SLICE("main"), SLICE(VALUE), &arena, &second, NULL),
                     STATUS_OK);
    assert_true(second.updated_at_us > first.updated_at_us);
    assert_memory_equal(&second.id, &first.id, sizeof(first.id));
    arena_fini(&arena);
}

static void rows_that_changed_places_do_not_open(void **state)
{
    assert_int_equal(set(*state, "a", VALUE, NULL), STATUS_OK);
    assert_int_equal(set(*state, "b", "another-credential", NULL), STATUS_OK);
    execute("UPDATE secrets SET provider = 'c' WHERE provider = 'a';"
            "UPDATE secrets SET provider = 'a' WHERE provider = 'b';"
            "UPDATE secrets SET provider = 'b' WHERE provider = 'c';");
    expect_refused(*state, STATUS_INVALID, "was changed or moved");
}

static void contents_that_changed_places_do_not_open(void **state)
{
    assert_int_equal(set(*state, "a", VALUE, NULL), STATUS_OK);
    assert_int_equal(set(*state, "b", "another-credential", NULL), STATUS_OK);
    execute("UPDATE secrets SET (nonce, sealed) = (SELECT nonce, sealed FROM secrets "
            "WHERE provider = 'b') WHERE provider = 'a'");
    expect_refused(*state, STATUS_INVALID, "provider a does not open");
}

static void another_master_key_is_said_and_takes_no_more(void **state)
{
    assert_int_equal(set(*state, "a", VALUE, NULL), STATUS_OK);
    assert_int_equal(set(*state, "b", VALUE, NULL), STATUS_OK);
    assert_int_equal(setenv("WEIR_MASTER_KEY", "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=", 1),
                     0);
    struct reason reason = {""};
    expect_refused(*state, STATUS_DENIED, "sealed under another master key");
    assert_int_equal(set(*state, "c", VALUE, &reason), STATUS_DENIED);
    assert_non_null(strstr(reason.text, "WEIR_MASTER_KEY"));
    unsetenv("WEIR_MASTER_KEY");
    expect(*state, "a=" VALUE " b=" VALUE " ");
}

static void a_rotation_seals_all_anew(void **state)
{
    struct secret_rotation rotation;
    assert_int_equal(set(*state, "a", VALUE, NULL), STATUS_OK);
    assert_int_equal(set(*state, "b", "another-credential", NULL), STATUS_OK);
    assert_int_equal(secret_rotate(*state, NULL, &rotation, NULL), STATUS_OK);
    assert_int_equal(rotation.count, 2);
    assert_true(rotation.is_saved);
    expect(*state, "a=" VALUE " b=another-credential ");
    struct master_key given;
    assert_int_equal(master_key_read(SLICE("YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="), &given),
                     STATUS_OK);
    assert_int_equal(secret_rotate(*state, &given, &rotation, NULL), STATUS_OK);
    assert_memory_equal(rotation.key.id, given.id, sizeof(given.id));
    expect(*state, "a=" VALUE " b=another-credential ");
}

static void a_rotation_over_a_row_that_does_not_open_changes_nothing(void **state)
{
    struct secret_rotation rotation;
    assert_int_equal(set(*state, "a", VALUE, NULL), STATUS_OK);
    assert_int_equal(set(*state, "b", VALUE, NULL), STATUS_OK);
    execute("UPDATE secrets SET sealed = x'00112233445566778899aabbccddeeff0011' "
            "WHERE provider = 'b'");
    assert_int_equal(secret_rotate(*state, NULL, &rotation, NULL), STATUS_DENIED);
    assert_int_equal(secret_delete(*state, SLICE("b"), NULL), STATUS_OK);
    expect(*state, "a=" VALUE " ");
}

/* Whatever fails, all rows open afterwards, under the former key or the next one. */
static void a_rotation_survives_the_failure_of_each_allocation(void **state)
{
    assert_int_equal(set(*state, "a", VALUE, NULL), STATUS_OK);
    assert_int_equal(set(*state, "b", "another-credential", NULL), STATUS_OK);
    for (int nth = 0;; nth++) {
        struct secret_rotation rotation;
        alloc_fail_nth(nth);
        const enum status status = secret_rotate(*state, NULL, &rotation, NULL);
        alloc_fail_nth(-1);
        expect(*state, "a=" VALUE " b=another-credential ");
        if (status == STATUS_OK && nth > 5)
            return;
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY || status == STATUS_IO);
    }
}

static void setting_and_loading_survive_the_failure_of_each_allocation(void **state)
{
    struct buffer text;
    bool is_over = false;
    for (int nth = 0; !is_over; nth++) {
        alloc_fail_nth(nth);
        const enum status status = set(*state, "a", VALUE, NULL);
        alloc_fail_nth(-1);
        is_over = status == STATUS_OK;
    }
    is_over = false;
    for (int nth = 0; !is_over; nth++) {
        buffer_init(&text, 4096);
        alloc_fail_nth(nth);
        const enum status status = opened(*state, &text, NULL);
        alloc_fail_nth(-1);
        is_over = status == STATUS_OK && text.size > 0;
        buffer_fini(&text);
    }
    expect(*state, "a=" VALUE " ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_secret_that_was_set_opens_and_the_last_one_counts),
        TEST(what_is_no_credential_is_refused),
        TEST(updated_at_rises_even_where_the_clock_stands),
        TEST(rows_that_changed_places_do_not_open),
        TEST(contents_that_changed_places_do_not_open),
        TEST(another_master_key_is_said_and_takes_no_more),
        TEST(a_rotation_seals_all_anew),
        TEST(a_rotation_over_a_row_that_does_not_open_changes_nothing),
        TEST(a_rotation_survives_the_failure_of_each_allocation),
        TEST(setting_and_loading_survive_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
