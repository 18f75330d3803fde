/* Any text as a network, an address, and a list of networks in rules. What must hold: a network that is
 * accepted has no bits behind its prefix, contains its own address, and reads back from what is
 * written of it; one address is the network of itself; rules accept a list exactly where each part is a
 * network, and allow the address of each. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/cidr.h"
#include "identity/rules.h"

static bool has_rest(const struct cidr *cidr)
{
    for (unsigned bit = cidr->prefix; bit < 128; bit++)
        if ((cidr->address[bit / 8] >> (7 - bit % 8) & 1) != 0)
            return true;
    return false;
}

static bool check_network(struct slice text, struct cidr *cidr_out)
{
    struct reason reason = {""};
    struct cidr again;
    char shown[CIDR_TEXT_BYTES];
    const enum status status = cidr_parse(text, cidr_out, &reason);
    ASSERT(status == STATUS_OK || (status == STATUS_INVALID && reason.text[0] != '\0'));
    if (status != STATUS_OK)
        return false;
    ASSERT(cidr_out->prefix <= 128 && !has_rest(cidr_out));
    ASSERT(cidr_contains(cidr_out, cidr_out->address));
    const unsigned size = cidr_format(cidr_out, shown);
    ASSERT(size < CIDR_TEXT_BYTES);
    ASSERT(cidr_parse(slice_of(shown, size), &again, NULL) == STATUS_OK);
    ASSERT(memcmp(&again, cidr_out, sizeof(again)) == 0);
    return true;
}

static void check_address(struct slice text)
{
    unsigned char address[16];
    struct cidr cidr;
    if (cidr_parse_address(text, address) != STATUS_OK)
        return;
    ASSERT(cidr_parse(text, &cidr, NULL) == STATUS_OK);
    ASSERT(cidr.prefix == 128 && memcmp(cidr.address, address, 16) == 0);
}

static void check_rules(struct slice list, bool is_sound)
{
    const struct identity_rules_spec spec = {.networks = list};
    struct identity_rules *rules = NULL;
    const enum status status = identity_rules_create(&spec, &rules, NULL);
    ASSERT(status == (is_sound ? STATUS_OK : STATUS_INVALID));
    for (struct slice rest = list; is_sound && rest.size > 0;) {
        struct cidr cidr;
        const size_t comma = slice_find_byte(rest, ',');
        ASSERT(cidr_parse(slice_of(rest.data, comma), &cidr, NULL) == STATUS_OK);
        ASSERT(identity_rules_allow_address(rules, cidr.address));
        rest = slice_from(rest, comma < rest.size ? comma + 1 : comma);
    }
    identity_rules_unref(&rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_sound = true;
    if (size > IDENTITY_LIST_SIZE_MAX)
        return 0;
    const struct slice list = slice_of(data, size);
    check_address(list);
    for (size_t at = 0; at < size || (at == size && size > 0);) {
        struct cidr cidr;
        const struct slice rest = slice_from(list, at);
        const size_t comma = slice_find_byte(rest, ',');
        is_sound &= check_network(slice_of(rest.data, comma), &cidr);
        at += comma + 1;
    }
    check_rules(list, is_sound);
    return 0;
}
