/* The configuration in force, in words: what each setting is and where it comes from.
 *
 * Thread: any. Secrets are never written: "***" stands for one that is set. */
#ifndef CONFIG_SHOW_H
#define CONFIG_SHOW_H

#include "base/buffer.h"
#include "base/status.h"
#include "config/config.h"

enum config_form {
    CONFIG_FORM_TEXT, /* a line per setting: key, value, origin, in columns */
    CONFIG_FORM_JSON, /* {"file":…,"settings":[{"key","value","from"[,"line"]}],"notices":[…]} */
};

/* Appends it to `text`. Statuses of buffer_append(). */
MUST_CHECK enum status config_show(const struct config *config, enum config_form form,
                                   struct buffer *text);

/* Appends the names of the settings that differ and hold only from a restart on, with ", "
 * between them; nothing when a reload may go ahead. Statuses of buffer_append(). */
MUST_CHECK enum status config_diff_restart(const struct config *old, const struct config *new,
                                           struct buffer *names);

#endif
