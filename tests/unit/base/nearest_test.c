#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void the_nearest_of_some_words_is_found(void **state)
{
    (void)state;
    static const struct slice words[] = {{"name", 4}, {"targets", 7}, {"optional", 8}};
    assert_true(slice_equal(nearest_word(words, 3, SLICE("target")), SLICE("targets")));
    assert_true(slice_equal(nearest_word(words, 3, SLICE("nmae")), SLICE("name")));
    assert_true(slice_equal(nearest_word(words, 3, SLICE("name")), SLICE("name")));
    assert_int_equal(nearest_word(words, 3, SLICE("zzz")).size, 0);
    assert_int_equal(nearest_word(words, 3, SLICE("")).size, 0);
    assert_int_equal(nearest_word(words, 0, SLICE("name")).size, 0);
}

static void a_third_of_the_letters_and_one_may_differ(void **state)
{
    (void)state;
    const struct slice word = SLICE("listen");
    assert_int_equal(nearest_word(&word, 1, SLICE("lis")).size, 0);    /* 3 of 3: 2 may */
    assert_int_equal(nearest_word(&word, 1, SLICE("list")).size, 6);   /* 2 of 4 */
    assert_int_equal(nearest_word(&word, 1, SLICE("lixxxn")).size, 6); /* 3 of 6 */
    assert_int_equal(nearest_word(&word, 1, SLICE("lxxxxn")).size, 0);
}

static void of_equally_near_words_it_is_the_first(void **state)
{
    (void)state;
    static const struct slice words[] = {{"bat", 3}, {"cat", 3}, {"hat", 3}};
    assert_ptr_equal(nearest_word(words, 3, SLICE("rat")).data, words[0].data);
}

static void long_words_are_never_near(void **state)
{
    (void)state;
    static char text[41];
    memset(text, 'a', sizeof(text));
    const struct slice longest = slice_of(text, 40), too_long = slice_of(text, 41);
    assert_int_equal(nearest_word(&longest, 1, longest).size, 40);
    assert_int_equal(nearest_word(&longest, 1, too_long).size, 0);
    assert_int_equal(nearest_word(&too_long, 1, longest).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_of_some_words_is_found),
        cmocka_unit_test(a_third_of_the_letters_and_one_may_differ),
        cmocka_unit_test(of_equally_near_words_it_is_the_first),
        cmocka_unit_test(long_words_are_never_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
