#include "policy/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buffer.h"
#include "policy/zone_internal.h"
#include "policy/zone_rule.h"

#define FOLDER         "/usr/share/zoneinfo"
#define NAME_BYTES_MAX 128
#define FILE_BYTES_MAX ((size_t)1 << 20)
#define HEADER_BYTES   44
#define OFFSET_MIN     (-89999) /* RFC 9636 section 3.2: -25 to +26 hours, without the ends */
#define OFFSET_MAX     93599

struct zone_change {
    int64_t time_s;
    int32_t offset_s;
};

struct zone {
    struct zone *next; /* in the list of all, under its lock */
    struct slice name;
    int32_t first_offset_s; /* before the first change */
    bool has_rule;          /* from the last change on */
    struct zone_rule rule;
    size_t change_count;
    struct zone_change changes[]; /* in the order of time; behind them the name */
};

static const struct zone utc = {.name = {"UTC", 3}};

/* --- TZif (RFC 9636 section 3) ----------------------------------------------------------------- */

struct header {
    unsigned version;
    size_t utc_count, standard_count, leap_count, time_count, type_count, name_bytes;
};

/* The parts of one data block that weir reads. */
struct block {
    const unsigned char *times, *indexes, *types;
    size_t time_bytes;
};

static uint32_t read_u32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int64_t read_time(const unsigned char *bytes, size_t size)
{
    if (size == 4)
        return (int32_t)read_u32(bytes);
    return (int64_t)((uint64_t)read_u32(bytes) << 32 | read_u32(bytes + 4));
}

static bool take_header(struct slice *rest, struct header *header)
{
    const unsigned char *bytes = (const unsigned char *)rest->data;
    if (rest->size < HEADER_BYTES || !slice_starts_with(*rest, SLICE("TZif")))
        return false;
    *header = (struct header){
        .version = bytes[4] == 0 ? 1 : (unsigned)bytes[4] - '0',
        .utc_count = read_u32(bytes + 20),
        .standard_count = read_u32(bytes + 24),
        .leap_count = read_u32(bytes + 28),
        .time_count = read_u32(bytes + 32),
        .type_count = read_u32(bytes + 36),
        .name_bytes = read_u32(bytes + 40),
    };
    *rest = slice_from(*rest, HEADER_BYTES);
    return header->version >= 1 && header->version <= 9;
}

static bool take_bytes(struct slice *rest, size_t count, size_t each, const unsigned char **out)
{
    if (count > rest->size / each)
        return false;
    *out = (const unsigned char *)rest->data;
    *rest = slice_from(*rest, count * each);
    return true;
}

static bool take_block(struct slice *rest, const struct header *header, size_t time_bytes,
                       struct block *block)
{
    const unsigned char *skipped;
    block->time_bytes = time_bytes;
    return take_bytes(rest, header->time_count, time_bytes, &block->times) &&
           take_bytes(rest, header->time_count, 1, &block->indexes) &&
           take_bytes(rest, header->type_count, 6, &block->types) &&
           take_bytes(rest, header->name_bytes, 1, &skipped) &&
           take_bytes(rest, header->leap_count, time_bytes + 4, &skipped) &&
           take_bytes(rest, header->standard_count, 1, &skipped) &&
           take_bytes(rest, header->utc_count, 1, &skipped);
}

/* The block with the longest times, and what follows it. */
static bool find_block(struct slice *rest, struct header *header, struct block *block)
{
    if (!take_header(rest, header) || !take_block(rest, header, 4, block))
        return false;
    return header->version == 1 ||
           (take_header(rest, header) && take_block(rest, header, 8, block));
}

static bool read_offset(const struct block *block, size_t type, int32_t *offset_out)
{
    *offset_out = (int32_t)read_u32(block->types + 6 * type);
    return *offset_out >= OFFSET_MIN && *offset_out <= OFFSET_MAX;
}

static bool read_changes(struct zone *zone, const struct header *header, const struct block *block)
{
    if (!read_offset(block, 0, &zone->first_offset_s))
        return false;
    for (size_t i = 0; i < header->time_count; i++) {
        struct zone_change *change = &zone->changes[i];
        change->time_s = read_time(block->times + i * block->time_bytes, block->time_bytes);
        if (block->indexes[i] >= header->type_count ||
            !read_offset(block, block->indexes[i], &change->offset_s) ||
            (i > 0 && change->time_s <= zone->changes[i - 1].time_s))
            return false;
    }
    zone->change_count = header->time_count;
    return true;
}

