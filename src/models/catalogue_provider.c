#include "models/catalogue_provider.h"

#include "base/nearest.h"

struct known_host {
    const char *host; /* with a '.' first: any host that ends so */
    const char *provider;
    enum cost_pin pin;
};

/* The hosts that the providers' API references name. A longer ending stands before a shorter. */
static const struct known_host hosts[] = {
    {"api.openai.com", "openai", COST_PIN_NONE},
    {"us.api.openai.com", "openai", COST_PIN_US},
    {"eu.api.openai.com", "openai", COST_PIN_EU},
    {"api.anthropic.com", "anthropic", COST_PIN_NONE},
    {"generativelanguage.googleapis.com", "gemini", COST_PIN_NONE},
    {"aiplatform.googleapis.com", "vertex_ai", COST_PIN_NONE},
    {"-aiplatform.googleapis.com", "vertex_ai", COST_PIN_NONE},
    {".openai.azure.com", "azure", COST_PIN_NONE},
    {".openai.azure.us", "azure", COST_PIN_NONE},
    {".cognitiveservices.azure.com", "azure", COST_PIN_NONE},
    {".services.ai.azure.com", "azure_ai", COST_PIN_NONE},
    {".models.ai.azure.com", "azure_ai", COST_PIN_NONE},
    {"models.inference.ai.azure.com", "azure_ai", COST_PIN_NONE},
    {"api.nova.amazon.com", "amazon_nova", COST_PIN_NONE},
    {"api.mistral.ai", "mistral", COST_PIN_NONE},
    {"codestral.mistral.ai", "mistral", COST_PIN_NONE},
    {"api.cohere.com", "cohere", COST_PIN_NONE},
    {"api.cohere.ai", "cohere", COST_PIN_NONE},
    {"api.deepseek.com", "deepseek", COST_PIN_NONE},
    {"api.groq.com", "groq", COST_PIN_NONE},
    {"api.x.ai", "xai", COST_PIN_NONE},
    {".api.x.ai", "xai", COST_PIN_NONE},
    {"api.together.xyz", "together_ai", COST_PIN_NONE},
    {"api.together.ai", "together_ai", COST_PIN_NONE},
    {"api.fireworks.ai", "fireworks_ai", COST_PIN_NONE},
    {"openrouter.ai", "openrouter", COST_PIN_NONE},
    {"api.perplexity.ai", "perplexity", COST_PIN_NONE},
    {"api.moonshot.ai", "moonshot", COST_PIN_NONE},
    {"api.moonshot.cn", "moonshot", COST_PIN_NONE},
    {"dashscope.aliyuncs.com", "dashscope", COST_PIN_NONE},
    {"dashscope-intl.aliyuncs.com", "dashscope", COST_PIN_NONE},
    {"dashscope-us.aliyuncs.com", "dashscope", COST_PIN_NONE},
    {"api.z.ai", "zai", COST_PIN_NONE},
    {"open.bigmodel.cn", "bigmodel", COST_PIN_NONE},
    {"api.minimax.io", "minimax", COST_PIN_NONE},
    {"api.minimax.chat", "minimax", COST_PIN_NONE},
    {"api.minimaxi.com", "minimax", COST_PIN_NONE},
    {"api.cerebras.ai", "cerebras", COST_PIN_NONE},
    {"api.voyageai.com", "voyage", COST_PIN_NONE},
    {"api.jina.ai", "jina", COST_PIN_NONE},
};

/* Hosts with the region between two fixed parts. */
static const struct regional_host {
    const char *before, *after, *provider;
} regional_hosts[] = {
    {"bedrock-runtime.", ".amazonaws.com", "bedrock"},
    {"bedrock-runtime-fips.", ".amazonaws.com", "bedrock"},
    {"bedrock-mantle.", ".api.aws", "bedrock_mantle"},
};

/* Those without a host of their own in the tables above too. */
static const char *const names[] = {
    "amazon_nova", "anthropic",  "azure",      "azure_ai",    "bedrock",   "bedrock_mantle",
    "bigmodel",    "cerebras",   "cohere",     "dashscope",   "deepseek",  "fireworks_ai",
    "gemini",      "groq",       "jina",       "minimax",     "mistral",   "moonshot",
    "openai",      "openrouter", "perplexity", "together_ai", "vertex_ai", "voyage",
    "xai",         "zai",
};

static bool ends_with_nocase(struct slice text, struct slice end)
{
    return text.size > end.size && slice_equal_nocase(slice_from(text, text.size - end.size), end);
}

static bool host_matches(struct slice host, const struct known_host *known)
{
    const struct slice pattern = slice_from_text(known->host);
    const bool is_ending = pattern.data[0] == '.' || pattern.data[0] == '-';
    return is_ending ? ends_with_nocase(host, pattern) : slice_equal_nocase(host, pattern);
}

static bool find_host(struct slice host, struct catalogue_provider *provider_out)
{
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        if (!host_matches(host, &hosts[i]))
            continue;
        provider_out->name = slice_from_text(hosts[i].provider);
        provider_out->pin = hosts[i].pin;
        return true;
    }
    return false;
}

static bool find_regional_host(struct slice host, struct catalogue_provider *provider_out)
{
    for (size_t i = 0; i < sizeof(regional_hosts) / sizeof(regional_hosts[0]); i++) {
        const struct slice before = slice_from_text(regional_hosts[i].before);
        const struct slice after = slice_from_text(regional_hosts[i].after);
        if (host.size <= before.size + after.size || !ends_with_nocase(host, after) ||
            !slice_equal_nocase(slice_of(host.data, before.size), before))
            continue;
        provider_out->name = slice_from_text(regional_hosts[i].provider);
        provider_out->region =
            slice_of(host.data + before.size, host.size - before.size - after.size);
        return true;
    }
    return false;
}

bool catalogue_provider_exists(struct slice name, struct slice *name_out)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slice_equal(name, slice_from_text(names[i]))) {
            *name_out = slice_from_text(names[i]);
            return true;
        }
    }
    return false;
}

struct slice catalogue_provider_nearest(struct slice name)
{
    struct nearest nearest;
    nearest_begin(&nearest, name);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        nearest_consider(&nearest, slice_from_text(names[i]));
    return nearest.found;
}

enum status catalogue_provider_find(struct slice host, struct slice configured_name,
                                    struct catalogue_provider *provider_out)
{
    *provider_out = (struct catalogue_provider){0};
    if (find_host(host, provider_out) || find_regional_host(host, provider_out) ||
        catalogue_provider_exists(configured_name, &provider_out->name))
        return STATUS_OK;
    return STATUS_NOT_FOUND;
}
