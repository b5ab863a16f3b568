/*
 * Counting values: see count.h. Open addressing twice: from a value's hash to its entry, and in each entry the patients that were
 * seen.
 */
#include "scrape/count.h"

#include <errno.h>
#include <string.h>

#include "core/memory.h"
#include "engine/spill.h"

struct adg_count_slot {
    uint32_t hash;
    uint32_t entry; /* + 1; 0: free */
};

enum { FIRST_SLOT_BITS = 6, FIRST_SEEN_BITS = 3, INLINE_BYTES = 8, MOST_ENTRIES = INT32_MAX };

void adg_counter_init(struct adg_counter *counter, enum adg_count_kind kind, uint32_t enough,
                      struct adg_count_memory *memory)
{
    *counter = (struct adg_counter){.kind = kind, .enough = enough, .memory = memory};
}

static void note_memory(struct adg_counter *counter, int64_t bytes)
{
    if (counter->memory != NULL) {
        counter->memory->used = (uint64_t)((int64_t)counter->memory->used + bytes);
    }
}

/* What the counter holds but entries' patients. */
static int64_t held_bytes(const struct adg_counter *counter)
{
    return (int64_t)(counter->capacity * sizeof *counter->entries + counter->texts.capacity +
                     (counter->slots != NULL ? sizeof *counter->slots << counter->slot_bits : 0));
}

static void forget_seen(struct adg_counter *counter, struct adg_count *entry)
{
    if (entry->seen != NULL) {
        note_memory(counter, -(int64_t)(sizeof *entry->seen << entry->seen_bits));
        adg_free(entry->seen);
        entry->seen = NULL;
    }
}

void adg_counter_forget(struct adg_counter *counter)
{
    for (size_t i = 0; i < counter->count; i++) {
        forget_seen(counter, &counter->entries[i]);
    }
    note_memory(counter, -held_bytes(counter));
    adg_free(counter->entries);
    adg_free(counter->slots);
    adg_buffer_fini(&counter->texts);
    counter->entries = NULL;
    counter->slots = NULL;
    counter->count = counter->capacity = 0;
    counter->slot_bits = 0;
}

void adg_counter_fini(struct adg_counter *counter)
{
    adg_counter_forget(counter);
    forget_seen(counter, &counter->null);
    if (counter->overflow != NULL) {
        fclose(counter->overflow);
    }
    *counter = (struct adg_counter){.kind = counter->kind};
}

/* ---- patients ---------------------------------------------------------------------------------------------------- */

static void put_seen(uint64_t *seen, unsigned bits, uint64_t patient)
{
    uint64_t mask = (UINT64_C(1) << bits) - 1, at = patient & mask;
    while (seen[at] != 0) {
        at = (at + 1) & mask;
    }
    seen[at] = patient;
}

static bool has_seen(const struct adg_count *entry, uint64_t patient)
{
    uint64_t mask = (UINT64_C(1) << entry->seen_bits) - 1, at = patient & mask;
    while (entry->seen[at] != 0 && entry->seen[at] != patient) {
        at = (at + 1) & mask;
    }
    return entry->seen[at] == patient;
}

/* Room for one patient more; at most half full. Adds to *bytes what it takes. */
static enum adg_status grow_seen(struct adg_count *entry, int64_t *bytes, struct adg_error *error)
{
    if (entry->seen != NULL && entry->patients < UINT32_C(1) << (entry->seen_bits - 1)) {
        return ADG_OK;
    }
    unsigned bits = entry->seen == NULL ? FIRST_SEEN_BITS : entry->seen_bits + 1;
    uint64_t *seen = adg_alloc_zero((size_t)1 << bits, sizeof *seen);
    if (seen == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; entry->seen != NULL && i < UINT32_C(1) << entry->seen_bits; i++) {
        if (entry->seen[i] != 0) {
            put_seen(seen, bits, entry->seen[i]);
        }
    }
    *bytes += (int64_t)(sizeof *seen << bits) - (entry->seen != NULL ? (int64_t)(sizeof *seen << entry->seen_bits) : 0);
    adg_free(entry->seen);
    entry->seen = seen;
    entry->seen_bits = bits;
    return ADG_OK;
}

static enum adg_status note_patient(struct adg_count *entry, uint64_t patient, int64_t *bytes, struct adg_error *error)
{
    if (entry->seen != NULL && has_seen(entry, patient)) {
        return ADG_OK;
    }
    enum adg_status status = grow_seen(entry, bytes, error);
    if (status == ADG_OK) {
        put_seen(entry->seen, entry->seen_bits, patient);
        entry->patients++;
    }
    return status;
}

