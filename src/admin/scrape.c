#include "admin/scrape.h"

#include "http/body_memory.h"
#include "io/coroutine.h"

struct scrape {
    struct gateway *gateway;
    uint64_t now_ns;
    struct buffer *text;
    enum status status;
};

static struct metrics_ledger ledger_metrics(const struct ledger *ledger)
{
    struct ledger_figures figures;
    if (ledger == NULL)
        return (struct metrics_ledger){0};
    ledger_figures(ledger, &figures);
    return (struct metrics_ledger){
        .journal_bytes = figures.keeper.segment_bytes_total,
        .undrained_bytes = figures.keeper.undrained_bytes,
        .records = figures.keeper.appended_records,
        .records_lost = figures.drain.records_lost,
        .rows = figures.drain.rows + figures.drain.recovered_rows,
        .batches = figures.drain.batches,
        .orphans = figures.drain.orphans,
        .failures = figures.drain.failures,
        .syncs = figures.keeper.syncs,
        .sync_failures = figures.keeper.sync_failures,
        .sync_longest_ns = figures.keeper.sync_longest_us * 1000,
        .drain_cpu_ns = figures.drain.busy_ns,
        .open_requests = figures.drain.open_requests,
        .is_full = figures.keeper.is_full,
        .has_failed = figures.keeper.has_failed,
        .store_has_failed = figures.drain.has_failed,
    };
}

static void render_metrics(void *argument)
{
    struct scrape *scrape = argument;
    struct log_stats stats;
    log_stats(scrape->gateway->log, &stats);
    const struct metrics_scrape known = {
        .now_ns = scrape->now_ns,
        .body_memory_bytes = body_memory_used(),
        .coroutine_stacks = coroutine_count(),
        .log_dropped = stats.dropped_records,
        .log_written = stats.written_records,
        .log_lost_bytes = stats.lost_bytes,
        .ledger = ledger_metrics(scrape->gateway->ledger),
    };
    scrape->status = metrics_render(scrape->gateway->metrics, &known, scrape->text);
}

enum status scrape(const struct admin_server_config *config, struct buffer *text)
{
    struct scrape scrape = {.gateway = config->gateway,
                            .now_ns = loop_now_ns(config->loop),
                            .text = text,
                            .status = STATUS_NO_MEMORY};
    const enum status status = service_call(config->metrics, config->loop, render_metrics, &scrape);
    return status == STATUS_OK ? scrape.status : status;
}
