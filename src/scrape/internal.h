/*
 * Within the scrape room: a table that was counted, and the rules of disclosure control.
 */
#ifndef ADG_SCRAPE_INTERNAL_H
#define ADG_SCRAPE_INTERNAL_H

#include "engine/engine.h"
#include "engine/spill.h"
#include "metadata/metadata.h"
#include "scrape/people.h"
#include "scrape/scrape.h"
#include "scrape/source.h"

struct adg_control {
    uint32_t min_frequency, rounding;
    bool reference; /* records alone are counted, see docs/scraping.md */
};

/* The nearest multiple of the rounding, half up. */
static inline uint64_t adg_control_round(const struct adg_control *control, uint64_t count)
{
    return (2 * count + control->rounding) / (2 * (uint64_t)control->rounding) * control->rounding;
}

/* What was counted of one field. */
struct adg_field_counts {
    bool counted; /* a sampled field that the source has; not of a person */
    struct adg_counter counter;
    struct adg_patient_set
        filled;                /* CONTINUOUS: of records that are not null, up to FINE_PATIENTS times the threshold */
    uint64_t described, other; /* records whose value has a row, and those that have none, nulls aside */
    struct adg_patient_set others;         /* of the latter */
    struct adg_distribution *distribution; /* CONTINUOUS */
};

/* From so many times the threshold on, CONTINUOUS has all percentiles. */
enum { ADG_FINE_PATIENTS = 100 };

/* A table that has been counted. */
struct adg_counted_table {
    const struct adg_dataset *dataset;
    const char *name;
    struct adg_control control;
    bool has_patients;
    struct adg_count_memory memory;
    struct adg_field_counts *fields; /* [field_count] */
    struct adg_people *people;       /* NULL: no patient key */
    int64_t *person_of;              /* [field_count] number of a person field, or -1 */
    struct adg_metadata_rows *rows;  /* where metadata goes */
};

/* Patients that a value needs: 0 where records alone are counted. */
static inline uint32_t adg_table_enough(const struct adg_counted_table *table)
{
    return table->has_patients && !table->control.reference ? table->control.min_frequency : 0;
}

/* Whether a value passes the threshold. */
static inline bool adg_count_passes(const struct adg_counted_table *table, const struct adg_count *count)
{
    return count->records >= table->control.min_frequency && count->patients >= adg_table_enough(table);
}

/* Reads all rows of the files and counts them. `engine` reads Parquet. Unknown and missing columns are written to `manifest`,
 * in the memory of `arena`. The table is to be finished, also after a failure. */
ADG_MUST_CHECK enum adg_status adg_count_table(const struct adg_scrape_options *options,
                                               const struct adg_source_files *files, struct adg_engine *engine,
                                               const char *spill, struct adg_counted_table *table,
                                               struct adg_manifest_table *manifest, struct adg_arena *arena,
                                               struct adg_error *error);
void adg_counted_table_fini(struct adg_counted_table *table);

/*
 * Rows of a field, in passes: each takes what the counter holds, and at last come the rows that need all of it (null,
 * COMPLETENESS, percentiles).
 */
ADG_MUST_CHECK enum adg_status adg_frequency_take(struct adg_counted_table *table, uint32_t field,
                                                  struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_frequency_finish(struct adg_counted_table *table, uint32_t field,
                                                    struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_continuous_take(struct adg_counted_table *table, uint32_t field,
                                                   struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_continuous_finish(struct adg_counted_table *table, uint32_t field,
                                                     struct adg_error *error);
void adg_distribution_free(struct adg_distribution *distribution);

/* The rows of one person field, and of the relationship. */
ADG_MUST_CHECK enum adg_status adg_summarise_patterns(const struct adg_counted_table *table, uint32_t field,
                                                      struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_summarise_modes(const struct adg_counted_table *table, uint32_t field,
                                                   struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_summarise_relationship(const struct adg_counted_table *table,
                                                          struct adg_error *error);

/* The row of COMPLETENESS. `described`: records whose value has a row; `other`: the other ones that are not null, of which
 * `other_passes` says whether they pass the threshold together; `null`: the controlled count of nulls, before rounding. */
ADG_MUST_CHECK enum adg_status adg_add_completeness(const struct adg_counted_table *table, uint32_t field,
                                                    uint64_t null, uint64_t described, uint64_t other,
                                                    bool other_passes, struct adg_error *error);

#endif