static inline enum adg_status add_record(struct adg_counter *counter, struct adg_count *entry, uint64_t patient,
                                         struct adg_error *error)
{
    entry->records++;
    if (entry->patients >= counter->enough) {
        return ADG_OK;
    }
    int64_t bytes = 0;
    enum adg_status status = note_patient(entry, patient, &bytes, error);
    note_memory(counter, bytes);
    if (entry->patients >= counter->enough) {
        forget_seen(counter, entry);
    }
    return status;
}

enum adg_status adg_patient_set_add_one(struct adg_patient_set *set, uint64_t patient, uint32_t enough,
                                        struct adg_error *error)
{
    int64_t bytes = 0;
    return set->all.patients < enough ? note_patient(&set->all, patient, &bytes, error) : ADG_OK;
}

enum adg_status adg_patient_set_add(struct adg_patient_set *set, const struct adg_count *entry, uint32_t enough,
                                    struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    if (entry->seen == NULL) { /* it has enough by itself, or patients are not counted */
        set->all.patients = enough;
    }
    for (uint32_t i = 0; entry->seen != NULL && i < UINT32_C(1) << entry->seen_bits && status == ADG_OK; i++) {
        if (entry->seen[i] != 0) {
            status = adg_patient_set_add_one(set, entry->seen[i], enough, error);
        }
    }
    return status;
}

void adg_patient_set_fini(struct adg_patient_set *set)
{
    adg_free(set->all.seen);
    *set = (struct adg_patient_set){{0}};
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static inline uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return x ^ x >> 32;
}

/* Up to eight bytes, the first lowest, zeros above; nothing behind the text is read. */
static inline uint64_t short_bits(struct adg_span text)
{
    const uint8_t *bytes = text.data;
    if (text.size >= sizeof(uint32_t)) { /* two halves that may overlap */
        uint32_t low, high;
        memcpy(&low, bytes, sizeof low);
        memcpy(&high, bytes + text.size - sizeof high, sizeof high);
        return low | (uint64_t)high << 8 * (text.size - sizeof high);
    }
    return text.size == 0 ? 0
                          : bytes[0] | (uint64_t)bytes[text.size / 2] << 8 * (text.size / 2) |
                                (uint64_t)bytes[text.size - 1] << 8 * (text.size - 1);
}

static uint32_t hash_long(struct adg_span text)
{
    uint64_t hash = text.size * UINT64_C(0x9E3779B97F4A7C15);
    size_t at = 0;
    for (; at + sizeof(uint64_t) <= text.size; at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, text.data + at, sizeof word);
        hash = mix(hash ^ word);
    }
    return (uint32_t)mix(hash ^ short_bits((struct adg_span){text.data + at, text.size - at}));
}

static enum adg_status rehash(struct adg_counter *counter, unsigned bits, struct adg_error *error)
{
    struct adg_count_slot *slots = adg_alloc_zero((size_t)1 << bits, sizeof *slots);
    if (slots == NULL) {
        return adg_fail_memory(error);
    }
    uint32_t mask = (UINT32_C(1) << bits) - 1;
    for (size_t e = 0; e < counter->count; e++) {
        uint32_t at = counter->entries[e].hash & mask;
        while (slots[at].entry != 0) {
            at = (at + 1) & mask;
        }
        slots[at] = (struct adg_count_slot){counter->entries[e].hash, (uint32_t)e + 1};
    }
    adg_free(counter->slots);
    counter->slots = slots;
    counter->slot_bits = bits;
    return ADG_OK;
}

static enum adg_status make_room(struct adg_counter *counter, struct adg_error *error)
{
    int64_t before = held_bytes(counter);
    enum adg_status status = ADG_OK;
    if (counter->count == counter->capacity) {
        struct adg_count *entries = adg_grow_array(counter->entries, &counter->capacity, 16, sizeof *entries);
        if (entries == NULL) {
            return adg_fail_memory(error);
        }
        counter->entries = entries;
    }
    if (counter->slots == NULL) {
        status = rehash(counter, FIRST_SLOT_BITS, error);
    } else if (counter->count >= (size_t)1 << (counter->slot_bits - 1)) {
        status = rehash(counter, counter->slot_bits + 1, error);
    }
    note_memory(counter, held_bytes(counter) - before);
    return status;
}

