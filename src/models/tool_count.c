#include "json/value.h"
#include "models/chat_count_internal.h"
#include "models/json_tokens.h"

/* Published for gpt-4o, gpt-4 and gpt-3.5-turbo (OpenAI Cookbook, "How to count tokens with
 * tiktoken"): what stands around the texts of functions. */
#define TOOLS_TOKENS      12 /* once */
#define PROPERTIES_TOKENS 3  /* if a function has any */
#define PROPERTY_TOKENS   3
#define ENUM_TOKENS       (-3)
#define ENUM_ITEM_TOKENS  3
#define DEPTH_MAX         8 /* of nested parameters; what is deeper counts as it stands */

static enum status count_properties(struct chat_counter *counter, struct json_value schema,
                                    unsigned depth);

/* A description without the full stop at its end. */
static enum status add_description(struct chat_counter *counter, struct json_value description)
{
    if (description.type != JSON_TYPE_STRING)
        return json_tokens_add(&counter->tokens, description);
    struct slice raw = slice_of(description.raw.data + 1, description.raw.size - 2);
    if (slice_ends_with(raw, SLICE(".")))
        raw.size--;
    return json_tokens_add_raw(&counter->tokens, raw);
}

static enum status count_enum(struct chat_counter *counter, struct json_value list)
{
    struct json_walk walk;
    struct json_member item;
    enum status status = STATUS_OK;
    counter->extra += ENUM_TOKENS;
    json_walk_init(&walk, list, counter->limits);
    while (status == STATUS_OK && json_walk_next(&walk, &item)) {
        counter->extra += ENUM_ITEM_TOKENS;
        status = chat_counter_text(counter, item.value);
    }
    return status;
}

struct property {
    struct json_value type;
    struct json_value description;
    struct json_value choices; /* raw.data NULL: any value, as for the next */
    struct json_value items;
    struct json_value properties;
};

static struct property read_property(struct chat_counter *counter, struct json_value schema)
{
    struct property property = {0};
    struct json_walk walk;
    struct json_member member;
    if (schema.type != JSON_TYPE_OBJECT)
        return property;
    json_walk_init(&walk, schema, counter->limits);
    while (json_walk_next(&walk, &member)) {
        if (json_key_equal(member.key, SLICE("type")))
            property.type = member.value;
        else if (json_key_equal(member.key, SLICE("description")))
            property.description = member.value;
        else if (json_key_equal(member.key, SLICE("enum")))
            property.choices = member.value;
        else if (json_key_equal(member.key, SLICE("items")))
            property.items = member.value;
        else if (json_key_equal(member.key, SLICE("properties")))
            property.properties = member.value;
        else
            counter->is_estimate = true; /* not covered by what is published */
    }
    return property;
}

/* "name:type:description" */
static enum status count_line(struct chat_counter *counter, struct slice name,
                              const struct property *property)
{
    struct token_counter *tokens = &counter->tokens;
    enum status status = json_tokens_add_raw(tokens, name);
    if (status == STATUS_OK)
        status = token_counter_add(tokens, SLICE(":"));
    if (status == STATUS_OK)
        status = json_tokens_add(tokens, property->type);
    if (status == STATUS_OK)
        status = token_counter_add(tokens, SLICE(":"));
    if (status == STATUS_OK)
        status = add_description(counter, property->description);
    return status == STATUS_OK ? token_counter_finish(tokens) : status;
}

/* Nested parameters are not covered by what is published; they count like those of a function. */
static enum status count_nested(struct chat_counter *counter, const struct property *property,
                                struct json_value schema, unsigned depth)
{
    const bool has_items = property->items.type == JSON_TYPE_OBJECT;
    if (property->properties.raw.data == NULL && !has_items)
        return STATUS_OK;
    counter->is_estimate = true;
    if (depth == DEPTH_MAX)
        return chat_counter_text(counter, schema);
    const enum status status = count_properties(counter, schema, depth + 1);
    return status == STATUS_OK && has_items ? count_properties(counter, property->items, depth + 1)
                                            : status;
}

