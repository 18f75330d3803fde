#include "admin/level_items.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct reason reason;

/* The item as it is kept, or the reason why not. */
static const char *kept(level_item_reader *read, const char *item)
{
    static char text[LEVEL_ITEM_BYTES_MAX + 1];
    size_t size = 0;
    reason = (struct reason){""};
    if (read(slice_from_text(item), text, &size, &reason) != STATUS_OK)
        return NULL;
    assert_in_range(size, 1, LEVEL_ITEM_BYTES_MAX);
    text[size] = '\0';
    return text;
}

static void a_model_may_end_with_a_star(void **state)
{
    (void)state;
    assert_string_equal(kept(level_item_model, "gpt-4o"), "gpt-4o");
    assert_string_equal(kept(level_item_model, "gpt*"), "gpt*");
    assert_string_equal(kept(level_item_model, "*"), "*");
    static const char *const wrong[] = {"", "a,b", "a b", "a*b", "**", "a\n", "\x7f"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_null(kept(level_item_model, wrong[i]));
}

static void a_route_is_kept_with_its_v1(void **state)
{
    (void)state;
    assert_string_equal(kept(level_item_route, "/v1/embeddings"), "/v1/embeddings");
    assert_string_equal(kept(level_item_route, "/embeddings"), "/v1/embeddings");
    assert_string_equal(kept(level_item_route, "/chat*"), "/v1/chat*");
    assert_string_equal(kept(level_item_route, "/v1/chat/*"), "/v1/chat/*");
    assert_string_equal(kept(level_item_route, "*"), "*");
    assert_string_equal(kept(level_item_route, "/healthz"), "/healthz");
}

static void what_is_no_route_is_refused_with_the_nearest(void **state)
{
    (void)state;
    assert_null(kept(level_item_route, "/v1/embedings"));
    assert_string_equal(reason.text, "'/v1/embedings' is no route; did you mean '/v1/embeddings'?");
    static const char *const wrong[] = {"",       "chat*",     "/v2/*",          "/v1/v1/chat",
                                        "/v1/ch", "/v1/*chat", "/v1/chat other", "**"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_null(kept(level_item_route, wrong[i]));
}

static void a_network_is_kept_in_its_one_form(void **state)
{
    (void)state;
    assert_string_equal(kept(level_item_network, "10.0.0.0/8"), "10.0.0.0/8");
    assert_string_equal(kept(level_item_network, "2001:DB8:0::/32"), "2001:db8::/32");
    assert_null(kept(level_item_network, "10.0.0.1/8"));
    assert_null(kept(level_item_network, "ten"));
    assert_non_null(strstr(reason.text, "ten"));
}

static void a_tag_is_a_word(void **state)
{
    (void)state;
    char longest[66];
    assert_string_equal(kept(level_item_tag, "team:blue"), "team:blue");
    assert_null(kept(level_item_tag, ""));
    assert_null(kept(level_item_tag, "a b"));
    assert_null(kept(level_item_tag, "a,b"));
    assert_null(kept(level_item_tag, "a*"));
    memset(longest, 'a', sizeof(longest));
    longest[64] = '\0';
    assert_string_equal(kept(level_item_tag, longest), longest);
    longest[64] = 'a';
    longest[65] = '\0';
    assert_null(kept(level_item_tag, longest));
}

static void no_item_is_too_long_for_its_place(void **state)
{
    (void)state;
    static level_item_reader *const readers[] = {level_item_model, level_item_route,
                                                 level_item_network, level_item_tag};
    static char item[2000];
    for (size_t size = 200; size < sizeof(item); size += 7) {
        memset(item, 'a', size);
        item[0] = '/';
        item[size] = '\0';
        for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
            (void)kept(readers[i], item);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_may_end_with_a_star),
        cmocka_unit_test(a_route_is_kept_with_its_v1),
        cmocka_unit_test(what_is_no_route_is_refused_with_the_nearest),
        cmocka_unit_test(a_network_is_kept_in_its_one_form),
        cmocka_unit_test(a_tag_is_a_word),
        cmocka_unit_test(no_item_is_too_long_for_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
