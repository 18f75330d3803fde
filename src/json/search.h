/* Searches over many bytes at once, 16 with SSE2 and 8 in a plain word elsewhere. Internal to
 * json/ and to those who search JSON text themselves (dialect/).
 *
 * A block is some bytes side by side; a test gives a block in which the bytes that pass are
 * marked; its mask has one bit for each of them, the first byte's lowest. */
#ifndef JSON_SEARCH_H
#define JSON_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "json/json.h"

#ifdef __SSE2__
#include <emmintrin.h>

typedef __m128i json_block;
#define JSON_BLOCK_BYTES ((ptrdiff_t)16)
#define JSON_BITS_A_BYTE 1

static inline json_block json_block_load(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline json_block json_block_equal(json_block block, char byte)
{
    return _mm_cmpeq_epi8(block, _mm_set1_epi8(byte));
}

/* Control characters and bytes outside ASCII, which are negative here. */
static inline json_block json_block_unplain(json_block block)
{
    return _mm_cmplt_epi8(block, _mm_set1_epi8(0x20));
}

/* With these bits set in every byte. */
static inline json_block json_block_merge(json_block block, char bits)
{
    return _mm_or_si128(block, _mm_set1_epi8(bits));
}

static inline json_block json_block_or(json_block a, json_block b)
{
    return _mm_or_si128(a, b);
}

static inline json_block json_block_and(json_block a, json_block b)
{
    return _mm_and_si128(a, b);
}

static inline uint64_t json_block_mask(json_block marks)
{
    return (uint64_t)(unsigned)_mm_movemask_epi8(marks);
}

#else
#include <endian.h>

/* A marked byte has its highest bit set. A borrow may mark bytes behind a rightly marked one too:
 * only the first mark is sure, the others need another look. */
typedef uint64_t json_block;
#define JSON_BLOCK_BYTES ((ptrdiff_t)8)
#define JSON_BITS_A_BYTE 8
#define JSON_BLOCK_ONES  UINT64_C(0x0101010101010101)
#define JSON_BLOCK_HIGHS (JSON_BLOCK_ONES * 0x80)

static inline json_block json_block_load(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
    return le64toh(word);
}

static inline json_block json_block_equal(json_block block, char byte)
{
    const uint64_t difference = block ^ (JSON_BLOCK_ONES * (unsigned char)byte);
    return (difference - JSON_BLOCK_ONES) & ~difference & JSON_BLOCK_HIGHS;
}

static inline json_block json_block_unplain(json_block block)
{
    return (((block - JSON_BLOCK_ONES * 0x20) & ~block) | block) & JSON_BLOCK_HIGHS;
}

static inline json_block json_block_merge(json_block block, char bits)
{
    return block | (JSON_BLOCK_ONES * (unsigned char)bits);
}

static inline json_block json_block_or(json_block a, json_block b)
{
    return a | b;
}

static inline json_block json_block_and(json_block a, json_block b)
{
    return a & b;
}

static inline uint64_t json_block_mask(json_block marks)
{
    return marks;
}

#endif

/* The place in the block of the first marked byte; the mask is not 0. */
static inline size_t json_mask_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask) / JSON_BITS_A_BYTE;
}

/* The first byte of [at, end) that is not simply a character of a string: a quote, a backslash, a
 * control character or a byte outside ASCII; `end` (or `at`, if that is behind it) if none. */
static inline const char *json_search_special(const char *at, const char *end)
{
    for (; end - at >= JSON_BLOCK_BYTES; at += JSON_BLOCK_BYTES) {
        const json_block block = json_block_load(at);
        const uint64_t mask = json_block_mask(
            json_block_or(json_block_unplain(block), json_block_or(json_block_equal(block, '"'),
                                                                   json_block_equal(block, '\\'))));
        if (mask != 0)
            return at + json_mask_first(mask);
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' &&
           *at != '\\')
        at++;
    return at;
}

