#include "admin/overlay.h"

#include "admin/secret_store.h"
#include "base/alloc.h"
#include "unit/admin/priced_context.h"

#define VALUE "sk-a-credential-of-a-provider"

static void make(struct admin_context *context, const char *method, const char *path,
                 const char *body, unsigned http_status)
{
    assert_int_equal(operate(context, method, path, body, NULL), http_status);
}

static void add_all(struct admin_context *context)
{
    make(context, "POST", "/admin/v1/providers",
         "{\"name\":\"ours\",\"base_url\":\"https://api.example.com/v1\"}", 201);
    make(context, "POST", "/admin/v1/models", "{\"name\":\"own\",\"targets\":[\"openai\"]}", 201);
    make(context, "PUT", "/admin/v1/secrets/local", "{\"value\":\"" VALUE "\"}", 200);
}

static void assert_entry(const struct config_entries *entries, const char *name, const char *part)
{
    const struct config_entry *entry = config_entry_find(entries, slice_from_text(name));
    assert_non_null(entry);
    assert_true(slice_find(entry->text, slice_from_text(part)) < entry->text.size);
    assert_int_equal(entries->count, 1);
}

static void an_empty_store_adds_nothing_and_needs_no_key(void **state)
{
    struct admin_context *context = *state;
    struct overlay *overlay = NULL;
    struct reason reason = {""};
    assert_int_equal(overlay_load(context, NULL, &overlay, &reason), STATUS_OK);
    assert_int_equal(overlay->entries.providers.count, 0);
    assert_int_equal(overlay->entries.models.count, 0);
    assert_int_equal(overlay->entries.secrets.count, 0);
    assert_int_not_equal(access(data_dir_path("secrets/master.key"), F_OK), 0);
    overlay_destroy(&overlay);
    assert_null(overlay);
    overlay_destroy(&overlay);
}

static void what_the_store_has_is_there_with_its_secrets_open(void **state)
{
    struct admin_context *context = *state;
    struct overlay *overlay = NULL;
    struct reason reason = {""};
    add_all(context);
    assert_int_equal(overlay_load(context, NULL, &overlay, &reason), STATUS_OK);
    assert_entry(&overlay->entries.providers, "ours", "https://api.example.com/v1");
    assert_entry(&overlay->entries.models, "own", "\"openai\"");
    assert_entry(&overlay->entries.secrets, "local", VALUE);
    overlay_destroy(&overlay);
}

static void who_only_looks_sees_no_secret(void **state)
{
    struct admin_context *context = *state;
    struct overlay *overlay = NULL;
    struct reason reason = {""};
    add_all(context);
    assert_int_equal(unlink(data_dir_path("secrets/master.key")), 0);
    assert_int_equal(overlay_load_sealed(context->store, &overlay, &reason), STATUS_OK);
    assert_entry(&overlay->entries.providers, "ours", "https://api.example.com/v1");
    assert_entry(&overlay->entries.secrets, "local", "(sealed)");
    overlay_destroy(&overlay);
    assert_int_equal(overlay_load(context, NULL, &overlay, &reason), STATUS_NOT_FOUND);
    assert_null(overlay);
}

static void loading_survives_the_failure_of_each_allocation(void **state)
{
    struct admin_context *context = *state;
    enum status status = STATUS_NO_MEMORY;
    add_all(context);
    for (int nth = 0; status != STATUS_OK; nth++) {
        struct overlay *overlay = NULL;
        struct reason reason = {""};
        assert_true(nth < 1000);
        alloc_fail_nth(nth);
        status = overlay_load(context, NULL, &overlay, &reason);
        alloc_fail_nth(-1);
        assert_int_equal(overlay != NULL, status == STATUS_OK);
        overlay_destroy(&overlay);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, priced_open, priced_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store_adds_nothing_and_needs_no_key),
        TEST(what_the_store_has_is_there_with_its_secrets_open),
        TEST(who_only_looks_sees_no_secret),
        TEST(loading_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
