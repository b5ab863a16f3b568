/*
 * Within the migrate room: the distinct texts of a column, which become its dictionary.
 *
 *     adg_entries_new -> add ... -> sort -> find, texts ... -> adg_entries_free
 */
#ifndef ADG_MIGRATE_ENTRIES_H
#define ADG_MIGRATE_ENTRIES_H

#include "core/buffer.h"

struct adg_entries;

ADG_MUST_CHECK enum adg_status adg_entries_new(struct adg_entries **out, struct adg_error *error);
void adg_entries_free(struct adg_entries *entries);
/* A copy of the text, unless it is there. */
ADG_MUST_CHECK enum adg_status adg_entries_add(struct adg_entries *entries, struct adg_span text,
                                               struct adg_error *error);
size_t adg_entries_bytes(const struct adg_entries *entries); /* of all texts */

/* From here on an entry's code is its place in the order of bytes. */
ADG_MUST_CHECK enum adg_status adg_entries_sort(struct adg_entries *entries, struct adg_error *error);
/* -1: it is none of them. */
int32_t adg_entries_find(const struct adg_entries *entries, struct adg_span text);
/* The texts, one behind the other, and where they begin: [count + 1] offsets. Valid until the entries are freed. */
uint32_t adg_entries_texts(const struct adg_entries *entries, const int32_t **offsets, const uint8_t **bytes);

#endif