struct adg_span adg_counter_text(const struct adg_counter *counter, const struct adg_count *entry)
{
    return entry->size <= INLINE_BYTES ? (struct adg_span){(const uint8_t *)&entry->bits, entry->size}
                                       : (struct adg_span){counter->texts.data + entry->bits, entry->size};
}

double adg_counter_double(const struct adg_count *entry)
{
    double value;
    memcpy(&value, &entry->bits, sizeof value);
    return value;
}

/* A value on its way in. */
struct key {
    uint64_t bits;
    uint32_t hash;
    struct adg_span text; /* size 0 and NULL for numbers */
};

static inline bool is_entry(const struct adg_counter *counter, const struct adg_count *entry, const struct key *key)
{
    if (entry->size != key->text.size) {
        return false;
    }
    return key->text.size <= INLINE_BYTES ? entry->bits == key->bits
                                          : memcmp(counter->texts.data + entry->bits, key->text.data, entry->size) == 0;
}

/* Puts a value that is not there. */
static enum adg_status insert(struct adg_counter *counter, const struct key *key, uint32_t *entry,
                              struct adg_error *error)
{
    struct adg_count made = {.bits = key->bits, .size = (uint32_t)key->text.size, .hash = key->hash};
    enum adg_status status = counter->count >= MOST_ENTRIES || key->text.size > UINT32_MAX
                                 ? adg_fail(error, ADG_FAILED, "more different values than can be counted")
                                 : make_room(counter, error);
    if (status == ADG_OK && key->text.size > INLINE_BYTES) {
        size_t before = counter->texts.capacity;
        made.bits = counter->texts.size;
        status = adg_buffer_append(&counter->texts, key->text.data, key->text.size, error);
        note_memory(counter, (int64_t)(counter->texts.capacity - before));
    }
    if (status != ADG_OK) {
        return status;
    }
    uint32_t mask = (UINT32_C(1) << counter->slot_bits) - 1, at = key->hash & mask;
    while (counter->slots[at].entry != 0) {
        at = (at + 1) & mask;
    }
    counter->slots[at] = (struct adg_count_slot){key->hash, (uint32_t)counter->count + 1};
    *entry = (uint32_t)counter->count;
    counter->entries[counter->count++] = made;
    return ADG_OK;
}

static inline bool find(const struct adg_counter *counter, const struct key *key, uint32_t *entry)
{
    if (counter->slots == NULL) {
        return false;
    }
    uint32_t mask = (UINT32_C(1) << counter->slot_bits) - 1;
    for (uint32_t at = key->hash & mask; counter->slots[at].entry != 0; at = (at + 1) & mask) {
        *entry = counter->slots[at].entry - 1;
        if (counter->slots[at].hash == key->hash && is_entry(counter, &counter->entries[*entry], key)) {
            return true;
        }
    }
    return false;
}

static struct key number_key(uint64_t bits)
{
    return (struct key){bits, (uint32_t)mix(bits), {NULL, 0}};
}

static inline struct key text_key(struct adg_span text)
{
    if (text.size > INLINE_BYTES) {
        return (struct key){0, hash_long(text), text};
    }
    uint64_t bits = short_bits(text);
    return (struct key){bits, (uint32_t)mix(bits + text.size * UINT64_C(0x9E3779B97F4A7C15)), text};
}

/* ---- what finds no room ------------------------------------------------------------------------------------------ */

static enum adg_status put_overflow(struct adg_counter *counter, const struct key *key, uint64_t patient,
                                    struct adg_error *error)
{
    if (counter->memory->folder == NULL) {
        return adg_fail(error, ADG_FAILED, "more different values than memory holds");
    }
    if (counter->overflow == NULL) {
        enum adg_status status = adg_spill_open_file(counter->memory->folder, &counter->overflow, error);
        if (status != ADG_OK) {
            return status;
        }
        counter->overflow_records = 0;
    }
    uint64_t head[3] = {key->text.size, key->bits, patient};
    if (fwrite(head, sizeof head, 1, counter->overflow) != 1 ||
        (key->text.size > INLINE_BYTES &&
         fwrite(key->text.data, 1, key->text.size, counter->overflow) != key->text.size)) {
        return adg_fail_errno(error, errno, "values cannot be spilled to %s", counter->memory->folder);
    }
    counter->overflow_records++;
    return ADG_OK;
}

