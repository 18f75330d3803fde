#include "admin/price_item.h"

#include "admin/member_writer.h"
#include "admin/price_store.h"
#include "models/price_terms.h"

#define TEXT_BYTES_MAX 65536

/* The terms as `weir prices set` takes them. */
static void write_terms(struct json_writer *writer, const struct price *price)
{
    struct buffer terms;
    buffer_init(&terms, TEXT_BYTES_MAX);
    const enum status status = price_write(price, &terms);
    for (size_t i = 0; i < terms.size; i++) {
        if (terms.data[i] == ';')
            terms.data[i] = ' ';
    }
    member_write_text(writer, SLICE("terms"), buffer_slice(&terms));
    if (status != STATUS_OK)
        writer->buffer->failed = status;
    buffer_fini(&terms);
}

/* The first word of a price's id is where it comes from. */
static struct slice source_of(const struct price *price)
{
    const struct slice id = price_id(price);
    return slice_of(id.data, slice_find_byte(id, '/'));
}

static void write_price(struct json_writer *writer, const struct price *price)
{
    const uint64_t until_us = price->until_us != UINT64_MAX ? price->until_us : 0;
    member_write_text(writer, SLICE("source"), source_of(price));
    member_write_text(writer, SLICE("id"), price_id(price));
    member_write_time(writer, SLICE("from"), price->from_us);
    member_write_time(writer, SLICE("until"), until_us);
    if (price->is_free) {
        member_write_text(writer, SLICE("terms"), SLICE("free"));
        json_write_key(writer, SLICE("prices"));
        json_write_null(writer);
        return;
    }
    write_terms(writer, price);
    json_write_key(writer, SLICE("prices"));
    price_definition_write(writer, price);
}

void price_item_write(struct json_writer *writer, const struct price_item *item)
{
    static const struct slice names[] = {{"source", 6}, {"id", 2},    {"from", 4},
                                         {"until", 5},  {"terms", 5}, {"prices", 6}};
    json_write_object(writer);
    member_write_text(writer, SLICE("provider"), item->provider);
    member_write_text(writer, SLICE("model"), item->model);
    if (item->price != NULL)
        write_price(writer, item->price);
    for (size_t i = 0; item->price == NULL && i < sizeof(names) / sizeof(names[0]); i++)
        member_write_text(writer, names[i], slice_of(NULL, 0));
    json_write_end(writer);
}
