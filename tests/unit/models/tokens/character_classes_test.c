#include "models/tokens/character_classes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void characters_are_of_the_class_that_unicode_says(void **state)
{
    (void)state;
    static const struct {
        uint32_t code;
        enum character_class class;
    } known[] = {
        {0x00, CHARACTER_OTHER},     {0x0A, CHARACTER_NEWLINE},   {0x0B, CHARACTER_SPACE},
        {0x0D, CHARACTER_NEWLINE},   {0x1C, CHARACTER_OTHER},     {0x20, CHARACTER_SPACE},
        {'0', CHARACTER_NUMBER},     {'A', CHARACTER_UPPER},      {'z', CHARACTER_LOWER},
        {'~', CHARACTER_OTHER},      {0x85, CHARACTER_SPACE},     {0xA0, CHARACTER_SPACE},
        {0xAA, CHARACTER_LETTER},    {0xB2, CHARACTER_NUMBER},    {0x17F, CHARACTER_LOWER},
        {0x1C5, CHARACTER_UPPER},    {0x2B0, CHARACTER_LETTER},   {0x301, CHARACTER_MARK},
        {0x200B, CHARACTER_OTHER},   {0x2028, CHARACTER_SPACE},   {0x2167, CHARACTER_NUMBER},
        {0x3000, CHARACTER_SPACE},   {0x4E00, CHARACTER_LETTER},  {0xAC00, CHARACTER_LETTER},
        {0xD800, CHARACTER_OTHER},   {0xFEFF, CHARACTER_OTHER},   {0x1D400, CHARACTER_UPPER},
        {0x1F600, CHARACTER_OTHER},  {0x323AF, CHARACTER_LETTER}, {0x323B0, CHARACTER_OTHER},
        {0x323FF, CHARACTER_OTHER},  {0x32400, CHARACTER_OTHER},  {0xE00FF, CHARACTER_OTHER},
        {0xE0100, CHARACTER_MARK},   {0xE01EF, CHARACTER_MARK},   {0xE01F0, CHARACTER_OTHER},
        {0x10FFFF, CHARACTER_OTHER},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        assert_int_equal(character_class_of(known[i].code), known[i].class);
}

static void the_classes_have_the_sizes_that_unicode_16_has(void **state)
{
    (void)state;
    unsigned sizes[CHARACTER_NONE + 1] = {0};
    for (uint32_t code = 0; code <= 0x10FFFF; code++)
        sizes[character_class_of(code)]++;
    assert_int_equal(sizes[CHARACTER_UPPER], 1889);
    assert_int_equal(sizes[CHARACTER_LOWER], 2258);
    assert_int_equal(sizes[CHARACTER_LETTER], 136881);
    assert_int_equal(sizes[CHARACTER_MARK], 2501);
    assert_int_equal(sizes[CHARACTER_NUMBER], 1911);
    assert_int_equal(sizes[CHARACTER_SPACE], 23);
    assert_int_equal(sizes[CHARACTER_NEWLINE], 2);
    assert_int_equal(sizes[CHARACTER_NONE], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_of_the_class_that_unicode_says),
        cmocka_unit_test(the_classes_have_the_sizes_that_unicode_16_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