static enum adg_status add(struct adg_counter *counter, const struct key *key, uint64_t patient,
                           struct adg_error *error)
{
    uint32_t entry = 0;
    if (!find(counter, key, &entry)) {
        /* once one value had no room, none that is new gets it in this pass: memory comes back, and a value must not be split */
        const struct adg_count_memory *memory = counter->memory;
        bool full = memory != NULL && memory->limit > 0 && memory->used > memory->limit && counter->count > 0;
        if (full || counter->overflow != NULL) {
            return put_overflow(counter, key, patient, error);
        }
        enum adg_status status = insert(counter, key, &entry, error);
        if (status != ADG_OK) {
            return status;
        }
    }
    return add_record(counter, &counter->entries[entry], patient, error);
}

enum adg_status adg_counter_next_pass(struct adg_counter *counter, bool *more, struct adg_error *error)
{
    FILE *file = counter->overflow;
    uint64_t records = counter->overflow_records;
    struct adg_buffer text = {0};
    enum adg_status status = ADG_OK;
    *more = file != NULL;
    adg_counter_forget(counter);
    counter->overflow = NULL;
    if (file != NULL && (fflush(file) != 0 || fseek(file, 0, SEEK_SET) != 0)) {
        status = adg_fail_errno(error, errno, "values cannot be spilled");
    }
    for (uint64_t i = 0; i < records && file != NULL && status == ADG_OK; i++) {
        uint64_t head[3];
        bool good = fread(head, sizeof head, 1, file) == 1;
        size_t size = good ? (size_t)head[0] : 0;
        text.size = 0;
        status = adg_buffer_reserve(&text, size + INLINE_BYTES, error);
        if (status == ADG_OK && size <= INLINE_BYTES) {
            memcpy(text.data, &head[1], INLINE_BYTES);
        } else if (status == ADG_OK) {
            good = good && fread(text.data, 1, size, file) == size;
        }
        if (status == ADG_OK && !good) {
            status = adg_fail(error, ADG_FAILED, "values that were spilled cannot be read");
        }
        if (status == ADG_OK) {
            const struct key key = counter->kind == ADG_COUNT_TEXT ? text_key((struct adg_span){text.data, size})
                                                                   : number_key(head[1]);
            status = add(counter, &key, head[2], error);
        }
    }
    adg_buffer_fini(&text);
    if (file != NULL) {
        fclose(file);
    }
    return status;
}

/* ---- adding ------------------------------------------------------------------------------------------------------ */

enum adg_status adg_counter_add_null(struct adg_counter *counter, uint64_t patient, struct adg_error *error)
{
    return add_record(counter, &counter->null, patient, error);
}

enum adg_status adg_counter_add_text(struct adg_counter *counter, struct adg_span text, uint64_t patient,
                                     struct adg_error *error)
{
    const struct key key = text_key(text);
    return add(counter, &key, patient, error);
}

enum adg_status adg_counter_add_int(struct adg_counter *counter, int64_t value, uint64_t patient,
                                    struct adg_error *error)
{
    const struct key key = number_key((uint64_t)value);
    return add(counter, &key, patient, error);
}

static struct key double_key(double value)
{
    uint64_t bits;
    value = value == 0 ? 0 : value; /* zeros of either sign are equal */
    memcpy(&bits, &value, sizeof bits);
    return number_key(bits);
}

enum adg_status adg_counter_add_double(struct adg_counter *counter, double value, uint64_t patient,
                                       struct adg_error *error)
{
    const struct key key = double_key(value);
    return add(counter, &key, patient, error);
}

bool adg_counter_find(const struct adg_counter *counter, struct adg_span text, int64_t integer, double number,
                      size_t *entry)
{
    const struct key key = counter->kind == ADG_COUNT_TEXT     ? text_key(text)
                           : counter->kind == ADG_COUNT_DOUBLE ? double_key(number)
                                                               : number_key((uint64_t)integer);
    uint32_t found = 0;
    bool there = find(counter, &key, &found);
    *entry = found;
    return there;
}

enum adg_status adg_counter_index(struct adg_counter *counter, struct adg_span text, uint32_t *entry,
                                  struct adg_error *error)
{
    const struct key key = text_key(text);
    enum adg_status status = find(counter, &key, entry) ? ADG_OK : insert(counter, &key, entry, error);
    if (status == ADG_OK) {
        counter->entries[*entry].records++;
    }
    return status;
}
