#include "gateway/models_list.h"

#include "base/alloc.h"

struct models_list *models_list_create(const struct slice *names, size_t count)
{
    size_t bytes = sizeof(struct models_list) + count * sizeof(struct slice);
    for (size_t i = 0; i < count; i++)
        bytes += names[i].size;
    struct models_list *list = alloc_zeroed(1, bytes);
    if (list == NULL)
        return NULL;
    atomic_store(&list->references, 1);
    list->count = count;
    char *at = (char *)&list->names[count];
    for (size_t i = 0; i < count; i++) {
        memcpy(at, names[i].data, names[i].size);
        list->names[i] = slice_of(at, names[i].size);
        at += names[i].size;
    }
    return list;
}

struct models_list *models_list_ref(struct models_list *list)
{
    atomic_fetch_add(&list->references, 1);
    return list;
}

void models_list_unref(struct models_list **list)
{
    if (*list != NULL && atomic_fetch_sub(&(*list)->references, 1) == 1)
        alloc_free(*list);
    *list = NULL;
}

bool models_list_has(const struct models_list *list, struct slice name)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (slice_equal(list->names[i], name))
            return true;
    }
    return false;
}
