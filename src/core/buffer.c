/*
 * A growing run of bytes: see buffer.h. Capacity doubles.
 */
#include "core/buffer.h"

#include <stdio.h>

#include "core/memory.h"

enum { FIRST_CAPACITY = 256 };

enum adg_status adg_buffer_reserve(struct adg_buffer *buffer, size_t more, struct adg_error *error)
{
    if (more <= buffer->capacity - buffer->size) {
        return ADG_OK;
    }
    size_t needed;
    if (__builtin_add_overflow(buffer->size, more, &needed) || needed > SIZE_MAX / 2) {
        return adg_fail_memory(error);
    }
    size_t capacity = buffer->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : 2 * buffer->capacity;
    if (capacity < needed) {
        capacity = needed;
    }
    uint8_t *data = adg_realloc_array(buffer->data, capacity, 1);
    if (data == NULL) {
        return adg_fail_memory(error);
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return ADG_OK;
}

enum adg_status adg_buffer_append(struct adg_buffer *buffer, const void *data, size_t size, struct adg_error *error)
{
    enum adg_status status = adg_buffer_reserve(buffer, size, error);
    if (status == ADG_OK && size > 0) {
        adg_buffer_put(buffer, data, size);
    }
    return status;
}

enum adg_status adg_buffer_append_text(struct adg_buffer *buffer, const char *text, struct adg_error *error)
{
    return adg_buffer_append(buffer, text, strlen(text), error);
}

enum adg_status adg_buffer_printf(struct adg_buffer *buffer, struct adg_error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return adg_fail(error, ADG_FAILED, "text cannot be formatted");
    }
    enum adg_status status = adg_buffer_reserve(buffer, (size_t)length + 1, error);
    if (status == ADG_OK) {
        va_start(arguments, format);
        vsnprintf((char *)buffer->data + buffer->size, (size_t)length + 1, format, arguments);
        va_end(arguments);
        buffer->size += (size_t)length;
    }
    return status;
}

char *adg_buffer_text(struct adg_buffer *buffer)
{
    if (adg_buffer_reserve(buffer, 1, NULL) != ADG_OK) {
        return NULL;
    }
    buffer->data[buffer->size] = '\0';
    return (char *)buffer->data;
}

void adg_buffer_fini(struct adg_buffer *buffer)
{
    adg_free(buffer->data);
    *buffer = (struct adg_buffer){0};
}
