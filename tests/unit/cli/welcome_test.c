#include "cli/welcome.h"

#include "unit/config/loading.h"

#include <unistd.h>

#define TEXT_BYTES_MAX 16384

static const char *written(enum status (*write)(const struct config *config, struct slice key,
                                                const char *version, struct buffer *text),
                           const char *yaml, struct slice key)
{
    static char copy[TEXT_BYTES_MAX];
    struct loading loading = {0};
    struct buffer text;
    buffer_init(&text, TEXT_BYTES_MAX - 1);
    assert_int_equal(write(loading_sound(&loading, yaml), key, "1.2.3", &text), STATUS_OK);
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    buffer_fini(&text);
    loading_end(&loading);
    return copy;
}

static void json_is_one_line_with_the_addresses_and_the_key(void **state)
{
    (void)state;
    char expected[1024];
    (void)snprintf(expected, sizeof(expected),
                   "{\"version\":\"1.2.3\",\"pid\":%d,\"address\":\"http://127.0.0.1:8000/v1\","
                   "\"listen\":[\"http://127.0.0.1:8000\"],\"admin\":[\"http://127.0.0.1:8001\"],"
                   "\"metrics\":[],\"data_dir\":\"./data\",\"file\":null,\"key\":\"sk-1\"}\n",
                   getpid());
    assert_string_equal(written(welcome_write_json, NULL, SLICE("sk-1")), expected);
}

static void json_names_every_listener_and_says_null_without_a_key(void **state)
{
    (void)state;
    const char *text = written(welcome_write_json,
                               "listen: ['[::1]:80', 127.0.0.1:81]\n"
                               "admin: { listen: '' }\n"
                               "metrics: { listen: 127.0.0.1:82 }\n",
                               (struct slice){0});
    assert_non_null(strstr(text, "\"address\":\"http://[::1]:80/v1\","
                                 "\"listen\":[\"http://[::1]:80\",\"http://127.0.0.1:81\"],"
                                 "\"admin\":[],\"metrics\":[\"http://127.0.0.1:82\"],"));
    assert_non_null(strstr(text, "\"file\":\"/etc/weir/weir.yaml\",\"key\":null}\n"));
}

static void text_has_what_is_to_be_pasted(void **state)
{
    (void)state;
    const char *text = written(welcome_write_text, "listen: '[::1]:80'\n", SLICE("sk-1"));
    assert_non_null(strstr(text, "weir 1.2.3 is ready\n"));
    assert_non_null(strstr(text, "  address  http://[::1]:80/v1\n  key      sk-1\n"));
    assert_non_null(strstr(text, "curl http://[::1]:80/v1/chat/completions "
                                 "-H 'Authorization: Bearer sk-1' "));
    assert_non_null(strstr(text, "OpenAI(base_url=\"http://[::1]:80/v1\", api_key=\"sk-1\")\n"));
}

static void a_buffer_that_is_full_is_said(void **state)
{
    (void)state;
    struct loading loading = {0};
    const struct config *config = loading_sound(&loading, NULL);
    for (size_t size = 1; size < 130; size += 7) {
        struct buffer text;
        buffer_init(&text, size);
        assert_int_not_equal(welcome_write_json(config, SLICE("k"), "1", &text), STATUS_OK);
        buffer_fini(&text);
        buffer_init(&text, size);
        assert_int_not_equal(welcome_write_text(config, SLICE("k"), "1", &text), STATUS_OK);
        buffer_fini(&text);
    }
    loading_end(&loading);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_one_line_with_the_addresses_and_the_key),
        cmocka_unit_test(json_names_every_listener_and_says_null_without_a_key),
        cmocka_unit_test(text_has_what_is_to_be_pasted),
        cmocka_unit_test(a_buffer_that_is_full_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
