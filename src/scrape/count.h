/*
 * Values of one field with their records and patients, counted as rows pass by.
 *
 * Of every value the distinct patients are counted exactly until they are `enough`, which is all that a threshold asks; by then a
 * value keeps nothing but its number of records. Patients are known by 64-bit hashes under a key of the process (see people.h):
 * two that are the same would make one patient too few, never one too many.
 *
 * Memory is bounded: when all counters of a table together hold more than their share, values that are new go to a file in the
 * private folder, record by record, and are counted when the others have been taken.
 */
#ifndef ADG_SCRAPE_COUNT_H
#define ADG_SCRAPE_COUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/buffer.h"

enum adg_count_kind { ADG_COUNT_TEXT, ADG_COUNT_INT, ADG_COUNT_DOUBLE };

/* What the counters of a table hold together. */
struct adg_count_memory {
    uint64_t used, limit; /* bytes; limit 0: none */
    const char *folder;   /* for what goes beyond it; NULL: nothing may (ADG_FAILED) */
};

/* One value. */
struct adg_count {
    uint64_t
        bits; /* INT: the number; DOUBLE: its bits; TEXT of up to 8 bytes: these, longer: where it lies in `texts` */
    uint32_t size; /* TEXT */
    uint32_t hash;
    uint64_t records;
    uint32_t patients; /* distinct, counted up to `enough` */
    uint32_t seen_bits;
    uint64_t *seen; /* [2^seen_bits] their hashes, 0 where free; NULL when there are enough */
};

struct adg_count_slot;
struct adg_counter {
    enum adg_count_kind kind;
    uint32_t enough; /* 0: patients are not counted */
    struct adg_count_memory *memory;
    struct adg_count *entries; /* in the order in which they first came */
    size_t count, capacity;
    struct adg_count null; /* of nulls */
    struct adg_buffer texts;
    struct adg_count_slot *slots;
    unsigned slot_bits;
    FILE *overflow; /* values that found no room */
    uint64_t overflow_records;
};

void adg_counter_init(struct adg_counter *counter, enum adg_count_kind kind, uint32_t enough,
                      struct adg_count_memory *memory);
void adg_counter_fini(struct adg_counter *counter);

/* One record; `patient` is not 0. */
ADG_MUST_CHECK enum adg_status adg_counter_add_null(struct adg_counter *counter, uint64_t patient,
                                                    struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_counter_add_text(struct adg_counter *counter, struct adg_span text, uint64_t patient,
                                                    struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_counter_add_int(struct adg_counter *counter, int64_t value, uint64_t patient,
                                                   struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_counter_add_double(struct adg_counter *counter, double value, uint64_t patient,
                                                      struct adg_error *error);
/* The same for a text that is counted once more or added; *entry is its index. There is no overflow: ADG_FAILED instead. */
ADG_MUST_CHECK enum adg_status adg_counter_index(struct adg_counter *counter, struct adg_span text, uint32_t *entry,
                                                 struct adg_error *error);

/* The entry of a value, which is the one of the three that the counter's kind says; false: there is none. */
bool adg_counter_find(const struct adg_counter *counter, struct adg_span text, int64_t integer, double number,
                      size_t *entry);

/* The text of an entry; valid until the next one is added. */
struct adg_span adg_counter_text(const struct adg_counter *counter, const struct adg_count *entry);
double adg_counter_double(const struct adg_count *entry);

/* Forgets the entries, not the nulls. */
void adg_counter_forget(struct adg_counter *counter);
/* The same, and counts those that went to the file; *more is false when there are none. */
ADG_MUST_CHECK enum adg_status adg_counter_next_pass(struct adg_counter *counter, bool *more, struct adg_error *error);

/* Adds the patients of `entry` to a set of up to `enough`; all of them when the entry has fewer than its counter's. */
struct adg_patient_set {
    struct adg_count all;
};
ADG_MUST_CHECK enum adg_status adg_patient_set_add(struct adg_patient_set *set, const struct adg_count *entry,
                                                   uint32_t enough, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_patient_set_add_one(struct adg_patient_set *set, uint64_t patient, uint32_t enough,
                                                       struct adg_error *error);
void adg_patient_set_fini(struct adg_patient_set *set);

#endif
