#include "loading.h"

#include <pthread.h>

#define TURNS 20000

static void the_last_holder_frees_the_snapshot(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(&loading, "workers: 2\n");
    const struct config *second = config_ref(config);
    assert_ptr_equal(second, config);
    loading_end(&loading); /* lets go of the first reference */
    assert_null(loading.config);
    assert_int_equal(second->workers, 2);
    config_unref(&second);
    assert_null(second);
    config_unref(&second); /* nothing is held: nothing happens */
}

static void *take_turns(void *context)
{
    const struct config *config = context;
    for (int i = 0; i < TURNS; i++) {
        const struct config *held = config_ref(config);
        config_unref(&held);
    }
    config_unref(&config);
    return NULL;
}

static void holders_on_several_threads_count_right(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(&loading, "workers: 2\n");
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, take_turns, (void *)(uintptr_t)config_ref(config)),
            0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&config->references), 1);
    loading_end(&loading);
}

static void a_provider_is_found_by_its_name(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(&loading, NULL);
    assert_text(config_provider_find(config, SLICE("local"))->name, "local");
    assert_null(config_provider_find(config, SLICE("loca")));
    assert_null(config_provider_find(config, SLICE("")));
    loading_end(&loading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_holder_frees_the_snapshot),
        cmocka_unit_test(holders_on_several_threads_count_right),
        cmocka_unit_test(a_provider_is_found_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
