#include "admin/key_operations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "identity/access.h"
#include "identity/key.h"
#include "unit/admin/data_dir.h"

#define KEYS       "/admin/v1/keys"
#define BROUGHT    "0123456789abcdef"
#define CREATE_ANY "{\"user\":\"ada\",\"name\":\"laptop\",\"key\":\"" BROUGHT "\"}"

struct fixture {
    struct admin_context *context;
    struct identity_reader *reader;
};

static int open_fixture(void **state)
{
    static struct fixture fixture;
    if (data_dir_make(state) != 0)
        return -1;
    fixture.context = data_dir_open(true);
    if (identity_reader_create(fixture.context->map, &fixture.reader) != STATUS_OK ||
        operate(fixture.context, "POST", "/admin/v1/users", "{\"name\":\"ada\"}", NULL) != 201)
        return -1;
    identity_reader_turn(fixture.reader);
    *state = &fixture;
    return 0;
}

static int close_fixture(void **state)
{
    struct fixture *fixture = *state;
    identity_reader_destroy(&fixture->reader);
    admin_context_close(&fixture->context);
    return data_dir_remove(state);
}

/* What a worker would find for this secret now. */
static struct identity_key *find(const struct fixture *fixture, const char *secret)
{
    unsigned char hash[KEY_HASH_SIZE];
    identity_reader_turn(fixture->reader);
    assert_int_equal(key_hasher_hash(fixture->context->hasher, slice_from_text(secret), hash),
                     STATUS_OK);
    return identity_find(fixture->reader, hash);
}

static enum identity_verdict verdict(const struct fixture *fixture, const char *secret)
{
    const struct identity_key *key = find(fixture, secret);
    assert_non_null(key);
    return identity_check(key, data_dir_now_us);
}

static const char *done(const struct fixture *fixture, const char *method, const char *path,
                        const char *body)
{
    const char *answer = NULL;
    const unsigned http_status = operate(fixture->context, method, path, body, &answer);
    if (http_status >= 300)
        fail_msg("%s", answer);
    return answer;
}

static const char *refused(const struct fixture *fixture, unsigned wanted, const char *method,
                           const char *path, const char *body)
{
    const char *answer = NULL;
    assert_int_equal(operate(fixture->context, method, path, body, &answer), wanted);
    return answer;
}

static void a_created_key_works_at_once_and_its_secret_is_shown_once(void **state)
{
    const struct fixture *fixture = *state;
    char secret[64], id[64], path[128];
    const char *answer = done(fixture, "POST", KEYS, "{\"user\":\"ada\"}");
    answer_member(answer, "key", secret, sizeof(secret));
    answer_member(answer, "id", id, sizeof(id));
    assert_int_equal(strlen(secret), KEY_TEXT_SIZE);
    assert_non_null(strstr(answer, "\"user\":\"ada\""));
    assert_non_null(strstr(answer, "\"name\":null"));
    assert_non_null(strstr(answer, "\"models\":null"));
    assert_non_null(strstr(answer, "\"expires_at\":null"));
    assert_non_null(strstr(answer, "\"created_at\":\"2026-01-31T12:00:00.000Z\""));
    assert_int_equal(verdict(fixture, secret), IDENTITY_VERDICT_VALID);
    assert_true(identity_allows_model(find(fixture, secret), SLICE("any")));

    (void)snprintf(path, sizeof(path), KEYS "/%s", id);
    answer = done(fixture, "GET", path, "");
    assert_null(strstr(answer, secret));
    assert_null(strstr(answer, "\"key\""));
    assert_non_null(strstr(answer, "\"state\":\"active\""));
    answer = done(fixture, "GET", KEYS, "");
    assert_null(strstr(answer, secret));
}

static void a_key_that_an_application_brings_is_taken_as_it_is(void **state)
{
    const struct fixture *fixture = *state;
    const char *answer = done(fixture, "POST", KEYS, CREATE_ANY);
    assert_non_null(strstr(answer, "\"key\":\"" BROUGHT "\""));
    assert_non_null(strstr(answer, "\"hint\":\"cdef\""));
    assert_int_equal(verdict(fixture, BROUGHT), IDENTITY_VERDICT_VALID);
    answer = refused(fixture, 409, "POST", KEYS, "{\"user\":\"ada\",\"key\":\"" BROUGHT "\"}");
    assert_non_null(strstr(answer, "stored already"));
    assert_null(strstr(answer, BROUGHT));
}

