/*
 * Within the scrape room: a table that lies in the engine, and the rules of disclosure control.
 */
#ifndef ADG_SCRAPE_INTERNAL_H
#define ADG_SCRAPE_INTERNAL_H

#include "engine/engine.h"
#include "engine/spill.h"
#include "metadata/metadata.h"
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

/*
 * A table in the engine: table "t" with a column "f<index>" for each loaded field and, where the dataset has a patient key,
 * "m", a bit that a hash of the patient chose among 64: five bits set in the or of a group prove five patients.
 */
struct adg_loaded_table {
    const struct adg_dataset *dataset;
    const char *name;
    struct adg_engine *engine;
    struct adg_control control;
    bool *present; /* [field_count]: the source has the column */
    bool has_patients;
    struct adg_metadata_rows *rows; /* where metadata goes */
};

/* Loads the table's columns; unknown and missing ones are written to `manifest`, in the memory of `arena`. */
ADG_MUST_CHECK enum adg_status adg_load_table(const struct adg_scrape_options *options,
                                              const struct adg_source_files *files, struct adg_loaded_table *table,
                                              struct adg_manifest_table *manifest, struct adg_arena *arena,
                                              struct adg_error *error);

/* The rows of one field: its values and completeness; or its patients' patterns; or of the relationship. */
ADG_MUST_CHECK enum adg_status adg_summarise_frequency(const struct adg_loaded_table *table, uint32_t field,
                                                       struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_summarise_continuous(const struct adg_loaded_table *table, uint32_t field,
                                                        struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_summarise_patterns(const struct adg_loaded_table *table, uint32_t field,
                                                      struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_summarise_modes(const struct adg_loaded_table *table, uint32_t field,
                                                   struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_summarise_relationship(const struct adg_loaded_table *table,
                                                          struct adg_error *error);

/* Counts the values of a field into the engine's table "g": v, n records, pass (the threshold, for records and patients),
 * b (the or of the patients' bits; only with patients). */
ADG_MUST_CHECK enum adg_status adg_count_values(const struct adg_loaded_table *table, uint32_t field,
                                                struct adg_error *error);
/* Distinct patients of the rows of "t" that meet `condition` (SQL), all rows without a patient together as one. */
ADG_MUST_CHECK enum adg_status adg_count_patients(const struct adg_loaded_table *table, const char *condition,
                                                  uint64_t *patients, struct adg_error *error);
/* The row of COMPLETENESS. `described`: records whose value has a row; `other`: the other ones that are not null, of which
 * `other_passes` says whether they pass the threshold together; `null`: the controlled count of nulls, before rounding. */
ADG_MUST_CHECK enum adg_status adg_add_completeness(const struct adg_loaded_table *table, uint32_t field, uint64_t null,
                                                    uint64_t described, uint64_t other, bool other_passes,
                                                    struct adg_error *error);
/* A query with a printf format, on which the failure is blamed with the field's name. */
ADG_MUST_CHECK ADG_PRINTF(5, 6) enum adg_status
    adg_table_query(const struct adg_loaded_table *table, uint32_t field, struct adg_engine_result **out,
                    struct adg_error *error, const char *format, ...);
ADG_MUST_CHECK ADG_PRINTF(4, 5) enum adg_status adg_table_execute(const struct adg_loaded_table *table, uint32_t field,
                                                                  struct adg_error *error, const char *format, ...);

#endif
