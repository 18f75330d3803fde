#include "models/price_list.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/clock.h"

#define PROVIDER_BYTES_MAX 64
#define MODEL_BYTES_MAX    256
#define CAPACITY_FIRST     16

/* What a price is for. */
struct name {
    struct slice provider;
    struct slice model; /* of a prefix, what stands before its '*' */
    bool is_prefix;
};

struct entry {
    struct name name; /* parts of the price's id */
    struct price price;
};

struct price_list {
    atomic_uint references;
    const char *source;
    struct entry **entries; /* in the order of compare_name(), then by beginning */
    size_t count, capacity;
};

struct price_list *price_list_create(const char *source)
{
    struct price_list *list = alloc_zeroed(1, sizeof(*list));
    if (list == NULL)
        return NULL;
    atomic_init(&list->references, 1);
    list->source = source;
    return list;
}

struct price_list *price_list_ref(struct price_list *list)
{
    if (list != NULL)
        atomic_fetch_add(&list->references, 1);
    return list;
}

void price_list_destroy(struct price_list **taken)
{
    struct price_list *list = *taken;
    *taken = NULL;
    if (list == NULL || atomic_fetch_sub(&list->references, 1) != 1)
        return;
    for (size_t i = 0; i < list->count; i++)
        alloc_free(list->entries[i]);
    alloc_free(list->entries);
    alloc_free(list);
}

size_t price_list_count(const struct price_list *list)
{
    return list->count;
}

