#include "cli/store_part.h"

#include "admin/price_store.h"
#include "config/load.h"

static enum status load_config(const struct config *config, const struct overlay *overlay,
                               struct config_report *report, const struct config **config_out,
                               struct reason *reason)
{
    const enum status status = config_load_again(config, &overlay->entries, report, config_out);
    if (status == STATUS_INVALID)
        reason_set(reason, "the configuration has mistakes with what the API has added: %.*s",
                   SLICE_ARGS(report->count > 0 ? report->mistakes[0].message : SLICE("unknown")));
    else if (status != STATUS_OK)
        reason_set(reason, "out of memory while reading the configuration");
    return status;
}

enum status store_part_load(struct admin_context *context, const struct config *config,
                            struct store_part *part_out, struct reason *reason)
{
    *part_out = (struct store_part){.prices = NULL};
    config_report_init(&part_out->report);
    enum status status = price_store_load(context->store, &part_out->prices, reason);
    if (status == STATUS_OK)
        status = overlay_load(context, config, &part_out->overlay, reason);
    if (status == STATUS_OK)
        status =
            load_config(config, part_out->overlay, &part_out->report, &part_out->config, reason);
    return status;
}

void store_part_drop(struct store_part *part)
{
    price_list_destroy(&part->prices);
    overlay_destroy(&part->overlay);
    config_unref(&part->config);
    config_report_fini(&part->report);
}

enum status store_part_look(struct store *store, const struct config **config,
                            struct reason *reason)
{
    const struct config *whole = NULL;
    struct overlay *overlay = NULL;
    struct config_report report;
    config_report_init(&report);
    enum status status = overlay_load_sealed(store, &overlay, reason);
    if (status == STATUS_OK)
        status = load_config(*config, overlay, &report, &whole, reason);
    overlay_destroy(&overlay);
    config_report_fini(&report);
    if (status != STATUS_OK)
        return status;
    config_unref(config);
    *config = whole;
    return STATUS_OK;
}
