/* Where providers that came through the admin API may point: to the public Internet, and into the
 * networks that the configuration file allows. A token of the API shall not reach what only this
 * machine can.
 *
 * Thread: any; pure. */
#ifndef CONFIG_GUARD_H
#define CONFIG_GUARD_H

#include <stdbool.h>

#include "config/config.h"

/* Whether `address` (16 bytes, as in base/cidr.h) may be called. If not, *sort_out says what sort of
 * network it belongs to, such as "loopback". */
bool config_guard_allows(const struct config_networks *allowed, const unsigned char address[16],
                         struct slice *sort_out);

#endif
