#include "telemetry/log_redact.h"

#include "base/assert.h"
#include "base/redact.h"

static bool has_secret(const struct log_view *view)
{
    if (view->kind == LOG_KIND_MESSAGE)
        return redact_finds(view->message.bytes);
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT; i++) {
        if (redact_finds(view->text[i].bytes))
            return true;
    }
    return false;
}

static void hide(struct log_text *text, struct log_redacted *redacted, size_t *used)
{
    char *out = redacted->texts + *used;
    ASSERT(text->bytes.size <= sizeof(redacted->texts) - *used);
    const size_t size = redact_write(text->bytes, out);
    text->is_cut = text->is_cut && size == text->bytes.size; /* what is hidden says so itself */
    text->bytes = slice_of(out, size);
    *used += size;
}

const struct log_view *log_redact(const struct log_view *view, struct log_redacted *redacted)
{
    size_t used = 0;
    if (!has_secret(view))
        return view;
    redacted->view = *view;
    if (view->kind == LOG_KIND_MESSAGE)
        hide(&redacted->view.message, redacted, &used);
    for (unsigned i = 0; i < ACCESS_TEXT_COUNT && view->kind == LOG_KIND_ACCESS; i++)
        hide(&redacted->view.text[i], redacted, &used);
    return &redacted->view;
}
