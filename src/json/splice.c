#include "json/splice.h"

#include "base/assert.h"

_Static_assert(JSON_EDITS_MAX * 3 + 1 <= JSON_PIECES_MAX, "every edit fits");

void json_splice_init(struct json_splice *splice, struct slice text)
{
    splice->text = text;
    splice->count = 0;
}

/* At the same place, insertions stand before what goes. */
static bool comes_before(const struct json_edit *edit, const struct json_edit *other)
{
    return edit->from < other->from ||
           (edit->from == other->from && edit->is_insertion && !other->is_insertion);
}

/* Kept in the order of the text, insertions at the same place in the order in which they came. */
static void add_edit(struct json_splice *splice, struct json_edit edit)
{
    ASSERT(splice->count < JSON_EDITS_MAX);
    ASSERT(edit.from <= edit.to && edit.to <= splice->text.size);
    size_t place = splice->count++;
    for (; place > 0 && comes_before(&edit, &splice->edits[place - 1]); place--)
        splice->edits[place] = splice->edits[place - 1];
    splice->edits[place] = edit;
}

static size_t offset_of(const struct json_splice *splice, const char *at)
{
    return (size_t)(at - splice->text.data);
}

void json_splice_replace(struct json_splice *splice, struct json_value value, struct slice text)
{
    const size_t from = offset_of(splice, value.raw.data);
    add_edit(splice, (struct json_edit){.from = from, .to = from + value.raw.size, .text = text});
}

void json_splice_insert(struct json_splice *splice, struct json_value object, struct slice member,
                        bool is_followed)
{
    ASSERT(object.type == JSON_TYPE_OBJECT);
    const size_t behind_brace = offset_of(splice, object.raw.data) + 1;
    add_edit(splice, (struct json_edit){.from = behind_brace,
                                        .to = behind_brace,
                                        .text = member,
                                        .is_insertion = true,
                                        .is_followed = is_followed});
}

static const char *end_of(const struct json_member *member)
{
    return member->value.raw.data + member->value.raw.size;
}

void json_splice_remove(struct json_splice *splice, const struct json_object *object, size_t index)
{
    ASSERT(index < object->count);
    const struct json_member *member = &object->members[index];
    const char *from = member->key.data - 1;
    const char *to = end_of(member);
    if (index + 1 < object->count)
        to = member[1].key.data - 1;
    else if (index > 0)
        from = end_of(member - 1);
    add_edit(splice,
             (struct json_edit){.from = offset_of(splice, from), .to = offset_of(splice, to)});
}

static void add_piece(struct json_pieces *pieces, struct slice piece)
{
    if (piece.size == 0)
        return;
    ASSERT(pieces->count < JSON_PIECES_MAX);
    pieces->pieces[pieces->count++] = piece;
    pieces->size += piece.size;
}

static bool needs_comma(const struct json_splice *splice, size_t index)
{
    const struct json_edit *edit = &splice->edits[index];
    if (!edit->is_insertion)
        return false;
    const bool another_follows =
        index + 1 < splice->count && edit[1].is_insertion && edit[1].from == edit->from;
    return edit->is_followed || another_follows;
}

void json_splice_finish(struct json_splice *splice, struct json_pieces *pieces_out)
{
    size_t at = 0;
    pieces_out->count = 0;
    pieces_out->size = 0;
    for (size_t i = 0; i < splice->count; i++) {
        const struct json_edit *edit = &splice->edits[i];
        ASSERT(edit->from >= at);
        add_piece(pieces_out, slice_of(splice->text.data + at, edit->from - at));
        add_piece(pieces_out, edit->text);
        if (needs_comma(splice, i))
            add_piece(pieces_out, SLICE(","));
        at = edit->to;
    }
    add_piece(pieces_out, slice_from(splice->text, at));
}

enum status json_pieces_append(const struct json_pieces *pieces, struct buffer *buffer)
{
    for (size_t i = 0; i < pieces->count; i++)
        buffer_append(buffer, pieces->pieces[i]);
    return buffer_status(buffer);
}
