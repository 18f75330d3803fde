#include "loading.h"

static void networks_are_read_from_a_list_or_a_text(void **state)
{
    (void)state;
    struct loading list = {0}, text = {0}, empty = {0};
    const struct config_networks *networks =
        &loading_sound(&list, "admin: { allowed_networks: [10.0.0.0/8, '::1'] }\n")
             ->admin.allowed_networks;
    assert_int_equal(networks->count, 2);
    assert_int_equal(networks->items[0].prefix, 104);
    loading_end(&list);
    networks =
        &loading_sound(&text, "admin: { allowed_networks: 10.0.0.0/8 }\n")->admin.allowed_networks;
    assert_int_equal(networks->count, 1);
    loading_end(&text);
    assert_int_equal(
        loading_sound(&empty, "admin: { allowed_networks: [] }\n")->admin.allowed_networks.count,
        0);
    loading_end(&empty);
    loading_refused("admin: { allowed_networks: [10.0.0.1/8] }\n", 1, "bits behind its prefix");
    loading_refused("admin:\n  allowed_networks: {a: b}\n", 2, "a list is wanted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_are_read_from_a_list_or_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
