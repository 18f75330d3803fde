#include "models/tokens/split.h"

#include <stddef.h>

#include "models/tokens/character_classes.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define U CHARACTER_UPPER
#define L CHARACTER_LOWER
#define N CHARACTER_NUMBER
#define S CHARACTER_SPACE
#define R CHARACTER_NEWLINE
#define O CHARACTER_OTHER
static const uint8_t ascii_classes[128] = {
    O, O, O, O, O, O, O, O, O, S, R, S, S, R, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    S, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, N, N, N, N, N, N, N, N, N, N, O, O, O, O, O, O,
    O, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U, O, O, O, O, O,
    O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O,
};
#undef U
#undef L
#undef N
#undef S
#undef R
#undef O

struct reader {
    const uint8_t *end;     /* of this stretch: then comes a pause */
    const uint8_t *all_end; /* where the text at hand ends */
    bool is_last;           /* so does the text itself */
    bool is_short;          /* something was asked for that lies behind it */
    const struct token_pause *pause;
};

struct character {
    enum character_class class;
    unsigned size; /* in bytes; 0 of CHARACTER_NONE */
};

static inline bool is_tail(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The size by the first byte; 0: no character starts with it. */
static inline unsigned size_of_lead(uint8_t lead)
{
    if (lead < 0xE0)
        return lead < 0xC2 ? 0 : 2;
    return lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
}

/* The stretches behind one another; false at the end of the text at hand. */
static bool go_on(struct reader *reader)
{
    const size_t left = (size_t)(reader->all_end - reader->end);
    if (left == 0)
        return false;
    token_pause_call(reader->pause);
    reader->end += left < TOKEN_PAUSE_BYTES ? left : TOKEN_PAUSE_BYTES;
    return true;
}

/* Has `count` bytes in the stretch, if the text has them. */
static inline void want(struct reader *reader, const uint8_t *at, ptrdiff_t count)
{
    if (reader->end - at < count)
        (void)go_on(reader);
}

static struct character read_wide(struct reader *reader, const uint8_t *at)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned size = size_of_lead(*at);
    uint32_t code = *at & 0x7Fu >> size;
    want(reader, at, 4);
    for (unsigned i = 1; i < size; i++) {
        if (at + i == reader->end && !reader->is_last) {
            reader->is_short = true;
            return (struct character){CHARACTER_NONE, 0};
        }
        if (at + i == reader->end || !is_tail(at[i]))
            return (struct character){CHARACTER_OTHER, 1};
        code = code << 6 | (at[i] & 0x3Fu);
    }
    if (size == 0 || code < least[size] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return (struct character){CHARACTER_OTHER, 1};
    return (struct character){character_class_of(code), size};
}

static inline struct character read_at(struct reader *reader, const uint8_t *at)
{
    if (at == reader->end && !go_on(reader)) {
        reader->is_short = true;
        return (struct character){CHARACTER_NONE, 0};
    }
    if (*at < 0x80)
        return (struct character){(enum character_class)ascii_classes[*at], 1};
    /* U+5000 to U+9FFF, ideographs all, are what most wide characters are. */
    if (*at >= 0xE5 && *at <= 0xE9 && reader->end - at >= 3 && is_tail(at[1]) && is_tail(at[2]))
        return (struct character){CHARACTER_LETTER, 3};
    return read_wide(reader, at);
}

/* Letters, and marks, which o200k_base takes as letters. */
static inline bool is_letter_or_mark(enum character_class class)
{
    return class <= CHARACTER_MARK;
}

static inline bool is_letter(enum character_class class)
{
    return class <= CHARACTER_LETTER;
}

/* The first byte of [at, end) that is not a to z. */
static inline const uint8_t *skip_small_letters(const uint8_t *at, const uint8_t *end)
{
#ifdef __SSE2__
    for (; end - at >= 16; at += 16) {
        const __m128i block = _mm_loadu_si128((const __m128i *)(const void *)at);
        const __m128i moved = _mm_add_epi8(block, _mm_set1_epi8((char)(0x80 - 'a')));
        const __m128i others = _mm_cmpgt_epi8(moved, _mm_set1_epi8((char)(0x80 + 25)));
        const unsigned mask = (unsigned)_mm_movemask_epi8(others);
        if (mask != 0)
            return at + __builtin_ctz(mask);
    }
#endif
    while (at < end && *at >= 'a' && *at <= 'z')
        at++;
    return at;
}

/* 's 't 're 've 'm 'll 'd in either case, and 'ſ, which folds to 's: the end, or `at` if none. */
static const uint8_t *skip_contraction(struct reader *reader, const uint8_t *at)
{
    want(reader, at, 3);
    const ptrdiff_t left = reader->end - at;
    if (left == 0 || *at != '\'')
        return at;
    if (left == 1) {
        reader->is_short = true;
        return at;
    }
    const uint8_t first = at[1] | 0x20;
    if (at[1] < 0x80 && (first == 's' || first == 't' || first == 'm' || first == 'd'))
        return at + 2;
    const bool is_long_s = at[1] == 0xC5;
    const bool may_be_two = at[1] < 0x80 && (first == 'r' || first == 'v' || first == 'l');
    if (!is_long_s && !may_be_two)
        return at;
    if (left == 2) {
        reader->is_short = true;
        return at;
    }
    if (is_long_s)
        return at[2] == 0xBF ? at + 3 : at;
    return at[2] < 0x80 && (at[2] | 0x20) == (first == 'l' ? 'l' : 'e') ? at + 3 : at;
}

/* [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+, else the first of both alone; a
 * contraction. The first run takes all it can. If no small letter follows, the second needs one
 * that both take, so the run ends behind the last such. */
static const uint8_t *skip_word_o200k(struct reader *reader, const uint8_t *at)
{
    const uint8_t *behind_either = NULL;
    struct character next = read_at(reader, at);
    for (; is_letter_or_mark(next.class) && next.class != CHARACTER_LOWER;
         next = read_at(reader, at)) {
        at += next.size;
        if (next.class != CHARACTER_UPPER)
            behind_either = at;
    }
    if (next.class == CHARACTER_LOWER) {
        do {
            at = skip_small_letters(at + next.size, reader->end);
            next = read_at(reader, at);
        } while (is_letter_or_mark(next.class) && next.class != CHARACTER_UPPER);
    } else if (behind_either != NULL) {
        at = behind_either;
    }
    return skip_contraction(reader, at);
}

/* \p{L}+ */
static const uint8_t *skip_word_cl100k(struct reader *reader, const uint8_t *at)
{
    struct character next = read_at(reader, at);
    while (is_letter(next.class)) {
        at = skip_small_letters(at + next.size, reader->end);
        next = read_at(reader, at);
    }
    return at;
}

/* \p{N}{1,3} */
static const uint8_t *skip_digits(struct reader *reader, const uint8_t *at)
{
    for (int i = 0; i < 3; i++) {
        const struct character next = read_at(reader, at);
        if (next.class != CHARACTER_NUMBER)
            break;
        at += next.size;
    }
    return at;
}

/* [^\s\p{L}\p{N}]+[\r\n/]* (o200k_base) or [^\s\p{L}\p{N}]+[\r\n]* (cl100k_base). */
static const uint8_t *skip_signs(struct reader *reader, const uint8_t *at, bool with_slashes)
{
    struct character next = read_at(reader, at);
    while (next.class == CHARACTER_OTHER || next.class == CHARACTER_MARK) {
        at += next.size;
        next = read_at(reader, at);
    }
    while (next.class == CHARACTER_NEWLINE || (with_slashes && next.size == 1 && *at == '/')) {
        at++;
        next = read_at(reader, at);
    }
    return at;
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ : up to the last line break of the run; else all at the end of the
 * text; else all but the last character, which belongs to the word behind it. cl100k_base has
 * \s++$ before these: there, the end of the text goes first. */
static const uint8_t *skip_space(struct reader *reader, const uint8_t *at, bool end_first)
{
    const uint8_t *start = at;
    const uint8_t *last = at;
    const uint8_t *behind_newline = NULL;
    struct character next = read_at(reader, at);
    while (next.class == CHARACTER_SPACE || next.class == CHARACTER_NEWLINE) {
        last = at;
        at += next.size;
        if (next.class == CHARACTER_NEWLINE)
            behind_newline = at;
        next = read_at(reader, at);
    }
    if (end_first && next.class == CHARACTER_NONE)
        return at;
    if (behind_newline != NULL)
        return behind_newline;
    return next.class == CHARACTER_NONE || last == start ? at : last;
}

static inline struct reader reader_of(const uint8_t *at, const uint8_t *end, bool is_last,
                                      const struct token_pause *pause)
{
    const bool is_long = (size_t)(end - at) > TOKEN_PAUSE_BYTES;
    return (struct reader){.end = is_long ? at + TOKEN_PAUSE_BYTES : end,
                           .all_end = end,
                           .is_last = is_last,
                           .pause = pause};
}

static inline const uint8_t *decided(const struct reader *reader, const uint8_t *end_of_piece)
{
    return reader->is_short && !reader->is_last ? NULL : end_of_piece;
}

const uint8_t *split_o200k(const uint8_t *at, const uint8_t *end, bool is_last,
                           const struct token_pause *pause)
{
    struct reader reader = reader_of(at, end, is_last, pause);
    const struct character first = read_at(&reader, at);
    if (is_letter_or_mark(first.class))
        return decided(&reader, skip_word_o200k(&reader, at));
    if (first.class == CHARACTER_NUMBER)
        return decided(&reader, skip_digits(&reader, at));
    if (first.class == CHARACTER_NONE)
        return NULL;
    if (first.class == CHARACTER_NEWLINE)
        return decided(&reader, skip_space(&reader, at, false));
    const struct character second = read_at(&reader, at + first.size);
    if (is_letter_or_mark(second.class))
        return decided(&reader, skip_word_o200k(&reader, at + first.size));
    if (first.class == CHARACTER_OTHER || (*at == ' ' && second.class == CHARACTER_OTHER))
        return decided(&reader, skip_signs(&reader, at + first.size, true));
    return decided(&reader, skip_space(&reader, at, false));
}

const uint8_t *split_cl100k(const uint8_t *at, const uint8_t *end, bool is_last,
                            const struct token_pause *pause)
{
    struct reader reader = reader_of(at, end, is_last, pause);
    const struct character first = read_at(&reader, at);
    if (is_letter(first.class))
        return decided(&reader, skip_word_cl100k(&reader, at));
    if (first.class == CHARACTER_NUMBER)
        return decided(&reader, skip_digits(&reader, at));
    if (first.class == CHARACTER_NONE)
        return NULL;
    if (first.class == CHARACTER_NEWLINE)
        return decided(&reader, skip_space(&reader, at, true));
    if (*at == '\'') {
        const uint8_t *behind = skip_contraction(&reader, at);
        if (behind != at || (reader.is_short && !is_last))
            return decided(&reader, behind);
    }
    const struct character second = read_at(&reader, at + first.size);
    if (is_letter(second.class))
        return decided(&reader, skip_word_cl100k(&reader, at + first.size));
    const bool is_sign = first.class == CHARACTER_OTHER || first.class == CHARACTER_MARK;
    const bool before_sign = second.class == CHARACTER_OTHER || second.class == CHARACTER_MARK;
    if (is_sign || (*at == ' ' && before_sign))
        return decided(&reader, skip_signs(&reader, at + first.size, false));
    return decided(&reader, skip_space(&reader, at, true));
}
