/* From the name that a request carries to the name that the catalogue has. */
#include "models/catalogue.h"

#define MODEL_BYTES_MAX   256
#define DATE_BYTES        8  /* "20251001" */
#define DASHED_DATE_BYTES 10 /* "2025-10-01" */

static const struct slice fine_tune = {"ft:", 3};

static const struct {
    const char *provider, *prefix;
} prefixes[] = {
    {"gemini", "models/"},    /* Gemini API, "Models": the resource's name */
    {"vertex_ai", "google/"}, /* Vertex AI, "OpenAI compatibility" */
};

/* Azure serves both kinds of deployment under both kinds of host. */
static const struct {
    const char *provider, *sibling;
} siblings[] = {
    {"azure", "azure_ai"},
    {"azure_ai", "azure"},
};

/* Whether the text is digits where the pattern has '0', and the pattern's bytes elsewhere. */
static bool looks_like(struct slice text, const char *pattern)
{
    for (size_t i = 0; i < text.size; i++) {
        const bool is_digit = text.data[i] >= '0' && text.data[i] <= '9';
        if (pattern[i] == '0' ? !is_digit : text.data[i] != pattern[i])
            return false;
    }
    return true;
}

static bool ends_in(struct slice model, size_t size, const char *pattern)
{
    return model.size > size && looks_like(slice_from(model, model.size - size), pattern);
}

/* Takes a snapshot's date off the end. */
static struct slice without_date(struct slice model)
{
    if (ends_in(model, DASHED_DATE_BYTES + 1, "-0000-00-00"))
        model.size -= DASHED_DATE_BYTES + 1;
    else if (ends_in(model, DATE_BYTES + 1, "-00000000") ||
             ends_in(model, DATE_BYTES + 1, "@00000000"))
        model.size -= DATE_BYTES + 1;
    return model;
}

/* "ft:gpt-4o:ours::id" is a fine-tune of gpt-4o, and priced as "ft:gpt-4o". */
static struct slice without_owner(struct slice model)
{
    if (!slice_starts_with(model, fine_tune))
        return model;
    const struct slice base = slice_from(model, fine_tune.size);
    return slice_of(model.data, fine_tune.size + slice_find_byte(base, ':'));
}

/* The row for this name in the region and of the variant; else in the region, else of the variant,
 * else without both. */
static enum status find_name(const struct catalogue *catalogue, const struct catalogue_query *query,
                             struct slice model, struct catalogue_row *row_out)
{
    const struct slice none = {0};
    enum status status = STATUS_NOT_FOUND;
    struct catalogue_query narrower = *query;
    narrower.model = model;
    for (unsigned without = 0; status == STATUS_NOT_FOUND && without < 4; without++) {
        if (((without & 1) != 0 && query->variant.size == 0) ||
            ((without & 2) != 0 && query->region.size == 0))
            continue;
        narrower.variant = (without & 1) != 0 ? none : query->variant;
        narrower.region = (without & 2) != 0 ? none : query->region;
        status = catalogue_find_exact(catalogue, &narrower, row_out);
    }
    return status;
}

/* Vertex AI's name for the current snapshot. */
static enum status find_default(const struct catalogue *catalogue,
                                const struct catalogue_query *query, struct slice model,
                                struct catalogue_row *row_out)
{
    const struct slice suffix = SLICE("@default");
    char name[MODEL_BYTES_MAX + sizeof("@default")];
    if (!slice_equal(query->provider, SLICE("vertex_ai")) || model.size > MODEL_BYTES_MAX)
        return STATUS_NOT_FOUND;
    memcpy(name, model.data, model.size);
    memcpy(name + model.size, suffix.data, suffix.size);
    return find_name(catalogue, query, slice_of(name, model.size + suffix.size), row_out);
}

/* What some providers' APIs take in front of the name. */
static struct slice without_prefix(struct slice provider, struct slice model)
{
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        const struct slice prefix = slice_from_text(prefixes[i].prefix);
        if (slice_equal(provider, slice_from_text(prefixes[i].provider)) &&
            slice_starts_with(model, prefix))
            return slice_from(model, prefix.size);
    }
    return model;
}

/* Goes from the name as it is to what it is a case of. */
static enum status find_model(const struct catalogue *catalogue,
                              const struct catalogue_query *query, struct catalogue_row *row_out)
{
    const struct slice model = without_prefix(query->provider, query->model);
    const struct slice base = without_owner(model);
    const struct slice names[] = {model, base, without_date(base)};
    enum status status =
        model.size > 0 ? find_name(catalogue, query, model, row_out) : STATUS_NOT_FOUND;
    for (size_t i = 1; status == STATUS_NOT_FOUND && i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].size < names[i - 1].size)
            status = find_name(catalogue, query, names[i], row_out);
    }
    if (status == STATUS_NOT_FOUND)
        status = find_default(catalogue, query, without_date(base), row_out);
    return status;
}

enum status catalogue_find(const struct catalogue *catalogue, const struct catalogue_query *query,
                           struct catalogue_row *row_out)
{
    enum status status = find_model(catalogue, query, row_out);
    for (size_t i = 0; status == STATUS_NOT_FOUND && i < sizeof(siblings) / sizeof(siblings[0]);
         i++) {
        struct catalogue_query other = *query;
        if (!slice_equal(query->provider, slice_from_text(siblings[i].provider)))
            continue;
        other.provider = slice_from_text(siblings[i].sibling);
        status = find_model(catalogue, &other, row_out);
    }
    return status;
}
