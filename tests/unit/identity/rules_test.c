#include "identity/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/cidr.h"
#include "unit/identity/making_rules.h"

static const struct slice none = {NULL, 0};

/* Stands for a level of policy/level.h, of which only the address counts here. */
static struct level {
    unsigned references;
} the_level;

static void end_level(struct level **level)
{
    (*level)->references--;
    *level = NULL;
}

static bool allows_model(struct slice models, struct slice model)
{
    struct identity_rules *rules = making_models(models);
    const bool allowed = identity_rules_allow_model(rules, model);
    identity_rules_unref(&rules);
    return allowed;
}

static bool allows_route(struct slice routes, struct slice route)
{
    const struct identity_rules_spec spec = {.routes = routes};
    struct identity_rules *rules = making_rules(&spec);
    const bool allowed = identity_rules_allow_route(rules, route);
    identity_rules_unref(&rules);
    return allowed;
}

static bool allows_address(struct slice networks, const char *text)
{
    unsigned char address[16];
    const struct identity_rules_spec spec = {.networks = networks};
    struct identity_rules *rules = making_rules(&spec);
    assert_int_equal(cidr_parse_address(slice_from_text(text), address), STATUS_OK);
    const bool allowed = identity_rules_allow_address(rules, address);
    identity_rules_unref(&rules);
    return allowed;
}

static void rules_that_say_nothing_are_none_and_allow_everything(void **state)
{
    (void)state;
    const struct identity_rules_spec spec = {.tags = SLICE("")};
    struct identity_rules *rules = making_rules(&spec);
    assert_null(rules);
    assert_true(identity_rules_allow_model(rules, SLICE("m")));
    assert_true(identity_rules_allow_route(rules, SLICE("/v1/models")));
    assert_true(identity_rules_allow_address(rules, NULL));
    assert_false(identity_rules_have_networks(rules));
    assert_null(identity_rules_tags(rules).data);
    assert_null(identity_rules_level(rules));
    assert_int_equal(identity_rules_bytes(rules), 0);
    assert_null(identity_rules_ref(rules));
    identity_rules_unref(&rules);
}

static void a_name_allows_exactly_that_model(void **state)
{
    (void)state;
    assert_true(allows_model(SLICE("gpt-4o"), SLICE("gpt-4o")));
    assert_false(allows_model(SLICE("gpt-4o"), SLICE("gpt-4o-mini")));
    assert_false(allows_model(SLICE("gpt-4o"), SLICE("gpt-4")));
    assert_false(allows_model(SLICE("gpt-4o"), SLICE("GPT-4o")));
    assert_false(allows_model(SLICE("gpt-4o"), SLICE("")));
}

static void a_star_allows_what_begins_with_the_rest(void **state)
{
    (void)state;
    assert_true(allows_model(SLICE("gpt*"), SLICE("gpt-4o")));
    assert_true(allows_model(SLICE("gpt*"), SLICE("gpt")));
    assert_false(allows_model(SLICE("gpt*"), SLICE("gp")));
    assert_false(allows_model(SLICE("gpt*"), SLICE("xgpt")));
    assert_true(allows_model(SLICE("*"), SLICE("anything")));
}

static void any_pattern_of_the_list_will_do(void **state)
{
    (void)state;
    const struct slice models = SLICE("a,bb*,c");
    assert_true(allows_model(models, SLICE("a")));
    assert_true(allows_model(models, SLICE("bbb")));
    assert_true(allows_model(models, SLICE("c")));
    assert_false(allows_model(models, SLICE("b")));
    assert_false(allows_model(models, SLICE("a,bb")));
    assert_false(allows_model(models, SLICE("a,bb*,c")));
}

static void an_empty_list_allows_nothing(void **state)
{
    (void)state;
    assert_false(allows_model(SLICE(""), SLICE("a")));
    assert_false(allows_model(SLICE(""), SLICE("")));
    assert_false(allows_route(SLICE(""), SLICE("/v1/models")));
    assert_false(allows_address(SLICE(""), "10.0.0.1"));
}

