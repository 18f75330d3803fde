#include "config/guard.h"

#include "base/special_network.h"

static bool is_listed(const struct config_networks *networks, const unsigned char address[16])
{
    for (size_t i = 0; i < networks->count; i++) {
        if (cidr_contains(&networks->items[i], address))
            return true;
    }
    return false;
}

bool config_guard_allows(const struct config_networks *allowed, const unsigned char address[16],
                         struct slice *sort_out)
{
    unsigned char unwrapped[16];
    *sort_out = special_network_of(address);
    if (sort_out->size == 0)
        return true;
    special_network_unwrap(address, unwrapped);
    return is_listed(allowed, address) || is_listed(allowed, unwrapped);
}
