/*
 * A sample of distinct values: see sketch.h.
 */
#include "classify/sketch.h"

#include <stdbool.h>

#include "core/memory.h"

enum { FIRST_SLOTS = 64, RARE_BELOW = 5 };

static bool is_kept(const struct adg_sketch *sketch, uint64_t hash)
{
    return (hash & ((UINT64_C(1) << sketch->level) - 1)) == 0;
}

/* Where the hash is, or would go: by the high bits, since the low ones are all zero. */
static uint32_t find_slot(const struct adg_sketch_entry *entries, uint32_t slots, uint64_t hash)
{
    uint32_t slot = (uint32_t)(hash >> 32) & (slots - 1);
    while (entries[slot].count > 0 && entries[slot].hash != hash) {
        slot = (slot + 1) & (slots - 1);
    }
    return slot;
}

/* Moves what is kept at the present level to a table of `slots`. */
static enum adg_status rebuild(struct adg_sketch *sketch, uint32_t slots, struct adg_error *error)
{
    struct adg_sketch_entry *entries = adg_alloc_zero(slots, sizeof *entries);
    if (entries == NULL) {
        return adg_fail_memory(error);
    }
    sketch->used = 0;
    for (uint32_t i = 0; i < sketch->slots; i++) {
        const struct adg_sketch_entry *entry = &sketch->entries[i];
        if (entry->count > 0 && is_kept(sketch, entry->hash)) {
            entries[find_slot(entries, slots, entry->hash)] = *entry;
            sketch->used++;
        }
    }
    adg_free(sketch->entries);
    sketch->entries = entries;
    sketch->slots = slots;
    return ADG_OK;
}

enum adg_status adg_sketch_add(struct adg_sketch *sketch, uint64_t hash, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    if (!is_kept(sketch, hash)) {
        return ADG_OK;
    }
    if (sketch->slots > 0) {
        struct adg_sketch_entry *entry = &sketch->entries[find_slot(sketch->entries, sketch->slots, hash)];
        if (entry->count > 0) {
            entry->count++;
            return ADG_OK;
        }
    }
    while (status == ADG_OK && sketch->used >= sketch->most && is_kept(sketch, hash)) {
        sketch->level++;
        status = rebuild(sketch, sketch->slots, error);
    }
    if (status == ADG_OK && 2 * (sketch->used + 1) > sketch->slots) {
        status = rebuild(sketch, sketch->slots == 0 ? FIRST_SLOTS : 2 * sketch->slots, error);
    }
    if (status == ADG_OK && is_kept(sketch, hash)) {
        sketch->entries[find_slot(sketch->entries, sketch->slots, hash)] = (struct adg_sketch_entry){hash, 1};
        sketch->used++;
    }
    return status;
}

void adg_sketch_fini(struct adg_sketch *sketch)
{
    adg_free(sketch->entries);
    sketch->entries = NULL;
    sketch->slots = sketch->used = 0;
}

int64_t adg_sketch_find(const struct adg_sketch *sketch, uint64_t hash)
{
    if (sketch->slots == 0 || !is_kept(sketch, hash)) {
        return -1;
    }
    uint32_t slot = find_slot(sketch->entries, sketch->slots, hash);
    return sketch->entries[slot].count > 0 ? (int64_t)slot : -1;
}

struct adg_sketch_summary adg_sketch_summarise(const struct adg_sketch *sketch)
{
    struct adg_sketch_summary summary = {.kept = sketch->used, .distinct = (uint64_t)sketch->used << sketch->level};
    double squares = 0;
    for (uint32_t i = 0; i < sketch->slots; i++) {
        uint64_t count = sketch->entries[i].count;
        summary.records += count;
        summary.repeated += count > 1;
        summary.rare_records += count < RARE_BELOW ? count : 0;
        squares += (double)count * (double)count;
    }
    if (summary.records > 0) {
        summary.chance = squares / ((double)summary.records * (double)summary.records);
    }
    return summary;
}
