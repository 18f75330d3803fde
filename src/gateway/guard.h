/* The guard of config/guard.h at the moment of connecting: what was resolved is what is looked at, so
 * that a name which leads elsewhere the second time gains nothing.
 *
 * Thread: any; pure. */
#ifndef GATEWAY_GUARD_H
#define GATEWAY_GUARD_H

#include <stdbool.h>

#include "base/reason.h"
#include "io/address.h"

/* `networks` is the struct config_networks that is allowed. An upstream_may_connect. */
bool guard_may_connect(const void *networks, const struct address *address, struct reason *reason);

#endif
