#include "cli/verb.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/nearest.h"
#include "cli/options.h"

#define VERBS_MAX 32

/* --- Help ---------------------------------------------------------------------------------------- */

static void print_usage(const struct verb_set *set, const struct verb *verb)
{
    const bool takes_more = verb->argument != NULL || verb->usage[0] != '\0';
    printf("  weir %s %s%s%s%s%s\n      %s\n", set->kind, verb->name, takes_more ? " " : "",
           verb->argument != NULL ? verb->argument : "",
           verb->argument != NULL && verb->usage[0] != '\0' ? " " : "", verb->usage, verb->summary);
}

static size_t word_size(const char *text)
{
    size_t size = 0;
    while (isalnum((unsigned char)text[size]) || text[size] == '-')
        size++;
    return size;
}

/* Whether the usage shows "--name", as a whole word. */
static bool takes_option(const struct verb *verb, struct slice name)
{
    const char *at = verb->usage;
    while ((at = strstr(at, "--")) != NULL) {
        at += 2;
        if (slice_equal(slice_of(at, word_size(at)), name))
            return true;
    }
    return false;
}

/* Whether the line, up to its end, names an option that the verb takes, or begins with its argument. */
static bool is_about(const char *line, const struct verb *verb)
{
    const struct slice first = slice_of(line + 2, word_size(line + 2));
    const struct slice argument = slice_from_text(verb->argument != NULL ? verb->argument : "");
    if (!slice_starts_with(first, SLICE("--")))
        return slice_find(argument, first) < argument.size;
    for (const char *at = line; *at != '\0' && *at != '\n'; at++) {
        if (strncmp(at, "--", 2) == 0 && takes_option(verb, slice_of(at + 2, word_size(at + 2))))
            return true;
    }
    return false;
}

/* A note begins with its option or argument, and goes on in lines that are indented further. */
static void print_notes(const char *notes, const struct verb *only)
{
    bool is_shown = true;
    while (*notes != '\0') {
        const size_t size = strcspn(notes, "\n") + 1;
        if (strncmp(notes, "   ", 3) != 0)
            is_shown = only == NULL || is_about(notes, only);
        if (is_shown)
            printf("%.*s", (int)size, notes);
        notes += size;
    }
}

/* Of one verb, or of all if it is NULL. */
static void print_help(const struct verb_set *set, const struct verb *only)
{
    printf("%s\n\n", set->summary);
    for (size_t i = 0; i < set->count; i++) {
        if (set->items[i].run != NULL && (only == NULL || only == &set->items[i]))
            print_usage(set, &set->items[i]);
    }
    printf("\n");
    print_notes(set->notes, only);
    printf("  --config FILE, --data-dir DIR\n"
           "                  where the configuration and the data are\n"
           "  --json          an object, or an array for list\n\n%s\n",
           only != NULL ? "Example:" : "Examples:");
    for (size_t i = 0; i < set->count; i++) {
        if (set->items[i].run != NULL && (only == NULL || only == &set->items[i]))
            printf("  %s\n", set->items[i].example);
    }
}

/* --- Choosing ------------------------------------------------------------------------------------ */

static const struct verb *find(const struct verb_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->items[i].name, name) == 0)
            return &set->items[i];
    }
    return NULL;
}

static int refuse(const struct verb_set *set, const struct reason *reason)
{
    fprintf(stderr, "weir: %s (weir %s --help says more)\n", reason->text, set->kind);
    return 2;
}

static int refuse_unknown(const struct verb_set *set, const char *name)
{
    struct slice names[VERBS_MAX];
    struct reason reason;
    ASSERT(set->count <= VERBS_MAX);
    for (size_t i = 0; i < set->count; i++)
        names[i] = slice_from_text(set->items[i].name);
    const struct slice nearest = nearest_word(names, set->count, slice_from_text(name));
    if (nearest.size > 0)
        reason_set(&reason, "there is no `weir %s %s`; did you mean '%.*s'?", set->kind, name,
                   SLICE_ARGS(nearest));
    else
        reason_set(&reason, "there is no `weir %s %s`", set->kind, name);
    return refuse(set, &reason);
}

static bool takes_words(const struct verb *verb)
{
    return verb->argument != NULL && slice_ends_with(slice_from_text(verb->argument), SLICE("..."));
}

/* With the verb itself. */
static int words_wanted(const struct verb *verb)
{
    int count = verb->argument != NULL ? 2 : 1;
    for (const char *at = verb->argument; at != NULL && *at != '\0' && !takes_words(verb); at++)
        count += *at == ' ';
    return count;
}

