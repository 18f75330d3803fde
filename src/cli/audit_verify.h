/* `weir audit verify`: what is found, a line each, a summary, and how far it is. Thread: any. */
#ifndef CLI_AUDIT_VERIFY_H
#define CLI_AUDIT_VERIFY_H

#include <stdbool.h>

#include "store/store.h"

/* Findings of which lines for people are printed; programs get all of them. */
#define AUDIT_FINDINGS_SHOWN 200

/* Returns the exit code: 0, nothing is wrong; 1, something is, or it cannot be told. */
int audit_verify_run(const char *data_dir, struct store *store, bool as_json);

#endif
