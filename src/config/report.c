#include "config/report.h"

#include <stdbool.h>

#define ARENA_BYTES_MAX ((size_t)1 << 20)

void config_report_init(struct config_report *report)
{
    *report = (struct config_report){0};
    arena_init(&report->arena, NULL, 0, ARENA_BYTES_MAX);
}

void config_report_fini(struct config_report *report)
{
    arena_fini(&report->arena);
    *report = (struct config_report){0};
}

/* A copy on one line: what is quoted from a file may hold line ends, or bytes that a terminal
 * obeys. */
static struct slice keep(struct config_report *report, struct slice text)
{
    char *copy = arena_alloc(&report->arena, text.size + 1);
    if (copy == NULL)
        return SLICE("(no memory)");
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char byte = (unsigned char)text.data[i];
        copy[i] = byte < 0x20 || byte == 0x7f ? '?' : text.data[i];
    }
    copy[text.size] = '\0';
    return slice_of(copy, text.size);
}

void config_report_add(struct config_report *report, const struct config_mistake *mistake)
{
    if (mistake->severity == CONFIG_SEVERITY_ERROR)
        report->error_count++;
    if (report->mistakes == NULL)
        report->mistakes =
            arena_zeroed(&report->arena, CONFIG_MISTAKES_MAX * sizeof(struct config_mistake));
    if (report->mistakes == NULL || report->count == CONFIG_MISTAKES_MAX) {
        report->left_out++;
        return;
    }
    struct config_mistake *kept = &report->mistakes[report->count++];
    *kept = *mistake;
    kept->file = keep(report, mistake->file);
    kept->message = keep(report, mistake->message);
    if (mistake->suggestion.size > 0)
        kept->suggestion = keep(report, mistake->suggestion);
}

static bool stands_before(const struct config_mistake *a, const struct config_mistake *b)
{
    if (a->line == 0 || b->line == 0)
        return a->line > 0 && b->line == 0;
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

/* By insertion: they are few, and those that stand in one place keep their order. */
void config_report_sort(struct config_report *report)
{
    for (size_t i = 1; i < report->count; i++) {
        const struct config_mistake mistake = report->mistakes[i];
        size_t at = i;
        for (; at > 0 && stands_before(&mistake, &report->mistakes[at - 1]); at--)
            report->mistakes[at] = report->mistakes[at - 1];
        report->mistakes[at] = mistake;
    }
}

enum status config_mistake_write(const struct config_mistake *mistake, struct buffer *text)
{
    buffer_append(text, mistake->file);
    if (mistake->line > 0)
        buffer_printf(text, ":%u:%u", mistake->line, mistake->column);
    buffer_append(text, mistake->severity == CONFIG_SEVERITY_WARNING ? SLICE(": warning: ")
                                                                     : SLICE(": "));
    buffer_append(text, mistake->message);
    if (mistake->suggestion.size > 0)
        buffer_printf(text, " (%.*s)", SLICE_ARGS(mistake->suggestion));
    return buffer_status(text);
}

enum status config_report_write(const struct config_report *report, struct buffer *text)
{
    for (size_t i = 0; i < report->count; i++) {
        const enum status status = config_mistake_write(&report->mistakes[i], text);
        if (status != STATUS_OK)
            return status;
        buffer_append_byte(text, '\n');
    }
    if (report->left_out > 0)
        buffer_printf(text, "%zu more mistakes are left out\n", report->left_out);
    return buffer_status(text);
}
