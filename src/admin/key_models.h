/* The models that a key may call, as the admin API has them: an array of patterns.
 *
 * In the store and in the map they are one text, joined by commas. Pure. */
#ifndef ADMIN_KEY_MODELS_H
#define ADMIN_KEY_MODELS_H

#include <yyjson.h>

#include "base/arena.h"
#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"
#include "json/write.h"

/* `value` is null (all models: data is NULL) or an array of names, each perhaps with one `*` at its
 * end. STATUS_INVALID. STATUS_NO_MEMORY. */
MUST_CHECK enum status key_models_read(yyjson_val *value, struct arena *arena,
                                       struct slice *models_out, struct reason *reason);

/* Writes a member that is null or the array. */
void key_models_write(struct json_writer *writer, struct slice name, struct slice models);

#endif
