#include "config/yaml.h"

#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    struct slice text;
    struct arena *arena;
    struct yaml_error *error;
    size_t node_count;
};

static enum status refuse(struct reader *reader, yaml_mark_t mark, const char *why)
{
    reader->error->line = (uint32_t)mark.line + 1;
    reader->error->column = (uint32_t)mark.column + 1;
    reason_set(&reader->error->reason, "%s", why);
    return STATUS_INVALID;
}

/* A byte that no YAML may hold is found before the parser counts lines, so its mark is not set. */
static enum status refuse_byte(struct reader *reader)
{
    const size_t offset = reader->parser.problem_offset;
    const size_t end = offset < reader->text.size ? offset : reader->text.size;
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < end; i++) {
        mark.column++;
        if (reader->text.data[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return refuse(reader, mark, "this is no text in UTF-8, or holds a control character");
}

static enum status next_event(struct reader *reader, yaml_event_t *event)
{
    const yaml_parser_t *parser = &reader->parser;
    if (yaml_parser_parse(&reader->parser, event))
        return STATUS_OK;
    if (parser->error == YAML_MEMORY_ERROR)
        return STATUS_NO_MEMORY;
    if (parser->error == YAML_READER_ERROR)
        return refuse_byte(reader);
    return refuse(reader, parser->problem_mark,
                  parser->problem != NULL ? parser->problem : "this is no YAML");
}

static struct yaml_node *make_node(struct reader *reader, enum yaml_kind kind, yaml_mark_t mark)
{
    struct yaml_node *node = arena_zeroed(reader->arena, sizeof(*node));
    if (node == NULL)
        return NULL;
    node->kind = kind;
    node->line = (uint32_t)mark.line + 1;
    node->column = (uint32_t)mark.column + 1;
    return node;
}

static enum status read_node(struct reader *reader, yaml_event_t *event, unsigned depth,
                             struct yaml_node **node_out);

static bool has_extras(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor != NULL || event->data.sequence_start.tag != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor != NULL || event->data.mapping_start.tag != NULL;
    default:
        return false;
    }
}

static enum status read_scalar(struct reader *reader, const yaml_event_t *event,
                               struct yaml_node **node_out)
{
    struct yaml_node *node = make_node(reader, YAML_KIND_SCALAR, event->start_mark);
    if (node == NULL)
        return STATUS_NO_MEMORY;
    node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node->text =
        arena_copy(reader->arena, slice_of(event->data.scalar.value, event->data.scalar.length));
    *node_out = node;
    return node->text.data != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* The key of a member, whose event was read; leaves the event of its value in *event. */
static enum status read_key(struct reader *reader, yaml_event_t *event, struct yaml_node *key)
{
    if (event->type != YAML_SCALAR_EVENT || has_extras(event))
        return refuse(reader, event->start_mark, "a name must be a plain word");
    key->key_line = (uint32_t)event->start_mark.line + 1;
    key->key_column = (uint32_t)event->start_mark.column + 1;
    key->key =
        arena_copy(reader->arena, slice_of(event->data.scalar.value, event->data.scalar.length));
    yaml_event_delete(event);
    return key->key.data != NULL ? next_event(reader, event) : STATUS_NO_MEMORY;
}

static enum status read_child(struct reader *reader, yaml_event_t *event, unsigned depth,
                              const struct yaml_node *parent, struct yaml_node **child_out)
{
    struct yaml_node key = {0};
    enum status status = STATUS_OK;
    if (parent->kind == YAML_KIND_MAPPING)
        status = read_key(reader, event, &key);
    if (status == STATUS_OK)
        status = read_node(reader, event, depth + 1, child_out);
    if (status != STATUS_OK)
        return status;
    (*child_out)->key = key.key;
    (*child_out)->key_line = key.key_line;
    (*child_out)->key_column = key.key_column;
    return STATUS_OK;
}

static enum status read_children(struct reader *reader, struct yaml_node *parent,
                                 yaml_event_type_t end, unsigned depth)
{
    struct yaml_node **last = &parent->first;
    for (;;) {
        yaml_event_t event;
        enum status status = next_event(reader, &event);
        if (status != STATUS_OK)
            return status;
        const bool is_end = event.type == end;
        if (!is_end) {
            status = read_child(reader, &event, depth, parent, last);
            if (status == STATUS_OK)
                last = &(*last)->next;
        }
        yaml_event_delete(&event);
        if (is_end || status != STATUS_OK)
            return status;
    }
}

static enum status read_node(struct reader *reader, yaml_event_t *event, unsigned depth,
                             struct yaml_node **node_out)
{
    if (has_extras(event))
        return refuse(reader, event->start_mark, "anchors, aliases and tags are not supported");
    if (reader->node_count++ >= YAML_NODES_MAX)
        return refuse(reader, event->start_mark, "there is more in this file than is allowed");
    if (event->type == YAML_SCALAR_EVENT)
        return read_scalar(reader, event, node_out);
    if (depth >= YAML_DEPTH_MAX)
        return refuse(reader, event->start_mark, "this is nested too deeply");
    const bool is_mapping = event->type == YAML_MAPPING_START_EVENT;
    struct yaml_node *node =
        make_node(reader, is_mapping ? YAML_KIND_MAPPING : YAML_KIND_SEQUENCE, event->start_mark);
    if (node == NULL)
        return STATUS_NO_MEMORY;
    *node_out = node;
    return read_children(reader, node,
                         is_mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, depth);
}

/* Passes over what frames the document; gives its first node's event, or the end of the stream. */
static enum status next_content(struct reader *reader, yaml_event_t *event)
{
    for (;;) {
        const enum status status = next_event(reader, event);
        if (status != STATUS_OK)
            return status;
        if (event->type != YAML_STREAM_START_EVENT && event->type != YAML_DOCUMENT_START_EVENT &&
            event->type != YAML_DOCUMENT_END_EVENT)
            return STATUS_OK;
        yaml_event_delete(event);
    }
}

static enum status read_document(struct reader *reader, struct yaml_node **root_out)
{
    yaml_event_t event;
    enum status status = next_content(reader, &event);
    if (status != STATUS_OK)
        return status;
    if (event.type != YAML_STREAM_END_EVENT)
        status = read_node(reader, &event, 0, root_out);
    yaml_event_delete(&event);
    if (status != STATUS_OK || *root_out == NULL)
        return status;
    status = next_content(reader, &event);
    if (status == STATUS_OK && event.type != YAML_STREAM_END_EVENT)
        status = refuse(reader, event.start_mark, "a configuration is one document");
    if (status != STATUS_NO_MEMORY)
        yaml_event_delete(&event);
    return status;
}

enum status yaml_read(struct slice text, struct arena *arena, struct yaml_node **root_out,
                      struct yaml_error *error_out)
{
    if (slice_starts_with(text, SLICE("\xef\xbb\xbf"))) /* libyaml would take it for content */
        text = slice_from(text, 3);
    struct reader reader = {.text = text, .arena = arena, .error = error_out};
    *root_out = NULL;
    *error_out = (struct yaml_error){.line = 1, .column = 1};
    if (!yaml_parser_initialize(&reader.parser))
        return STATUS_NO_MEMORY;
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(
        &reader.parser, (const unsigned char *)(text.data != NULL ? text.data : ""), text.size);
    const enum status status = read_document(&reader, root_out);
    yaml_parser_delete(&reader.parser);
    return status;
}

bool yaml_is_null(const struct yaml_node *node)
{
    static const struct slice words[] = {{"", 0}, {"~", 1}, {"null", 4}, {"Null", 4}, {"NULL", 4}};
    if (node->kind != YAML_KIND_SCALAR || !node->is_plain)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (slice_equal(node->text, words[i]))
            return true;
    }
    return false;
}

size_t yaml_child_count(const struct yaml_node *node)
{
    size_t count = 0;
    for (const struct yaml_node *child = node->first; child != NULL; child = child->next)
        count++;
    return count;
}

const struct yaml_node *yaml_member(const struct yaml_node *mapping, struct slice key)
{
    const struct yaml_node *child = mapping != NULL ? mapping->first : NULL;
    while (child != NULL && !slice_equal(child->key, key))
        child = child->next;
    return child;
}
