#include "gateway/survey.h"

#include "base/arena.h"
#include "json/value.h"
#include "json/walk.h"
#include "models/price.h"

#define GLANCE_BYTES    ((size_t)64 * 1024) /* of messages that are searched without a pause */
#define CLASS_BYTES_MAX 64                  /* of a service class as it is written */
#define TYPE_BYTES_MAX  64
#define ALL_CLASSES     ((1u << PRICE_CLASSES) - 1)

struct look {
    const struct openai_request *openai;
    const struct json_limits *limits;
    struct survey *survey;
    uint32_t seen; /* of the containers below */
    bool wants_text_only, wants_sound;
};

static void find(struct look *look, enum survey_input input)
{
    if (input > look->survey->input)
        look->survey->input = input;
}

static bool is_container(struct json_value value)
{
    return value.type >= JSON_TYPE_ARRAY;
}

/* An object without members may ask for what it names. */
static bool is_empty_list(struct look *look, struct json_value value)
{
    struct json_walk walk;
    struct json_member element;
    json_walk_init(&walk, value, look->limits);
    return value.type == JSON_TYPE_ARRAY && !json_walk_next(&walk, &element);
}

/* Whether some reader takes the key for this name: in any case, with escapes. */
static bool may_mean(struct slice key, struct slice name)
{
    if (key.size < name.size)
        return false;
    const unsigned char first = (unsigned char)key.data[0];
    const bool is_letter = first != '\\' && first < 0x80;
    return (!is_letter || (first | 0x20) == name.data[0]) && json_key_equal_nocase(key, name);
}

static bool is_string(struct json_value value, struct slice text)
{
    return value.type == JSON_TYPE_STRING && value.raw.size <= TYPE_BYTES_MAX &&
           json_key_equal(slice_of(value.raw.data + 1, value.raw.size - 2), text);
}

/* --- Parts of a content ------------------------------------------------------------------------------ */

struct part {
    struct json_value type;
    unsigned types, texts, images; /* how many there are of each */
    bool is_odd;
};

/* {"url": ..., "detail": ...}, or an address alone. */
static bool is_image(struct look *look, struct json_value image)
{
    struct json_walk walk;
    struct json_member member;
    unsigned urls = 0, details = 0;
    if (image.type == JSON_TYPE_STRING)
        return true;
    json_walk_init(&walk, image, look->limits);
    while (json_walk_next(&walk, &member)) {
        if (json_key_equal(member.key, SLICE("url")) && member.value.type == JSON_TYPE_STRING)
            urls++;
        else if (json_key_equal(member.key, SLICE("detail")) && !is_container(member.value))
            details++;
        else
            return false;
    }
    return urls == 1 && details <= 1;
}

static void look_at_part_member(struct look *look, const struct json_member *member,
                                struct part *part)
{
    if (json_key_equal(member->key, SLICE("type"))) {
        part->type = member->value;
        part->types++;
    } else if (json_key_equal(member->key, SLICE("text")) ||
               json_key_equal(member->key, SLICE("refusal"))) {
        part->texts++;
        part->is_odd |= is_container(member->value);
    } else if (json_key_equal(member->key, SLICE("image_url"))) {
        part->images++;
        part->is_odd |= !is_image(look, member->value);
    } else if (!json_key_equal(member->key, SLICE("cache_control"))) {
        part->is_odd |= member->value.type == JSON_TYPE_STRING ||
                        (is_container(member->value) && !is_empty_list(look, member->value));
    }
}

static void look_at_part(struct look *look, struct json_value value)
{
    struct json_walk walk;
    struct json_member member;
    struct part part = {0};
    json_walk_init(&walk, value, look->limits);
    while (!part.is_odd && json_walk_next(&walk, &member))
        look_at_part_member(look, &member, &part);
    if (part.is_odd || part.types != 1 || part.texts + part.images != 1)
        find(look, SURVEY_UNKNOWN);
    else if (part.images == 1)
        find(look, is_string(part.type, SLICE("image_url")) ? SURVEY_PICTURES : SURVEY_UNKNOWN);
    else if (!is_string(part.type, SLICE("text")) && !is_string(part.type, SLICE("refusal")))
        find(look, SURVEY_UNKNOWN);
}

static void look_at_content(struct look *look, struct json_value content)
{
    struct json_walk walk;
    struct json_member part;
    if (content.type != JSON_TYPE_ARRAY) {
        find(look, SURVEY_UNKNOWN);
        return;
    }
    json_walk_init(&walk, content, look->limits);
    while (look->survey->input < SURVEY_UNKNOWN && json_walk_next(&walk, &part)) {
        if (part.value.type == JSON_TYPE_OBJECT)
            look_at_part(look, part.value);
        else if (part.value.type != JSON_TYPE_STRING && !json_is_null(part.value))
            find(look, SURVEY_UNKNOWN);
    }
}

