/* Configuration files: whatever stands in one, loading ends, with a snapshot or with mistakes, and
 * never with both or neither. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "config/load.h"
#include "config/show.h"

static enum status give(void *context, const char *path, struct buffer *content,
                        struct reason *reason)
{
    (void)reason;
    if (!slice_equal(slice_from_text(path), SLICE("fuzz.yaml")))
        return STATUS_NOT_FOUND;
    return buffer_append(content, *(const struct slice *)context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *const environment[] = {(char[]){"A=1"}, (char[]){"WEIR_WORKERS=2"}, NULL};
    const struct slice text = slice_of(data, size);
    const struct config_source source = {.path = "fuzz.yaml",
                                         .environment = environment,
                                         .read = give,
                                         .read_context = (void *)(uintptr_t)&text};
    struct config_report report;
    struct buffer shown;
    const struct config *config;
    config_report_init(&report);
    buffer_init(&shown, (size_t)64 << 20);
    const enum status status = config_load(&source, &report, &config);
    ASSERT((status == STATUS_INVALID) == (report.error_count > 0) || status == STATUS_NO_MEMORY);
    if (status == STATUS_OK) {
        ASSERT(config->listen.count > 0);
        ASSERT(config_show(config, CONFIG_FORM_TEXT, &shown) == STATUS_OK);
        ASSERT(config_show(config, CONFIG_FORM_JSON, &shown) == STATUS_OK);
        config_unref(&config);
    }
    buffer_fini(&shown);
    config_report_fini(&report);
    return 0;
}
