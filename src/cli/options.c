#include "cli/options.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/nearest.h"

#define OPTIONS_MAX 64

/* What is being read, and how far. */
struct reading {
    int argc, at;
    char **argv;
    const struct option_spec *options;
    int option_count;
    struct reason *reason;
};

static const struct option_spec *find_name(const struct reading *reading, const char *name,
                                           size_t size)
{
    for (int i = 0; i < reading->option_count; i++) {
        const char *known = reading->options[i].name;
        if (strlen(known) == size && memcmp(known, name, size) == 0)
            return &reading->options[i];
    }
    return NULL;
}

static const struct option_spec *find_letter(const struct reading *reading, char letter)
{
    for (int i = 0; i < reading->option_count; i++) {
        if (reading->options[i].letter == letter)
            return &reading->options[i];
    }
    return NULL;
}

/* The name without its value, which may be a secret. */
static enum status refuse_unknown(const struct reading *reading)
{
    struct slice names[OPTIONS_MAX];
    ASSERT(reading->option_count <= OPTIONS_MAX);
    for (int i = 0; i < reading->option_count; i++)
        names[i] = slice_from_text(reading->options[i].name);
    const char *argument = reading->argv[reading->at];
    const int size = (int)strcspn(argument, "=");
    const int dashes = (int)strspn(argument, "-");
    const struct slice nearest = nearest_word(names, (size_t)reading->option_count,
                                              slice_of(argument + dashes, (size_t)(size - dashes)));
    if (nearest.size > 0)
        reason_set(reading->reason, "there is no option %.*s; did you mean --%.*s?", size, argument,
                   SLICE_ARGS(nearest));
    else
        reason_set(reading->reason, "there is no option %.*s", size, argument);
    return STATUS_INVALID;
}

static enum status take_value(struct reading *reading, const struct option_spec *option,
                              const char **value)
{
    if (*value == NULL && reading->at + 1 < reading->argc &&
        strncmp(reading->argv[reading->at + 1], "--", 2) != 0)
        *value = reading->argv[++reading->at];
    if (*value != NULL)
        return STATUS_OK;
    reason_set(reading->reason, "--%s needs a value (one that begins with -- as --%s=VALUE)",
               option->name, option->name);
    return STATUS_INVALID;
}

static enum status set_text(struct reading *reading, const struct option_spec *option,
                            const char *value)
{
    const enum status status = take_value(reading, option, &value);
    if (status != STATUS_OK)
        return status;
    if (*option->text != NULL) {
        reason_set(reading->reason, "--%s is given twice", option->name);
        return STATUS_INVALID;
    }
    *option->text = value;
    return STATUS_OK;
}

static enum status add_text(struct reading *reading, const struct option_spec *option,
                            const char *value)
{
    const enum status status = take_value(reading, option, &value);
    if (status != STATUS_OK)
        return status;
    if (option->texts->count == OPTION_TEXTS_MAX) {
        reason_set(reading->reason, "--%s is given more than %d times", option->name,
                   OPTION_TEXTS_MAX);
        return STATUS_INVALID;
    }
    option->texts->items[option->texts->count++] = value;
    return STATUS_OK;
}

static enum status set_flag(struct reading *reading, const struct option_spec *option,
                            const char *value)
{
    if (value != NULL) {
        reason_set(reading->reason, "--%s takes no value", option->name);
        return STATUS_INVALID;
    }
    *option->flag = true;
    return STATUS_OK;
}

static enum status take_option(struct reading *reading)
{
    const char *argument = reading->argv[reading->at];
    const bool is_long = argument[1] == '-';
    const size_t size = is_long ? strcspn(argument + 2, "=") : strlen(argument + 1);
    const struct option_spec *option = NULL;
    if (is_long)
        option = find_name(reading, argument + 2, size);
    else if (size == 1)
        option = find_letter(reading, argument[1]);
    if (option == NULL)
        return refuse_unknown(reading);
    const char *value = is_long && argument[2 + size] == '=' ? argument + 3 + size : NULL;
    switch (option->kind) {
    case OPTION_KIND_TEXT:
        return set_text(reading, option, value);
    case OPTION_KIND_TEXTS:
        return add_text(reading, option, value);
    case OPTION_KIND_FLAG:
        return set_flag(reading, option, value);
    case OPTION_KIND_LATER:
        break;
    }
    reason_set(reading->reason, "--%s is not in this version", option->name);
    return STATUS_UNSUPPORTED;
}

static enum status take_word(const struct reading *reading, struct option_words *words)
{
    const char *word = reading->argv[reading->at];
    if (words != NULL && words->count < OPTIONS_WORDS_MAX) {
        words->items[words->count++] = word;
        return STATUS_OK;
    }
    /* Who pastes a key in the wrong place shall not find it in a log. */
    reason_set(reading->reason, "'%s' is one word too many",
               strncmp(word, "sk-", 3) == 0 ? "sk-..." : word);
    return STATUS_INVALID;
}

enum status options_read(int argc, char **argv, const struct option_spec *options, int option_count,
                         struct option_words *words, struct reason *reason)
{
    struct reading reading = {argc, 1, argv, options, option_count, reason};
    bool has_options = true;
    for (; reading.at < argc; reading.at++) {
        const char *argument = argv[reading.at];
        const bool is_option = has_options && argument[0] == '-' && argument[1] != '\0';
        if (is_option && (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0))
            return STATUS_CANCELLED;
        if (is_option && strcmp(argument, "--") == 0) {
            has_options = false;
            continue;
        }
        const enum status status = is_option ? take_option(&reading) : take_word(&reading, words);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

int options_parse(int argc, char **argv, const struct option_spec *options, int option_count,
                  struct option_words *words, const char *help)
{
    struct reason reason = {""};
    const enum status status = options_read(argc, argv, options, option_count, words, &reason);
    if (status == STATUS_OK)
        return -1;
    if (status == STATUS_CANCELLED) {
        fputs(help, stdout);
        return 0;
    }
    fprintf(stderr, "weir: %s (weir %s --help says more)\n", reason.text, argv[0]);
    return 2;
}

bool option_is_set(const struct option_spec *option)
{
    switch (option->kind) {
    case OPTION_KIND_TEXT:
        return *option->text != NULL;
    case OPTION_KIND_TEXTS:
        return option->texts->count > 0;
    case OPTION_KIND_FLAG:
        return *option->flag;
    case OPTION_KIND_LATER:
        break;
    }
    return false;
}
