/* What the split patterns of the tokenizers tell apart: Unicode's general categories, folded to
 * eight classes, and White_Space.
 *
 * The tables (16 KiB, constant) are written by tools/character-classes. Thread: any. */
#ifndef MODELS_TOKENS_CHARACTER_CLASSES_H
#define MODELS_TOKENS_CHARACTER_CLASSES_H

#include <stdint.h>

enum character_class {
    CHARACTER_UPPER,   /* Lu, Lt */
    CHARACTER_LOWER,   /* Ll */
    CHARACTER_LETTER,  /* Lm, Lo */
    CHARACTER_MARK,    /* M */
    CHARACTER_NUMBER,  /* N */
    CHARACTER_SPACE,   /* White_Space but for the next */
    CHARACTER_NEWLINE, /* U+000A and U+000D */
    CHARACTER_OTHER,
    CHARACTER_NONE, /* no character: the text ends; in no table */
};

#define CHARACTER_TABLE_END UINT32_C(0x32400)

extern const uint64_t character_index[];  /* eight blocks a word */
extern const uint64_t character_blocks[]; /* eight words of 16 characters a block */

/* The class of any code up to U+10FFFF. */
static inline enum character_class character_class_of(uint32_t code)
{
    if (code >= CHARACTER_TABLE_END) /* the variation selectors are marks */
        return code - 0xE0100 < 240 ? CHARACTER_MARK : CHARACTER_OTHER;
    const uint64_t block = character_index[code >> 10] >> (code >> 7 & 7) * 8 & 0xFF;
    return (enum character_class)(character_blocks[block * 8 + (code >> 4 & 7)] >> (code & 15) * 4 &
                                  15);
}

#endif
