/*
 * Within the qa room.
 */
#ifndef ADG_QA_INTERNAL_H
#define ADG_QA_INTERNAL_H

#include "engine/engine.h"
#include "qa/qa.h"

/* ---- expected distributions -------------------------------------------------------------------------------------- */

/* A value's text (NULL: null) and its share. */
struct adg_share {
    struct adg_span value; /* data NULL: null */
    double share;
};

/* Sorted by bytes, null first; shares sum to 1. */
struct adg_expected {
    struct adg_share *shares;
    size_t count;
};

/* The share of nulls that COMPLETENESS states; -1 when there is no such row. */
double adg_expected_null(const struct adg_metadata *metadata, const char *table, const char *field);
/* Of a CATEGORICAL, DISCRETE or DATE field; of a person's field per row, averaged over patients. Memory is the arena's. */
ADG_MUST_CHECK enum adg_status adg_expected_categories(const struct adg_metadata *metadata, const char *table,
                                                       const struct adg_field *field, struct adg_arena *arena,
                                                       struct adg_expected *out, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_expected_patterns(const struct adg_metadata *metadata, const char *table,
                                                     const struct adg_field *field, struct adg_arena *arena,
                                                     struct adg_expected *out, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_expected_modes(const struct adg_metadata *metadata, const char *table,
                                                  const struct adg_field *field, struct adg_arena *arena,
                                                  struct adg_expected *out, struct adg_error *error);
/* Of place `place` among the dataset's sorted dates: the distribution of that order statistic of the independent draws. */
ADG_MUST_CHECK enum adg_status adg_expected_sorted_date(const struct adg_metadata *metadata, const char *table,
                                                        const struct adg_dataset *dataset, uint32_t place,
                                                        struct adg_arena *arena, struct adg_expected *out,
                                                        struct adg_error *error);

/* Sorts by bytes, null first, and makes one of equal values. */
void adg_expected_settle(struct adg_expected *expected);
/* The index of a value (data NULL: null) among settled ones; -1: it is not there. */
int64_t adg_expected_find(const struct adg_expected *expected, struct adg_span value);

/* ---- comparing --------------------------------------------------------------------------------------------------- */

/* The engine, with the table's rows as "d". */
struct adg_qa_context {
    const struct adg_qa_options *options;
    struct adg_qa *qa;
    struct adg_qa_table *table;
    const struct adg_dataset *dataset;
    struct adg_engine *engine;
    bool coherent;     /* the table's profile */
    uint64_t patients; /* different ones in "d"; 0: the dataset has none */
    double log_term;   /* ln(2 T / significance) */
};

ADG_MUST_CHECK ADG_PRINTF(5, 6) enum adg_status
    adg_qa_find(struct adg_qa_context *context, const char *field, const char *check, struct adg_error *error,
                const char *format, ...);
ADG_MUST_CHECK enum adg_status adg_qa_add_field(struct adg_qa_context *context, const struct adg_qa_field *field,
                                                struct adg_error *error);

/* What was counted. */
struct adg_qa_sample {
    const char *measure, *noun; /* noun: what a value is called */
    double samples;
    uint32_t cut;    /* so many samples may be anything: patients at the end of a table or part */
    bool cumulative; /* values have an order that the chart shows */
};
/* Shares against shares, each value alone and the total variation distance. The query gives a value (a whole number but for
 * text and doubles) and the number of samples as a double. */
ADG_MUST_CHECK enum adg_status adg_qa_check_shares(struct adg_qa_context *context, const struct adg_field *field,
                                                   const struct adg_expected *expected, const char *sql,
                                                   const struct adg_qa_sample *sample, struct adg_error *error);

/* A chart of `found` samples per expected share. */
ADG_MUST_CHECK enum adg_status adg_qa_draw(struct adg_qa *qa, const struct adg_expected *expected, const double *found,
                                           double samples, bool cumulative, struct adg_qa_chart *out,
                                           struct adg_error *error);

/* How often patients appear. */
ADG_MUST_CHECK enum adg_status adg_qa_check_patients(struct adg_qa_context *context, struct adg_error *error);
/* Every check of one field. */
ADG_MUST_CHECK enum adg_status adg_qa_check_field(struct adg_qa_context *context, uint32_t field,
                                                  struct adg_error *error);
/* SQL that recomputes a derived field; profile coherent takes invalid dates for no dates. */
ADG_MUST_CHECK enum adg_status adg_qa_derived_sql(const struct adg_dataset *dataset, uint32_t field, bool coherent,
                                                  struct adg_buffer *sql, struct adg_error *error);
/* A date, or a time of day as minutes; null when it is not valid. */
ADG_MUST_CHECK enum adg_status adg_qa_valid_sql(const struct adg_dataset *dataset, uint32_t field,
                                                struct adg_buffer *sql, struct adg_error *error);
/* Whether a code is neither null nor a placeholder: a condition. */
ADG_MUST_CHECK enum adg_status adg_qa_filled_sql(const struct adg_dataset *dataset, uint32_t field,
                                                 struct adg_buffer *sql, struct adg_error *error);
/* Values of rows, or of patients with the shares of their own rows, against what is expected. */
ADG_MUST_CHECK enum adg_status adg_qa_check_categories(struct adg_qa_context *context, const struct adg_field *field,
                                                       const struct adg_expected *expected, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_qa_check_person(struct adg_qa_context *context, const struct adg_field *field,
                                                   const struct adg_expected *expected, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_qa_check_identifier(struct adg_qa_context *context, uint32_t index,
                                                       struct adg_error *error);
/* What the engine calls the type of a field's column; `out` may hold it. */
const char *adg_qa_sql_type(const struct adg_field *field, char out[32]);
/* Makes the view or table `name` of a table's rows, all of its columns. */
ADG_MUST_CHECK enum adg_status adg_qa_open_rows(struct adg_qa_context *context, const struct adg_qa_table *table,
                                                const struct adg_dataset *dataset, const char *name,
                                                struct adg_error *error);
/* Before the checks of each field, in order: "d" with the fields from there on, what they are derived from and the patient key. */
ADG_MUST_CHECK enum adg_status adg_qa_open_field(struct adg_qa_context *context, uint32_t field,
                                                 struct adg_error *error);

/* ---- profile coherent -------------------------------------------------------------------------------------------- */

/* Of a nested group's position; of a month of birth; of the anchor of a timeline, whose dates are not before birth; one value. */
ADG_MUST_CHECK enum adg_status adg_expected_nested(const struct adg_metadata *metadata, const char *table,
                                                   const struct adg_dataset *dataset,
                                                   const struct adg_nested_group *group, uint32_t position,
                                                   struct adg_arena *arena, struct adg_expected *out,
                                                   struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_expected_births(const struct adg_metadata *metadata, const char *table,
                                                   const struct adg_field *field, struct adg_arena *arena,
                                                   struct adg_expected *out, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_expected_anchor(const struct adg_metadata *metadata, const char *table,
                                                   const struct adg_dataset *dataset,
                                                   const struct adg_timeline *timeline, struct adg_arena *arena,
                                                   struct adg_expected *out, double *born_after,
                                                   struct adg_error *error);
/* Whether a value of a date or time, as text, is valid. */
bool adg_expected_is_valid(const struct adg_dataset *dataset, const struct adg_timeline *timeline,
                           struct adg_span value);
/* A field that a coupling writes; *coupled is false when none does. */
ADG_MUST_CHECK enum adg_status adg_qa_check_coupled(struct adg_qa_context *context, uint32_t field, bool *coupled,
                                                    struct adg_error *error);
/* What holds between the fields of a row, the rows of a person, and tables. */
ADG_MUST_CHECK enum adg_status adg_qa_check_rules(struct adg_qa_context *context, struct adg_error *error);
/* Runs a query that gives one whole number; NULL is 0. */
ADG_MUST_CHECK enum adg_status adg_qa_count(struct adg_qa_context *context, const char *sql, const char *doing,
                                            uint64_t *out, struct adg_error *error);

#endif
