/*
 * Distinct texts: see entries.h. A table of numbers, found by hash, beside the texts.
 */
#include "migrate/entries.h"

#include <stdlib.h>

#include "core/memory.h"

enum { FIRST_SLOTS = 64 };

struct adg_entries {
    struct adg_buffer bytes, offsets; /* int32_t [count + 1] */
    uint32_t count;
    uint32_t *slots; /* number + 1; 0: free */
    uint32_t slot_count;
};

/* FNV-1a, 64 bits, folded (http://www.isthe.com/chongo/tech/comp/fnv). */
static uint32_t hash_of(struct adg_span text)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < text.size; i++) {
        hash = (hash ^ text.data[i]) * UINT64_C(1099511628211);
    }
    return (uint32_t)(hash ^ hash >> 32);
}

static struct adg_span entry(const struct adg_entries *entries, uint32_t number)
{
    const int32_t *offsets = (const int32_t *)(const void *)entries->offsets.data;
    return (struct adg_span){entries->bytes.data + offsets[number], (size_t)(offsets[number + 1] - offsets[number])};
}

/* The slot that holds the text, or the one that it would have. */
static uint32_t slot_of(const struct adg_entries *entries, struct adg_span text)
{
    uint32_t slot = hash_of(text) & (entries->slot_count - 1);
    while (entries->slots[slot] != 0 && adg_span_compare(entry(entries, entries->slots[slot] - 1), text) != 0) {
        slot = (slot + 1) & (entries->slot_count - 1);
    }
    return slot;
}

static enum adg_status make_slots(struct adg_entries *entries, uint32_t count, struct adg_error *error)
{
    uint32_t *slots = adg_alloc_zero(count, sizeof *slots);
    if (slots == NULL) {
        return adg_fail_memory(error);
    }
    adg_free(entries->slots);
    entries->slots = slots;
    entries->slot_count = count;
    for (uint32_t i = 0; i < entries->count; i++) {
        slots[slot_of(entries, entry(entries, i))] = i + 1;
    }
    return ADG_OK;
}

enum adg_status adg_entries_new(struct adg_entries **out, struct adg_error *error)
{
    struct adg_entries *entries = adg_alloc_zero(1, sizeof *entries);
    const int32_t first = 0;
    enum adg_status status = entries == NULL ? adg_fail_memory(error) : make_slots(entries, FIRST_SLOTS, error);
    if (status == ADG_OK) {
        status = adg_buffer_append(&entries->offsets, &first, sizeof first, error);
    }
    if (status != ADG_OK) {
        adg_entries_free(entries);
        return status;
    }
    *out = entries;
    return ADG_OK;
}

void adg_entries_free(struct adg_entries *entries)
{
    if (entries != NULL) {
        adg_buffer_fini(&entries->bytes);
        adg_buffer_fini(&entries->offsets);
        adg_free(entries->slots);
        adg_free(entries);
    }
}

/* One that is not there yet. */
static enum adg_status append(struct adg_entries *entries, struct adg_span text, struct adg_error *error)
{
    if (text.size > INT32_MAX - entries->bytes.size) {
        return adg_fail(error, ADG_FAILED, "the entries of a dictionary take more than 2 GiB");
    }
    enum adg_status status = text.size > 0 ? adg_buffer_append(&entries->bytes, text.data, text.size, error) : ADG_OK;
    const int32_t end = (int32_t)entries->bytes.size;
    if (status == ADG_OK) {
        status = adg_buffer_append(&entries->offsets, &end, sizeof end, error);
    }
    entries->count += status == ADG_OK;
    return status;
}

enum adg_status adg_entries_add(struct adg_entries *entries, struct adg_span text, struct adg_error *error)
{
    uint32_t slot = slot_of(entries, text);
    if (entries->slots[slot] != 0) {
        return ADG_OK;
    }
    enum adg_status status = append(entries, text, error);
    if (status == ADG_OK) {
        entries->slots[slot] = entries->count;
    }
    return status == ADG_OK && 2 * entries->count > entries->slot_count
               ? make_slots(entries, 2 * entries->slot_count, error)
               : status;
}

size_t adg_entries_bytes(const struct adg_entries *entries)
{
    return entries->bytes.size;
}

static int compare(const void *a, const void *b)
{
    return adg_span_compare(*(const struct adg_span *)a, *(const struct adg_span *)b);
}

enum adg_status adg_entries_sort(struct adg_entries *entries, struct adg_error *error)
{
    const uint32_t count = entries->count;
    struct adg_entries old = *entries;
    struct adg_span *texts = adg_alloc_zero((size_t)count + 1, sizeof *texts);
    const int32_t first = 0;
    if (texts == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < count; i++) {
        texts[i] = entry(entries, i);
    }
    qsort(texts, count, sizeof *texts, compare);
    entries->bytes = entries->offsets = (struct adg_buffer){0};
    entries->count = 0;
    enum adg_status status = adg_buffer_append(&entries->offsets, &first, sizeof first, error);
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = append(entries, texts[i], error);
    }
    adg_buffer_fini(&old.bytes);
    adg_buffer_fini(&old.offsets);
    adg_free(texts);
    return status == ADG_OK ? make_slots(entries, entries->slot_count, error) : status;
}

int32_t adg_entries_find(const struct adg_entries *entries, struct adg_span text)
{
    return (int32_t)entries->slots[slot_of(entries, text)] - 1;
}

uint32_t adg_entries_texts(const struct adg_entries *entries, const int32_t **offsets, const uint8_t **bytes)
{
    *offsets = (const int32_t *)(const void *)entries->offsets.data;
    *bytes = entries->bytes.data;
    return entries->count;
}