static void routes_are_matched_like_models_and_apart_from_them(void **state)
{
    (void)state;
    const struct slice routes = SLICE("/v1/chat/*,/v1/models");
    assert_true(allows_route(routes, SLICE("/v1/chat/completions")));
    assert_true(allows_route(routes, SLICE("/v1/models")));
    assert_false(allows_route(routes, SLICE("/v1/embeddings")));
    assert_false(allows_route(SLICE("/v1/models"), SLICE("/v1/models/m")));
    assert_true(allows_route(none, SLICE("/v1/embeddings")));
    const struct identity_rules_spec spec = {.models = SLICE("m"), .routes = SLICE("r")};
    struct identity_rules *rules = making_rules(&spec);
    assert_true(identity_rules_allow_model(rules, SLICE("m")));
    assert_false(identity_rules_allow_model(rules, SLICE("r")));
    assert_true(identity_rules_allow_route(rules, SLICE("r")));
    assert_false(identity_rules_allow_route(rules, SLICE("m")));
    identity_rules_unref(&rules);
}

static void any_network_of_the_list_will_do(void **state)
{
    (void)state;
    const struct slice networks = SLICE("10.0.0.0/8,2001:db8::/32,192.0.2.7");
    assert_true(allows_address(networks, "10.255.0.1"));
    assert_true(allows_address(networks, "::ffff:10.255.0.1"));
    assert_true(allows_address(networks, "2001:db8::9"));
    assert_true(allows_address(networks, "192.0.2.7"));
    assert_false(allows_address(networks, "192.0.2.8"));
    assert_false(allows_address(networks, "2001:db9::9"));
}

static void networks_allow_no_client_without_an_address(void **state)
{
    (void)state;
    const struct identity_rules_spec spec = {.networks = SLICE("0.0.0.0/0,::/0")};
    struct identity_rules *rules = making_rules(&spec);
    assert_true(identity_rules_have_networks(rules));
    assert_false(identity_rules_allow_address(rules, NULL));
    identity_rules_unref(&rules);
}

static void a_text_that_is_no_network_is_refused(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "10.0.0.0/8,x", "x",           "10.0.0.1/8",       ",",
        "10.0.0.0/8,",  ",10.0.0.0/8", "10.0.0.0/8,,::/0", "10.0.0.0/8, ::/0"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        const struct identity_rules_spec spec = {.networks = slice_from_text(lists[i])};
        struct identity_rules *rules = NULL;
        struct reason reason = {""};
        assert_int_equal(identity_rules_create(&spec, &rules, &reason), STATUS_INVALID);
        assert_null(rules);
        assert_true(reason.text[0] != '\0');
    }
}

static void a_list_has_its_maximum(void **state)
{
    (void)state;
    static char text[IDENTITY_LIST_SIZE_MAX + 2];
    memset(text, 'a', sizeof(text));
    for (int i = 0; i < 4; i++) {
        struct identity_rules_spec spec = {.models = none};
        struct slice *list = i == 0   ? &spec.models
                             : i == 1 ? &spec.routes
                             : i == 2 ? &spec.tags
                                      : &spec.networks;
        struct identity_rules *rules = NULL;
        struct reason reason = {""};
        *list = slice_of(text, IDENTITY_LIST_SIZE_MAX + 1);
        assert_int_equal(identity_rules_create(&spec, &rules, &reason), STATUS_TOO_LARGE);
        assert_true(reason.text[0] != '\0');
        *list = slice_of(text, IDENTITY_LIST_SIZE_MAX);
        if (list == &spec.networks)
            continue;
        assert_int_equal(identity_rules_create(&spec, &rules, NULL), STATUS_OK);
        assert_true(identity_rules_bytes(rules) > IDENTITY_LIST_SIZE_MAX);
        identity_rules_unref(&rules);
    }
}

/* The most networks that a list can hold: "::" and a comma each. */
static void a_list_full_of_networks_is_held_and_searched(void **state)
{
    (void)state;
    static char text[IDENTITY_LIST_SIZE_MAX];
    size_t size = 0;
    for (; size + 3 + 3 <= sizeof(text); size += 3)
        memcpy(text + size, "::,", 3);
    memcpy(text + size, "::1", 3);
    assert_true(allows_address(slice_of(text, size + 3), "::1"));
    assert_true(allows_address(slice_of(text, size + 3), "::"));
    assert_false(allows_address(slice_of(text, size + 3), "::2"));
}

