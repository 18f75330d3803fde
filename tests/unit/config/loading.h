/* Loads a configuration from texts: no file system, no environment of the process. */
#ifndef CONFIG_LOADING_H
#define CONFIG_LOADING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/load.h"

#define LOADING_FILES_MAX     8
#define LOADING_VARIABLES_MAX 8

struct loading_file {
    const char *path, *content; /* content NULL: it is there and cannot be read */
};

struct loading {
    struct loading_file files[LOADING_FILES_MAX]; /* the first without a path ends them */
    char *environment[LOADING_VARIABLES_MAX + 1];
    struct config_source source;
    struct config_report report;
    const struct config *config;
    enum status status;
};

static enum status loading_read(void *context, const char *path, struct buffer *content,
                                struct reason *reason)
{
    const struct loading *loading = context;
    for (size_t i = 0; i < LOADING_FILES_MAX && loading->files[i].path != NULL; i++) {
        if (strcmp(loading->files[i].path, path) != 0)
            continue;
        if (loading->files[i].content != NULL)
            return buffer_append(content, slice_from_text(loading->files[i].content));
        reason_set(reason, "%s: Permission denied", path);
        return STATUS_DENIED;
    }
    return STATUS_NOT_FOUND;
}

static inline void loading_run(struct loading *loading)
{
    loading->config = NULL;
    loading->source.environment = loading->environment;
    loading->source.read = loading_read;
    loading->source.read_context = loading;
    config_report_init(&loading->report);
    loading->status = config_load(&loading->source, &loading->report, &loading->config);
}

static inline void loading_end(struct loading *loading)
{
    config_unref(&loading->config);
    config_report_fini(&loading->report);
}

/* Loads the text as /etc/weir/weir.yaml; NULL: there is no file. */
static inline void loading_text(struct loading *loading, const char *yaml)
{
    size_t at = 0;
    while (at < LOADING_FILES_MAX - 1 && loading->files[at].path != NULL)
        at++;
    if (yaml != NULL)
        loading->files[at] = (struct loading_file){"/etc/weir/weir.yaml", yaml};
    loading_run(loading);
}

static inline void loading_print(const struct loading *loading)
{
    for (size_t i = 0; i < loading->report.count; i++) {
        const struct config_mistake *mistake = &loading->report.mistakes[i];
        print_error("%.*s:%u:%u: %.*s (%.*s)\n", SLICE_ARGS(mistake->file), mistake->line,
                    mistake->column, SLICE_ARGS(mistake->message), SLICE_ARGS(mistake->suggestion));
    }
}

/* The snapshot of a text that must be sound. */
static inline const struct config *loading_sound(struct loading *loading, const char *yaml)
{
    loading_text(loading, yaml);
    if (loading->status != STATUS_OK)
        loading_print(loading);
    assert_int_equal(loading->status, STATUS_OK);
    assert_non_null(loading->config);
    return loading->config;
}

static inline bool loading_mistake_says(const struct config_mistake *mistake, const char *said)
{
    const struct slice needle = slice_from_text(said);
    return slice_find(mistake->message, needle) < mistake->message.size ||
           slice_find(mistake->suggestion, needle) < mistake->suggestion.size;
}

/* The text is refused; exactly one mistake stands in `line` (0: it is not in the file), and it
 * says `said`. */
static inline void loading_refused(const char *yaml, uint32_t line, const char *said)
{
    struct loading loading = {0};
    size_t here = 0, fitting = 0;
    loading_text(&loading, yaml);
    for (size_t i = 0; i < loading.report.count; i++) {
        const struct config_mistake *mistake = &loading.report.mistakes[i];
        here += mistake->line == line;
        fitting += mistake->line == line && loading_mistake_says(mistake, said);
    }
    if (loading.status != STATUS_INVALID || here != 1 || fitting != 1) {
        print_error("%s\nwanted in line %u: %s\n", yaml, line, said);
        loading_print(&loading);
    }
    assert_int_equal(loading.status, STATUS_INVALID);
    assert_null(loading.config);
    assert_int_equal(here, 1);
    assert_int_equal(fitting, 1);
    loading_end(&loading);
}

static inline void assert_text(struct slice slice, const char *text)
{
    assert_int_equal(slice.size, strlen(text));
    assert_memory_equal(slice.data, text, slice.size + 1); /* with its final zero */
}

#endif
