#include "json/value.h"

#include "base/assert.h"
#include "json/search.h"

#define REPLACEMENT 0xFFFDu
#define LONG_S      0x017Fu
#define KELVIN      0x212Au

const char *json_type_name(enum json_type type)
{
    static const char *const names[JSON_TYPE_COUNT] = {
        [JSON_TYPE_NULL] = "null",       [JSON_TYPE_BOOL] = "a boolean",
        [JSON_TYPE_NUMBER] = "a number", [JSON_TYPE_STRING] = "a string",
        [JSON_TYPE_ARRAY] = "an array",  [JSON_TYPE_OBJECT] = "an object",
    };
    ASSERT(type < JSON_TYPE_COUNT);
    return names[type];
}

/* --- strings --- */

static uint32_t hex4(const char *at)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        const uint32_t digit =
            json_is_digit(at[i]) ? (uint32_t)(at[i] - '0') : (uint32_t)((at[i] | 0x20) - 'a' + 10);
        value = value << 4 | (digit & 15);
    }
    return value;
}

/* Behind "\u"; takes the second half of a pair too. */
static uint32_t take_unicode(const char **at, const char *end)
{
    if (end - *at < 4) {
        *at = end;
        return REPLACEMENT;
    }
    const uint32_t first = hex4(*at);
    *at += 4;
    if (first < 0xD800 || first > 0xDFFF)
        return first;
    if (first > 0xDBFF || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return REPLACEMENT;
    const uint32_t second = hex4(*at + 2);
    if (second < 0xDC00 || second > 0xDFFF)
        return REPLACEMENT;
    *at += 6;
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
}

/* The next character of a string that is not at its end. Keys of unchecked text come here too, so
 * any bytes must do. */
static uint32_t take_character(const char **at, const char *end)
{
    if (**at != '\\' || end - *at < 2) {
        uint32_t code;
        const size_t size = json_utf8_next(*at, end, &code);
        *at += size > 0 ? size : 1;
        return size > 0 ? code : REPLACEMENT;
    }
    const char escaped = (*at)[1];
    *at += 2;
    switch (escaped) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        return take_unicode(at, end);
    default:
        return (unsigned char)escaped;
    }
}

static size_t put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xC0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xE0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 0x3F));
        to[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 0x3F));
    to[2] = (char)(0x80 | (code >> 6 & 0x3F));
    to[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

enum status json_unescape(struct slice raw, struct arena *arena, struct slice *text_out)
{
    const char *at = raw.data;
    const char *end = at + raw.size;
    if (slice_find_byte(raw, '\\') == raw.size) {
        *text_out = raw;
        return STATUS_OK;
    }
    char *text = arena_alloc(arena, raw.size); /* no escape is shorter than what it stands for */
    if (text == NULL)
        return STATUS_NO_MEMORY;
    size_t size = 0;
    while (at < end)
        size += put_utf8(text + size, take_character(&at, end));
    *text_out = slice_of(text, size);
    return STATUS_OK;
}

enum status json_string(struct json_value value, struct arena *arena, struct slice *text_out)
{
    if (value.type != JSON_TYPE_STRING)
        return STATUS_INVALID;
    return json_unescape(slice_of(value.raw.data + 1, value.raw.size - 2), arena, text_out);
}

/* --- keys --- */

bool json_key_is_plain(struct slice raw_key)
{
    const char *end = raw_key.data + raw_key.size;
    return json_search_special(raw_key.data, end) == end;
}

static bool equal_unescaped(struct slice raw_key, struct slice name)
{
    const char *at = raw_key.data;
    const char *end = at + raw_key.size;
    const char *name_at = name.data;
    const char *name_end = name_at + name.size;
    while (at < end && name_at < name_end) {
        uint32_t code;
        const size_t size = json_utf8_next(name_at, name_end, &code);
        if (size == 0 || take_character(&at, end) != code)
            return false;
        name_at += size;
    }
    return at == end && name_at == name_end;
}

bool json_key_equal_escaped(struct slice raw_key, struct slice name)
{
    size_t same = 0;
    while (same < name.size && raw_key.data[same] == name.data[same])
        same++;
    return same < name.size && raw_key.data[same] == '\\' && equal_unescaped(raw_key, name);
}

static uint32_t fold(uint32_t code)
{
    if (code >= 'A' && code <= 'Z')
        return code | 0x20;
    if (code == LONG_S)
        return 's';
    return code == KELVIN ? 'k' : code;
}

bool json_key_equal_nocase(struct slice raw_key, struct slice name)
{
    const char *at = raw_key.data;
    const char *end = at + raw_key.size;
    size_t matched = 0;
    for (; at < end && matched < name.size; matched++) {
        if (fold(take_character(&at, end)) != (unsigned char)name.data[matched])
            return false;
    }
    return at == end && matched == name.size;
}

/* --- numbers and booleans --- */

enum status json_bool(struct json_value value, bool *value_out)
{
    if (value.type != JSON_TYPE_BOOL)
        return STATUS_INVALID;
    *value_out = value.raw.data[0] == 't';
    return STATUS_OK;
}

/* A number is digits × 10^exponent, but for digits that did not fit and count as zeros. */
struct decimal {
    uint64_t digits;
    int64_t exponent;
    bool is_negative;
    bool is_full; /* no further digit is taken */
    bool is_cut;  /* a digit other than 0 did not fit */
};

#define EXPONENT_MAX 1000000 /* a larger one changes nothing any more */

static void add_digit(struct decimal *decimal, char byte, bool is_fraction)
{
    const uint64_t digit = (uint64_t)(byte - '0');
    uint64_t digits;
    if (decimal->is_full || __builtin_mul_overflow(decimal->digits, 10, &digits) ||
        __builtin_add_overflow(digits, digit, &digits)) {
        decimal->is_full = true;
        decimal->is_cut = decimal->is_cut || digit != 0;
        decimal->exponent += !is_fraction;
        return;
    }
    decimal->digits = digits;
    decimal->exponent -= is_fraction;
}

static int64_t exponent_of(const char *at, const char *end)
{
    int64_t exponent = 0;
    const bool is_negative = *at == '-';
    if (!json_is_digit(*at))
        at++;
    for (; at < end; at++) {
        if (exponent < EXPONENT_MAX * INT64_C(10000))
            exponent = exponent * 10 + (*at - '0');
    }
    return is_negative ? -exponent : exponent;
}

static struct decimal decimal_of(struct slice raw)
{
    struct decimal decimal = {0};
    const char *at = raw.data;
    const char *end = at + raw.size;
    bool is_fraction = false;
    if (*at == '-') {
        decimal.is_negative = true;
        at++;
    }
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.')
            is_fraction = true;
        else
            add_digit(&decimal, *at, is_fraction);
    }
    if (at < end)
        decimal.exponent += exponent_of(at + 1, end);
    return decimal;
}

