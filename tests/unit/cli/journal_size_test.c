#include "cli/journal_size.h"

#include "unit/config/loading.h"

#include <sched.h>

#include "ledger/ledger.h"

static const char yaml_of[] = "workers: %u\nledger: { journal_bytes: %lluB }\n";

static bool check(unsigned workers, uint64_t bytes, struct loading *loading)
{
    char yaml[128];
    (void)snprintf(yaml, sizeof(yaml), yaml_of, workers, (unsigned long long)bytes);
    const struct config *config = loading_sound(loading, yaml);
    return journal_size_check(config, &loading->report);
}

static void the_least_value_that_works_works_and_a_byte_less_is_a_mistake(void **state)
{
    (void)state;
    static const unsigned counts[] = {6, 7, 64, 127, 128};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct loading enough = {0}, less = {0};
        const uint64_t least = ledger_bytes_min(counts[i]);
        assert_true(check(counts[i], least, &enough));
        assert_int_equal(enough.report.count, 0);
        assert_false(check(counts[i], least - 1, &less));
        assert_int_equal(less.report.error_count, 1);
        loading_end(&enough);
        loading_end(&less);
    }
}

static void the_mistake_says_where_and_what_to_write(void **state)
{
    (void)state;
    struct loading loading = {0};
    assert_false(check(8, UINT64_C(1) << 20, &loading));
    const struct config_mistake *mistake = &loading.report.mistakes[0];
    assert_string_equal(mistake->file.data, "/etc/weir/weir.yaml");
    assert_int_equal(mistake->line, 2);
    assert_int_equal(mistake->column, 11);
    assert_string_equal(mistake->message.data,
                        "ledger.journal_bytes: 1MiB is too small for 8 workers");
    assert_string_equal(mistake->suggestion.data, "write at least 1536KiB, or set fewer workers");
    loading_end(&loading);
}

static void a_value_of_the_environment_is_named_by_its_variable(void **state)
{
    (void)state;
    static char size[] = "WEIR_LEDGER_JOURNAL_BYTES=1MiB", workers[] = "WEIR_WORKERS=100";
    struct loading loading = {.environment = {size, workers}};
    loading_sound(&loading, NULL);
    assert_false(journal_size_check(loading.config, &loading.report));
    const struct config_mistake *mistake = &loading.report.mistakes[0];
    assert_string_equal(mistake->file.data, "WEIR_LEDGER_JOURNAL_BYTES");
    assert_int_equal(mistake->line, 0);
    loading_end(&loading);
}

static void without_a_number_the_cores_count(void **state)
{
    (void)state;
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
    const uint64_t least = ledger_bytes_min((uint32_t)CPU_COUNT(&set));
    struct loading loading = {0};
    const uint64_t bytes = UINT64_C(1) << 20;
    assert_int_equal(check(0, bytes, &loading), bytes >= least);
    loading_end(&loading);
}

static void the_defaults_are_enough_for_any_number_of_workers(void **state)
{
    (void)state;
    struct loading loading = {0};
    assert_true(journal_size_check(loading_sound(&loading, "workers: 128\n"), &loading.report));
    loading_end(&loading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_value_that_works_works_and_a_byte_less_is_a_mistake),
        cmocka_unit_test(the_mistake_says_where_and_what_to_write),
        cmocka_unit_test(a_value_of_the_environment_is_named_by_its_variable),
        cmocka_unit_test(without_a_number_the_cores_count),
        cmocka_unit_test(the_defaults_are_enough_for_any_number_of_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
