/* A user as the admin API shows it. Private to the operations. */
#ifndef ADMIN_USER_OBJECT_H
#define ADMIN_USER_OBJECT_H

#include "admin/operation.h"
#include "json/write.h"
#include "store/store.h"

void user_object_write(struct json_writer *writer, const struct store_user *user);
/* The same as the answer. Returns `http_status`. */
unsigned user_object_answer(struct operation *operation, unsigned http_status,
                            const struct store_user *user);
/* Saves the change (see user_change()) and answers with the user, or with the problem. */
unsigned user_object_save(struct operation *operation, struct slice action,
                          const struct store_user *before, struct store_user *user);

#endif
