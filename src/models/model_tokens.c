#include "models/model_tokens.h"

#define O200K  .encoding = TOKEN_ENCODING_O200K, .factor_permille = 1000
#define CL100K .encoding = TOKEN_ENCODING_CL100K, .factor_permille = 1000

/* Image prices: OpenAI's guide "Images and vision". */
#define IMAGE_4O      {85, 170}
#define IMAGE_4O_MINI {2833, 5667}
#define IMAGE_O1      {75, 150}
#define IMAGE_5       {70, 140}

#define FORMAT_4O(...)                                                                             \
    .format = {.message_tokens = 3, .name_tokens = 1, .function_tokens = 7, __VA_ARGS__}
#define FORMAT_4                                                                                   \
    .format = {.message_tokens = 3, .name_tokens = 1, .function_tokens = 10, .image = IMAGE_4O}

struct named {
    const char *name; /* lower case */
    struct model_tokens tokens;
};

/* A longer name stands before those that it begins with. */
static const struct named beginnings[] = {
    {"gpt-4o-mini", {O200K, FORMAT_4O(.image = IMAGE_4O_MINI)}},
    {"gpt-4o", {O200K, FORMAT_4O(.image = IMAGE_4O)}},
    {"chatgpt-4o", {O200K, FORMAT_4O(.image = IMAGE_4O)}},
    {"gpt-4.1", {O200K, FORMAT_4O(.image = IMAGE_4O, .is_estimate = true)}},
    {"gpt-4.5", {O200K, FORMAT_4O(.image = IMAGE_4O, .is_estimate = true)}},
    {"gpt-5.", {O200K, .is_estimate = true, FORMAT_4O(.image = IMAGE_5)}},
    {"gpt-5", {O200K, FORMAT_4O(.image = IMAGE_5, .is_estimate = true)}},
    {"gpt-oss", {O200K, FORMAT_4O(.image = IMAGE_4O, .is_estimate = true)}},
    {"o1", {O200K, FORMAT_4O(.image = IMAGE_O1, .is_estimate = true)}},
    {"o3", {O200K, FORMAT_4O(.image = IMAGE_O1, .is_estimate = true)}},
    {"o4-mini", {O200K, FORMAT_4O(.image = IMAGE_O1, .is_estimate = true)}},
    {"gpt-4", {CL100K, FORMAT_4}},
    {"gpt-3.5-turbo-0301",
     {CL100K, .format = {.message_tokens = 4,
                         .name_tokens = -1,
                         .function_tokens = 10,
                         .image = IMAGE_4O}}},
    {"gpt-3.5-turbo", {CL100K, FORMAT_4}},
    {"gpt-35-turbo", {CL100K, FORMAT_4}},
    {"text-embedding-ada-002", {CL100K, FORMAT_4}},
    {"text-embedding-3-", {CL100K, FORMAT_4}},
    {"davinci-002", {CL100K, FORMAT_4}},
    {"babbage-002", {CL100K, FORMAT_4}},
};

#define FAMILY(word, permille)                                                                     \
    {                                                                                              \
        word,                                                                                      \
        {                                                                                          \
            .encoding = TOKEN_ENCODING_O200K, .factor_permille = (permille), .is_estimate = true,  \
            FORMAT_4O(.image = IMAGE_4O, .is_estimate = true)                                      \
        }                                                                                          \
    }

/* Measured against the families' public tokenizers; see docs/performance.md, "Token counting".
 * claude: that of Claude 2, since later ones are not public; gemini: that of Gemma 3. */
static const struct named families[] = {
    FAMILY("claude", 1143),    FAMILY("gemini", 1037),    FAMILY("gemma", 1037),
    FAMILY("llama-4", 956),    FAMILY("llama4", 956),     FAMILY("llama", 1006),
    FAMILY("qwen", 947),       FAMILY("qwq", 947),        FAMILY("mistral", 1082),
    FAMILY("mixtral", 1082),   FAMILY("codestral", 1082), FAMILY("devstral", 1082),
    FAMILY("ministral", 1082), FAMILY("magistral", 1082), FAMILY("pixtral", 1082),
    FAMILY("deepseek", 950),
};

static const struct model_tokens unknown = {O200K, .is_estimate = true,
                                            FORMAT_4O(.image = IMAGE_4O, .is_estimate = true)};

static bool starts_with_nocase(struct slice text, struct slice beginning)
{
    return text.size >= beginning.size &&
           slice_equal_nocase(slice_of(text.data, beginning.size), beginning);
}

static bool holds_nocase(struct slice text, struct slice word)
{
    for (; text.size >= word.size; text = slice_from(text, 1)) {
        if (starts_with_nocase(text, word))
            return true;
    }
    return false;
}

static struct slice without_owner(struct slice model)
{
    struct slice rest = model;
    for (size_t at = slice_find_byte(rest, '/'); at < rest.size; at = slice_find_byte(rest, '/'))
        rest = slice_from(rest, at + 1);
    return starts_with_nocase(rest, SLICE("ft:")) ? slice_from(rest, 3) : rest;
}

const struct model_tokens *model_tokens_find(struct slice model)
{
    const struct slice name = without_owner(model);
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        if (starts_with_nocase(name, slice_from_text(beginnings[i].name)))
            return &beginnings[i].tokens;
    }
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (holds_nocase(name, slice_from_text(families[i].name)))
            return &families[i].tokens;
    }
    return &unknown;
}
