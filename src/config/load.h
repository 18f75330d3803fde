/* From files, environment and command line to a snapshot.
 *
 * The command line wins over the environment, that over the file, that over the defaults.
 * Thread: any; reads files, so not on a worker's loop. Memory: the snapshot and the report own
 * what they hold; the texts of `source`, but for the overlay, outlive a snapshot that is loaded
 * again. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/reason.h"
#include "base/status.h"
#include "config/config.h"
#include "config/overlay.h"
#include "config/report.h"

#define CONFIG_FILE_BYTES_MAX   ((size_t)4 << 20)
#define CONFIG_SECRET_BYTES_MAX ((size_t)64 << 10)

/* Appends the content of the file to `content`, whose size_max bounds it. STATUS_NOT_FOUND: no
 * such file; STATUS_TOO_LARGE; STATUS_DENIED; STATUS_IO; STATUS_NO_MEMORY. *reason is set for
 * all but STATUS_NOT_FOUND. */
typedef enum status config_read(void *context, const char *path, struct buffer *content,
                                struct reason *reason);

struct config_source {
    const char *path;   /* --config; NULL: the first of $WEIR_CONFIG, ./weir.yaml and
                           * /etc/weir/weir.yaml that is there */
    const char *listen; /* --listen, --workers and --data-dir as written; NULL: not given */
    const char *workers;
    const char *data_dir;
    char *const *environment; /* "NAME=value", ended by NULL, as environ is; NULL: empty */
    config_read *read;        /* NULL: config_read_file */
    void *read_context;
    const struct config_overlay *overlay; /* what the store adds; NULL: nothing */
};

/* Gives the caller one reference to a new snapshot. *report was initialised by the caller; what
 * is wrong is added to it, and on STATUS_OK it may hold warnings.
 * STATUS_INVALID: there are mistakes, and no snapshot. STATUS_NO_MEMORY: no snapshot either. */
MUST_CHECK enum status config_load(const struct config_source *source, struct config_report *report,
                                   const struct config **config_out);

/* Loads anew what `config` was made of, be it that files or the environment changed since, with
 * another overlay (NULL: none). As config_load(). */
MUST_CHECK enum status config_load_again(const struct config *config,
                                         const struct config_overlay *overlay,
                                         struct config_report *report,
                                         const struct config **config_out);

/* Reads from the file system. `context` is not used. */
config_read config_read_file;

#endif
