#include "config/loader.h"

#define VALUE_BYTES_MAX CONFIG_SECRET_BYTES_MAX

static bool is_variable_name(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        const char byte = name.data[i];
        const bool is_letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
        if (!is_letter && byte != '_' && (i == 0 || byte < '0' || byte > '9'))
            return false;
    }
    return name.size > 0;
}

/* `inside` is what stands between the braces. As in a shell, `:-` also stands in for a variable
 * that is set to nothing. */
static bool put_variable(struct loader *loader, struct slice inside, const struct place *place,
                         struct buffer *out)
{
    const size_t colon = slice_find(inside, SLICE(":-"));
    const struct slice name = slice_of(inside.data, colon);
    if (!is_variable_name(name)) {
        loader_complain(loader, place, SLICE("write ${NAME} or ${NAME:-default}"),
                        "'${%.*s}' names no variable", SLICE_ARGS(inside));
        return false;
    }
    const struct slice value = loader_variable(loader, name);
    if (value.size > 0) {
        buffer_append(out, value);
    } else if (colon < inside.size) {
        buffer_append(out, slice_from(inside, colon + 2));
    } else if (value.data == NULL) {
        loader_complain(loader, place, SLICE("set it, or write ${NAME:-default}"),
                        "the environment variable %.*s is not set", SLICE_ARGS(name));
        return false;
    }
    return true;
}

static bool put_all(struct loader *loader, struct slice text, const struct place *place,
                    struct buffer *out)
{
    for (;;) {
        const size_t start = slice_find(text, SLICE("${"));
        buffer_append(out, slice_of(text.data, start));
        if (start == text.size)
            return true;
        text = slice_from(text, start + 2);
        const size_t end = slice_find_byte(text, '}');
        if (end == text.size) {
            loader_complain(loader, place, SLICE("close it with '}'"), "'${' without '}'");
            return false;
        }
        if (!put_variable(loader, slice_of(text.data, end), place, out))
            return false;
        text = slice_from(text, end + 1);
    }
}

static bool interpolate(struct loader *loader, struct slice text, const struct place *place,
                        struct slice *out)
{
    struct buffer result;
    buffer_init(&result, VALUE_BYTES_MAX);
    bool is_sound = put_all(loader, text, place, &result);
    if (buffer_status(&result) == STATUS_TOO_LARGE) {
        loader_complain(loader, place, (struct slice){0}, "the value is longer than %zu bytes",
                        VALUE_BYTES_MAX);
        is_sound = false;
    } else if (buffer_status(&result) != STATUS_OK) {
        loader->is_out_of_memory = true;
        is_sound = false;
    }
    *out = is_sound ? loader_keep(loader, buffer_slice(&result)) : (struct slice){0};
    buffer_fini(&result);
    return is_sound;
}

/* What the environment and the command line give stands as it is: a shell has already put in
 * what was to be put in. */
bool value_interpolate(struct loader *loader, struct slice name, struct slice text,
                       const struct place *place, struct slice *out)
{
    const bool is_literal = place->origin.kind == CONFIG_ORIGIN_ENVIRONMENT ||
                            place->origin.kind == CONFIG_ORIGIN_COMMAND_LINE;
    *out = text;
    if (slice_find(text, SLICE("${")) < text.size &&
        loader_refuse_of_store(loader, place, "${...}",
                               "what the API adds reads nothing of the environment"))
        return false;
    if (!is_literal && slice_find(text, SLICE("${")) < text.size &&
        !interpolate(loader, text, place, out))
        return false;
    if (!value_has_control(*out))
        return true;
    loader_complain(loader, place, (struct slice){0}, "%.*s%sthe value holds a control character",
                    SLICE_ARGS(name), name.size > 0 ? ": " : "");
    return false;
}

bool value_of_scalar(struct loader *loader, const struct yaml_node *node, struct slice *out)
{
    const struct place place = place_of_node(loader, node);
    *out = (struct slice){0};
    if (node->kind == YAML_KIND_SCALAR)
        return value_interpolate(loader, node->key, node->text, &place, out);
    loader_complain(loader, &place, (struct slice){0}, "%.*s%sone value is wanted, not %s",
                    SLICE_ARGS(node->key), node->key.size > 0 ? ": " : "",
                    node->kind == YAML_KIND_SEQUENCE ? "a list" : "a mapping");
    return false;
}