/* The first quote or backslash of [at, end), or `end`. */
static inline const char *json_search_quote(const char *at, const char *end)
{
    for (; end - at >= JSON_BLOCK_BYTES; at += JSON_BLOCK_BYTES) {
        const json_block block = json_block_load(at);
        const uint64_t mask = json_block_mask(
            json_block_or(json_block_equal(block, '"'), json_block_equal(block, '\\')));
        if (mask != 0)
            return at + json_mask_first(mask);
    }
    while (at < end && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* Most strings are short and have no escape: behind the closing quote of the one that begins at `at`, if it
 * is in the first block; else NULL. */
static inline const char *json_short_string_end(const char *at, const char *end)
{
    if (end - at < JSON_BLOCK_BYTES)
        return NULL;
    const json_block block = json_block_load(at);
    const uint64_t mask =
        json_block_mask(json_block_or(json_block_equal(block, '"'), json_block_equal(block, '\\')));
    const char *found = at + (mask != 0 ? json_mask_first(mask) : 0);
    return mask != 0 && *found == '"' ? found + 1 : NULL;
}

/* The same for a string that is read for the first time: nothing but ASCII is in it either. */
static inline const char *json_short_plain_end(const char *at, const char *end)
{
    if (end - at < JSON_BLOCK_BYTES)
        return NULL;
    const json_block block = json_block_load(at);
    const uint64_t mask = json_block_mask(
        json_block_or(json_block_unplain(block),
                      json_block_or(json_block_equal(block, '"'), json_block_equal(block, '\\'))));
    const char *found = at + (mask != 0 ? json_mask_first(mask) : 0);
    return mask != 0 && *found == '"' ? found + 1 : NULL;
}

/* The first quote, bracket or brace of [at, end), or `end`. */
static inline const char *json_search_structure(const char *at, const char *end)
{
    for (; end - at >= JSON_BLOCK_BYTES; at += JSON_BLOCK_BYTES) {
        const json_block block = json_block_load(at);
        const json_block lower = json_block_merge(block, 0x20); /* brackets become braces */
        const uint64_t mask = json_block_mask(json_block_or(
            json_block_equal(block, '"'),
            json_block_or(json_block_equal(lower, '{'), json_block_equal(lower, '}'))));
        if (mask != 0)
            return at + json_mask_first(mask);
    }
    while (at < end && *at != '"' && (*at | 0x20) != '{' && (*at | 0x20) != '}')
        at++;
    return at;
}

/* --- 64 bytes at a time, of text in and outside strings -------------------------------------------- */

#define JSON_STRETCH_BYTES ((ptrdiff_t)64)

/* What is carried from stretch to stretch. */
struct json_stretch_state {
    uint64_t is_in_string; /* all ones: a string goes on */
    uint64_t is_escaped;   /* 1: the first byte is behind a backslash */
};

#ifdef __SSE2__
static inline uint64_t json_stretch_equal(const json_block blocks[4], char byte)
{
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= json_block_mask(json_block_equal(blocks[i], byte)) << (16 * i);
    return mask;
}

static inline bool json_stretch_has(const json_block blocks[4], char byte)
{
    json_block found = json_block_equal(blocks[0], byte);
    for (int i = 1; i < 4; i++)
        found = json_block_or(found, json_block_equal(blocks[i], byte));
    return json_block_mask(found) != 0;
}

static inline uint64_t json_stretch_brackets(const json_block blocks[4])
{
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) {
        const json_block lower = json_block_merge(blocks[i], 0x20); /* brackets become braces */
        mask |= json_block_mask(
                    json_block_or(json_block_equal(lower, '{'), json_block_equal(lower, '}')))
                << (16 * i);
    }
    return mask;
}

/* The bytes that a backslash escapes: each second of those that stand side by side, and what follows
 * an odd number of them. Where a run starts on an odd place, an addition carries through it. */
static inline uint64_t json_stretch_escaped(uint64_t backslashes, struct json_stretch_state *state)
{
    const uint64_t even = UINT64_C(0x5555555555555555);
    uint64_t sum;
    backslashes &= ~state->is_escaped;
    const uint64_t following = backslashes << 1 | state->is_escaped;
    const uint64_t odd_starts = backslashes & ~even & ~following;
    state->is_escaped = __builtin_add_overflow(odd_starts, backslashes, &sum) ? 1 : 0;
    return (even ^ sum << 1) & following;
}

/* Each bit becomes the parity of those up to it. */
static inline uint64_t json_stretch_parity(uint64_t bits)
{
    for (int i = 1; i < 64; i *= 2)
        bits ^= bits << i;
    return bits;
}

/* The brackets and braces of a stretch that stand outside strings, a bit for each byte. */
static inline uint64_t json_stretch_read(const char *at, struct json_stretch_state *state)
{
    json_block blocks[4];
    for (int i = 0; i < 4; i++)
        blocks[i] = json_block_load(at + JSON_BLOCK_BYTES * i);
    uint64_t quotes = json_stretch_equal(blocks, '"');
    if (state->is_escaped != 0 || json_stretch_has(blocks, '\\'))
        quotes &= ~json_stretch_escaped(json_stretch_equal(blocks, '\\'), state);
    if (quotes == 0 && state->is_in_string != 0)
        return 0;
    const uint64_t strings = json_stretch_parity(quotes) ^ state->is_in_string;
    state->is_in_string = (uint64_t)((int64_t)strings >> 63);
    return json_stretch_brackets(blocks) & ~strings;
}

#else
static inline uint64_t json_stretch_read(const char *at, struct json_stretch_state *state)
{
    uint64_t brackets = 0;
    for (int i = 0; i < JSON_STRETCH_BYTES; i++) {
        const char lower = (char)(at[i] | 0x20);
        const bool is_escaped = state->is_escaped != 0;
        state->is_escaped = !is_escaped && at[i] == '\\';
        if (at[i] == '"' && !is_escaped)
            state->is_in_string = ~state->is_in_string;
        else if (state->is_in_string == 0 && (lower == '{' || lower == '}'))
            brackets |= UINT64_C(1) << i;
    }
    return brackets;
}
#endif

static inline bool json_is_space(char byte)
{
    return (unsigned char)byte <= ' ' &&
           (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t');
}

static inline bool json_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The type of the value that starts with this byte; false if none does. */
static inline bool json_type_of(char first, enum json_type *type_out)
{
    static const uint8_t types[256] = {
        ['n'] = JSON_TYPE_NULL + 1,   ['t'] = JSON_TYPE_BOOL + 1,   ['f'] = JSON_TYPE_BOOL + 1,
        ['-'] = JSON_TYPE_NUMBER + 1, ['0'] = JSON_TYPE_NUMBER + 1, ['1'] = JSON_TYPE_NUMBER + 1,
        ['2'] = JSON_TYPE_NUMBER + 1, ['3'] = JSON_TYPE_NUMBER + 1, ['4'] = JSON_TYPE_NUMBER + 1,
        ['5'] = JSON_TYPE_NUMBER + 1, ['6'] = JSON_TYPE_NUMBER + 1, ['7'] = JSON_TYPE_NUMBER + 1,
        ['8'] = JSON_TYPE_NUMBER + 1, ['9'] = JSON_TYPE_NUMBER + 1, ['"'] = JSON_TYPE_STRING + 1,
        ['['] = JSON_TYPE_ARRAY + 1,  ['{'] = JSON_TYPE_OBJECT + 1,
    };
    const uint8_t type = types[(unsigned char)first];
    if (type == 0)
        return false;
    *type_out = (enum json_type)(type - 1);
    return true;
}

static inline bool json_is_utf8_tail(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The size of the character at `at` (< end), 1 to 4, and its code; 0: it is no UTF-8 (RFC 3629:
 * overlong forms, surrogates and codes over U+10FFFF are none). */
static inline size_t json_utf8_next(const char *at, const char *end, uint32_t *code_out)
{
    const unsigned char *bytes = (const unsigned char *)at;
    const ptrdiff_t left = end - at;
    const uint32_t lead = bytes[0];

    *code_out = lead;
    if (lead < 0x80)
        return 1;
    if (lead < 0xE0) {
        if (lead < 0xC2 || left < 2 || !json_is_utf8_tail(bytes[1]))
            return 0;
        *code_out = (lead & 0x1F) << 6 | (bytes[1] & 0x3Fu);
        return 2;
    }
    if (left < 3 || !json_is_utf8_tail(bytes[1]) || !json_is_utf8_tail(bytes[2]))
        return 0;
    const uint32_t code = (lead & 0x0F) << 12 | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu);
    if (lead < 0xF0) {
        *code_out = code;
        return code < 0x800 || (code >= 0xD800 && code < 0xE000) ? 0 : 3;
    }
    if (left < 4 || !json_is_utf8_tail(bytes[3]) || lead > 0xF4)
        return 0;
    *code_out = (lead & 0x07) << 18 | (bytes[1] & 0x3Fu) << 12 | (bytes[2] & 0x3Fu) << 6 |
                (bytes[3] & 0x3Fu);
    return *code_out < 0x10000 || *code_out > 0x10FFFF ? 0 : 4;
}

#ifdef __SSE2__
static inline uint32_t json_mask16(json_block marks)
{
    return (uint32_t)_mm_movemask_epi8(marks);
}

/* Goes from `at`, where a character starts, over whole characters of a string in steps of 16
 * bytes, and stops at the start of a character before the first step that wants a closer look:
 * because a byte in it is a quote, a backslash, a control character, part of a character of four
 * bytes, or wrong. All is in masks of one bit a byte; what is wanted of the next step is carried. */
static inline const char *json_skip_utf8(const char *at, const char *end)
{
    uint32_t wanted = 0; /* where tails must be; above bit 15, in the next step */
    uint32_t after_e0 = 0;
    uint32_t after_ed = 0;
    for (; end - at >= JSON_BLOCK_BYTES; at += JSON_BLOCK_BYTES) {
        const json_block block = json_block_load(at);
        const uint32_t high = json_mask16(block);
        const uint32_t tails = json_mask16(_mm_cmplt_epi8(block, _mm_set1_epi8((char)0xC0)));
        const uint32_t leads_of_3 = json_mask16(_mm_cmpgt_epi8(block, _mm_set1_epi8((char)0xDF)));
        const uint32_t now_wanted = wanted >> 16 | (high & ~tails) << 1 | (leads_of_3 & high) << 2;
        /* Tails from A0 on must follow E0 (else it is overlong), must not follow ED (surrogates). */
        const uint32_t upper = json_mask16(_mm_slli_epi16(block, 2));
        const uint32_t now_e0 = after_e0 >> 16 | json_mask16(json_block_equal(block, (char)0xE0))
                                                     << 1;
        const uint32_t now_ed = after_ed >> 16 | json_mask16(json_block_equal(block, (char)0xED))
                                                     << 1;

        /* C0 and C1 are overlong, F0 and above are longer or wrong. */
        const json_block overlong = json_block_equal(json_block_merge(block, 1), (char)0xC1);
        const uint32_t longer = json_mask16(_mm_cmpgt_epi8(block, _mm_set1_epi8((char)0xEF)));
        const json_block control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1F)), block);
        const json_block quote =
            json_block_or(json_block_equal(block, '"'), json_block_equal(block, '\\'));
        const uint32_t odd = json_mask16(json_block_or(overlong, json_block_or(control, quote))) |
                             (longer & high) | (now_e0 & ~upper & 0xFFFF) | (now_ed & upper) |
                             ((now_wanted ^ tails) & 0xFFFF);
        if (odd != 0)
            break;
        wanted = now_wanted;
        after_e0 = now_e0;
        after_ed = now_ed;
    }
    if (wanted >> 16 != 0) { /* back to the start of the character that goes on here */
        do
            at--;
        while (json_is_utf8_tail((unsigned char)*at));
    }
    return at;
}
#else
static inline const char *json_skip_utf8(const char *at, const char *end)
{
    (void)end;
    return at;
}
#endif

/* Where to stop for the next pause: `end`, if nobody wants one. */
static inline const char *json_pause_stop(const struct json_limits *limits, const char *at,
                                          const char *end)
{
    return limits->pause != NULL && (size_t)(end - at) > JSON_PAUSE_BYTES ? at + JSON_PAUSE_BYTES
                                                                          : end;
}

#endif