static void models_and_expiry_hold_from_the_start(void **state)
{
    const struct fixture *fixture = *state;
    const char *answer = done(fixture, "POST", KEYS,
                              "{\"user\":\"ada\",\"name\":\"laptop\",\"key\":\"" BROUGHT
                              "\",\"models\":[\"gpt*\",\"llama\"],\"expires\":\"90d\"}");
    assert_non_null(strstr(answer, "\"models\":[\"gpt*\",\"llama\"]"));
    assert_non_null(strstr(answer, "\"expires_at\":\"2026-05-01T12:00:00.000Z\""));
    assert_true(identity_allows_model(find(fixture, BROUGHT), SLICE("gpt-4o")));
    assert_false(identity_allows_model(find(fixture, BROUGHT), SLICE("claude")));
    data_dir_now_us += 90 * 86400 * US_PER_S;
    assert_int_equal(verdict(fixture, BROUGHT), IDENTITY_VERDICT_EXPIRED);
    answer = done(fixture, "GET", KEYS "/laptop", "");
    assert_non_null(strstr(answer, "\"state\":\"expired\""));
}

static void bodies_that_make_no_key_are_refused_and_make_none(void **state)
{
    static const char *const wrong[] = {
        "",
        "{}",
        "{\"user\":1}",
        "{\"user\":null}",
        "{\"user\":\"ada\",\"name\":\"\"}",
        "{\"user\":\"ada\",\"name\":7}",
        "{\"user\":\"ada\",\"key\":\"short\"}",
        "{\"user\":\"ada\",\"key\":null}",
        "{\"user\":\"ada\",\"key\":\"has a space in the middle\"}",
        "{\"user\":\"ada\",\"key\":\"sk-weir-000000000000000000000000000000000AAAAAA\"}",
        "{\"user\":\"ada\",\"models\":\"gpt\"}",
        "{\"user\":\"ada\",\"models\":[]}",
        "{\"user\":\"ada\",\"expires\":90}",
        "{\"user\":\"ada\",\"expires\":\"yesterday\"}",
        "{\"user\":\"ada\",\"expires\":\"2020-01-01\"}",
        "{\"user\":\"ada\",\"budget\":\"10usd\"}",
        "{\"user\":\"ada\",\"user\":\"ada\"}"};
    const struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        (void)refused(fixture, 400, "POST", KEYS, wrong[i]);
    (void)refused(fixture, 404, "POST", KEYS, "{\"user\":\"bob\"}");
    assert_string_equal(done(fixture, "GET", KEYS, ""), "{\"items\":[],\"next\":null}");
    assert_int_equal(identity_map_key_count(fixture->context->map), 0);
}

static void a_revoked_key_stops_working_at_once_and_for_ever(void **state)
{
    const struct fixture *fixture = *state;
    (void)done(fixture, "POST", KEYS, CREATE_ANY);
    const char *answer = done(fixture, "POST", KEYS "/laptop/revoke", "");
    assert_non_null(strstr(answer, "\"state\":\"revoked\""));
    assert_non_null(strstr(answer, "\"revoked_at\":\"2026-01-31T12:00:00.000Z\""));
    assert_int_equal(verdict(fixture, BROUGHT), IDENTITY_VERDICT_REVOKED);
    data_dir_now_us += US_PER_S;
    answer = done(fixture, "POST", KEYS "/laptop/revoke", "");
    assert_non_null(strstr(answer, "\"revoked_at\":\"2026-01-31T12:00:00.000Z\""));
    (void)refused(fixture, 409, "POST", KEYS "/laptop/enable", "");
    (void)refused(fixture, 409, "POST", KEYS "/laptop/disable", "");
    (void)refused(fixture, 409, "PATCH", KEYS "/laptop", "{\"models\":null}");
    /* Its name is free again. */
    (void)done(fixture, "POST", KEYS, "{\"user\":\"ada\",\"name\":\"laptop\"}");
}

static void a_disabled_key_works_again_when_enabled(void **state)
{
    const struct fixture *fixture = *state;
    (void)done(fixture, "POST", KEYS, CREATE_ANY);
    const char *answer = done(fixture, "POST", KEYS "/laptop/disable", "");
    assert_non_null(strstr(answer, "\"state\":\"disabled\""));
    assert_int_equal(verdict(fixture, BROUGHT), IDENTITY_VERDICT_DISABLED);
    (void)done(fixture, "POST", KEYS "/laptop/enable", "");
    assert_int_equal(verdict(fixture, BROUGHT), IDENTITY_VERDICT_VALID);
}

