#include "audit/export.h"

#include "audit/chain_internal.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "json/write.h"

/* Escapes may take six bytes for one. */
#define LINE_BYTES_MAX (8 * AUDIT_BYTES_MAX)

static void write_hash(struct json_writer *writer, struct slice name,
                       const unsigned char hash[STORE_HASH_SIZE])
{
    char hex[2 * STORE_HASH_SIZE];
    hex_encode(hash, STORE_HASH_SIZE, hex);
    json_write_key(writer, name);
    json_write_string(writer, slice_of(hex, sizeof(hex)));
}

static void write_text(struct json_writer *writer, struct slice name, struct slice text)
{
    json_write_key(writer, name);
    json_write_string(writer, text);
}

enum status audit_export_entry(const struct store_audit_entry *entry, struct buffer *line)
{
    struct json_writer writer;
    char time[CLOCK_TEXT_BYTES];
    json_writer_init(&writer, line);
    json_write_object(&writer);
    json_write_key(&writer, SLICE("number"));
    json_write_u64(&writer, entry->number);
    json_write_key(&writer, SLICE("timestamp_us"));
    json_write_u64(&writer, entry->timestamp_us);
    write_text(&writer, SLICE("time"), slice_of(time, clock_format(entry->timestamp_us, 6, time)));
    write_text(&writer, SLICE("actor"), entry->actor);
    write_text(&writer, SLICE("action"), entry->action);
    write_text(&writer, SLICE("subject"), entry->subject);
    write_text(&writer, SLICE("details"), entry->details);
    write_hash(&writer, SLICE("previous_hash"), entry->previous_hash);
    write_hash(&writer, SLICE("hash"), entry->hash);
    json_write_end(&writer);
    return buffer_append_byte(line, '\n');
}

struct export
{
    audit_line_writer *write;
    void *context;
    struct buffer line;
};

static enum status visit(void *context, const struct store_audit_entry *entry)
{
    struct export *export = context;
    buffer_clear(&export->line);
    (void)audit_export_entry(entry, &export->line);
    const enum status status = buffer_status(&export->line);
    return status == STATUS_OK ? export->write(export->context, buffer_slice(&export->line))
                               : status;
}

enum status audit_export(struct store *store, uint64_t first, audit_line_writer *write,
                         void *context, struct reason *reason)
{
    struct export export = {.write = write, .context = context};
    buffer_init(&export.line, LINE_BYTES_MAX);
    const enum status status = store_audit_list(store, first, visit, &export, reason);
    if (buffer_status(&export.line) != STATUS_OK)
        reason_set(reason, "an audit entry cannot be written as a line: %s", status_name(status));
    buffer_fini(&export.line);
    return status;
}
