/* A key as the admin API shows it, and as its paths name it. Private to the operations. */
#ifndef ADMIN_KEY_OBJECT_H
#define ADMIN_KEY_OBJECT_H

#include "admin/operation.h"
#include "json/write.h"
#include "store/store.h"

/* `secret` has data only for a key that has just got it. */
void key_object_write(struct json_writer *writer, const struct store_key *key, struct slice secret,
                      uint64_t now_us);
/* The same as the answer. Returns `http_status`. */
unsigned key_object_answer(struct operation *operation, unsigned http_status,
                           const struct store_key *key, struct slice secret);

/* The key that the path names. Returns 0 or the problem's status. */
unsigned key_object_find(struct operation *operation, struct store_key *key_out);
/* The same, if it was not revoked: that is for ever. */
unsigned key_object_find_live(struct operation *operation, struct store_key *key_out);

#endif