static void a_disabled_user_stops_all_its_keys_even_new_ones(void **state)
{
    const struct fixture *fixture = *state;
    (void)done(fixture, "POST", KEYS, CREATE_ANY);
    (void)done(fixture, "POST", "/admin/v1/users/ada/disable", "");
    assert_int_equal(verdict(fixture, BROUGHT), IDENTITY_VERDICT_USER_DISABLED);
    (void)done(fixture, "POST", KEYS, "{\"user\":\"ada\",\"key\":\"0123456789ABCDEF\"}");
    assert_int_equal(verdict(fixture, "0123456789ABCDEF"), IDENTITY_VERDICT_USER_DISABLED);
    (void)done(fixture, "POST", "/admin/v1/users/ada/enable", "");
    assert_int_equal(verdict(fixture, BROUGHT), IDENTITY_VERDICT_VALID);
    assert_int_equal(verdict(fixture, "0123456789ABCDEF"), IDENTITY_VERDICT_VALID);
}

static void set_changes_what_it_names_and_null_removes(void **state)
{
    const struct fixture *fixture = *state;
    (void)done(fixture, "POST", KEYS, CREATE_ANY);
    (void)done(fixture, "PATCH", KEYS "/laptop", "{\"models\":[\"a\"],\"expires\":\"1h\"}");
    assert_false(identity_allows_model(find(fixture, BROUGHT), SLICE("b")));
    const char *answer = done(fixture, "PATCH", KEYS "/laptop", "{\"name\":\"desk\"}");
    assert_non_null(strstr(answer, "\"name\":\"desk\""));
    assert_non_null(strstr(answer, "\"models\":[\"a\"]"));
    assert_non_null(strstr(answer, "\"expires_at\":\"2026-01-31T13:00:00.000Z\""));
    answer = done(fixture, "PATCH", KEYS "/desk", "{\"models\":null,\"expires\":null}");
    assert_non_null(strstr(answer, "\"models\":null"));
    assert_non_null(strstr(answer, "\"expires_at\":null"));
    assert_true(identity_allows_model(find(fixture, BROUGHT), SLICE("b")));
    (void)refused(fixture, 400, "PATCH", KEYS "/desk", "{\"key\":\"0123456789ABCDEF\"}");
    (void)refused(fixture, 404, "PATCH", KEYS "/laptop", "{}");
    (void)done(fixture, "POST", KEYS, "{\"user\":\"ada\",\"name\":\"taken\"}");
    (void)refused(fixture, 409, "PATCH", KEYS "/desk", "{\"name\":\"taken\"}");
    /* The refused change did not reach the map either. */
    assert_int_equal(verdict(fixture, BROUGHT), IDENTITY_VERDICT_VALID);
}

static void a_rotated_key_shows_its_new_secret_once_and_both_work_for_a_while(void **state)
{
    const struct fixture *fixture = *state;
    char secret[64];
    (void)done(fixture, "POST", KEYS, CREATE_ANY);
    const char *answer = done(fixture, "POST", KEYS "/laptop/rotate", "");
    answer_member(answer, "key", secret, sizeof(secret));
    assert_int_equal(strlen(secret), KEY_TEXT_SIZE);
    assert_non_null(strstr(answer, "\"former_ends_at\":\"2026-02-01T12:00:00.000Z\""));
    assert_int_equal(verdict(fixture, secret), IDENTITY_VERDICT_VALID);
    assert_int_equal(verdict(fixture, BROUGHT), IDENTITY_VERDICT_VALID);
    answer = done(fixture, "GET", KEYS "/laptop", "");
    assert_null(strstr(answer, secret));
    data_dir_now_us += 86400 * US_PER_S;
    assert_int_equal(verdict(fixture, BROUGHT), IDENTITY_VERDICT_EXPIRED);
    assert_int_equal(verdict(fixture, secret), IDENTITY_VERDICT_VALID);
    answer = done(fixture, "GET", KEYS "/laptop", "");
    assert_non_null(strstr(answer, "\"former_ends_at\":null"));
}

