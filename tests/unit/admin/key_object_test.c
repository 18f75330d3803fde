#include "admin/key_object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *written(const struct store_key *key, struct slice secret, uint64_t now_us)
{
    static char text[4096];
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, sizeof(text) - 1);
    json_writer_init(&writer, &buffer);
    key_object_write(&writer, key, secret, now_us);
    memcpy(text, buffer.data, buffer.size);
    text[buffer.size] = '\0';
    buffer_fini(&buffer);
    return text;
}

static bool has_state(const struct store_key *key, const char *state)
{
    const char *found = strstr(written(key, slice_of(NULL, 0), 10), "\"state\":\"");
    return strncmp(found + 9, state, strlen(state)) == 0;
}

static void the_state_is_the_first_reason_why_it_does_not_work(void **state)
{
    (void)state;
    struct store_key key = {.hint = SLICE("abcd")};
    assert_true(has_state(&key, "active"));
    key.expires_at_us = 11;
    assert_true(has_state(&key, "active"));
    key.expires_at_us = 10;
    assert_true(has_state(&key, "expired"));
    key.team_disabled = true;
    assert_true(has_state(&key, "team_disabled"));
    key.user_disabled = true;
    assert_true(has_state(&key, "user_disabled"));
    key.disabled = true;
    assert_true(has_state(&key, "disabled"));
    key.revoked_at_us = 1;
    assert_true(has_state(&key, "revoked"));
}

static void the_secret_is_there_only_if_it_is_given(void **state)
{
    (void)state;
    const struct store_key key = {.hint = SLICE("abcd"), .former_until_us = 20};
    assert_null(strstr(written(&key, slice_of(NULL, 0), 10), "\"key\""));
    assert_non_null(strstr(written(&key, SLICE("sk-x"), 10), "\"key\":\"sk-x\""));
    assert_null(strstr(written(&key, slice_of(NULL, 0), 10), "\"former_ends_at\":null"));
    assert_non_null(strstr(written(&key, slice_of(NULL, 0), 20), "\"former_ends_at\":null"));
    assert_null(strstr(written(&key, slice_of(NULL, 0), 10), "hash"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_is_the_first_reason_why_it_does_not_work),
        cmocka_unit_test(the_secret_is_there_only_if_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
