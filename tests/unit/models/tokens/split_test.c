#include "models/tokens/split.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct token_pause no_pause;

/* The pieces of the text with a bar between them. */
static const char *pieces(split_function *split, const char *text)
{
    static char barred[512];
    const uint8_t *at = (const uint8_t *)text;
    const uint8_t *end = at + strlen(text);
    size_t size = 0;
    while (at < end) {
        const uint8_t *next = split(at, end, true, &no_pause);
        assert_non_null(next);
        assert_true(next > at && next <= end);
        assert_true(size + (size_t)(next - at) + 2 < sizeof(barred));
        if (size > 0)
            barred[size++] = '|';
        memcpy(barred + size, at, (size_t)(next - at));
        size += (size_t)(next - at);
        at = next;
    }
    barred[size] = '\0';
    return barred;
}

#define BOTH(text, expected)                                                                       \
    do {                                                                                           \
        assert_string_equal(pieces(split_o200k, text), expected);                                  \
        assert_string_equal(pieces(split_cl100k, text), expected);                                 \
    } while (0)
#define O200K(text, expected)  assert_string_equal(pieces(split_o200k, text), expected)
#define CL100K(text, expected) assert_string_equal(pieces(split_cl100k, text), expected)

static void words_take_the_sign_or_blank_before_them(void **state)
{
    (void)state;
    BOTH("Hello, world!", "Hello|,| world|!");
    BOTH("(a [b \tc", "(a| [|b| |\tc");
    BOTH("a  b", "a| | b");
    BOTH("!!a", "!!|a");
    BOTH("\na", "\n|a");
}

static void capitals_part_words_of_o200k_only(void **state)
{
    (void)state;
    O200K("camelCaseHTMLParser", "camel|Case|HTMLParser");
    CL100K("camelCaseHTMLParser", "camelCaseHTMLParser");
    O200K("ABC", "ABC");
    O200K("\xE4\xB8\xAD"
          "ABC x",
          "\xE4\xB8\xAD|ABC| x");
    O200K("\xE4\xB8\xAD"
          "ABc",
          "\xE4\xB8\xAD"
          "ABc");
}

static void marks_are_letters_to_o200k_and_signs_to_cl100k(void **state)
{
    (void)state;
    O200K("e\xCC\x81t", "e\xCC\x81t");
    CL100K("e\xCC\x81t", "e|\xCC\x81t");
    O200K("\xCC\x81"
          "AB",
          "\xCC\x81|AB");
    CL100K(" \xCC\x81.", " \xCC\x81.");
    O200K(" \xCC\x81.", " \xCC\x81|.");
}

static void contractions_end_a_word_or_stand_alone(void **state)
{
    (void)state;
    O200K("it's WE'RE I'd'x", "it's| WE'RE| I'd|'x");
    CL100K("it's WE'RE I'd'x", "it|'s| WE|'RE| I|'d|'x");
    O200K("a'\xC5\xBF'r", "a'\xC5\xBF|'r");
    CL100K("a'\xC5\xBF'r", "a|'\xC5\xBF|'r");
    BOTH("'", "'");
    O200K("a'", "a|'");
    CL100K("'rx", "'rx");
}

static void digits_go_by_threes(void **state)
{
    (void)state;
    BOTH("1234567 8", "123|456|7| |8");
    BOTH("1\xC2\xB2"
         "34",
         "1\xC2\xB2"
         "3|4");
}

static void signs_take_a_blank_before_and_line_breaks_behind(void **state)
{
    (void)state;
    BOTH(" ++\r\n\nx", " ++\r\n\n|x");
    O200K("/a/\n/b", "/a|/\n/|b");
    CL100K("/a/\n/b", "/a|/\n|/b");
}

static void white_space_ends_at_its_last_line_break_or_before_a_word(void **state)
{
    (void)state;
    BOTH("  \n\n  x", "  \n\n| | x");
    BOTH("   x", "  | x");
    BOTH(" 1", " |1");
    BOTH("x   ", "x|   ");
    O200K("\n  ", "\n|  ");
    CL100K("\n  ", "\n  ");
    BOTH("\xC2\x85\xE3\x80\x80!", "\xC2\x85|\xE3\x80\x80|!");
    BOTH("\xEF\xBB\xBF"
         "a",
         "\xEF\xBB\xBF"
         "a");
}

static void bytes_that_are_no_character_are_signs(void **state)
{
    (void)state;
    BOTH("\xFF\xC3(", "\xFF\xC3(");
    BOTH("\xE4\xB8", "\xE4\xB8");
    BOTH("\xED\xA0\x80!", "\xED\xA0\x80!");
}

static void what_could_go_on_is_not_decided_before_the_end(void **state)
{
    (void)state;
    static const char *const open[] = {"a",      "a'", "a'r", " ",        "\n",      "!",
                                       "12",     " a", "  ",  "\xE4\xB8", "\n\n  ",  "'",
                                       "a'\xC5", "! ", "1 ",  "!\n",      "\xCC\x81"};
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        const uint8_t *at = (const uint8_t *)open[i];
        const uint8_t *end = at + strlen(open[i]);
        while (at != NULL && at < end)
            at = split_o200k(at, end, false, &no_pause);
        assert_null(at);
    }
    const uint8_t *text = (const uint8_t *)"123x";
    assert_ptr_equal(split_o200k(text, text + 3, false, &no_pause), text + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_take_the_sign_or_blank_before_them),
        cmocka_unit_test(capitals_part_words_of_o200k_only),
        cmocka_unit_test(marks_are_letters_to_o200k_and_signs_to_cl100k),
        cmocka_unit_test(contractions_end_a_word_or_stand_alone),
        cmocka_unit_test(digits_go_by_threes),
        cmocka_unit_test(signs_take_a_blank_before_and_line_breaks_behind),
        cmocka_unit_test(white_space_ends_at_its_last_line_break_or_before_a_word),
        cmocka_unit_test(bytes_that_are_no_character_are_signs),
        cmocka_unit_test(what_could_go_on_is_not_decided_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