/* --- Messages ------------------------------------------------------------------------------------------ */

/* What a message may hold besides its content and yet be text. */
static bool is_text_of_message(struct slice key)
{
    static const struct slice names[] = {{"tool_calls", 10},
                                         {"function_call", 13},
                                         {"cache_control", 13},
                                         {"reasoning_details", 17}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (json_key_equal(key, names[i]))
            return true;
    }
    return false;
}

static void look_at_message(struct look *look, struct json_value message)
{
    struct json_walk walk;
    struct json_member member;
    json_walk_init(&walk, message, look->limits);
    while (look->survey->input < SURVEY_UNKNOWN && json_walk_next(&walk, &member)) {
        if (!is_container(member.value))
            continue;
        if (json_key_equal(member.key, SLICE("content")))
            look_at_content(look, member.value);
        else if (!is_text_of_message(member.key) && !is_empty_list(look, member.value))
            find(look, SURVEY_UNKNOWN);
    }
}

static bool has_more_objects(struct slice text, size_t count)
{
    size_t at;
    for (; (at = slice_find_byte(text, '{')) < text.size; count--) {
        if (count == 0)
            return true;
        text = slice_from(text, at + 1);
    }
    return false;
}

/* Whether messages that hold nothing but strings, numbers and the like are seen to do so. */
static bool are_plain(struct slice messages, size_t message_count)
{
    const struct slice inside = slice_from(messages, 1);
    return inside.size <= GLANCE_BYTES && slice_find_byte(inside, '[') == inside.size &&
           !has_more_objects(inside, message_count);
}

static void look_at_messages(struct look *look, struct json_value messages)
{
    struct json_walk walk;
    struct json_member message;
    if (are_plain(messages.raw, look->openai->message_count))
        return;
    json_walk_init(&walk, messages, look->limits);
    while (look->survey->input < SURVEY_UNKNOWN && json_walk_next(&walk, &message))
        look_at_message(look, message.value);
}

/* Of a completion, an embedding or a moderation: texts, or the numbers of tokens in lists. */
static void look_at_prompt(struct look *look, const struct json_member *prompt)
{
    const struct slice raw = prompt->value.raw;
    const uint32_t objects = 1u << JSON_TYPE_OBJECT, lists = 1u << JSON_TYPE_ARRAY;
    if (prompt->value.type != JSON_TYPE_ARRAY)
        return;
    if ((prompt->element_types & objects) != 0 ||
        ((prompt->element_types & lists) != 0 && slice_find_byte(raw, '{') < raw.size))
        find(look, SURVEY_UNKNOWN);
}

/* --- Tools ---------------------------------------------------------------------------------------------- */

/* Tools that the client runs itself are text; those of the provider read what nobody knows. */
static bool is_clients_tool(struct look *look, struct json_value tool)
{
    static const struct slice texts[] = {
        {"function", 8}, {"custom", 6}, {"parameters", 10}, {"cache_control", 13}};
    struct json_walk walk;
    struct json_member member;
    unsigned types = 0;
    json_walk_init(&walk, tool, look->limits);
    while (json_walk_next(&walk, &member)) {
        bool is_text = !is_container(member.value);
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !is_text; i++)
            is_text = json_key_equal(member.key, texts[i]);
        if (may_mean(member.key, SLICE("type"))) {
            types++;
            is_text = json_key_equal(member.key, SLICE("type")) &&
                      (is_string(member.value, texts[0]) || is_string(member.value, texts[1]));
        }
        if (!is_text)
            return false;
    }
    return types == 1;
}

static void look_at_tools(struct look *look, struct json_value tools)
{
    struct json_walk walk;
    struct json_member tool;
    json_walk_init(&walk, tools, look->limits);
    while (look->survey->input < SURVEY_UNKNOWN && json_walk_next(&walk, &tool)) {
        if (!is_clients_tool(look, tool.value))
            find(look, SURVEY_UNKNOWN);
    }
}

/* --- Members of the body ---------------------------------------------------------------------------------- */

/* Arrays and objects that are text, or say how the answer is to be. All others may name what is
 * elsewhere: plug-ins, searches, sources of data. */
enum container {
    CONTAINER_TOOLS,
    CONTAINER_MODALITIES,
    CONTAINER_AUDIO,
    CONTAINER_OTHER,
};

static const struct slice containers[] = {
    [CONTAINER_TOOLS] = {"tools", 5},
    [CONTAINER_MODALITIES] = {"modalities", 10},
    [CONTAINER_AUDIO] = {"audio", 5},
    [CONTAINER_OTHER] = {"functions", 9},
    {"prediction", 10},
    {"response_format", 15},
    {"stream_options", 14},
    {"tool_choice", 11},
    {"function_call", 13},
    {"stop", 4},
    {"logit_bias", 10},
    {"metadata", 8},
    {"reasoning", 9},
    {"thinking", 8},
    {"chat_template_kwargs", 20},
    {"guided_json", 11},
    {"guided_choice", 13},
    {"structured_outputs", 18},
    {"provider", 8},
    {"usage", 5},
    {"transforms", 10},
    {"stop_token_ids", 14},
    {"allowed_token_ids", 17},
    {"bad_words", 9},
    {"cache_control", 13},
};

