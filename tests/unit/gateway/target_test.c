#include "gateway/target.h"

#include "unit/gateway/gateway_fixture.h"

#include "gateway/request.h"
#include "identity/entry_internal.h"

static const char rules[] = "listen: 127.0.0.1:%u\n"
                            "workers: 1\n"
                            "providers:\n"
                            "  one: { base_url: 'http://127.0.0.1:9/v1' }\n"
                            "  two: { base_url: 'http://127.0.0.1:9/v1' }\n"
                            "models:\n"
                            "  - { name: fast, targets: [{ provider: two, model: gpt-4o-mini }] }\n"
                            "  - { name: 'gpt*', targets: [one, two] }\n";
static const char built_in[] = "listen: 127.0.0.1:%u\nworkers: 1\n";

/* A request of a key, as far as a target's choice looks at it. */
struct choosing {
    struct gateway_fixture gateway;
    struct http_exchange exchange;
    struct request request;
    struct identity_key *key;
};

/* `models` as in a key; size 0: all. */
static void choosing_open(struct choosing *choosing, const char *yaml, struct slice models)
{
    static const unsigned char hash[KEY_HASH_SIZE] = {1};
    const struct identity_rules_spec rules_spec = {.models = models};
    struct identity_spec spec = {.hash = hash};
    assert_int_equal(identity_rules_create(&rules_spec, &spec.rules, NULL), STATUS_OK);
    gateway_fixture_open(&choosing->gateway, yaml, gateway_fixture_port());
    struct identity_user *user = identity_user_create(&spec.user_id, SLICE("u"), false);
    assert_non_null(user);
    choosing->key = identity_key_create(&spec, user);
    assert_non_null(choosing->key);
    identity_user_release(user);
    choosing->exchange = (struct http_exchange){0};
    arena_init(&choosing->exchange.arena, NULL, 0, 65536);
    choosing->request = (struct request){.worker = choosing->gateway.worker,
                                         .exchange = &choosing->exchange,
                                         .calling = choosing->gateway.worker->calling,
                                         .key = choosing->key};
}

static void choosing_close(struct choosing *choosing)
{
    arena_fini(&choosing->exchange.arena);
    identity_key_release(&choosing->key);
    gateway_fixture_close(&choosing->gateway);
}

static void assert_chosen(struct choosing *choosing, const char *model, const char *provider,
                          const char *at_target)
{
    const struct slice name = slice_from_text(model);
    assert_int_equal(target_choose(&choosing->request, name), STATUS_OK);
    assert_true(
        slice_equal(choosing->request.endpoint->provider->config->name, slice_from_text(provider)));
    assert_true(slice_equal(choosing->request.target_model, slice_from_text(at_target)));
    assert_int_equal(choosing->request.model_is_replaced, strcmp(model, at_target) != 0);
}

static void assert_refused(struct choosing *choosing, const char *model)
{
    char said[512];
    (void)snprintf(said, sizeof(said), "The model `%s` does not exist or this key may not use it.",
                   model);
    choosing->request.error = (struct error){0};
    assert_int_equal(target_choose(&choosing->request, slice_from_text(model)), STATUS_DENIED);
    assert_int_equal(choosing->request.error.kind, ERROR_MODEL_NOT_FOUND);
    assert_true(slice_equal(choosing->request.error.param, SLICE("model")));
    assert_string_equal(choosing->request.error.message, said);
}

static void the_first_rule_that_matches_says_who_answers(void **state)
{
    (void)state;
    struct choosing choosing;
    choosing_open(&choosing, rules, (struct slice){0});
    assert_chosen(&choosing, "fast", "two", "gpt-4o-mini");
    assert_chosen(&choosing, "gpt-4o", "one", "gpt-4o");
    assert_chosen(&choosing, "gpt", "one", "gpt");
    choosing_close(&choosing);
}

static void a_model_without_a_rule_does_not_exist(void **state)
{
    (void)state;
    struct choosing choosing;
    char name[201], cut[129];
    choosing_open(&choosing, rules, (struct slice){0});
    assert_refused(&choosing, "claude");
    assert_refused(&choosing, "");
    memset(name, 'n', sizeof(name) - 1);
    memset(cut, 'n', sizeof(cut) - 1);
    name[sizeof(name) - 1] = cut[sizeof(cut) - 1] = '\0';
    assert_int_equal(target_choose(&choosing.request, slice_from_text(name)), STATUS_DENIED);
    assert_non_null(strstr(choosing.request.error.message, cut));
    assert_null(strstr(choosing.request.error.message, name));
    choosing_close(&choosing);
}

/* In the same words: nobody learns which names exist. */
static void a_model_that_the_key_may_not_use_does_not_exist_for_it(void **state)
{
    (void)state;
    struct choosing choosing;
    choosing_open(&choosing, rules, SLICE("fast,gpt-4*"));
    assert_chosen(&choosing, "fast", "two", "gpt-4o-mini");
    assert_chosen(&choosing, "gpt-4o", "one", "gpt-4o");
    assert_refused(&choosing, "gpt-3.5");
    assert_refused(&choosing, "gpt-5");
    choosing_close(&choosing);
}

static size_t provider_named(const struct choosing *choosing, const char *name)
{
    const struct config *config = choosing->request.calling->snapshot->config;
    return (size_t)(config_provider_find(config, slice_from_text(name)) - config->providers);
}

static void a_name_that_the_local_server_does_not_list_becomes_its_first(void **state)
{
    (void)state;
    static const struct slice names[] = {{"qwen", 4}, {"llama", 5}};
    struct choosing choosing;
    choosing_open(&choosing, built_in, (struct slice){0});
    struct models_list **list = &choosing.gateway.worker->lists[provider_named(&choosing, "local")];
    assert_chosen(&choosing, "gpt-4o", "local", "gpt-4o"); /* nothing is known yet */
    *list = models_list_create(names, 0);
    assert_chosen(&choosing, "gpt-4o", "local", "gpt-4o");
    models_list_unref(list);
    *list = models_list_create(names, 2);
    assert_chosen(&choosing, "gpt-4o", "local", "qwen");
    assert_chosen(&choosing, "llama", "local", "llama");

    choosing.request.calling->is_former = true; /* its lists are gone */
    assert_chosen(&choosing, "gpt-4o", "local", "gpt-4o");
    choosing.request.calling->is_former = false;
    choosing_close(&choosing);
}

static void a_replaced_name_outlives_the_list(void **state)
{
    (void)state;
    struct choosing choosing;
    choosing_open(&choosing, built_in, (struct slice){0});
    struct models_list **list = &choosing.gateway.worker->lists[provider_named(&choosing, "local")];
    *list = models_list_create(&SLICE("qwen"), 1);
    assert_chosen(&choosing, "gpt-4o", "local", "qwen");
    models_list_unref(list);
    assert_true(slice_equal(choosing.request.target_model, SLICE("qwen")));

    *list = models_list_create(&SLICE("qwen"), 1);
    arena_fini(&choosing.exchange.arena);
    arena_init(&choosing.exchange.arena, NULL, 0, 0);
    assert_int_equal(target_choose(&choosing.request, SLICE("gpt-4o")), STATUS_DENIED);
    assert_int_equal(choosing.request.error.kind, ERROR_INTERNAL);
    choosing_close(&choosing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_matches_says_who_answers),
        cmocka_unit_test(a_model_without_a_rule_does_not_exist),
        cmocka_unit_test(a_model_that_the_key_may_not_use_does_not_exist_for_it),
        cmocka_unit_test(a_name_that_the_local_server_does_not_list_becomes_its_first),
        cmocka_unit_test(a_replaced_name_outlives_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
