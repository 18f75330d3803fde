#include "telemetry/escape.h"

#include "telemetry/utf8.h"

#define REPLACEMENT SLICE("\xef\xbf\xbd") /* U+FFFD */

struct range {
    uint32_t first, last;
};

/* C0 and C1 controls; line and paragraph separator; direction marks, embeddings and isolates. */
static const struct range harmful[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0x61c, 0x61c},   {0x200e, 0x200f},
    {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff},
};

static bool is_harmful(uint32_t code)
{
    for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++) {
        if (code >= harmful[i].first && code <= harmful[i].last)
            return true;
    }
    return false;
}

/* All harmful characters lie in the basic plane, so four digits do. */
static void append_u_escape(struct buffer *out, uint32_t code)
{
    static const char digits[] = "0123456789abcdef";
    const char text[] = {'\\',
                         'u',
                         digits[code >> 12 & 15],
                         digits[code >> 8 & 15],
                         digits[code >> 4 & 15],
                         digits[code & 15]};
    buffer_append(out, slice_of(text, sizeof(text)));
}

/* What a form of text does with the characters that do not pass as they are. */
struct escape_form {
    char (*letter_of)(uint32_t code); /* that stands for it after a backslash; or zero */
    bool has_numbers;                 /* \uXXXX is understood; else a replacement has to do */
};

static char json_letter(uint32_t code)
{
    switch (code) {
    case '"':
    case '\\':
        return (char)code;
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return '\0';
    }
}

static char plain_letter(uint32_t code)
{
    return code == '"' ? '\0' : json_letter(code);
}

static char label_letter(uint32_t code)
{
    return code == '\r' || code == '\t' ? '\0' : json_letter(code);
}

static const struct escape_form json_form = {json_letter, true};
static const struct escape_form plain_form = {plain_letter, true};
static const struct escape_form label_form = {label_letter, false};

static bool passes(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static size_t passing_size(struct slice text, size_t at)
{
    size_t end = at;
    while (end < text.size && passes((unsigned char)text.data[end]))
        end++;
    return end - at;
}

/* Writes the character at `at` and returns its size. */
static size_t escape_one(struct buffer *out, struct slice text, size_t at,
                         const struct escape_form *form)
{
    uint32_t code;
    const size_t size = utf8_next(text, at, &code);
    const char letter = form->letter_of(code);
    const bool harmful_code = code == UTF8_INVALID || is_harmful(code);

    if (letter != '\0')
        buffer_append(out, slice_of((const char[]){'\\', letter}, 2));
    else if (!harmful_code)
        buffer_append(out, slice_of(text.data + at, size));
    else if (code == UTF8_INVALID || !form->has_numbers)
        buffer_append(out, REPLACEMENT);
    else
        append_u_escape(out, code);
    return size;
}

static void escape(struct buffer *out, struct slice text, const struct escape_form *form)
{
    for (size_t at = 0; at < text.size;) {
        const size_t passing = passing_size(text, at);
        buffer_append(out, slice_of(text.data + at, passing));
        at += passing;
        if (at < text.size)
            at += escape_one(out, text, at, form);
    }
}

void escape_json(struct buffer *out, struct slice text)
{
    escape(out, text, &json_form);
}

void escape_plain(struct buffer *out, struct slice text)
{
    escape(out, text, &plain_form);
}

void escape_word(struct buffer *out, struct slice text)
{
    if (text.size > 0 && passing_size(text, 0) == text.size &&
        slice_find_byte(text, ' ') == text.size) {
        buffer_append(out, text);
        return;
    }
    buffer_append_byte(out, '"');
    escape(out, text, &json_form);
    buffer_append_byte(out, '"');
}

void escape_label(struct buffer *out, struct slice text)
{
    escape(out, text, &label_form);
}
