/*
 * Patients and their rows: who is behind row r of a table.
 *
 * Every patient draws a cardinality, the number of its rows; 0 gives none. Rows are numbered through in the order of
 * patients. Patients are taken in chunks; the plan counts the rows of every chunk in one parallel pass and keeps the
 * sums (16 bytes per 4,096 patients). To find the patients of a range of rows, the sums are searched and the chunk's
 * cardinalities drawn again: they are addressed by patient number.
 */
#ifndef ADG_GENERATE_PATIENTS_H
#define ADG_GENERATE_PATIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "sample/alias.h"
#include "sample/philox.h"

#define ADG_PATIENT_CHUNK 4096

/* Who appears at all, in profile coherent: a person has a birth value, and is in the table with a chance that depends on it. */
struct adg_presence {
    struct adg_stream birth, appears;
    const struct adg_alias *births; /* borrowed */
    const uint64_t *ends;           /* [value of that alias table] a word below it: the person is there; borrowed */
    uint64_t most;                  /* the largest of them */
    double share;                   /* of all people */
};

struct adg_patients {
    struct adg_stream stream;
    struct adg_alias alias;
    uint64_t *cardinalities; /* [value of the alias table] */
    uint32_t cardinality_count;
    bool selected; /* patients are people of whom some appear */
    struct adg_presence presence;
    uint64_t chunk_count;
    uint64_t *rows_before;   /* [chunk_count + 1] rows of all earlier chunks */
    uint64_t *filled_before; /* [chunk_count + 1] patients with rows in all earlier chunks */
    uint64_t patients;       /* the last one's number + 1 */
    uint64_t rows;           /* the last patient may be cut to end here */
    uint64_t filled;         /* patients with rows */
};

/* Patients with rows in a range of rows, in order. */
struct adg_patient_runs {
    uint32_t count;
    uint64_t before;    /* rows of the first patient that lie before the range */
    uint64_t *patients; /* [count] patient number */
    uint32_t *births;   /* [count] birth values, when people are selected; else not looked at */
    uint32_t *starts;   /* [count + 1] first row of the run within the range; ends with the number of rows */
};

/* Takes the cardinalities and their weights (whole, > 0; copied). Exactly one of `patients` and `rows` is not 0: so
 * many patients, or as many as fill exactly so many rows. ADG_BAD_INPUT: the patients can have no rows, or there are
 * more rows than can be numbered. `presence` may be NULL: all appear. The struct is to be finished, also after a failure. */
ADG_MUST_CHECK enum adg_status adg_patients_plan(struct adg_patients *plan, struct adg_stream stream,
                                                 const struct adg_presence *presence, const uint64_t *cardinalities,
                                                 const uint64_t *weights, uint32_t count, uint64_t patients,
                                                 uint64_t rows, unsigned threads, struct adg_error *error);
void adg_patients_fini(struct adg_patients *plan);

/* The first row of the patient who is number `filled` among those with rows; all rows when there is no such patient. */
uint64_t adg_patients_first_row(const struct adg_patients *plan, uint64_t filled);

/* The patients of rows first_row .. first_row + rows - 1 (all below plan->rows); `runs` has room for `rows`. */
void adg_patients_runs(const struct adg_patients *plan, uint64_t first_row, uint32_t rows,
                       struct adg_patient_runs *runs);

/* The first row and the number of rows of some patients, in ascending order; 0 rows for those who have none. */
void adg_patients_find(const struct adg_patients *plan, const uint64_t *patients, uint32_t count, uint64_t *first_rows,
                       uint64_t *rows);

/* One word per patient, ascending: the one that belongs to it. */
void adg_patients_words(const struct adg_stream *stream, const uint64_t *patients, uint32_t count, uint32_t *out);

#endif