static void a_rotation_that_cannot_be_changes_nothing(void **state)
{
    static const char *const wrong[] = {"{\"overlap\":1}",        "{\"overlap\":null}",
                                        "{\"overlap\":\"\"}",     "{\"overlap\":\"soon\"}",
                                        "{\"overlap\":\"367d\"}", "{\"overlap\":\"-1s\"}",
                                        "{\"key\":\"x\"}",        "[]"};
    const struct fixture *fixture = *state;
    (void)done(fixture, "POST", KEYS, CREATE_ANY);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        (void)refused(fixture, 400, "POST", KEYS "/laptop/rotate", wrong[i]);
    assert_int_equal(identity_map_key_count(fixture->context->map), 1);
    const char *answer = done(fixture, "POST", KEYS "/laptop/rotate", "{\"overlap\":\"0s\"}");
    assert_non_null(strstr(answer, "\"former_ends_at\":null"));
    assert_null(find(fixture, BROUGHT));
    (void)done(fixture, "POST", KEYS "/laptop/revoke", "");
    (void)refused(fixture, 409, "POST", KEYS "/laptop/rotate", "");
    (void)refused(fixture, 404, "POST", KEYS "/desk/rotate", "");
}

static void a_secret_in_the_path_is_refused_and_not_repeated(void **state)
{
    const struct fixture *fixture = *state;
    const char *answer = refused(fixture, 400, "GET", KEYS "/sk-weir-abcdef", "");
    assert_null(strstr(answer, "abcdef"));
}

static void an_ambiguous_name_asks_for_the_id(void **state)
{
    const struct fixture *fixture = *state;
    (void)done(fixture, "POST", "/admin/v1/users", "{\"name\":\"bob\"}");
    (void)done(fixture, "POST", KEYS, "{\"user\":\"ada\",\"name\":\"laptop\"}");
    (void)done(fixture, "POST", KEYS, "{\"user\":\"bob\",\"name\":\"laptop\"}");
    const char *answer = refused(fixture, 409, "POST", KEYS "/laptop/revoke", "");
    assert_non_null(strstr(answer, "give the id"));
}

static void keys_are_listed_by_user(void **state)
{
    const struct fixture *fixture = *state;
    (void)done(fixture, "POST", "/admin/v1/users", "{\"name\":\"bob\"}");
    (void)done(fixture, "POST", KEYS, "{\"user\":\"ada\",\"name\":\"a\"}");
    (void)done(fixture, "POST", KEYS, "{\"user\":\"bob\",\"name\":\"b\"}");
    const char *answer = done(fixture, "GET", KEYS "?user=bob", "");
    assert_non_null(strstr(answer, "\"name\":\"b\""));
    assert_null(strstr(answer, "\"name\":\"a\""));
    (void)refused(fixture, 404, "GET", KEYS "?user=eve", "");
    (void)refused(fixture, 400, "GET", KEYS "?usr=bob", "");
}

static void what_is_shown_knows_of_a_use_a_moment_ago(void **state)
{
    const struct fixture *fixture = *state;
    (void)done(fixture, "POST", KEYS, CREATE_ANY);
    identity_note_use(fixture->reader, find(fixture, BROUGHT), 1769860801);
    const char *answer = done(fixture, "GET", KEYS "/laptop", "");
    assert_non_null(strstr(answer, "\"last_used_at\":\"2026-01-31T12:00:01.000Z\""));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_created_key_works_at_once_and_its_secret_is_shown_once),
        TEST(a_key_that_an_application_brings_is_taken_as_it_is),
        TEST(models_and_expiry_hold_from_the_start),
        TEST(bodies_that_make_no_key_are_refused_and_make_none),
        TEST(a_revoked_key_stops_working_at_once_and_for_ever),
        TEST(a_disabled_key_works_again_when_enabled),
        TEST(a_disabled_user_stops_all_its_keys_even_new_ones),
        TEST(set_changes_what_it_names_and_null_removes),
        TEST(a_rotated_key_shows_its_new_secret_once_and_both_work_for_a_while),
        TEST(a_rotation_that_cannot_be_changes_nothing),
        TEST(a_secret_in_the_path_is_refused_and_not_repeated),
        TEST(an_ambiguous_name_asks_for_the_id),
        TEST(keys_are_listed_by_user),
        TEST(what_is_shown_knows_of_a_use_a_moment_ago),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
