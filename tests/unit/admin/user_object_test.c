#include "admin/user_object.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *written(const struct store_user *user)
{
    static char text[4096];
    struct buffer buffer;
    struct json_writer writer;
    buffer_init(&buffer, sizeof(text) - 1);
    json_writer_init(&writer, &buffer);
    user_object_write(&writer, user);
    memcpy(text, buffer.data, buffer.size);
    text[buffer.size] = '\0';
    buffer_fini(&buffer);
    return text;
}

static void a_user_is_shown_with_its_team_or_without_one(void **state)
{
    (void)state;
    struct store_user user = {.id = {{1}}, .name = SLICE("ada"), .created_at_us = 1000};
    assert_string_equal(written(&user),
                        "{\"id\":\"01000000-0000-0000-0000-000000000000\",\"name\":\"ada\","
                        "\"team\":null,\"team_id\":null,\"disabled\":false,\"models\":null,"
                        "\"routes\":null,\"networks\":null,\"tags\":null,\"limits\":[],"
                        "\"budgets\":[],\"warn_only\":false,"
                        "\"created_at\":\"1970-01-01T00:00:00.001Z\",\"updated_at\":null}");
    user.team_id.bytes[0] = 2;
    user.team_name = SLICE("research");
    assert_non_null(strstr(written(&user), "\"team\":\"research\","
                                           "\"team_id\":\"02000000-0000-0000-0000-000000000000\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_is_shown_with_its_team_or_without_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
