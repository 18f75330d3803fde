#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "config/settings.h"

static const struct option_spec *find(const struct option_spec *options, int count,
                                      const char *name, size_t size)
{
    for (int i = 0; i < count; i++) {
        if (strlen(options[i].name) == size && memcmp(options[i].name, name, size) == 0)
            return &options[i];
    }
    return NULL;
}

static int refuse_unknown(const struct option_spec *options, int count, const char *argument)
{
    struct slice names[64];
    int known = 0;
    for (; known < count && known < 64; known++)
        names[known] = slice_from_text(options[known].name);
    const char *name = argument + strspn(argument, "-");
    const struct slice nearest =
        nearest_word(names, (size_t)known, slice_of(name, strcspn(name, "=")));
    fprintf(stderr, "weir: there is no option %s", argument);
    if (nearest.size > 0)
        fprintf(stderr, "; did you mean --%.*s?", SLICE_ARGS(nearest));
    fprintf(stderr, " (--help lists them)\n");
    return 2;
}

/* Takes one option; *at is its place in argv, and moves over its value. */
static int take(int argc, char **argv, int *at, const struct option_spec *options, int count)
{
    const char *name = argv[*at] + 2;
    const size_t size = strcspn(name, "=");
    const bool has_value = name[size] == '=';
    const struct option_spec *option = find(options, count, name, size);
    if (option == NULL)
        return refuse_unknown(options, count, argv[*at]);
    if (option->kind == OPTION_KIND_LATER) {
        fprintf(stderr, "weir: --%s is not in this version\n", option->name);
        return 2;
    }
    if (option->kind == OPTION_KIND_FLAG) {
        if (has_value) {
            fprintf(stderr, "weir: --%s takes no value\n", option->name);
            return 2;
        }
        *option->flag = true;
        return -1;
    }
    if (!has_value && *at + 1 == argc) {
        fprintf(stderr, "weir: --%s needs a value\n", option->name);
        return 2;
    }
    *option->text = has_value ? name + size + 1 : argv[++*at];
    return -1;
}

int options_parse(int argc, char **argv, const struct option_spec *options, int option_count,
                  struct option_words *words, const char *help)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return 0;
        }
        if (strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0') {
            const int code = take(argc, argv, &i, options, option_count);
            if (code >= 0)
                return code;
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            return refuse_unknown(options, option_count, argv[i]);
        } else if (words != NULL && words->count < OPTIONS_WORDS_MAX) {
            words->items[words->count++] = argv[i];
        } else {
            fprintf(stderr, "weir: '%s' is one word too many (--help shows how)\n", argv[i]);
            return 2;
        }
    }
    return -1;
}
