/*
 * A dictionary made on the way: see texts.h. Open addressing; a slot holds half of the hash, so that a text is only compared
 * when it is almost surely the same.
 */
#include "sink/texts.h"

#include "core/memory.h"

struct adg_texts_slot {
    uint32_t hash;
    uint32_t entry; /* + 1; 0: free */
};

enum { FIRST_SLOT_BITS = 12, FIRST_ENTRIES = 2048 };

void adg_texts_clear(struct adg_texts *texts)
{
    if (texts->count > 0) {
        memset(texts->slots, 0, sizeof *texts->slots << texts->slot_bits);
    }
    texts->count = 0;
    texts->cells.size = 0;
}

void adg_texts_fini(struct adg_texts *texts)
{
    adg_buffer_fini(&texts->cells);
    adg_free(texts->offsets);
    adg_free(texts->seen);
    adg_free(texts->slots);
    *texts = (struct adg_texts){0};
}

/* Eight bytes at a time; slack may be read. The upper half of a product depends on all bits. */
static inline uint32_t hash_of(const char *text, uint32_t size)
{
    uint64_t hash = size * UINT64_C(0x9E3779B97F4A7C15);
    for (uint32_t at = 0; at < size; at += 8) {
        uint64_t word;
        memcpy(&word, text + at, sizeof word);
        if (size - at < 8) {
            word &= ~UINT64_C(0) >> 8 * (8 - (size - at)); /* little-endian */
        }
        hash = (hash ^ word) * UINT64_C(0xD6E8FEB86659FD93);
        hash ^= hash >> 32;
    }
    return (uint32_t)hash;
}

static enum adg_status rehash(struct adg_texts *texts, unsigned slot_bits, struct adg_error *error)
{
    struct adg_texts_slot *slots = adg_alloc_zero((size_t)1 << slot_bits, sizeof *slots);
    if (slots == NULL) {
        return adg_fail_memory(error);
    }
    uint32_t mask = (UINT32_C(1) << slot_bits) - 1;
    for (size_t s = 0; texts->slots != NULL && s < (size_t)1 << texts->slot_bits; s++) {
        if (texts->slots[s].entry == 0) {
            continue;
        }
        uint32_t at = texts->slots[s].hash & mask;
        while (slots[at].entry != 0) {
            at = (at + 1) & mask;
        }
        slots[at] = texts->slots[s];
    }
    adg_free(texts->slots);
    texts->slots = slots;
    texts->slot_bits = slot_bits;
    return ADG_OK;
}

/* Room for one entry more. */
static enum adg_status make_room(struct adg_texts *texts, struct adg_error *error)
{
    if (texts->count == texts->capacity) {
        uint32_t capacity = texts->capacity == 0 ? FIRST_ENTRIES : 2 * texts->capacity;
        uint32_t *offsets = adg_realloc_array(texts->offsets, capacity, sizeof *offsets);
        texts->offsets = offsets != NULL ? offsets : texts->offsets;
        uint8_t *seen = adg_realloc_array(texts->seen, capacity, sizeof *seen);
        texts->seen = seen != NULL ? seen : texts->seen;
        if (offsets == NULL || seen == NULL) {
            return adg_fail_memory(error);
        }
        texts->capacity = capacity;
    }
    if (texts->slots == NULL) {
        return rehash(texts, FIRST_SLOT_BITS, error);
    }
    return texts->count < UINT32_C(1) << (texts->slot_bits - 1) ? ADG_OK : rehash(texts, texts->slot_bits + 1, error);
}

static enum adg_status add_entry(struct adg_texts *texts, const char *cell, uint32_t bytes, struct adg_error *error)
{
    enum adg_status status = texts->cells.size + bytes > INT32_MAX
                                 ? adg_fail(error, ADG_FAILED, "the joined texts of one part take more than 2 GiB")
                                 : adg_buffer_reserve(&texts->cells, bytes + ADG_TEXT_SLACK, error);
    if (status == ADG_OK) {
        texts->offsets[texts->count++] = (uint32_t)texts->cells.size;
        adg_buffer_put(&texts->cells, cell, bytes);
    }
    return status;
}

static enum adg_status add_one(struct adg_texts *texts, const char *cell, uint32_t bytes, uint32_t *code,
                               struct adg_error *error)
{
    enum adg_status status = make_room(texts, error);
    if (status != ADG_OK) {
        return status;
    }
    uint32_t hash = hash_of(cell + ADG_TEXT_LENGTH_BYTES, bytes - ADG_TEXT_LENGTH_BYTES);
    uint32_t mask = (UINT32_C(1) << texts->slot_bits) - 1, at = hash & mask;
    for (; texts->slots[at].entry != 0; at = (at + 1) & mask) {
        uint32_t entry = texts->slots[at].entry - 1;
        uint32_t offset = texts->offsets[entry];
        if (texts->slots[at].hash == hash && texts->cells.size - offset >= bytes &&
            memcmp(texts->cells.data + offset, cell, bytes) == 0) { /* the length is compared, too */
            *code = entry;
            return ADG_OK;
        }
    }
    *code = texts->count;
    texts->slots[at] = (struct adg_texts_slot){hash, texts->count + 1};
    return add_entry(texts, cell, bytes, error);
}

enum adg_status adg_texts_add(struct adg_texts *texts, const struct adg_block_column *column, uint32_t rows,
                              uint32_t most, uint32_t *known, uint32_t *codes, struct adg_error *error)
{
    const uint32_t *offsets = column->values.text.offsets;
    enum adg_status status = ADG_OK;
    for (uint32_t c = 0; c < column->cells; c++) {
        known[c] = ADG_NO_TEXT;
    }
    for (uint32_t r = 0; r < rows && status == ADG_OK && texts->count <= most; r++) {
        uint32_t cell = column->codes[r];
        codes[r] = ADG_NO_TEXT;
        if (cell == ADG_NO_TEXT) {
            continue;
        }
        if (known[cell] == ADG_NO_TEXT) { /* only cells that a row has: a shard may show some of them */
            status = add_one(texts, column->values.text.bytes + offsets[cell], offsets[cell + 1] - offsets[cell],
                             &known[cell], error);
        }
        codes[r] = known[cell];
    }
    return status;
}

void adg_texts_bounds(struct adg_texts *texts, const uint32_t *codes, uint32_t rows, struct adg_text_bounds *bounds)
{
    memset(texts->seen, 0, texts->count);
    for (uint32_t r = 0; r < rows; r++) {
        if (codes[r] != ADG_NO_TEXT && texts->seen[codes[r]] == 0) {
            const char *cell = (const char *)texts->cells.data + texts->offsets[codes[r]];
            uint32_t size;
            memcpy(&size, cell, ADG_TEXT_LENGTH_BYTES);
            adg_text_bounds_show(bounds, cell + ADG_TEXT_LENGTH_BYTES, size);
            texts->seen[codes[r]] = 1;
        }
    }
}
