/*
 * Rows by patient: how many primary keys each has, and with what shares the values of fields that describe a person come in its
 * rows.
 *
 * A patient is known by a 128-bit SipHash (Aumasson, Bernstein, 2012) of the key's text under a random key of the process: so rows
 * of a patient find each other in whatever order they come, and the hashes mean nothing afterwards. A row leaves a record of some
 * forty bytes. Beyond a given amount records go to files in the private folder, 64 of them by hash, which are then taken one
 * after the other.
 */
#ifndef ADG_SCRAPE_PEOPLE_H
#define ADG_SCRAPE_PEOPLE_H

#include "scrape/count.h"

struct adg_patient {
    uint64_t words[2]; /* never both 0 */
};

/* The hash of a patient key or primary key. */
struct adg_patient adg_patient_of(struct adg_span key);
/* What counters know a patient by; all rows without one are the same. */
static inline uint64_t adg_patient_short(const struct adg_patient *patient)
{
    return patient->words[0] | 2; /* neither free nor nobody */
}
enum { ADG_NOBODY = 1 };

/* What is known of one field. */
struct adg_person_field {
    struct adg_counter values; /* TEXT; codes are the indexes of its entries */
    struct adg_counter
        patterns;           /* TEXT: struct adg_pattern_item of each value, ascending by code; `records` are patients */
    struct adg_mode *modes; /* [mode_count] by code; the last is of null */
    uint32_t mode_count;
};
struct adg_pattern_item {
    uint32_t code;   /* ADG_NULL_CODE: null */
    uint32_t tenths; /* of the patient's rows, half up */
};
#define ADG_NULL_CODE UINT32_MAX
/* Patients of whom a value is the most frequent one (of several the smallest, null first, then by bytes). */
struct adg_mode {
    uint64_t patients, millionths; /* sum of its shares in their rows */
};

struct adg_people;
/* `fields` person fields. Holds up to `memory_bytes` before it spills to `folder`. */
ADG_MUST_CHECK enum adg_status adg_people_new(uint32_t fields, uint64_t memory_bytes, const char *folder,
                                              struct adg_people **out, struct adg_error *error);
void adg_people_free(struct adg_people *people);

/* The code of a value; of null it is ADG_NULL_CODE. */
ADG_MUST_CHECK enum adg_status adg_people_code(struct adg_people *people, uint32_t field, struct adg_span text,
                                               uint32_t *code, struct adg_error *error);
/* A row of a patient. `primary` is NULL where the primary key is null. */
ADG_MUST_CHECK enum adg_status adg_people_add(struct adg_people *people, const struct adg_patient *patient,
                                              const struct adg_patient *primary, const uint32_t *codes,
                                              struct adg_error *error);
/* Behind the last row. */
ADG_MUST_CHECK enum adg_status adg_people_finish(struct adg_people *people, struct adg_error *error);

/* INT: primary keys of a patient, `records` being the patients who have so many. */
const struct adg_counter *adg_people_cardinalities(const struct adg_people *people);
const struct adg_person_field *adg_people_field(const struct adg_people *people, uint32_t field);

#endif
