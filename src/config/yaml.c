#include "config/yaml.h"

#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct yaml_error *error;
};

static enum status refuse(struct reader *reader, yaml_mark_t mark, const char *why)
{
    reader->error->line = (uint32_t)mark.line + 1;
    reader->error->column = (uint32_t)mark.column + 1;
    reason_set(&reader->error->reason, "%s", why);
    return STATUS_INVALID;
}

static enum status next_event(struct reader *reader, yaml_event_t *event)
{
    const yaml_parser_t *parser = &reader->parser;
    if (yaml_parser_parse(&reader->parser, event))
        return STATUS_OK;
    if (parser->error == YAML_MEMORY_ERROR)
        return STATUS_NO_MEMORY;
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

static bool has_anchor(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return true;
    case YAML_SCALAR_EVENT:
        return event->data.scalar.anchor != NULL;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.anchor != NULL;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.anchor != NULL;
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
    if (event->type != YAML_SCALAR_EVENT || has_anchor(event))
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
    if (has_anchor(event))
        return refuse(reader, event->start_mark, "anchors and aliases are not supported");
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
    struct reader reader = {.arena = arena, .error = error_out};
    *root_out = NULL;
    *error_out = (struct yaml_error){.line = 1, .column = 1};
    if (!yaml_parser_initialize(&reader.parser))
        return STATUS_NO_MEMORY;
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.data, text.size);
    const enum status status = read_document(&reader, root_out);
    yaml_parser_delete(&reader.parser);
    return status;
}
