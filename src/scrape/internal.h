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

/* "about 120 values", or "fewer than 5 values". */
void adg_control_amount(const struct adg_control *control, uint64_t count, char out[64]);

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
    bool from_database; /* counted there: of what does not pass, nobody is known here */
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

/* The columns of a source. */
struct adg_columns {
    const char *source; /* its name, for messages */
    const char *const *names;
    uint32_t count;
};
/* ADG_BAD_INPUT: two have names that differ in nothing but case. */
ADG_MUST_CHECK enum adg_status adg_columns_differ(const struct adg_columns *columns, struct adg_error *error);
/* column_of[f] is the first column of field f, or -1. Those that are unknown or missing go to the manifest, in the memory of `arena`;
 * ADG_BAD_INPUT: unknown ones that are not to be skipped, no column for a key. */
ADG_MUST_CHECK enum adg_status adg_columns_find(const struct adg_columns *columns,
                                                const struct adg_scrape_options *options,
                                                const struct adg_counted_table *table, int64_t *column_of,
                                                struct adg_manifest_table *manifest, struct adg_arena *arena,
                                                struct adg_error *error);

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
/* A value of CONTINUOUS that a database counted, in ascending order; `up_to` it, and with it, come so many records. Of values to which no
 * percentile leads none needs to come. */
ADG_MUST_CHECK enum adg_status adg_continuous_put(struct adg_field_counts *counts, int64_t integer, double number,
                                                  uint64_t up_to, bool passes, struct adg_error *error);
/* The ranks that percentiles lead to are ceil(i * records / parts) for i in 1 .. parts - 1, or some of them. */
uint64_t adg_continuous_parts(const struct adg_control *control, uint64_t patients);
void adg_distribution_free(struct adg_distribution *distribution);

/* A row of a field that describes a person, or the rows of the relationship (`cardinalities`: INT, records are patients). */
ADG_MUST_CHECK enum adg_status adg_add_pattern(const struct adg_counted_table *table, uint32_t field,
                                               struct adg_optional_text *values, uint32_t *tenths, uint32_t count,
                                               uint64_t patients, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_add_mode(const struct adg_counted_table *table, uint32_t field,
                                            struct adg_optional_text value, uint64_t patients, uint64_t millionths,
                                            struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_add_relationship(const struct adg_counted_table *table,
                                                    const struct adg_counter *cardinalities, struct adg_error *error);

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

/* Appends, as a relation in DuckDB's SQL, a metadata table of the reference's first format with the columns of the present one. */
ADG_MUST_CHECK enum adg_status adg_import_first_format(const char *path, const struct adg_definition *definition,
                                                       struct adg_buffer *out, struct adg_error *error);

#endif