static enum status count_property(struct chat_counter *counter, const struct json_member *member,
                                  unsigned depth)
{
    const struct property property = read_property(counter, member->value);
    enum status status = STATUS_OK;
    counter->extra += PROPERTY_TOKENS;
    if (property.choices.raw.data != NULL)
        status = count_enum(counter, property.choices);
    if (status == STATUS_OK)
        status = count_line(counter, member->key, &property);
    return status == STATUS_OK ? count_nested(counter, &property, member->value, depth) : status;
}

static enum status count_properties(struct chat_counter *counter, struct json_value schema,
                                    unsigned depth)
{
    struct json_value properties;
    struct json_walk walk;
    struct json_member member;
    enum status status = STATUS_OK;
    bool is_first = true;
    if (!json_find(schema, SLICE("properties"), counter->limits, &properties) ||
        properties.type != JSON_TYPE_OBJECT)
        return STATUS_OK;
    json_walk_init(&walk, properties, counter->limits);
    for (; status == STATUS_OK && json_walk_next(&walk, &member); is_first = false) {
        counter->extra += is_first ? PROPERTIES_TOKENS : 0;
        status = count_property(counter, &member, depth);
    }
    return status;
}

/* "name:description", then the parameters. */
static enum status count_function(struct chat_counter *counter, struct json_value function)
{
    struct token_counter *tokens = &counter->tokens;
    struct json_value value;
    enum status status = STATUS_OK;
    counter->extra += counter->model->format.function_tokens;
    if (json_find(function, SLICE("name"), counter->limits, &value))
        status = json_tokens_add(tokens, value);
    if (status == STATUS_OK)
        status = token_counter_add(tokens, SLICE(":"));
    if (status == STATUS_OK && json_find(function, SLICE("description"), counter->limits, &value))
        status = add_description(counter, value);
    if (status == STATUS_OK)
        status = token_counter_finish(tokens);
    if (status == STATUS_OK && json_find(function, SLICE("parameters"), counter->limits, &value))
        status = count_properties(counter, value, 0);
    return status;
}

static int64_t counted(const struct chat_counter *counter)
{
    return (int64_t)token_counter_total(&counter->tokens) + counter->extra;
}

/* A tool of another kind has no published form: it counts as it stands. */
static enum status count_tool(struct chat_counter *counter, struct json_value tool, bool is_bare)
{
    struct json_value function = tool;
    if (is_bare || json_find(tool, SLICE("function"), counter->limits, &function))
        return count_function(counter, function);
    counter->is_estimate = true;
    return chat_counter_text(counter, tool);
}

/* The larger of the published form's count and that of the tool as it stands. */
static enum status count_tool_most(struct chat_counter *counter, struct json_value tool,
                                   bool is_bare)
{
    const int64_t before = counted(counter);
    enum status status = count_tool(counter, tool, is_bare);
    const int64_t formed = counted(counter);
    if (status == STATUS_OK)
        status = chat_counter_text(counter, tool);
    const int64_t whole = counted(counter) - formed;
    counter->extra -= whole < formed - before ? whole : formed - before;
    return status;
}

enum status chat_counter_tools(struct chat_counter *counter, struct json_value tools, bool is_bare)
{
    struct json_walk walk;
    struct json_member tool;
    enum status status = STATUS_OK;
    bool is_first = true;
    if (tools.type != JSON_TYPE_ARRAY)
        return STATUS_OK;
    json_walk_init(&walk, tools, counter->limits);
    for (; status == STATUS_OK && json_walk_next(&walk, &tool); is_first = false) {
        counter->extra += is_first ? TOOLS_TOKENS : 0;
        status = counter->counts_all ? count_tool_most(counter, tool.value, is_bare)
                                     : count_tool(counter, tool.value, is_bare);
    }
    return status;
}
