#include "cli/journal_size.h"

#include <stdio.h>

#include "base/assert.h"
#include "config/settings.h"
#include "config/units.h"
#include "gateway/gateway.h"
#include "ledger/ledger.h"

#define TEXT_BYTES 128

/* Sets the place; the variable's name, if it comes from there, is kept in `variable`. */
static void fill_place(const struct config *config, char variable[SETTINGS_NAME_BYTES],
                       struct config_mistake *mistake)
{
    const struct setting *setting =
        settings_find(&settings_of_config, SLICE("ledger.journal_bytes"));
    ASSERT(setting != NULL);
    const struct config_origin *origin = &config->origins[setting - settings_of_config.items];
    if (origin->kind == CONFIG_ORIGIN_ENVIRONMENT) {
        mistake->file = settings_variable(setting, variable);
        return;
    }
    mistake->file = config->file;
    mistake->line = origin->line;
    mistake->column = origin->column;
}

bool journal_size_check(const struct config *config, struct config_report *report)
{
    const unsigned workers = gateway_worker_count(config);
    const uint64_t bytes = config->ledger.journal_bytes, bytes_min = ledger_bytes_min(workers);
    if (bytes >= bytes_min)
        return true;
    char variable[SETTINGS_NAME_BYTES], message[TEXT_BYTES], suggestion[TEXT_BYTES];
    char given[UNITS_TEXT_BYTES], least[UNITS_TEXT_BYTES];
    struct config_mistake mistake = {.severity = CONFIG_SEVERITY_ERROR};
    fill_place(config, variable, &mistake);
    units_format_size(bytes, given);
    units_format_size(bytes_min, least);
    (void)snprintf(message, sizeof(message),
                   "ledger.journal_bytes: %s is too small for %u workers%s", given, workers,
                   config->workers == 0 ? ", one per core" : "");
    (void)snprintf(suggestion, sizeof(suggestion), "write at least %s, or set fewer workers",
                   least);
    mistake.message = slice_from_text(message);
    mistake.suggestion = slice_from_text(suggestion);
    config_report_add(report, &mistake);
    config_report_sort(report);
    return false;
}
