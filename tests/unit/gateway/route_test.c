#include "gateway/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const char *found(const char *path)
{
    struct slice rest;
    const struct route *route = route_find(slice_from_text(path), &rest);
    return route != NULL ? route->path : NULL;
}

static void every_route_answers_with_and_without_v1(void **state)
{
    (void)state;
    static const char *const paths[] = {"/v1/chat/completions", "/v1/completions", "/v1/embeddings",
                                        "/v1/moderations",      "/v1/models",      "/v1/chat",
                                        "/v1/chat/stream",      "/v1/health"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_string_equal(found(paths[i]), paths[i]);
        assert_string_equal(found(paths[i] + 3), paths[i]);
    }
}

static void probes_have_no_v1(void **state)
{
    (void)state;
    static const char *const paths[] = {"/livez", "/readyz", "/healthz"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_string_equal(found(paths[i]), paths[i]);
    assert_null(found("/v1/livez"));
    assert_null(found("ez"));
}

static void what_is_no_route_is_not_found(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "",          "/",           "/v1",           "/v1/",          "/v1/chat/",  "//v1/chat",
        "/v1/chatx", "/V1/chat",    "/chat/complet", "/v1/v1/models", "*",          "/v1/model",
        "/models/",  "/v1/models/", "/v2/models",    "v1/models",     "/v1/models?"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        assert_null(found(paths[i]));
}

static void a_path_is_compared_to_its_end_whatever_lies_behind(void **state)
{
    (void)state;
    static const char path[] = "/v1/chat/completions";
    struct slice rest;
    for (size_t size = 0; size < sizeof(path) - 1; size++) {
        const struct route *route = route_find(slice_of(path, size), &rest);
        if (size == strlen("/v1/chat"))
            assert_string_equal(route->path, "/v1/chat");
        else
            assert_null(route);
    }
}

static void the_rest_of_a_model_is_its_name(void **state)
{
    (void)state;
    static const char *const paths[] = {"/v1/models/org/name:7b", "/models/org/name:7b"};
    struct slice rest;
    for (size_t i = 0; i < 2; i++) {
        const struct route *route = route_find(slice_from_text(paths[i]), &rest);
        assert_string_equal(route->path, "/v1/models/");
        assert_true(slice_equal(rest, SLICE("org/name:7b")));
    }
    assert_non_null(route_find(SLICE("/v1/models"), &rest));
    assert_int_equal(rest.size, 0);
    assert_null(route_find(SLICE("/nowhere"), &rest));
    assert_int_equal(rest.size, 0);
}

static void one_v1_too_many_is_noticed(void **state)
{
    (void)state;
    assert_true(route_is_doubled(SLICE("/v1/v1/chat/completions")));
    assert_true(route_is_doubled(SLICE("/v1/v1/models/x")));
    assert_false(route_is_doubled(SLICE("/v1/chat/completions")));
    assert_false(route_is_doubled(SLICE("/v1/v1/nowhere")));
    assert_false(route_is_doubled(SLICE("/v1/v1")));
    assert_false(route_is_doubled(SLICE("")));
}

static void metrics_name_each_route_at_its_place(void **state)
{
    (void)state;
    uint32_t count;
    struct slice rest;
    const char *const *names = route_metric_names(&count);
    for (uint32_t i = 0; i < count; i++) {
        const struct route *route = route_find(slice_from_text(names[i]), &rest);
        assert_non_null(route);
        assert_int_equal(route_index(route), i);
    }
    const struct route *model = route_find(SLICE("/v1/models/x"), &rest);
    assert_string_equal(names[route_index(model)], "/v1/models/{id}");
}

static void what_calls_upstream_needs_a_key(void **state)
{
    (void)state;
    uint32_t count;
    struct slice rest;
    const char *const *names = route_metric_names(&count);
    for (uint32_t i = 0; i < count; i++) {
        const struct route *route = route_find(slice_from_text(names[i]), &rest);
        assert_true(route->upstream_path == NULL || route->needs_key);
        assert_non_null(strstr(route->allow, route->method == ROUTE_METHOD_POST ? "POST" : "GET"));
        assert_non_null(strstr(route->allow, "OPTIONS"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_answers_with_and_without_v1),
        cmocka_unit_test(probes_have_no_v1),
        cmocka_unit_test(what_is_no_route_is_not_found),
        cmocka_unit_test(a_path_is_compared_to_its_end_whatever_lies_behind),
        cmocka_unit_test(the_rest_of_a_model_is_its_name),
        cmocka_unit_test(one_v1_too_many_is_noticed),
        cmocka_unit_test(metrics_name_each_route_at_its_place),
        cmocka_unit_test(what_calls_upstream_needs_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