static void all_lists_stand_beside_each_other(void **state)
{
    (void)state;
    char models[] = "m", routes[] = "r", networks[] = "10.0.0.0/8", tags[] = "red,blue";
    const struct identity_rules_spec spec = {.models = slice_from_text(models),
                                             .routes = slice_from_text(routes),
                                             .networks = slice_from_text(networks),
                                             .tags = slice_from_text(tags)};
    const unsigned char ten[16] = {[10] = 0xff, [11] = 0xff, [12] = 10};
    struct identity_rules *rules = making_rules(&spec);
    memset(models, 'x', sizeof(models));
    memset(routes, 'x', sizeof(routes));
    memset(networks, 'x', sizeof(networks));
    memset(tags, 'x', sizeof(tags));
    assert_true(identity_rules_allow_model(rules, SLICE("m")));
    assert_true(identity_rules_allow_route(rules, SLICE("r")));
    assert_true(identity_rules_allow_address(rules, ten));
    assert_true(slice_equal(identity_rules_tags(rules), SLICE("red,blue")));
    identity_rules_unref(&rules);
}

static void the_level_is_kept_until_the_last_reference_goes(void **state)
{
    (void)state;
    the_level.references = 1;
    const struct identity_rules_spec spec = {.level = &the_level, .unref = end_level};
    struct identity_rules *rules = making_rules(&spec);
    struct identity_rules *other = identity_rules_ref(rules);
    assert_ptr_equal(other, rules);
    identity_rules_unref(&rules);
    assert_null(rules);
    assert_ptr_equal(identity_rules_level(other), &the_level);
    assert_int_equal(the_level.references, 1);
    identity_rules_unref(&other);
    assert_int_equal(the_level.references, 0);
}

static void a_level_stays_the_callers_when_the_rules_are_refused(void **state)
{
    (void)state;
    the_level.references = 1;
    struct identity_rules_spec spec = {
        .networks = SLICE("x"), .level = &the_level, .unref = end_level};
    struct identity_rules *rules = NULL;
    assert_int_equal(identity_rules_create(&spec, &rules, NULL), STATUS_INVALID);
    spec.networks = SLICE("::/0");
    alloc_fail_nth(0);
    assert_int_equal(identity_rules_create(&spec, &rules, NULL), STATUS_NO_MEMORY);
    alloc_fail_nth(-1);
    assert_null(rules);
    assert_int_equal(the_level.references, 1);
}

static void rules_with_only_a_level_are_small(void **state)
{
    (void)state;
    const struct identity_rules_spec spec = {.level = &the_level, .unref = end_level};
    struct identity_rules *rules = making_rules(&spec);
    assert_true(identity_rules_bytes(rules) <= 24);
    identity_rules_unref(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_that_say_nothing_are_none_and_allow_everything),
        cmocka_unit_test(a_name_allows_exactly_that_model),
        cmocka_unit_test(a_star_allows_what_begins_with_the_rest),
        cmocka_unit_test(any_pattern_of_the_list_will_do),
        cmocka_unit_test(an_empty_list_allows_nothing),
        cmocka_unit_test(routes_are_matched_like_models_and_apart_from_them),
        cmocka_unit_test(any_network_of_the_list_will_do),
        cmocka_unit_test(networks_allow_no_client_without_an_address),
        cmocka_unit_test(a_text_that_is_no_network_is_refused),
        cmocka_unit_test(a_list_has_its_maximum),
        cmocka_unit_test(a_list_full_of_networks_is_held_and_searched),
        cmocka_unit_test(all_lists_stand_beside_each_other),
        cmocka_unit_test(the_level_is_kept_until_the_last_reference_goes),
        cmocka_unit_test(a_level_stays_the_callers_when_the_rules_are_refused),
        cmocka_unit_test(rules_with_only_a_level_are_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
