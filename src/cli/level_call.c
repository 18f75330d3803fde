#include "cli/level_call.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "cli/level_options.h"

#define BODY_BYTES_MAX ((size_t)1 << 20)

static int refuse(const struct level_call *call, const struct reason *reason)
{
    fprintf(stderr, "weir: %s (weir %s --help says more)\n", reason->text, call->kind);
    return 2;
}

static enum status write_members(const struct level_call *call, const struct level_edit *edit,
                                 const struct json_object *present, struct arena *arena,
                                 struct json_writer *writer)
{
    call->write_own(call->options, call->own, writer);
    return level_options_write(edit, present, arena, writer);
}

/* Nothing is there that the body would depend on. */
static int call_at_once(const struct level_call *call, const struct level_edit *edit)
{
    struct buffer body;
    struct json_writer writer;
    struct resource_request request = *call->request;
    int code = 1;
    buffer_init(&body, BODY_BYTES_MAX);
    json_writer_init(&writer, &body);
    json_write_object(&writer);
    if (write_members(call, edit, NULL, NULL, &writer) == STATUS_OK) {
        json_write_end(&writer);
        request.body = buffer_slice(&body);
        code = resource_call(call->options, &request);
    }
    if (body.size > 0)
        explicit_bzero(body.data, body.size);
    buffer_fini(&body);
    return code;
}

int level_call_create(const struct level_call *call)
{
    struct level_edit edit;
    struct reason reason = {""};
    if (!level_options_read(call->options, &edit, &reason))
        return refuse(call, &reason);
    return call_at_once(call, &edit);
}

/* A call and what is to be changed by it. */
struct changing {
    const struct level_call *call;
    const struct level_edit *edit;
};

static bool write_change(void *context, const struct json_object *present, struct arena *arena,
                         struct json_writer *writer)
{
    const struct changing *changing = context;
    if (write_members(changing->call, changing->edit, present, arena, writer) == STATUS_OK)
        return true;
    fprintf(stderr, "weir: the limits that are there cannot be read\n");
    return false;
}

int level_call_set(const struct level_call *call)
{
    struct level_edit edit;
    struct reason reason = {""};
    if (!level_options_read(call->options, &edit, &reason))
        return refuse(call, &reason);
    if (!level_options_change_limits(call->options))
        return call_at_once(call, &edit);
    struct changing changing = {call, &edit};
    return resource_change(call->options, call->request, write_change, &changing);
}
