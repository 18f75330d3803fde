#include "config/memory.h"

#include <stdatomic.h>

#include "base/alloc.h"

struct kept_file {
    struct kept_file *next;
    enum status status;
    struct slice path, content; /* behind the struct */
};

struct config_memory {
    atomic_uint references;
    struct config_source source;
    struct kept_file *files;
};

struct config_memory *config_memory_create(const struct config_source *source)
{
    struct config_memory *memory = alloc_zeroed(1, sizeof(*memory));
    if (memory == NULL)
        return NULL;
    atomic_init(&memory->references, 1);
    memory->source = *source;
    memory->source.overlay = NULL;
    return memory;
}

struct config_memory *config_memory_ref(struct config_memory *memory)
{
    atomic_fetch_add(&memory->references, 1);
    return memory;
}

void config_memory_unref(struct config_memory **taken)
{
    struct config_memory *memory = *taken;
    *taken = NULL;
    if (memory == NULL || atomic_fetch_sub(&memory->references, 1) != 1)
        return;
    while (memory->files != NULL) {
        struct kept_file *file = memory->files;
        memory->files = file->next;
        explicit_bzero(file, sizeof(*file) + file->path.size + file->content.size);
        alloc_free(file);
    }
    alloc_free(memory);
}

static enum status give(void *context, const char *path, struct buffer *content,
                        struct reason *reason)
{
    const struct config_memory *memory = context;
    for (const struct kept_file *file = memory->files; file != NULL; file = file->next) {
        if (!slice_equal(file->path, slice_from_text(path)))
            continue;
        if (file->status != STATUS_OK)
            reason_set(reason, "%s: it could not be read", path);
        return file->status == STATUS_OK ? buffer_append(content, file->content) : file->status;
    }
    return STATUS_NOT_FOUND;
}

struct config_source config_memory_source(struct config_memory *memory)
{
    struct config_source source = memory->source;
    source.read = give;
    source.read_context = memory;
    return source;
}

enum status config_memory_keep(struct config_memory *memory, const char *path, enum status status,
                               struct slice content)
{
    const struct slice name = slice_from_text(path);
    struct kept_file *file = alloc_bytes(sizeof(*file) + name.size + content.size);
    if (file == NULL)
        return STATUS_NO_MEMORY;
    char *at = (char *)(file + 1);
    memcpy(at, name.data, name.size);
    if (content.size > 0)
        memcpy(at + name.size, content.data, content.size);
    *file = (struct kept_file){memory->files, status, slice_of(at, name.size),
                               slice_of(at + name.size, content.size)};
    memory->files = file;
    return STATUS_OK;
}