#define CONTAINER_COUNT (sizeof(containers) / sizeof(containers[0]))
_Static_assert(CONTAINER_COUNT <= 32, "each has a bit in look.seen");

static enum container container_of(struct look *look, struct slice key)
{
    for (unsigned i = 0; i < CONTAINER_COUNT; i++) {
        if (!json_key_equal(key, containers[i]))
            continue;
        if ((look->seen >> i & 1) != 0)
            break;
        look->seen |= 1u << i;
        return i < CONTAINER_OTHER ? (enum container)i : CONTAINER_OTHER;
    }
    find(look, SURVEY_UNKNOWN);
    return CONTAINER_OTHER;
}

static bool are_all_text(struct look *look, struct json_value modalities)
{
    struct json_walk walk;
    struct json_member each;
    json_walk_init(&walk, modalities, look->limits);
    while (json_walk_next(&walk, &each)) {
        if (!is_string(each.value, SLICE("text")))
            return false;
    }
    return true;
}

static void look_at_container(struct look *look, const struct json_member *member)
{
    if (is_empty_list(look, member->value))
        return;
    if (may_mean(member->key, SLICE("prediction")))
        look->survey->predicted_bytes += member->value.raw.size;
    switch (container_of(look, member->key)) {
    case CONTAINER_TOOLS:
        look_at_tools(look, member->value);
        break;
    case CONTAINER_MODALITIES:
        look->wants_text_only = are_all_text(look, member->value);
        break;
    case CONTAINER_AUDIO:
        look->wants_sound = true;
        break;
    default:
        break;
    }
}

/* A class that is not known may turn out to be any. */
static uint32_t classes_of(struct json_value value)
{
    _Alignas(16) char room[CLASS_BYTES_MAX];
    struct arena arena;
    struct slice name;
    enum price_class found;
    if (value.raw.size > CLASS_BYTES_MAX)
        return ALL_CLASSES;
    arena_init(&arena, room, sizeof(room), 0);
    const bool is_known = json_string(value, &arena, &name) == STATUS_OK &&
                          price_class_find(name, &found) == STATUS_OK;
    arena_fini(&arena);
    return is_known ? 1u << found : ALL_CLASSES;
}

/* Texts that stand for more than themselves. */
static void look_at_string(struct look *look, const struct json_member *member)
{
    static const struct slice names[] = {
        {"chat_template", 13}, {"conversation", 12}, {"previous_response_id", 20}};
    if (may_mean(member->key, SLICE("service_tier"))) {
        look->survey->classes |= classes_of(member->value);
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (may_mean(member->key, names[i]))
            find(look, SURVEY_UNKNOWN);
    }
}

/* llama.cpp's own name goes before the others there; what is below 0 is no maximum. */
static void look_at_number(struct look *look, const struct json_member *member)
{
    uint64_t number;
    if (!may_mean(member->key, SLICE("n_predict")))
        return;
    if (json_u64(member->value, &number) != STATUS_OK || number == UINT64_MAX)
        number = UINT64_MAX - 1;
    if (number > look->survey->other_maximum)
        look->survey->other_maximum = number;
}

static void look_at_member(struct look *look, const struct json_member *member)
{
    const struct json_member *const *known = look->openai->members;
    if (member == known[OPENAI_MEMBER_MESSAGES])
        look_at_messages(look, member->value);
    else if (member == known[OPENAI_MEMBER_PROMPT] || member == known[OPENAI_MEMBER_INPUT])
        look_at_prompt(look, member);
    else if (is_container(member->value))
        look_at_container(look, member);
    else if (member->value.type == JSON_TYPE_STRING)
        look_at_string(look, member);
    else if (member->value.type == JSON_TYPE_NUMBER)
        look_at_number(look, member);
    else if (member->value.type == JSON_TYPE_BOOL && may_mean(member->key, SLICE("enable_search")))
        find(look, SURVEY_UNKNOWN);
}

void survey_request(const struct openai_request *openai, const struct json_limits *limits,
                    struct survey *survey_out)
{
    struct look look = {.openai = openai, .limits = limits, .survey = survey_out};
    *survey_out = (struct survey){.classes = 1u << PRICE_STANDARD};
    for (size_t i = 0; i < openai->body.count; i++)
        look_at_member(&look, &openai->body.members[i]);
    survey_out->may_speak =
        !look.wants_text_only || look.wants_sound || survey_out->input == SURVEY_UNKNOWN;
}