/* The arguments are what the verb takes. Else the reason says why not. */
static bool fits(const struct verb_set *set, const struct verb *verb,
                 const struct option_words *words, const struct option_spec *own, int own_count,
                 struct reason *reason)
{
    static const char *const takes[] = {"no name", "one name", "two names"};
    const int wanted = words_wanted(verb);
    if (words->count < wanted) {
        reason_set(reason, "say which: `weir %s %s %s`", set->kind, verb->name, verb->argument);
        return false;
    }
    if (words->count > wanted && !takes_words(verb)) {
        ASSERT(wanted <= 3);
        reason_set(reason, "`weir %s %s` takes %s", set->kind, verb->name, takes[wanted - 1]);
        return false;
    }
    for (int i = 0; i < own_count; i++) {
        if (option_is_set(&own[i]) && !takes_option(verb, slice_from_text(own[i].name))) {
            reason_set(reason, "`weir %s %s` takes no --%s", set->kind, verb->name, own[i].name);
            return false;
        }
    }
    return true;
}

static int choose_and_run(const struct verb_set *set, const struct option_words *words,
                          const struct option_spec *own, int own_count,
                          struct verb_options *options)
{
    struct reason reason;
    if (words->count == 0) {
        reason_set(&reason, "say what to do with %s", set->kind);
        return refuse(set, &reason);
    }
    const struct verb *verb = find(set, words->items[0]);
    if (verb == NULL)
        return refuse_unknown(set, words->items[0]);
    if (verb->run == NULL) {
        reason_set(&reason, "`weir %s %s` is not in this version", set->kind, verb->name);
        return refuse(set, &reason);
    }
    if (!fits(set, verb, words, own, own_count, &reason))
        return refuse(set, &reason);
    if (words->count > 2) {
        options->words = words->items + 2;
        options->word_count = words->count - 2;
    }
    return verb->run(options, verb->argument != NULL ? words->items[1] : NULL);
}

int verb_set_run(const struct verb_set *set, int argc, char **argv)
{
    struct verb_options options = {0};
    struct option_words words = {.count = 0};
    struct reason reason = {""};
    const struct option_spec specs[] = {
        OPTION_TEXT("config", &options.config),
        OPTION_TEXT("data-dir", &options.data_dir),
        OPTION_FLAG("json", &options.json),
        OPTION_TEXT("user", &options.user),
        OPTION_TEXT("name", &options.name),
        OPTION_TEXT("model", &options.model),
        OPTION_TEXT("models", &options.models),
        OPTION_TEXT("expires", &options.expires),
        OPTION_FLAG("key-stdin", &options.key_stdin),
        OPTION_TEXT("role", &options.role),
        OPTION_TEXT("from", &options.from),
        OPTION_TEXT("since", &options.since),
        OPTION_TEXT("until", &options.until),
        OPTION_FLAG("apply", &options.apply),
        OPTION_FLAG("remove", &options.remove),
        OPTION_TEXTS("limit", &options.limits),
        OPTION_TEXTS("budget", &options.budgets),
        OPTION_TEXT("max-parallel", &options.max_parallel),
        OPTION_TEXT("rpm", &options.rpm),
        OPTION_TEXT("tpm", &options.tpm),
        OPTION_FLAG("warn-only", &options.warn_only),
        OPTION_FLAG("no-warn-only", &options.no_warn_only),
        OPTION_TEXT("routes", &options.routes),
        OPTION_TEXT("networks", &options.networks),
        OPTION_TEXT("tags", &options.tags),
        OPTION_TEXT("team", &options.team),
        OPTION_TEXT("timezone", &options.timezone),
        OPTION_TEXT("overlap", &options.overlap),
        OPTION_TEXT("file", &options.file),
        OPTION_TEXT("new-key-file", &options.new_key_file),
        OPTION_LATER("priority"),
    };
    const int shared = 3, count = sizeof(specs) / sizeof(specs[0]);
    const enum status status = options_read(argc, argv, specs, count, &words, &reason);
    if (status == STATUS_CANCELLED) {
        const struct verb *verb = words.count > 0 ? find(set, words.items[0]) : NULL;
        print_help(set, verb != NULL && verb->run != NULL ? verb : NULL);
        return 0;
    }
    if (status != STATUS_OK)
        return refuse(set, &reason);
    return choose_and_run(set, &words, specs + shared, count - shared, &options);
}
