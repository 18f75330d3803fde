#include "admin/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <yyjson.h>

#include "admin/openapi_data.h"

#define BASE "/admin/v1/"

static struct target target_of(const char *collection, const char *item, const char *action)
{
    return (struct target){
        .collection = slice_from_text(collection),
        .item = item != NULL ? slice_from_text(item) : (struct slice){0},
        .action = action != NULL ? slice_from_text(action) : (struct slice){0},
    };
}

static const struct admin_route *find(const char *method, const char *collection, const char *item,
                                      const char *action, char allow[ROUTES_ALLOW_BYTES])
{
    const struct target target = target_of(collection, item, action);
    return routes_find(&target, slice_from_text(method), allow);
}

static void a_route_is_found_by_its_parts(void **state)
{
    (void)state;
    char allow[ROUTES_ALLOW_BYTES];
    assert_string_equal(find("GET", "users", NULL, NULL, allow)->path, "users");
    assert_string_equal(find("GET", "users", "ada", NULL, allow)->path, "users/{user}");
    assert_string_equal(find("POST", "users", "ada", "enable", allow)->path, "users/{user}/enable");
    assert_null(find("POST", "users", "ada", "enabled", allow));
    assert_string_equal(allow, "");
    assert_null(find("GET", "user", NULL, NULL, allow));
    assert_null(find("GET", "audit", "1", NULL, allow));
    assert_null(find("GET", "{user}", NULL, NULL, allow));
}

static void what_a_path_takes_instead_is_named_once_each(void **state)
{
    (void)state;
    char allow[ROUTES_ALLOW_BYTES];
    assert_null(find("PUT", "users", NULL, NULL, allow));
    assert_string_equal(allow, "POST, GET, HEAD");
    assert_null(find("PUT", "keys", "a", "revoke", allow));
    assert_string_equal(allow, "POST");
    assert_null(find("get", "audit", NULL, NULL, allow));
    assert_string_equal(allow, "GET, HEAD");
}

static void a_route_without_braces_goes_first(void **state)
{
    (void)state;
    char allow[ROUTES_ALLOW_BYTES];
    assert_string_equal(find("POST", "prices", "rerate", NULL, allow)->path, "prices/rerate");
    assert_string_equal(find("GET", "prices", "rerate", NULL, allow)->path, "prices/{model}");
    assert_null(find("POST", "prices", "other", NULL, allow));
    assert_string_equal(allow, "GET, HEAD");
}

static void every_route_says_who_may_use_it_and_what_a_change_takes(void **state)
{
    (void)state;
    char allow[ROUTES_ALLOW_BYTES];
    for (size_t i = 0; i < admin_route_count; i++) {
        const struct admin_route *route = &admin_routes[i];
        assert_in_range(route->least, ROLE_VIEWER, ROLE_ADMIN);
        assert_in_range(route->scope, SCOPE_ALL, SCOPE_TEAM);
        assert_in_range(route->match, MATCH_NONE, MATCH_OBJECT);
        assert_non_null(route->handle);
        /* Whoever only looks changes nothing. `explain` asks, with a body. */
        if (strcmp(route->method, "GET") != 0 && strcmp(route->path, "explain") != 0)
            assert_in_range(route->least, ROLE_OPERATOR, ROLE_ADMIN);
        if (route->match == MATCH_NONE)
            continue;
        /* What If-Match is compared with has to be readable. */
        char first[32];
        (void)snprintf(first, sizeof(first), "%.*s",
                       (int)slice_find_byte(slice_from_text(route->path), '/'), route->path);
        const struct admin_route *show = find("GET", first, "x", NULL, allow);
        assert_non_null(show);
        assert_int_equal(show->match, MATCH_NONE);
        assert_in_range(show->least, ROLE_VIEWER, route->least);
        assert_true(show->scope == SCOPE_TEAM || route->scope == SCOPE_ALL);
    }
}

/* --- The description ---------------------------------------------------------------------------- */

static int read_description(void **state)
{
    *state = yyjson_read((const char *)admin_openapi_json, admin_openapi_json_size, 0);
    return *state != NULL ? 0 : -1;
}

