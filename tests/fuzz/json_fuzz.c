/* The JSON modules on any bytes. What must hold: the reader accepts exactly what yyjson does (but
 * for half surrogate pairs, which the grammar allows); a walk over accepted text goes through all
 * of it and finds the reader's members; nothing is read outside of the text; a split text is
 * picked as a whole one; what is written can be read. */
#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>

#include "base/assert.h"
#include "json/pick.h"
#include "json/read.h"
#include "json/splice.h"
#include "json/value.h"
#include "json/walk.h"
#include "json/write.h"

static const struct json_limits limits = {.depth_max = JSON_DEPTH_LIMIT, .members_max = 4096};

static bool has_half_surrogates(struct slice text)
{
    for (size_t i = 0; i + 3 < text.size; i++) {
        if (text.data[i] == '\\' && text.data[i + 1] == 'u' && (text.data[i + 2] | 0x20) == 'd' &&
            (unsigned char)text.data[i + 3] >= '8')
            return true;
    }
    return false;
}

static void compare_with_yyjson(struct slice text, enum status status)
{
    yyjson_doc *doc = yyjson_read(text.data, text.size, YYJSON_READ_NUMBER_AS_RAW);
    if (status != STATUS_TOO_LARGE && !has_half_surrogates(text))
        ASSERT((doc != NULL) == (status == STATUS_OK));
    yyjson_doc_free(doc);
}

/* All that is nested in a checked value, through the functions that read values. */
static void walk_all(struct json_value value, struct arena *arena, unsigned depth)
{
    struct json_walk walk;
    struct json_member member;
    struct slice text;
    uint64_t whole;
    double real;
    bool truth;
    (void)!json_string(value, arena, &text);
    (void)!json_bool(value, &truth);
    if (json_u64(value, &whole) == STATUS_OK)
        ASSERT(json_double(value, &real) == STATUS_OK && real >= 0);
    json_walk_init(&walk, value, &limits);
    while (json_walk_next(&walk, &member)) {
        struct json_value checked;
        struct json_error error;
        ASSERT(json_check(member.value.raw, &limits, &checked, &error) == STATUS_OK);
        ASSERT(slice_equal(checked.raw, member.value.raw));
        if (walk.is_object && member.key.size > 0)
            (void)json_key_equal_nocase(member.key, SLICE("usage"));
        if (depth < 8)
            walk_all(member.value, arena, depth + 1);
    }
    ASSERT(!walk.is_broken);
}

static void check_members(const struct json_object *object, struct json_value root)
{
    struct json_walk walk;
    struct json_member member;
    size_t count = 0;
    json_walk_init(&walk, root, NULL);
    for (; json_walk_next(&walk, &member); count++) {
        ASSERT(count < object->count);
        ASSERT(slice_equal(member.key, object->members[count].key));
        ASSERT(slice_equal(member.value.raw, object->members[count].value.raw));
    }
    ASSERT(count == object->count);
}

static void edit(const struct json_object *object, struct json_value root, uint8_t choice)
{
    struct json_splice splice;
    struct json_pieces pieces;
    struct buffer buffer;
    struct json_value value;
    struct json_error error;
    const bool removes = object->count > 0;
    json_splice_init(&splice, object->text);
    json_splice_insert(&splice, root, SLICE("\"n\":1"), object->count > 1);
    if (removes)
        json_splice_remove(&splice, object, choice % object->count);
    if (object->count > 1)
        json_splice_replace(&splice, object->members[(choice + 1u) % object->count].value,
                            SLICE("[]"));
    json_splice_finish(&splice, &pieces);
    buffer_init(&buffer, 1 << 20);
    ASSERT(json_pieces_append(&pieces, &buffer) == STATUS_OK && buffer.size == pieces.size);
    ASSERT(json_check(buffer_slice(&buffer), &limits, &value, &error) == STATUS_OK);
    buffer_fini(&buffer);
}

static void pick_whole_and_split(struct slice text, size_t step)
{
    char whole_kept[64];
    char split_kept[64];
    struct json_pick whole;
    struct json_pick split;
    json_pick_init(&whole, SLICE("usage"), whole_kept, sizeof(whole_kept));
    json_pick_init(&split, SLICE("usage"), split_kept, sizeof(split_kept));
    json_pick_feed(&whole, text);
    for (size_t at = 0; at < text.size; at += step)
        json_pick_feed(&split,
                       slice_of(text.data + at, text.size - at < step ? text.size - at : step));
    ASSERT((json_pick_value(&whole).data == NULL) == (json_pick_value(&split).data == NULL));
    ASSERT(slice_equal(json_pick_value(&whole), json_pick_value(&split)));
}

static void write_as_string(struct slice text)
{
    struct buffer buffer;
    struct json_value value;
    struct json_error error;
    buffer_init(&buffer, 1 << 20);
    ASSERT(json_append_string(&buffer, text) == STATUS_OK);
    ASSERT(json_check(buffer_slice(&buffer), &limits, &value, &error) == STATUS_OK);
    buffer_fini(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice text = slice_of(data, size);
    const uint8_t choice = size > 0 ? data[size - 1] : 0;
    struct arena arena;
    struct json_object object;
    struct json_value root;
    struct json_walk walk;
    struct json_member member;
    struct json_error error;

    arena_init(&arena, NULL, 0, 1 << 22);
    const enum status status = json_check(text, &limits, &root, &error);
    compare_with_yyjson(text, status);
    if (status == STATUS_OK)
        walk_all(root, &arena, 0);
    else
        ASSERT(error.offset <= size && error.message[0] != '\0');
    if (json_read_object(text, &limits, &arena, &object, &error) == STATUS_OK) {
        ASSERT(status == STATUS_OK && root.type == JSON_TYPE_OBJECT);
        check_members(&object, root);
        edit(&object, root, choice);
    }
    json_walk_init(&walk, (struct json_value){text, JSON_TYPE_OBJECT}, NULL);
    while (json_walk_next(&walk, &member))
        ASSERT(member.value.raw.data + member.value.raw.size <= text.data + size);
    pick_whole_and_split(text, 1 + choice % 16u);
    write_as_string(text);
    arena_fini(&arena);
    return 0;
}