/* Between two line ends; empty: the file knows no rule. */
static bool read_footer(struct zone *zone, struct slice rest)
{
    if (rest.size < 2 || rest.data[0] != '\n')
        return false;
    const struct slice line = slice_from(rest, 1);
    const size_t size = slice_find_byte(line, '\n');
    zone->has_rule = size > 0;
    return size < line.size &&
           (size == 0 || zone_rule_parse(slice_of(line.data, size), &zone->rule) == STATUS_OK);
}

enum status zone_create(struct slice name, struct slice bytes, struct zone **zone_out,
                        struct reason *reason)
{
    struct slice rest = bytes;
    struct header header;
    struct block block;
    if (!find_block(&rest, &header, &block) || header.type_count == 0 || header.leap_count > 0) {
        reason_set(reason, "its file is no TZif without leap seconds");
        return STATUS_INVALID;
    }
    struct zone *zone =
        alloc_zeroed(1, sizeof(*zone) + header.time_count * sizeof(zone->changes[0]) + name.size);
    if (zone == NULL) {
        reason_set(reason, "no memory for it");
        return STATUS_NO_MEMORY;
    }
    char *copy = (char *)(zone->changes + header.time_count);
    if (name.size > 0)
        memcpy(copy, name.data, name.size);
    zone->name = slice_of(copy, name.size);
    if (!read_changes(zone, &header, &block) || (header.version > 1 && !read_footer(zone, rest))) {
        reason_set(reason, "its file is damaged");
        zone_destroy(&zone);
        return STATUS_INVALID;
    }
    *zone_out = zone;
    return STATUS_OK;
}

void zone_destroy(struct zone **zone)
{
    alloc_free(*zone);
    *zone = NULL;
}

/* --- asking ------------------------------------------------------------------------------------ */

const struct zone *zone_utc(void)
{
    return &utc;
}

struct slice zone_name(const struct zone *zone)
{
    return zone->name;
}

/* How many changes there were up to the moment. */
static size_t changes_until(const struct zone *zone, int64_t time_s)
{
    size_t low = 0, high = zone->change_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (zone->changes[middle].time_s <= time_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int32_t offset_after(const struct zone *zone, size_t changes)
{
    return changes == 0 ? zone->first_offset_s : zone->changes[changes - 1].offset_s;
}

int32_t zone_offset(const struct zone *zone, int64_t time_s)
{
    const size_t changes = changes_until(zone, time_s);
    if (changes == zone->change_count && zone->has_rule)
        return zone_rule_offset(&zone->rule, time_s);
    return offset_after(zone, changes);
}

int64_t zone_next_change(const struct zone *zone, int64_t time_s)
{
    const int32_t offset_s = zone_offset(zone, time_s);
    size_t changes = changes_until(zone, time_s);
    for (; changes < zone->change_count; changes++) {
        const int64_t change_s = zone->changes[changes].time_s;
        if (zone_offset(zone, change_s) != offset_s)
            return change_s;
        time_s = change_s;
    }
    return zone->has_rule ? zone_rule_next_change(&zone->rule, time_s) : INT64_MAX;
}

int32_t zone_standard_offset(const struct zone *zone)
{
    return zone->has_rule ? zone->rule.standard_offset_s : offset_after(zone, zone->change_count);
}

/* --- finding ----------------------------------------------------------------------------------- */

/* All that were read; they stay. */
static pthread_mutex_t zones_lock = PTHREAD_MUTEX_INITIALIZER;
static struct zone *zones;

/* A path below the folder, of the letters that names in the database have. */
static bool is_name(struct slice name)
{
    if (name.size > NAME_BYTES_MAX || name.data[0] == '/' || name.data[0] == '.')
        return false;
    for (size_t i = 0; i < name.size; i++) {
        const char byte = name.data[i];
        const bool is_letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
        const bool is_other = (byte >= '0' && byte <= '9') || byte == '/' || byte == '_' ||
                              byte == '-' || byte == '+';
        if (!is_letter && !is_other)
            return false;
    }
    return true;
}

static const char *folder_of_zones(void)
{
    const char *folder = getenv("TZDIR");
    return folder != NULL && folder[0] != '\0' ? folder : FOLDER;
}

/* Names have no dots, so no name leads out of the folder. */
static enum status open_file(struct slice name, int *descriptor_out)
{
    char path[1024];
    struct stat about;
    const int size = snprintf(path, sizeof(path), "%s/%.*s", folder_of_zones(), SLICE_ARGS(name));
    if (size < 0 || (size_t)size >= sizeof(path))
        return STATUS_NOT_FOUND;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0)
        return errno == ENOENT || errno == ENOTDIR ? STATUS_NOT_FOUND : STATUS_IO;
    if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
        (void)close(descriptor);
        return STATUS_NOT_FOUND;
    }
    *descriptor_out = descriptor;
    return STATUS_OK;
}

