#include "cli/audit_access.h"

#include <stdio.h>

#include "base/clock.h"
#include "store/store_usage.h"

#define PATH_BYTES 3000
#define BUSY_MS    5000

static enum status open_store(const char *data_dir, bool read_only, struct store **store_out,
                              struct reason *reason)
{
    char path[PATH_BYTES];
    *store_out = NULL;
    if ((size_t)snprintf(path, sizeof(path), "%s/weir.db", data_dir) >= sizeof(path)) {
        reason_set(reason, "the path of the data directory is too long");
        return STATUS_TOO_LARGE;
    }
    const struct store_config config = {.path = path,
                                        .read_only = read_only,
                                        .busy_timeout_ms = BUSY_MS,
                                        .now_us = clock_realtime_us()};
    return store_open(&config, store_out, reason);
}

enum status audit_access_open(const char *data_dir, struct store **store_out, struct reason *reason)
{
    return open_store(data_dir, true, store_out, reason);
}

static enum status append(struct audit *audit, struct store *store, struct reason *reason)
{
    const uint64_t now_us = clock_realtime_us();
    enum status status = store_begin(store, reason);
    if (status != STATUS_OK)
        return status;
    status = audit_start(audit, store, now_us, reason); /* another key signs nothing */
    if (status == STATUS_OK)
        status = audit_checkpoint(audit, store, now_us, reason);
    if (status == STATUS_OK)
        status = store_commit(store, reason);
    if (status != STATUS_OK) {
        store_rollback(store);
        return status;
    }
    return audit_save_head(audit, store, now_us, true, reason);
}

enum status audit_access_checkpoint(const char *data_dir, struct reason *reason)
{
    struct audit *audit = NULL;
    struct store *store = NULL;
    enum status status = audit_open(data_dir, false, &audit, reason);
    if (status == STATUS_OK)
        status = open_store(data_dir, false, &store, reason);
    if (status == STATUS_OK)
        status = append(audit, store, reason);
    store_close(&store);
    audit_close(&audit);
    return status;
}
