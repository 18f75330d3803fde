/* One item of the lists that a level has: its check, and the one form in which it is kept.
 *
 * Pure. An item never holds a comma, which joins them. Private to level_members.c. */
#ifndef ADMIN_LEVEL_ITEMS_H
#define ADMIN_LEVEL_ITEMS_H

#include "base/reason.h"
#include "base/slice.h"
#include "base/status.h"

#define LEVEL_ITEM_BYTES_MAX 256

/* Writes at most LEVEL_ITEM_BYTES_MAX bytes. STATUS_INVALID. */
typedef enum status level_item_reader(struct slice item, char text_out[LEVEL_ITEM_BYTES_MAX],
                                      size_t *size_out, struct reason *reason);

/* A model's name, perhaps with one `*` at its end. */
level_item_reader level_item_model;
/* A route of the gateway's, with or without its /v1, or the beginning of one with a `*`. */
level_item_reader level_item_route;
/* A network in CIDR notation, or one address. */
level_item_reader level_item_network;
/* A word. */
level_item_reader level_item_tag;

#endif
