#include "admin/usage_line.h"

#include <stdio.h>

#include "admin/member_writer.h"
#include "json/read.h"
#include "json/value.h"
#include "json/walk.h"
#include "models/price_decimal.h"

#define NANOUSD_DIGITS 9
#define NAME_BYTES     64

static const char *const count_names[USAGE_COUNTS] = {
    [USAGE_REQUESTS] = "requests",
    [USAGE_ANSWERED] = "answered",
    [USAGE_REFUSED] = "refused",
    [USAGE_ESTIMATED] = "estimated",
    [USAGE_UNPRICED] = "unpriced",
    [USAGE_INPUT] = "input_tokens",
    [USAGE_OUTPUT] = "output_tokens",
    [USAGE_CACHED] = "cached_tokens",
    [USAGE_CACHE_WRITE] = "cache_write_tokens",
    [USAGE_REASONING] = "reasoning_tokens",
    [USAGE_AUDIO] = "audio_tokens",
};

_Static_assert((unsigned)USAGE_COUNTS - (unsigned)USAGE_TOKENS == (unsigned)STORE_TOKENS_COUNT,
               "each kind of token has its count");

const char *usage_count_name(enum usage_count which)
{
    return count_names[which];
}

struct usage_line usage_line_of(const struct store_report_line *line)
{
    struct usage_line result = {
        .id = line->id,
        .name = line->name,
        .counts = {[USAGE_REQUESTS] = line->requests,
                   [USAGE_ANSWERED] = line->answered,
                   [USAGE_REFUSED] = line->refused,
                   [USAGE_ESTIMATED] = line->estimated,
                   [USAGE_UNPRICED] = line->unpriced},
        .cost_nanousd = line->cost_nanousd,
    };
    for (size_t i = 0; i < STORE_TOKENS_COUNT; i++)
        result.counts[USAGE_TOKENS + i] = line->tokens[i];
    return result;
}

void usage_line_add(struct usage_line *into, const struct usage_line *line)
{
    for (size_t i = 0; i < USAGE_COUNTS; i++)
        into->counts[i] += line->counts[i];
    if (line->cost_nanousd > INT64_MAX - into->cost_nanousd)
        into->cost_nanousd = INT64_MAX;
    else
        into->cost_nanousd += line->cost_nanousd;
}

bool usage_line_is_empty(const struct usage_line *line)
{
    return line->counts[USAGE_REQUESTS] == 0 && line->counts[USAGE_REFUSED] == 0;
}

void usage_write_money(struct json_writer *writer, const char *name, int64_t nanousd)
{
    char text[PRICE_DECIMAL_TEXT_BYTES];
    char second_name[NAME_BYTES];
    const uint64_t amount = nanousd > 0 ? (uint64_t)nanousd : 0;
    const unsigned size = price_decimal_format(amount, NANOUSD_DIGITS, text);
    snprintf(second_name, sizeof(second_name), "%s_nanousd", name);
    json_write_key(writer, slice_from_text(name));
    json_write_string(writer, slice_of(text, size));
    json_write_key(writer, slice_from_text(second_name));
    json_write_u64(writer, amount);
}

void usage_line_write_members(struct json_writer *writer, const struct usage_line *line)
{
    member_write_filled(writer, SLICE("id"), line->id);
    member_write_filled(writer, SLICE("name"), line->name);
    for (size_t i = 0; i < USAGE_COUNTS; i++) {
        json_write_key(writer, slice_from_text(count_names[i]));
        json_write_u64(writer, line->counts[i]);
    }
    usage_write_money(writer, "cost", line->cost_nanousd);
}

void usage_line_write(struct json_writer *writer, const struct usage_line *line)
{
    json_write_object(writer);
    usage_line_write_members(writer, line);
    json_write_end(writer);
}

/* --- Reading ------------------------------------------------------------------------------------ */

static enum status read_text(struct json_value value, struct arena *arena, struct slice *text_out)
{
    if (json_is_null(value))
        return STATUS_OK;
    return json_string(value, arena, text_out);
}

/* Takes the number, if the member is one that counts; `seen` has a bit for each. */
static enum status take_number(const struct json_member *member, struct usage_line *line,
                               uint32_t *seen)
{
    uint64_t number;
    if (json_key_equal(member->key, SLICE("cost_nanousd"))) {
        if (json_u64(member->value, &number) != STATUS_OK || number > INT64_MAX)
            return STATUS_INVALID;
        line->cost_nanousd = (int64_t)number;
        *seen |= UINT32_C(1) << USAGE_COUNTS;
        return STATUS_OK;
    }
    for (unsigned i = 0; i < USAGE_COUNTS; i++) {
        if (!json_key_equal(member->key, slice_from_text(count_names[i])))
            continue;
        *seen |= UINT32_C(1) << i;
        return json_u64(member->value, &line->counts[i]);
    }
    return STATUS_OK;
}

static enum status take_member(const struct json_member *member, struct arena *arena,
                               struct usage_line *line, uint32_t *seen)
{
    if (json_key_equal(member->key, SLICE("id")))
        return read_text(member->value, arena, &line->id);
    if (json_key_equal(member->key, SLICE("name")))
        return read_text(member->value, arena, &line->name);
    return take_number(member, line, seen);
}

enum status usage_line_read(struct json_value value, struct arena *arena,
                            struct usage_line *line_out)
{
    struct json_walk walk;
    struct json_member member;
    uint32_t seen = 0;
    enum status status = value.type == JSON_TYPE_OBJECT ? STATUS_OK : STATUS_INVALID;
    *line_out = (struct usage_line){0};
    if (status != STATUS_OK)
        return status;
    json_walk_init(&walk, value, NULL);
    while (status == STATUS_OK && json_walk_next(&walk, &member))
        status = take_member(&member, arena, line_out, &seen);
    if (status == STATUS_NO_MEMORY)
        return status;
    const uint32_t all = (UINT32_C(1) << (USAGE_COUNTS + 1)) - 1;
    return status == STATUS_OK && seen == all ? STATUS_OK : STATUS_INVALID;
}