static void explain_unopened(enum status status, struct reason *reason)
{
    const char *folder = folder_of_zones();
    if (status == STATUS_IO)
        reason_set(reason, "its file cannot be opened");
    else if (access(folder, X_OK) != 0)
        reason_set(reason, "there is no folder %s; install tzdata", folder);
    else
        reason_set(reason, "%s has none of this name", folder);
}

static enum status read_file(int descriptor, struct buffer *bytes)
{
    for (;;) {
        if (buffer_reserve(bytes, 4096) != STATUS_OK)
            return buffer_status(bytes) == STATUS_TOO_LARGE ? STATUS_INVALID : STATUS_NO_MEMORY;
        const ssize_t size = read(descriptor, bytes->data + bytes->size, 4096);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return STATUS_IO;
        if (size == 0)
            return STATUS_OK;
        bytes->size += (size_t)size;
    }
}

static enum status load(struct slice name, struct zone **zone_out, struct reason *reason)
{
    struct buffer bytes;
    int descriptor;
    enum status status = open_file(name, &descriptor);
    if (status != STATUS_OK) {
        explain_unopened(status, reason);
        return status;
    }
    buffer_init(&bytes, FILE_BYTES_MAX);
    status = read_file(descriptor, &bytes);
    (void)close(descriptor);
    if (status == STATUS_OK)
        status = zone_create(name, buffer_slice(&bytes), zone_out, reason);
    else
        reason_set(reason, "its file cannot be read");
    buffer_fini(&bytes);
    return status;
}

static struct zone *find_known(struct slice name)
{
    struct zone *zone = zones;
    while (zone != NULL && !slice_equal(zone->name, name))
        zone = zone->next;
    return zone;
}

static struct zone *find(struct slice name)
{
    pthread_mutex_lock(&zones_lock);
    struct zone *zone = find_known(name);
    pthread_mutex_unlock(&zones_lock);
    return zone;
}

/* Keeps a zone that was read without the lock; if another thread was first, its zone is returned. */
static const struct zone *keep(struct zone *zone)
{
    pthread_mutex_lock(&zones_lock);
    struct zone *known = find_known(zone->name);
    if (known == NULL) {
        zone->next = zones;
        zones = zone;
    }
    pthread_mutex_unlock(&zones_lock);
    if (known == NULL)
        return zone;
    zone_destroy(&zone);
    return known;
}

enum status zone_find(struct slice name, const struct zone **zone_out, struct reason *reason)
{
    struct reason why;
    if (name.size == 0 || slice_equal(name, utc.name)) {
        *zone_out = &utc;
        return STATUS_OK;
    }
    const bool is_well_formed = is_name(name);
    struct zone *zone = is_well_formed ? find(name) : NULL;
    if (zone != NULL) {
        *zone_out = zone;
        return STATUS_OK;
    }
    const enum status status = is_well_formed ? load(name, &zone, &why) : STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        *zone_out = keep(zone);
    else if (is_well_formed)
        reason_set(reason, "no time zone \"%.*s\": %s", SLICE_ARGS(name), why.text);
    else
        reason_set(reason, "this is no time zone; write a name as Europe/Berlin");
    return status;
}
