#include "admin/definition_trial.h"

#include "admin/overlay.h"
#include "config/load.h"

static enum status put_candidate(const struct config_entries *entries,
                                 const struct config_entry *candidate, struct arena *arena,
                                 struct config_entries *with_it_out)
{
    struct config_entry *items = arena_alloc(arena, (entries->count + 1) * sizeof(*items));
    size_t count = entries->count;
    if (items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < entries->count; i++)
        items[i] = entries->items[i];
    const struct config_entry *former = config_entry_find(entries, candidate->name);
    items[former != NULL ? (size_t)(former - entries->items) : count++] = *candidate;
    *with_it_out = (struct config_entries){items, count};
    return STATUS_OK;
}

/* The first mistake, with what to do about it. */
static unsigned complain(struct operation *operation, const struct config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct config_mistake *mistake = &report->mistakes[i];
        if (mistake->severity != CONFIG_SEVERITY_ERROR)
            continue;
        if (mistake->suggestion.size == 0)
            return operation_problem(operation, 400, "%.*s", SLICE_ARGS(mistake->message));
        return operation_problem(operation, 400, "%.*s (%.*s)", SLICE_ARGS(mistake->message),
                                 SLICE_ARGS(mistake->suggestion));
    }
    return operation_problem(operation, 400, "the definition has mistakes");
}

static unsigned load(struct operation *operation, const struct config_overlay *overlay,
                     const struct config **config_out)
{
    struct config_report report;
    config_report_init(&report);
    const enum status status =
        config_load_again(operation->context->snapshot->config, overlay, &report, config_out);
    unsigned failed = 0;
    if (status == STATUS_INVALID)
        failed = complain(operation, &report);
    else if (status != STATUS_OK)
        failed = operation_problem(operation, 503, "out of memory");
    config_report_fini(&report);
    return failed;
}

unsigned definition_trial(struct operation *operation, enum store_section section,
                          const struct store_definition *candidate,
                          const struct config **config_out)
{
    const struct config_entry entry = {candidate->name, candidate->definition, true};
    struct reason reason = {""};
    struct overlay *overlay = NULL;
    if (operation->context->snapshot == NULL)
        return operation_problem(operation, 503, "there is no configuration to look into");
    enum status status = overlay_load_sealed(operation->context->store, &overlay, &reason);
    if (status != STATUS_OK)
        return operation_failed(operation, status, &reason);
    struct config_overlay with_it = overlay->entries;
    struct config_entries *entries =
        section == STORE_SECTION_MODELS ? &with_it.models : &with_it.providers;
    status = put_candidate(entries, &entry, &overlay->arena, entries);
    const unsigned failed = status == STATUS_OK ? load(operation, &with_it, config_out)
                                                : operation_failed(operation, status, &reason);
    overlay_destroy(&overlay);
    return failed;
}
