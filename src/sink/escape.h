/*
 * Texts in CSV: in quotes where they hold a comma, a quote, CR or LF, quotes doubled (RFC 4180). `copy`: an empty text, too, and \., which mean
 * something else to COPY of PostgreSQL.
 */
#ifndef ADG_SINK_ESCAPE_H
#define ADG_SINK_ESCAPE_H

#include <stdbool.h>
#include <string.h>

#include "block/block.h"
#include "core/buffer.h"

/* What of a text asks for quotes, and whether it holds quotes itself. */
struct adg_specials {
    bool any, quote;
};

/* Sixteen bytes side by side. */
typedef uint8_t adg_lane_bytes __attribute__((vector_size(ADG_TEXT_SLACK)));
typedef uint64_t adg_lane_words __attribute__((vector_size(ADG_TEXT_SLACK)));

static inline bool adg_is_any_set(adg_lane_bytes bytes)
{
    const adg_lane_words words = (adg_lane_words)bytes;
    return (words[0] | words[1]) != 0;
}

/* Slack behind the text may be read, here and below. */
static inline struct adg_specials adg_find_specials(const char *text, size_t size)
{
    static const adg_lane_bytes places = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    adg_lane_bytes quotes = {0}, others = {0};
    for (size_t at = 0; at < size; at += sizeof places) {
        adg_lane_bytes bytes;
        memcpy(&bytes, text + at, sizeof bytes);
        const uint8_t left = (uint8_t)(size - at < sizeof places ? size - at : sizeof places);
        const adg_lane_bytes within = (adg_lane_bytes)(places < left);
        quotes |= (adg_lane_bytes)(bytes == '"') & within;
        others |= ((adg_lane_bytes)(bytes == ',') | (adg_lane_bytes)(bytes == '\n') | (adg_lane_bytes)(bytes == '\r')) &
                  within;
    }
    return (struct adg_specials){adg_is_any_set(quotes | others), adg_is_any_set(quotes)};
}

/* A text that only COPY wants in quotes. */
static inline bool adg_is_special_to_copy(const char *text, size_t size)
{
    return size == 0 || (size == 2 && text[0] == '\\' && text[1] == '.');
}

/* Writes at most 2 * size + 2 bytes, and slack; returns how many. */
static inline size_t adg_put_escaped(char *out, const char *text, size_t size, bool copy)
{
    const struct adg_specials found = adg_find_specials(text, size);
    const size_t quoted = found.any || (copy && adg_is_special_to_copy(text, size)) ? 1 : 0;
    out[0] = '"';
    if (!found.quote) {
        adg_text_copy(out + quoted, text, size);
        out[quoted + size] = '"'; /* when it is not quoted, what comes next is written over it */
        return size + 2 * quoted;
    }
    char *next = out + 1;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"') {
            *next++ = '"';
        }
        *next++ = text[i];
    }
    *next++ = '"';
    return (size_t)(next - out);
}

/* Appends the text, escaped, and the separator. */
ADG_MUST_CHECK enum adg_status adg_append_escaped(struct adg_buffer *out, const char *text, size_t size, char separator,
                                                  bool copy, struct adg_error *error);
/* The same of a text without slack. */
ADG_MUST_CHECK enum adg_status adg_append_bare(struct adg_buffer *out, const char *text, size_t size, char separator,
                                               bool copy, struct adg_error *error);

#endif
