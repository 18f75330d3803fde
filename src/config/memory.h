/* What a load took from outside, kept so that the same can be loaded again with another overlay while
 * the files may have changed. Internal to config/.
 *
 * Thread: filled by the load that made it, then only read; shared by reference. Memory: owns copies of
 * the files, wiped at the end since they may be secrets; the texts of the source are borrowed. */
#ifndef CONFIG_MEMORY_H
#define CONFIG_MEMORY_H

#include "config/load.h"

struct config_memory;

/* NULL: no memory. The caller has one reference. */
struct config_memory *config_memory_create(const struct config_source *source);
struct config_memory *config_memory_ref(struct config_memory *memory);
/* Lets go of *memory, if any, and sets it to NULL. */
void config_memory_unref(struct config_memory **memory);

/* The source, without an overlay, whose read() gives what was kept. */
struct config_source config_memory_source(struct config_memory *memory);
/* Keeps what reading this path came to. STATUS_NO_MEMORY. */
MUST_CHECK enum status config_memory_keep(struct config_memory *memory, const char *path,
                                          enum status status, struct slice content);

#endif
