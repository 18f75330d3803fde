#include "admin/token_operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "identity/key.h"
#include "unit/admin/data_dir.h"
#include "unit/admin/entries.h"

static int open_context(void **state)
{
    if (data_dir_make(state) != 0)
        return -1;
    *state = data_dir_open(true);
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    return data_dir_remove(state);
}

static unsigned create(struct admin_context *context, const char *body, const char **answer_out)
{
    return operate(context, "POST", "/admin/v1/tokens", body, answer_out);
}

/* Whom the secret lets in; ROLE_NONE: nobody. */
static enum role holder_of(struct admin_context *context, const char *secret)
{
    unsigned char hash[KEY_HASH_SIZE];
    char name[TOKEN_ACTOR_BYTES_MAX];
    struct operation_actor actor = {.role = ROLE_NONE};
    assert_int_equal(key_hasher_hash(context->hasher, slice_from_text(secret), hash), STATUS_OK);
    const enum status status =
        token_table_find(context->tokens, hash, data_dir_now_us, name, &actor);
    return status == STATUS_OK ? actor.role : ROLE_NONE;
}

static void a_new_token_holds_at_once_and_is_shown_once(void **state)
{
    const char *answer = NULL;
    char secret[KEY_TOKEN_SIZE + 1];
    assert_int_equal(
        create(*state, "{\"name\":\"ci\",\"role\":\"operator\",\"expires\":\"1d\"}", &answer), 201);
    answer_member(answer, "token", secret, sizeof(secret));
    assert_true(key_is_token(slice_from_text(secret)));
    assert_non_null(strstr(answer, "\"role\":\"operator\",\"team\":null,\"team_id\":null,"));
    assert_non_null(
        strstr(answer, "\"state\":\"active\",\"expires_at\":\"2026-02-01T12:00:00.000Z\""));
    assert_int_equal(holder_of(*state, secret), ROLE_OPERATOR);
    assert_int_equal(operate(*state, "GET", "/admin/v1/tokens/ci", "", &answer), 200);
    assert_null(strstr(answer, secret));
    assert_null(strstr(entries_of(*state), secret));
    assert_non_null(strstr(entries_of(*state), "token.create"));
}

static void a_revoked_token_holds_no_longer_and_gives_its_name_free(void **state)
{
    const char *answer = NULL;
    char secret[KEY_TOKEN_SIZE + 1];
    assert_int_equal(create(*state, "{\"name\":\"ci\",\"role\":\"admin\"}", &answer), 201);
    answer_member(answer, "token", secret, sizeof(secret));
    assert_int_equal(create(*state, "{\"name\":\"ci\",\"role\":\"admin\"}", NULL), 409);
    assert_int_equal(operate(*state, "POST", "/admin/v1/tokens/ci/revoke", "", &answer), 200);
    assert_non_null(strstr(answer, "\"state\":\"revoked\""));
    assert_int_equal(holder_of(*state, secret), ROLE_NONE);
    assert_int_equal(operate(*state, "POST", "/admin/v1/tokens/ci/revoke", "", NULL), 200);
    assert_int_equal(create(*state, "{\"name\":\"ci\",\"role\":\"admin\"}", NULL), 201);
    /* The one that holds goes before the one that was revoked. */
    assert_int_equal(operate(*state, "GET", "/admin/v1/tokens/ci", "", &answer), 200);
    assert_non_null(strstr(answer, "\"state\":\"active\""));
}

static void a_deleted_token_is_gone(void **state)
{
    const char *answer = NULL;
    char secret[KEY_TOKEN_SIZE + 1];
    assert_int_equal(create(*state, "{\"name\":\"ci\",\"role\":\"admin\"}", &answer), 201);
    answer_member(answer, "token", secret, sizeof(secret));
    assert_int_equal(operate(*state, "DELETE", "/admin/v1/tokens/ci", "", NULL), 200);
    assert_int_equal(holder_of(*state, secret), ROLE_NONE);
    assert_int_equal(operate(*state, "DELETE", "/admin/v1/tokens/ci", "", NULL), 404);
    assert_non_null(strstr(entries_of(*state), "token.delete"));
}

