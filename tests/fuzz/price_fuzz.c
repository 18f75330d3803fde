/* Any text as an amount, as terms of a price, and as a catalogue. What must hold: an amount is
 * written as it is read; terms that are read are written, and read again as the same; a search ends
 * on a line, and what is read of it keeps to the memory. */
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "models/catalogue.h"
#include "models/cost.h"
#include "models/price_decimal.h"
#include "models/price_terms.h"

#define TEXT_BYTES_MAX 4096

static void read_amount(struct slice text, unsigned digits)
{
    char written[PRICE_DECIMAL_TEXT_BYTES];
    uint64_t value, again;
    if (price_decimal_parse(text, digits, &value) != STATUS_OK)
        return;
    const unsigned size = price_decimal_format(value, digits, written);
    ASSERT(price_decimal_parse(slice_of(written, size), digits, &again) == STATUS_OK);
    ASSERT(again == value);
}

/* Whatever was used, a cost is known or says why not. */
static void work_out(const struct price *price, struct slice text)
{
    struct usage usage = {0};
    struct cost cost;
    memcpy(&usage, text.data,
           text.size < offsetof(struct usage, service_class)
               ? text.size
               : offsetof(struct usage, service_class));
    usage.service_class = (enum price_class)(text.size % PRICE_CLASSES);
    usage.pin = (enum cost_pin)(text.size % 3);
    usage.is_fast = text.size % 2 == 0;
    const enum status status = cost_compute(price, &usage, &cost);
    ASSERT(status == STATUS_OK || status == STATUS_NOT_FOUND || status == STATUS_TOO_LARGE);
    ASSERT(cost.nanousd >= 0 && (status != STATUS_NOT_FOUND || cost.nanousd == 0));
}

static void read_terms(struct slice text)
{
    struct price price, again;
    struct reason reason;
    struct buffer written;
    if (price_read(text, &price, &reason) != STATUS_OK)
        return;
    buffer_init(&written, 4 * TEXT_BYTES_MAX);
    ASSERT(price_write(&price, &written) == STATUS_OK);
    ASSERT(price_read(buffer_slice(&written), &again, &reason) == STATUS_OK);
    ASSERT(memcmp(price.rates, again.rates, sizeof(price.rates)) == 0);
    ASSERT(memcmp(price.offpeak_rates, again.offpeak_rates, sizeof(price.offpeak_rates)) == 0);
    ASSERT(memcmp(price.factors, again.factors, sizeof(price.factors)) == 0);
    ASSERT(price.tier_count == again.tier_count && price.offpeak.count == again.offpeak.count);
    work_out(&price, text);
    buffer_fini(&written);
}

static void search(struct slice text, size_t cut)
{
    const struct catalogue catalogue = {slice_of(text.data, cut), slice_from(text, cut)};
    const struct catalogue_query query = {SLICE("openai"), SLICE("gpt-4o-2024-08-06"), {0}, {0}, 0};
    struct catalogue_row row;
    struct price price;
    struct catalogue_facts facts;
    struct reason reason;
    if (catalogue_find(&catalogue, &query, &row) == STATUS_OK) {
        ASSERT(row.line.data >= text.data && row.line.size <= cut);
        if (catalogue_read_price(&catalogue, &row, &price) == STATUS_OK)
            work_out(&price, text);
        (void)catalogue_read_facts(&row, &facts);
    }
    (void)catalogue_check(&catalogue, &reason);
    (void)catalogue_open(catalogue.models, catalogue.tiers, &(struct catalogue){0}, &reason);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > TEXT_BYTES_MAX)
        return 0;
    const struct slice text = slice_of(data + 1, size - 1);
    switch (data[0]) {
    case 'a':
        read_amount(text, data[1] % (PRICE_DECIMAL_DIGITS_MAX + 1));
        break;
    case 't':
        read_terms(text);
        break;
    default:
        search(text, slice_find(text, SLICE("\n\n")));
        break;
    }
    return 0;
}