static int free_description(void **state)
{
    yyjson_doc_free(*state);
    return 0;
}

static const struct admin_route *route_of(const char *method, const char *path)
{
    for (size_t i = 0; i < admin_route_count; i++) {
        if (strcmp(admin_routes[i].method, method) == 0 && strcmp(admin_routes[i].path, path) == 0)
            return &admin_routes[i];
    }
    return NULL;
}

static bool has_parameter(yyjson_val *operation, const char *reference)
{
    yyjson_val *parameters = yyjson_obj_get(operation, "parameters");
    for (size_t i = 0; i < yyjson_arr_size(parameters); i++) {
        const char *text = yyjson_get_str(yyjson_obj_get(yyjson_arr_get(parameters, i), "$ref"));
        if (text != NULL && strcmp(text, reference) == 0)
            return true;
    }
    return false;
}

static void check_operation(const struct admin_route *route, yyjson_val *operation)
{
    yyjson_val *responses = yyjson_obj_get(operation, "responses");
    const bool takes_match = route->match != MATCH_NONE, needs_match = route->match == MATCH_OBJECT;
    struct slice role = role_name(route->least);
    assert_true(slice_equal(
        slice_from_text(yyjson_get_str(yyjson_obj_get(operation, "x-weir-role"))), role));
    assert_int_equal(yyjson_get_bool(yyjson_obj_get(operation, "x-weir-team-admin")),
                     route->scope == SCOPE_TEAM);
    assert_int_equal(has_parameter(operation, "#/components/parameters/ifMatch"), needs_match);
    assert_int_equal(has_parameter(operation, "#/components/parameters/ifMatchGiven"),
                     takes_match && !needs_match);
    assert_int_equal(yyjson_obj_get(responses, "412") != NULL, takes_match);
    assert_int_equal(yyjson_obj_get(responses, "428") != NULL, needs_match);
    assert_non_null(yyjson_obj_get(responses, "401"));
    assert_non_null(yyjson_obj_get(responses, "403"));
}

static void the_description_and_the_table_say_the_same(void **state)
{
    yyjson_val *paths = yyjson_obj_get(yyjson_doc_get_root(*state), "paths");
    size_t described = 0;
    yyjson_obj_iter by_path = yyjson_obj_iter_with(paths);
    yyjson_val *path;
    assert_non_null(paths);
    while ((path = yyjson_obj_iter_next(&by_path)) != NULL) {
        assert_int_equal(strncmp(yyjson_get_str(path), BASE, sizeof(BASE) - 1), 0);
        yyjson_obj_iter by_method = yyjson_obj_iter_with(yyjson_obj_iter_get_val(path));
        yyjson_val *name;
        while ((name = yyjson_obj_iter_next(&by_method)) != NULL) {
            char method[8] = "";
            for (size_t i = 0; i < yyjson_get_len(name) && i < sizeof(method) - 1; i++)
                method[i] = (char)(yyjson_get_str(name)[i] - 'a' + 'A');
            const struct admin_route *route =
                route_of(method, yyjson_get_str(path) + sizeof(BASE) - 1);
            if (route == NULL)
                fail_msg("%s %s is described, but there is none", method, yyjson_get_str(path));
            check_operation(route, yyjson_obj_iter_get_val(name));
            described++;
        }
    }
    for (size_t i = 0; i < admin_route_count; i++) {
        char whole[64];
        (void)snprintf(whole, sizeof(whole), BASE "%s", admin_routes[i].path);
        if (yyjson_obj_get(paths, whole) == NULL)
            fail_msg("%s is not described", whole);
    }
    assert_int_equal(described, admin_route_count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_route_is_found_by_its_parts),
        cmocka_unit_test(what_a_path_takes_instead_is_named_once_each),
        cmocka_unit_test(a_route_without_braces_goes_first),
        cmocka_unit_test(every_route_says_who_may_use_it_and_what_a_change_takes),
        cmocka_unit_test_setup_teardown(the_description_and_the_table_say_the_same,
                                        read_description, free_description),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
