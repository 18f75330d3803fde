/* The operations of the driver on the ledger's tables and the audit chain. See store/store_usage.h and
 * store/store_audit.h for each one's contract. */
#ifndef STORE_SQLITE_LEDGER_OPERATIONS_H
#define STORE_SQLITE_LEDGER_OPERATIONS_H

#include "store/store_audit.h"
#include "store/store_usage.h"

enum status sqlite_begin(struct store *store, struct reason *reason);
enum status sqlite_commit(struct store *store, struct reason *reason);
void sqlite_rollback(struct store *store);
enum status sqlite_sync(struct store *store, struct reason *reason);
enum status sqlite_check_file(struct store *store, struct reason *reason);
enum status sqlite_usage_insert(struct store *store, const struct store_usage *usage,
                                bool *inserted_out, struct reason *reason);
enum status sqlite_attempt_insert(struct store *store, const struct store_attempt *attempt,
                                  struct reason *reason);
enum status sqlite_open_insert(struct store *store, const struct store_open *open,
                               struct reason *reason);
enum status sqlite_open_delete(struct store *store, const struct id *id, struct reason *reason);
enum status sqlite_opens_list(struct store *store, uint64_t generation, store_open_visitor *visit,
                              void *context, struct reason *reason);
enum status sqlite_usage_list_batch(struct store *store, int64_t batch, store_usage_visitor *visit,
                                    void *context, struct reason *reason);
enum status sqlite_usage_list(struct store *store, uint64_t since_us, uint64_t until_us,
                              store_usage_visitor *visit, void *context, struct reason *reason);
enum status sqlite_usage_set_cost(struct store *store, const struct store_usage *usage,
                                  int64_t cost_nanousd, struct slice price_id,
                                  struct reason *reason);
enum status sqlite_sum_add(struct store *store, const struct store_sum *sum, struct reason *reason);
enum status sqlite_report(struct store *store, const struct store_report *report,
                          store_report_visitor *visit, void *context, struct reason *reason);
enum status sqlite_spend_list(struct store *store, const struct store_spend_query *query,
                              store_spend_visitor *visit, void *context, struct reason *reason);
enum status sqlite_spend(struct store *store, const struct store_spend_query *query,
                         struct slice owner, int64_t *nanousd_out, struct reason *reason);
enum status sqlite_position_set(struct store *store, const struct store_position *position,
                                struct reason *reason);
enum status sqlite_position_find(struct store *store, uint64_t generation, uint32_t worker,
                                 struct store_position *position_out, struct reason *reason);
enum status sqlite_positions_delete(struct store *store, uint64_t generation,
                                    struct reason *reason);
enum status sqlite_batch_next(struct store *store, int64_t *batch_out, struct reason *reason);
enum status sqlite_retention_next(struct store *store, uint64_t before_us, int64_t *batch_out,
                                  uint64_t *rows_out, struct reason *reason);
enum status sqlite_retention_delete(struct store *store, int64_t batch, uint64_t rows_max,
                                    uint64_t *deleted_out, struct reason *reason);
enum status sqlite_price_set(struct store *store, const struct store_price *price,
                             struct reason *reason);
enum status sqlite_price_delete(struct store *store, struct slice provider, struct slice model,
                                uint64_t from_us, struct reason *reason);
enum status sqlite_prices_list(struct store *store, store_price_visitor *visit, void *context,
                               struct reason *reason);
enum status sqlite_audit_insert(struct store *store, const struct store_audit_entry *entry,
                                struct reason *reason);
enum status sqlite_audit_last(struct store *store, struct arena *arena,
                              struct store_audit_entry *entry_out, struct reason *reason);
enum status sqlite_audit_list(struct store *store, uint64_t first, store_audit_visitor *visit,
                              void *context, struct reason *reason);
enum status sqlite_audit_page(struct store *store, const struct store_audit_page *page,
                              store_audit_visitor *visit, void *context, struct reason *reason);
enum status sqlite_audit_delete_before(struct store *store, uint64_t number, uint64_t *deleted_out,
                                       struct reason *reason);

#endif