static int compare_text(struct slice a, struct slice b)
{
    const size_t shorter = a.size < b.size ? a.size : b.size;
    const int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* By provider; of each first whole names, then prefixes. */
static int compare_name(const struct name *a, const struct name *b)
{
    const int order = compare_text(a->provider, b->provider);
    if (order != 0)
        return order;
    return a->is_prefix != b->is_prefix ? (a->is_prefix ? 1 : -1)
                                        : compare_text(a->model, b->model);
}

/* The first entry that comes after all of the name which begin by `time_us`. */
static size_t place_after(const struct price_list *list, const struct name *name, uint64_t time_us)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct entry *entry = list->entries[middle];
        const int order = compare_name(&entry->name, name);
        if (order < 0 || (order == 0 && entry->price.from_us <= time_us))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_at(const struct price_list *list, size_t place, const struct name *name)
{
    return place < list->count && compare_name(&list->entries[place]->name, name) == 0;
}

static bool is_name(struct slice text, size_t size_max)
{
    for (size_t i = 0; i < text.size; i++) {
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    }
    return text.size > 0 && text.size <= size_max;
}

static enum status read_name(struct slice provider, struct slice model, struct name *name_out)
{
    const size_t star = slice_find_byte(model, '*');
    if (!is_name(provider, PROVIDER_BYTES_MAX) || !is_name(model, MODEL_BYTES_MAX) ||
        slice_find_byte(provider, '/') < provider.size || star + 1 < model.size)
        return STATUS_INVALID;
    *name_out = (struct name){provider, slice_of(model.data, star), star < model.size};
    return STATUS_OK;
}

static enum status reserve(struct price_list *list)
{
    if (list->count == PRICE_LIST_ENTRIES_MAX)
        return STATUS_TOO_LARGE;
    if (list->count < list->capacity)
        return STATUS_OK;
    const size_t capacity = list->capacity > 0 ? 2 * list->capacity : CAPACITY_FIRST;
    struct entry **entries = alloc_resize(list->entries, capacity * sizeof(struct entry *));
    if (entries == NULL)
        return STATUS_NO_MEMORY;
    list->entries = entries;
    list->capacity = capacity;
    return STATUS_OK;
}

/* A day where the price begins at midnight, else the moment. */
static unsigned format_beginning(uint64_t from_us, char text_out[CLOCK_TEXT_BYTES])
{
    const uint64_t day_us = 86400 * US_PER_S;
    if (from_us % day_us == 0) {
        clock_format(from_us, 0, text_out);
        text_out[10] = '\0';
        return 10;
    }
    return clock_format(from_us, from_us % US_PER_S == 0 ? 0 : 6, text_out);
}

/* Sizes are checked, so it fits. */
static void write_id(struct entry *entry, const char *source, const struct name *name)
{
    char beginning[CLOCK_TEXT_BYTES];
    char *id = entry->price.id;
    format_beginning(entry->price.from_us, beginning);
    (void)snprintf(id, PRICE_ID_BYTES, "%s/%.*s/%.*s%s@%s", source, SLICE_ARGS(name->provider),
                   SLICE_ARGS(name->model), name->is_prefix ? "*" : "", beginning);
    const char *provider = id + strlen(source) + 1;
    const char *model = provider + name->provider.size + 1;
    entry->name = (struct name){slice_of(provider, name->provider.size),
                                slice_of(model, name->model.size), name->is_prefix};
}

enum status price_list_add(struct price_list *list, struct slice provider, struct slice model,
                           uint64_t from_us, const struct price *price)
{
    struct name name;
    if (read_name(provider, model, &name) != STATUS_OK)
        return STATUS_INVALID;
    const size_t at = place_after(list, &name, from_us);
    if (at > 0 && is_at(list, at - 1, &name) && list->entries[at - 1]->price.from_us == from_us)
        return STATUS_EXISTS;
    const enum status status = reserve(list);
    if (status != STATUS_OK)
        return status;
    struct entry *entry = alloc_bytes(sizeof(*entry));
    if (entry == NULL)
        return STATUS_NO_MEMORY;
    entry->price = *price;
    entry->price.from_us = from_us;
    entry->price.until_us = UINT64_MAX;
    write_id(entry, list->source, &name);
    memmove(&list->entries[at + 1], &list->entries[at],
            (list->count - at) * sizeof(struct entry *));
    list->entries[at] = entry;
    list->count++;
    return STATUS_OK;
}

static size_t shared_size(struct slice a, struct slice b)
{
    size_t size = 0;
    while (size < a.size && size < b.size && a.data[size] == b.data[size])
        size++;
    return size;
}

/* Narrows *name, all of the model's name as a prefix at first, to the longest prefix that the list
 * has. Every prefix of a text stands before it, and none of them is longer than what the entry that
 * stands last before it shares with it: so a step either finds the prefix or shortens the text. */
static bool find_prefix(const struct price_list *list, struct name *name)
{
    for (;;) {
        const size_t at = place_after(list, name, UINT64_MAX);
        const struct name *before = at > 0 ? &list->entries[at - 1]->name : NULL;
        if (before == NULL || !before->is_prefix || !slice_equal(before->provider, name->provider))
            return false;
        const size_t shared = shared_size(before->model, name->model);
        name->model.size = shared;
        if (shared == before->model.size)
            return true;
    }
}

/* Goes on from a name that has no price to the next less exact one. */
static bool find_wider(const struct price_list *list, struct name *name)
{
    if (name->is_prefix && name->model.size == 0)
        return false;
    name->model.size -= name->is_prefix;
    name->is_prefix = true;
    return find_prefix(list, name);
}

enum status price_list_find(const struct price_list *list, struct slice provider,
                            struct slice model, uint64_t time_us, const struct price **price_out,
                            uint64_t *next_us_out)
{
    struct name name = {provider, model, false};
    *next_us_out = UINT64_MAX;
    if (list == NULL)
        return STATUS_NOT_FOUND;
    do {
        const size_t at = place_after(list, &name, time_us);
        if (is_at(list, at, &name) && list->entries[at]->price.from_us < *next_us_out)
            *next_us_out = list->entries[at]->price.from_us;
        if (at > 0 && is_at(list, at - 1, &name)) {
            *price_out = &list->entries[at - 1]->price;
            return STATUS_OK;
        }
    } while (find_wider(list, &name));
    return STATUS_NOT_FOUND;
}

const struct price *price_list_find_id(const struct price_list *list, struct slice id)
{
    if (list == NULL)
        return NULL;
    for (size_t i = 0; i < list->count; i++) {
        if (slice_equal(price_id(&list->entries[i]->price), id))
            return &list->entries[i]->price;
    }
    return NULL;
}
