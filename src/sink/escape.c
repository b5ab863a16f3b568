/*
 * Appending texts to CSV: see escape.h.
 */
#include "sink/escape.h"

enum adg_status adg_append_escaped(struct adg_buffer *out, const char *text, size_t size, char separator, bool copy,
                                   struct adg_error *error)
{
    enum adg_status status = adg_buffer_reserve(out, 2 * size + 3 + ADG_TEXT_SLACK, error);
    if (status == ADG_OK) {
        out->size += adg_put_escaped((char *)out->data + out->size, text, size, copy);
        out->data[out->size++] = (uint8_t)separator;
    }
    return status;
}

/* The text is put behind the room for the escaped one first. */
enum adg_status adg_append_bare(struct adg_buffer *out, const char *text, size_t size, char separator, bool copy,
                                struct adg_error *error)
{
    const size_t room = 2 * size + 3 + ADG_TEXT_SLACK;
    enum adg_status status = adg_buffer_reserve(out, room + size + ADG_TEXT_SLACK, error);
    if (status != ADG_OK) {
        return status;
    }
    char *padded = (char *)out->data + out->size + room;
    memcpy(padded, text, size);
    memset(padded + size, 0, ADG_TEXT_SLACK);
    return adg_append_escaped(out, padded, size, separator, copy, error);
}
