#include "config/memory.h"

#include "base/alloc.h"
#include "loading.h"

static void it_gives_what_was_kept_and_nothing_else(void **state)
{
    (void)state;
    const struct config_source source = {.path = "a.yaml"};
    struct config_memory *memory = config_memory_create(&source);
    struct reason reason;
    struct buffer content;
    assert_non_null(memory);
    assert_int_equal(config_memory_keep(memory, "a", STATUS_OK, SLICE("content")), STATUS_OK);
    assert_int_equal(config_memory_keep(memory, "b", STATUS_DENIED, (struct slice){0}), STATUS_OK);
    const struct config_source again = config_memory_source(memory);
    assert_ptr_equal(again.path, source.path);
    buffer_init(&content, 100);
    assert_int_equal(again.read(again.read_context, "a", &content, &reason), STATUS_OK);
    assert_true(slice_equal(buffer_slice(&content), SLICE("content")));
    assert_int_equal(again.read(again.read_context, "b", &content, &reason), STATUS_DENIED);
    assert_int_equal(again.read(again.read_context, "c", &content, &reason), STATUS_NOT_FOUND);
    buffer_fini(&content);
    struct config_memory *second = config_memory_ref(memory);
    config_memory_unref(&memory);
    assert_null(memory);
    config_memory_unref(&second);
    config_memory_unref(&second);
}

static void a_configuration_is_loaded_again_as_it_was(void **state)
{
    (void)state;
    static const char yaml[] =
        "providers:\n  p: { base_url: 'https://a.example', api_key: 'file:k' }\n"
        "models:\n  - { name: m, targets: [p] }\n";
    struct loading loading = {.files = {{"/etc/weir/k", "former\n"}}};
    struct config_report report;
    const struct config *again = NULL;
    const struct config *config = config_ref(loading_sound(&loading, yaml));
    loading.files[0].content = "later";
    loading.files[1].content = "nonsense: [";
    config_report_init(&report);
    const struct config_entry entry = {SLICE("n"), SLICE("{\"name\":\"n\",\"targets\":[\"p\"]}"),
                                       false};
    const struct config_overlay overlay = {.models = {&entry, 1}};
    assert_int_equal(config_load_again(config, &overlay, &report, &again), STATUS_OK);
    assert_text(again->providers[0].api_key, "former");
    assert_int_equal(again->rules.count, 2);
    config_unref(&config); /* which the next does not need */
    const struct config *third = NULL;
    assert_int_equal(config_load_again(again, NULL, &report, &third), STATUS_OK);
    assert_int_equal(third->rules.count, 1);
    config_unref(&third);
    config_unref(&again);
    config_report_fini(&report);
    loading_end(&loading);
}

static void loading_again_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    struct loading loading = {0};
    struct config_report report;
    const struct config *config =
        loading_sound(&loading, "providers:\n  p: { base_url: 'https://a.example' }\n");
    for (int nth = 0;; nth++) {
        const struct config *again = NULL;
        config_report_init(&report);
        alloc_fail_nth(nth);
        const enum status status = config_load_again(config, NULL, &report, &again);
        alloc_fail_nth(-1);
        config_report_fini(&report);
        assert_true(status == STATUS_OK || status == STATUS_NO_MEMORY);
        assert_int_equal(again != NULL, status == STATUS_OK);
        config_unref(&again);
        if (status == STATUS_OK)
            break;
    }
    loading_end(&loading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gives_what_was_kept_and_nothing_else),
        cmocka_unit_test(a_configuration_is_loaded_again_as_it_was),
        cmocka_unit_test(loading_again_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
