#include "cli/serve_audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "unit/admin/entries.h"
#include "unit/cli/data_dir.h"

static int open_context(void **state)
{
    const struct admin_config config = {.data_dir = data_dir, .create = true, .with_map = true};
    struct admin_context *context = NULL;
    if (data_dir_make(state) != 0 || admin_context_open(&config, &context, NULL) != STATUS_OK)
        return -1;
    context->actor = SLICE("uid=7");
    *state = context;
    return 0;
}

static int close_context(void **state)
{
    struct admin_context *context = *state;
    admin_context_close(&context);
    return data_dir_remove(state);
}

static void a_life_of_a_server_is_told_and_signed(void **state)
{
    struct admin_context *context = *state;
    assert_int_equal(serve_audit_start(context, SLICE("1.2.3"), NULL), STATUS_OK);
    assert_int_equal(serve_audit_reload(context, SLICE("/etc/weir/weir.yaml"), NULL), STATUS_OK);
    assert_true(slice_equal(context->actor, SLICE("uid=7")));
    assert_int_equal(serve_audit_stop(context, SLICE("1.2.3"), NULL), STATUS_OK);
    const char *entries = entries_of(context);
    const char *checkpoint = strstr(entries, "weir checkpoint ");
    assert_non_null(checkpoint);
    assert_non_null(strstr(checkpoint, "\"signature\":\""));
    assert_int_equal(strncmp(entries,
                             "weir audit.begin  \n"
                             "uid=7 serve.start  {\"version\":\"1.2.3\"}\n"
                             "SIGHUP config.reload /etc/weir/weir.yaml {}\n"
                             "uid=7 serve.stop  {\"version\":\"1.2.3\"}\n",
                             (size_t)(checkpoint - entries)),
                     0);
}

static void the_head_is_saved_at_the_start_and_whenever_there_is_something_new(void **state)
{
    struct admin_context *context = *state;
    struct stat before, same, after;
    const char *path = data_dir_path("secrets/audit.head");
    assert_int_equal(serve_audit_start(context, SLICE("1.2.3"), NULL), STATUS_OK);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(serve_audit_save_head(context, NULL), STATUS_OK);
    assert_int_equal(stat(path, &same), 0);
    assert_int_equal(before.st_ino, same.st_ino);
    assert_int_equal(serve_audit_reload(context, SLICE(""), NULL), STATUS_OK);
    assert_int_equal(serve_audit_save_head(context, NULL), STATUS_OK);
    assert_int_equal(stat(path, &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_context, close_context)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_life_of_a_server_is_told_and_signed),
        TEST(the_head_is_saved_at_the_start_and_whenever_there_is_something_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