static void what_names_no_token_is_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"name\":\"x\"}",
        "{\"role\":\"admin\"}",
        "{\"name\":\"x\",\"role\":\"none\"}",
        "{\"name\":\"x\",\"role\":null}",
        "{\"name\":\"x\",\"role\":\"admin\",\"team\":\"red\"}",
        "{\"name\":\"x\",\"role\":\"admin\",\"team\":1}",
        "{\"name\":\"x\",\"role\":\"team_admin\"}",
        "{\"name\":\"x\",\"role\":\"team_admin\",\"team\":null}",
        "{\"name\":\"x\",\"role\":\"admin\",\"expires\":\"yesterday\"}",
        "{\"name\":\"x\",\"role\":\"admin\",\"expires\":1}",
        "{\"name\":\"weir-admin-x\",\"role\":\"admin\"}",
        "{\"name\":\"x\",\"role\":\"admin\",\"token\":\"mine\"}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(create(*state, bad[i], NULL), 400);
    assert_int_equal(
        create(*state, "{\"name\":\"x\",\"role\":\"team_admin\",\"team\":\"red\"}", NULL), 404);
    assert_int_equal(operate(*state, "GET", "/admin/v1/tokens/weir-admin-x", "", NULL), 400);
}

static void tokens_hold_after_a_restart(void **state)
{
    struct admin_context *context = *state;
    const char *answer = NULL;
    char kept[KEY_TOKEN_SIZE + 1], revoked[KEY_TOKEN_SIZE + 1];
    assert_int_equal(create(context, "{\"name\":\"a\",\"role\":\"viewer\"}", &answer), 201);
    answer_member(answer, "token", kept, sizeof(kept));
    assert_int_equal(create(context, "{\"name\":\"b\",\"role\":\"viewer\"}", &answer), 201);
    answer_member(answer, "token", revoked, sizeof(revoked));
    assert_int_equal(operate(context, "POST", "/admin/v1/tokens/b/revoke", "", NULL), 200);
    assert_int_equal(holder_of(context, kept), ROLE_VIEWER);
    assert_int_equal(admin_save_last_used(context, NULL), STATUS_OK);
    admin_context_close(&context);
    *state = context = data_dir_open(true);
    assert_int_equal(holder_of(context, kept), ROLE_VIEWER);
    assert_int_equal(holder_of(context, revoked), ROLE_NONE);
    assert_int_equal(operate(context, "GET", "/admin/v1/tokens/a", "", &answer), 200);
    assert_non_null(strstr(answer, "\"last_used_at\":\"2026-01-31T12:00:00.000Z\""));
}

/* Whatever allocation fails, table and store agree. */
static void creating_survives_the_failure_of_each_allocation(void **state)
{
    for (int nth = 0;; nth++) {
        alloc_fail_nth(nth);
        const unsigned http_status = create(*state, "{\"name\":\"ci\",\"role\":\"admin\"}", NULL);
        alloc_fail_nth(-1);
        if (http_status == 201) {
            assert_in_range(nth, 3, 100);
            break;
        }
        assert_int_equal(http_status, 503);
        assert_int_equal(operate(*state, "GET", "/admin/v1/tokens/ci", "", NULL), 404);
    }
}

static void a_token_of_a_team_goes_with_it(void **state)
{
    const char *answer = NULL;
    char secret[KEY_TOKEN_SIZE + 1];
    assert_int_equal(operate(*state, "POST", "/admin/v1/teams", "{\"name\":\"red\"}", NULL), 201);
    assert_int_equal(
        create(*state, "{\"name\":\"t\",\"role\":\"team_admin\",\"team\":\"red\"}", &answer), 201);
    answer_member(answer, "token", secret, sizeof(secret));
    assert_int_equal(holder_of(*state, secret), ROLE_TEAM_ADMIN);
    assert_int_equal(operate(*state, "DELETE", "/admin/v1/teams/red", "", NULL), 200);
    assert_int_equal(holder_of(*state, secret), ROLE_NONE);
    assert_int_equal(operate(*state, "GET", "/admin/v1/tokens/t", "", NULL), 404);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_token_holds_at_once_and_is_shown_once),
        TEST(a_revoked_token_holds_no_longer_and_gives_its_name_free),
        TEST(a_deleted_token_is_gone),
        TEST(what_names_no_token_is_refused),
        TEST(tokens_hold_after_a_restart),
        TEST(creating_survives_the_failure_of_each_allocation),
        TEST(a_token_of_a_team_goes_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
