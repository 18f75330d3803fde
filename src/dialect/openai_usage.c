#include "dialect/openai_usage.h"

#include "json/value.h"
#include "json/walk.h"

struct count_name {
    struct slice name;
    enum openai_tokens which;
    bool is_second_choice; /* another provider's name for what the details give too */
};

static const struct count_name top_names[] = {
    {{"prompt_tokens", 13}, OPENAI_TOKENS_INPUT, false},
    {{"completion_tokens", 17}, OPENAI_TOKENS_OUTPUT, false},
    {{"total_tokens", 12}, OPENAI_TOKENS_TOTAL, false},
    {{"prompt_cache_hit_tokens", 23}, OPENAI_TOKENS_CACHED, true},
    {{"cache_creation_input_tokens", 27}, OPENAI_TOKENS_CACHE_WRITE, true},
    {{NULL, 0}, OPENAI_TOKENS_COUNT, false},
};

static const struct count_name prompt_names[] = {
    {{"cached_tokens", 13}, OPENAI_TOKENS_CACHED, false},
    {{"cache_write_tokens", 18}, OPENAI_TOKENS_CACHE_WRITE, false},
    {{"cache_creation_input_tokens", 27}, OPENAI_TOKENS_CACHE_WRITE, true},
    {{"audio_tokens", 12}, OPENAI_TOKENS_INPUT_AUDIO, false},
    {{NULL, 0}, OPENAI_TOKENS_COUNT, false},
};

static const struct count_name completion_names[] = {
    {{"reasoning_tokens", 16}, OPENAI_TOKENS_REASONING, false},
    {{"audio_tokens", 12}, OPENAI_TOKENS_OUTPUT_AUDIO, false},
    {{NULL, 0}, OPENAI_TOKENS_COUNT, false},
};

static void take_count(const struct count_name *names, const struct json_member *member,
                       struct openai_usage *usage)
{
    uint64_t count;
    while (names->name.data != NULL && !json_key_equal(member->key, names->name))
        names++;
    if (names->name.data == NULL || json_u64(member->value, &count) != STATUS_OK ||
        count > OPENAI_USAGE_TOKENS_MAX)
        return;
    if (names->is_second_choice && openai_usage_has(usage, names->which))
        return;
    usage->tokens[names->which] = count;
    usage->given |= UINT32_C(1) << names->which;
}

static void take_details(const struct count_name *names, struct json_value details,
                         struct openai_usage *usage)
{
    struct json_walk walk;
    struct json_member member;
    json_walk_init(&walk, details, NULL);
    while (json_walk_next(&walk, &member))
        take_count(names, &member, usage);
}

bool openai_usage_read(struct json_value value, struct openai_usage *usage_out)
{
    struct openai_usage usage = {0};
    struct json_walk walk;
    struct json_member member;
    if (value.type != JSON_TYPE_OBJECT)
        return false;
    json_walk_init(&walk, value, NULL);
    while (json_walk_next(&walk, &member)) {
        if (member.value.type == JSON_TYPE_NUMBER)
            take_count(top_names, &member, &usage);
        else if (json_key_equal(member.key, SLICE("prompt_tokens_details")))
            take_details(prompt_names, member.value, &usage);
        else if (json_key_equal(member.key, SLICE("completion_tokens_details")))
            take_details(completion_names, member.value, &usage);
    }
    if (usage.given == 0)
        return false;
    *usage_out = usage;
    return true;
}
