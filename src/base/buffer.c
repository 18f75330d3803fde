#include "base/buffer.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"

#define CAPACITY_MIN 64

void buffer_init(struct buffer *buffer, size_t size_max)
{
    *buffer = (struct buffer){.size_max = size_max};
}

void buffer_fini(struct buffer *buffer)
{
    alloc_free(buffer->data);
    *buffer = (struct buffer){.size_max = buffer->size_max};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = STATUS_OK;
}

static size_t grown_capacity(const struct buffer *buffer, size_t wanted)
{
    size_t capacity = buffer->capacity < CAPACITY_MIN ? CAPACITY_MIN : buffer->capacity;
    while (capacity < wanted && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    return capacity < buffer->size_max ? capacity : buffer->size_max;
}

enum status buffer_reserve(struct buffer *buffer, size_t size)
{
    if (size > buffer->size_max || buffer->size > buffer->size_max - size)
        return buffer->failed = STATUS_TOO_LARGE;
    const size_t wanted = buffer->size + size;
    if (wanted <= buffer->capacity)
        return STATUS_OK;
    const size_t capacity = grown_capacity(buffer, wanted);
    char *data = alloc_resize(buffer->data, capacity);
    if (data == NULL)
        return buffer->failed = STATUS_NO_MEMORY;
    buffer->data = data;
    buffer->capacity = capacity;
    return STATUS_OK;
}

enum status buffer_append(struct buffer *buffer, struct slice bytes)
{
    if (bytes.size == 0)
        return buffer->failed;
    const enum status status = buffer_reserve(buffer, bytes.size);
    if (status != STATUS_OK)
        return status;
    memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
    buffer->size += bytes.size;
    return buffer->failed;
}

enum status buffer_append_byte(struct buffer *buffer, char byte)
{
    return buffer_append(buffer, slice_of(&byte, 1));
}

enum status buffer_append_u64(struct buffer *buffer, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return buffer_append(buffer, slice_of(digits + at, sizeof(digits) - at));
}

enum status buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    ASSERT(size >= 0);
    /* vsnprintf also writes a zero byte, for which the maximum need not leave room. */
    if ((size_t)size > buffer->size_max || buffer->size > buffer->size_max - (size_t)size)
        return buffer->failed = STATUS_TOO_LARGE;
    char *text = alloc_bytes((size_t)size + 1);
    if (text == NULL)
        return buffer->failed = STATUS_NO_MEMORY;
    va_start(args, format);
    vsnprintf(text, (size_t)size + 1, format, args);
    va_end(args);
    const enum status status = buffer_append(buffer, slice_of(text, (size_t)size));
    alloc_free(text);
    return status;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    ASSERT(size <= buffer->size);
    buffer->size -= size;
    if (size > 0 && buffer->size > 0)
        memmove(buffer->data, buffer->data + size, buffer->size);
}
