/*
 * A growing run of bytes. Zeroed is empty and may be finished.
 */
#ifndef ADG_CORE_BUFFER_H
#define ADG_CORE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/status.h"

struct adg_buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* A run of bytes that somebody else owns. NULL data with size 0 is empty. */
struct adg_span {
    const uint8_t *data;
    size_t size;
};

/* By bytes, a shorter one before what it begins. */
static inline int adg_span_compare(struct adg_span left, struct adg_span right)
{
    size_t common = left.size < right.size ? left.size : right.size;
    int order = common > 0 ? memcmp(left.data, right.data, common) : 0;
    return order != 0 ? order : (left.size > right.size) - (left.size < right.size);
}

/* Room for `more` bytes behind `size`; what is there stays. ADG_FAILED without memory. */
ADG_MUST_CHECK enum adg_status adg_buffer_reserve(struct adg_buffer *buffer, size_t more, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_buffer_append(struct adg_buffer *buffer, const void *data, size_t size,
                                                 struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_buffer_append_text(struct adg_buffer *buffer, const char *text,
                                                      struct adg_error *error);
ADG_MUST_CHECK ADG_PRINTF(3, 4) enum adg_status
    adg_buffer_printf(struct adg_buffer *buffer, struct adg_error *error, const char *format, ...);
/* Ends the bytes with a NUL that does not count in size, and returns them as text; NULL without memory. */
char *adg_buffer_text(struct adg_buffer *buffer);
void adg_buffer_fini(struct adg_buffer *buffer);

static inline void adg_buffer_swap(struct adg_buffer *left, struct adg_buffer *right)
{
    struct adg_buffer kept = *left;
    *left = *right;
    *right = kept;
}

/* Appends without a check: the caller has reserved. */
static inline void adg_buffer_put(struct adg_buffer *buffer, const void *data, size_t size)
{
    memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

#endif