#define PLAIN_DIGITS 18 /* so many fit */

/* Digits and nothing else, as nearly all numbers are. */
static bool plain_u64(struct slice raw, uint64_t *value_out)
{
    uint64_t value = 0;
    if (raw.size == 0 || raw.size > PLAIN_DIGITS)
        return false;
    for (size_t i = 0; i < raw.size; i++) {
        if (!json_is_digit(raw.data[i]))
            return false;
        value = value * 10 + (uint64_t)(raw.data[i] - '0');
    }
    *value_out = value;
    return true;
}

enum status json_u64(struct json_value value, uint64_t *value_out)
{
    if (value.type != JSON_TYPE_NUMBER)
        return STATUS_INVALID;
    if (plain_u64(value.raw, value_out))
        return STATUS_OK;
    if (value.raw.size > JSON_NUMBER_BYTES_MAX)
        return STATUS_TOO_LARGE;
    struct decimal decimal = decimal_of(value.raw);
    if (decimal.digits == 0 && !decimal.is_cut) {
        *value_out = 0;
        return STATUS_OK;
    }
    for (; decimal.exponent < 0 && decimal.digits % 10 == 0; decimal.exponent++)
        decimal.digits /= 10;
    if (decimal.exponent < 0)
        return STATUS_INVALID;
    if (decimal.is_negative || decimal.is_cut)
        return STATUS_TOO_LARGE;
    for (; decimal.exponent > 0; decimal.exponent--) {
        if (__builtin_mul_overflow(decimal.digits, 10, &decimal.digits))
            return STATUS_TOO_LARGE;
    }
    *value_out = decimal.digits;
    return STATUS_OK;
}

static double power_of_10(int64_t exponent)
{
    double power = 1;
    double base = 10;
    while (exponent > 0) {
        if ((exponent & 1) != 0)
            power *= base;
        exponent >>= 1;
        base *= base;
    }
    return power;
}

enum status json_double(struct json_value value, double *value_out)
{
    if (value.type != JSON_TYPE_NUMBER)
        return STATUS_INVALID;
    if (value.raw.size > JSON_NUMBER_BYTES_MAX)
        return STATUS_TOO_LARGE;
    const struct decimal decimal = decimal_of(value.raw);
    double number = (double)decimal.digits;
    /* In two steps, since a power itself may leave the range where the number does not. */
    if (number != 0 && decimal.exponent < -300)
        number = number / power_of_10(300) / power_of_10(-decimal.exponent - 300);
    else if (number != 0 && decimal.exponent < 0)
        number /= power_of_10(-decimal.exponent);
    else if (number != 0)
        number *= power_of_10(decimal.exponent);
    *value_out = decimal.is_negative ? -number : number;
    return STATUS_OK;
}
