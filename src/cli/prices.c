/* `weir prices`. */
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/prices_rerate.h"
#include "cli/resource.h"
#include "json/write.h"

#define BODY_BYTES_MAX ((size_t)1 << 20)
#define PATH_BYTES_MAX 4096
#define COUNT(items)   (sizeof(items) / sizeof((items)[0]))

static int refuse(const char *why)
{
    fprintf(stderr, "weir: %s (weir prices --help says more)\n", why);
    return 2;
}

static const struct resource_column columns[] = {{"PROVIDER", "provider"},
                                                 {"MODEL", "model"},
                                                 {"PER MILLION, IN USD", "terms"},
                                                 {"FROM", "from"},
                                                 {"PRICE", "id"}};

static int show_price(const struct verb_options *options, const char *model)
{
    const struct resource_list targets = {.path = "/admin/v1/prices",
                                          .query = "/",
                                          .name = model,
                                          .columns = columns,
                                          .column_count = COUNT(columns),
                                          .needs_config = true};
    return resource_list(options, &targets);
}

static int list_prices(const struct verb_options *options, const char *argument)
{
    const struct resource_list all = {.path = "/admin/v1/prices",
                                      .columns = columns,
                                      .column_count = COUNT(columns),
                                      .needs_config = true};
    (void)argument;
    return resource_list(options, &all);
}

/* --- set ----------------------------------------------------------------------------------------- */

/* Cuts "PROVIDER/MODEL" in two; a model may have '/' in its name, a provider not. */
static bool split_target(const char *target, struct slice *provider_out, struct slice *model_out)
{
    const struct slice text = slice_from_text(target);
    const size_t slash = slice_find_byte(text, '/');
    if (slash == 0 || slash + 1 >= text.size)
        return false;
    *provider_out = slice_of(text.data, slash);
    *model_out = slice_from(text, slash + 1);
    return true;
}

/* A word may hold one term, or several with ';' between, as the catalogue writes them. */
static bool write_terms(struct json_writer *writer, const char *word)
{
    struct slice rest = slice_from_text(word);
    while (rest.size > 0) {
        const size_t end = slice_find_byte(rest, ';');
        const struct slice term = slice_of(rest.data, end);
        const size_t equals = slice_find_byte(term, '=');
        if (equals == 0 || equals >= term.size)
            return false;
        json_write_key(writer, slice_of(term.data, equals));
        json_write_string(writer, slice_from(term, equals + 1));
        rest = slice_from(rest, end < rest.size ? end + 1 : end);
    }
    return true;
}

static bool write_body(const struct verb_options *options, struct slice provider,
                       struct slice model, struct buffer *body)
{
    struct json_writer writer;
    bool are_terms = true;
    json_writer_init(&writer, body);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("provider"));
    json_write_string(&writer, provider);
    json_write_key(&writer, SLICE("model"));
    json_write_string(&writer, model);
    if (options->from != NULL) {
        json_write_key(&writer, SLICE("from"));
        json_write_string(&writer, slice_from_text(options->from));
    }
    json_write_key(&writer, SLICE("prices"));
    json_write_object(&writer);
    for (int i = 0; i < options->word_count && are_terms; i++)
        are_terms = write_terms(&writer, options->words[i]);
    json_write_end(&writer);
    json_write_end(&writer);
    return are_terms;
}

static int keep_price(const struct verb_options *options, struct slice provider, struct slice model)
{
    struct buffer body;
    int code;
    buffer_init(&body, BODY_BYTES_MAX);
    if (write_body(options, provider, model, &body)) {
        const struct resource_request request = {.method = "POST",
                                                 .prefix = "/admin/v1/prices",
                                                 .body = buffer_slice(&body),
                                                 .needs_config = true};
        code = resource_call(options, &request);
    } else {
        code = refuse("a price is written NAME=VALUE, as input=0.40");
    }
    buffer_fini(&body);
    return code;
}

static int remove_price(const struct verb_options *options, struct slice provider,
                        struct slice model)
{
    struct buffer path;
    int code = 1;
    char name[65];
    if (provider.size >= sizeof(name))
        return refuse("a provider's name has at most 64 bytes");
    snprintf(name, sizeof(name), "%.*s", SLICE_ARGS(provider));
    buffer_init(&path, PATH_BYTES_MAX);
    buffer_append(&path, SLICE("/admin/v1/prices?provider="));
    resource_escape(&path, name);
    if (options->from != NULL) {
        buffer_append(&path, SLICE("&from="));
        resource_escape(&path, options->from);
    }
    buffer_append(&path, SLICE("&model="));
    buffer_append_byte(&path, '\0');
    const struct resource_request request = {
        .method = "DELETE", .prefix = path.data, .name = model.data};
    if (buffer_status(&path) == STATUS_OK)
        code = resource_call(options, &request);
    else
        code = refuse("the name is too long");
    buffer_fini(&path);
    return code;
}

static int set_price(const struct verb_options *options, const char *target)
{
    struct slice provider, model;
    if (!split_target(target, &provider, &model))
        return refuse("say whose price it is: PROVIDER/MODEL");
    if (options->remove && options->word_count > 0)
        return refuse("--remove takes no prices: it removes the whole entry");
    if (options->remove)
        return remove_price(options, provider, model);
    if (options->word_count == 0)
        return refuse("say what it costs: `weir prices set PROVIDER/MODEL input=0.40 output=1.60`");
    return keep_price(options, provider, model);
}

static int rerate(const struct verb_options *options, const char *argument)
{
    (void)argument;
    return prices_rerate_run(options);
}

static const struct verb verbs[] = {
    {"show", "MODEL", "", "what it costs now, for each target that may serve it",
     "weir prices show gpt-4o-mini", show_price},
    {"list", NULL, "", "the configuration's prices and your own", "weir prices list --json",
     list_prices},
    {"set", "PROVIDER/MODEL TERM...", "[--from T] [--remove]",
     "a price of your own, or its end; TERM is as input=0.40",
     "weir prices set local/our-model input=0.40 output=1.60 --from 2026-01-01", set_price},
    {"rerate", NULL, "--since T [--until T] [--apply]",
     "what requests cost by today's knowledge of prices; --apply records it",
     "weir prices rerate --since 30d", rerate},
};

int prices_command(int argc, char **argv)
{
    static const struct verb_set set = {
        "prices",
        "What models cost. The configuration's prices go first, then those set here, then the\n"
        "catalogue's; of each the latest that has begun.",
        "  TERM            NAME=VALUE in US dollars per million tokens: input, output, "
        "cache_read,\n"
        "                  cache_write, reasoning, audio_input, audio_output, and others as\n"
        "                  docs/configuration.md names them; what is not said is not known\n"
        "  --from T        holds from that day (2026-01-31) or time on; without it, it always has\n"
        "  --since T, --until T\n"
        "                  a duration back from now (30d, 12h), a day or a time\n",
        verbs, COUNT(verbs)};
    return verb_set_run(&set, argc, argv);
}
