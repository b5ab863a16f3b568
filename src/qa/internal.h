/*
 * Within the qa room.
 */
#ifndef ADG_QA_INTERNAL_H
#define ADG_QA_INTERNAL_H

#include "engine/sql.h"
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

/* A table's rows in SQL of the engine. */
struct adg_qa_rows {
    const char *from;           /* what stands behind "from" */
    const char *const *columns; /* [field_count] the field's column; of text, as what compares by bytes */
    const bool *zoned;          /* [field_count] a timestamp with a time zone */
};

struct adg_qa_context {
    const struct adg_qa_options *options;
    struct adg_qa *qa;
    struct adg_qa_table *table;
    const struct adg_dataset *dataset;
    struct adg_engine *engine;
    struct adg_sql sql;      /* of the table: its arena is emptied behind it */
    struct adg_qa_rows rows; /* the table's */
    bool coherent;           /* the table's profile */
    uint64_t patients;       /* different ones; 0: the dataset has none */
    double log_term;         /* ln(2 T / significance) */
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
/* ---- pieces of SQL ----------------------------------------------------------------------------------------------- */

/* As double. */
const char *adg_qa_real(struct adg_qa_context *context, const char *value);
/* A date's days since 1970-01-01. Of a date, or of a time of day as text, the days or minutes: null when it is not valid. Of the text
 * MMyyyy, the days of the month's first. */
const char *adg_qa_days(struct adg_qa_context *context, const char *column);
const char *adg_qa_valid(struct adg_qa_context *context, uint32_t field);
const char *adg_qa_month(struct adg_qa_context *context, const char *column);
/* Whether a text is a code: neither null nor a placeholder. */
const char *adg_qa_filled(struct adg_qa_context *context, uint32_t field);
/* A field as the engine hands it out: a whole number for all but text, doubles and booleans. */
const char *adg_qa_value(struct adg_qa_context *context, uint32_t field);
/* A decimal times the power of ten that makes it a whole number. */
const char *adg_qa_scaled(struct adg_qa_context *context, uint32_t field);
/* The rows whose derived field is not what it is derived from; profile coherent takes invalid dates for no dates. */
const char *adg_qa_wrongly_derived(struct adg_qa_context *context, uint32_t field);

/* Runs a query that was made in context->sql. Gives one whole number; null is 0. */
ADG_MUST_CHECK enum adg_status adg_qa_count(struct adg_qa_context *context, const char *query, const char *doing,
                                            uint64_t *out, struct adg_error *error);

/* ---- tables ------------------------------------------------------------------------------------------------------ */

/* The tables of the definition that there are: in the data folder, or in the database. */
ADG_MUST_CHECK enum adg_status adg_qa_find_files(const struct adg_qa_options *options, struct adg_qa *qa,
                                                 struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_qa_find_relations(const struct adg_qa_options *options, struct adg_engine *engine,
                                                     struct adg_qa *qa, struct adg_error *error);
/* What a database's comment on the table says of its making, into table->provenance. */
ADG_MUST_CHECK enum adg_status adg_qa_read_comment(struct adg_qa_context *context, struct adg_error *error);
/* The table's files, hashed. */
ADG_MUST_CHECK enum adg_status adg_qa_hash_files(struct adg_qa *qa, struct adg_qa_table *table,
                                                 struct adg_error *error);
/* Opens a table under the name `name` of the engine, where that reads files. *good is false where its columns are not the
 * definition's, which is a finding if `tell`. */
ADG_MUST_CHECK enum adg_status adg_qa_open_files(struct adg_qa_context *context, const struct adg_qa_table *table,
                                                 const struct adg_dataset *dataset, const char *name, bool tell,
                                                 struct adg_qa_rows *out, bool *good, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_qa_open_relation(struct adg_qa_context *context, const struct adg_qa_table *table,
                                                    const struct adg_dataset *dataset, bool tell,
                                                    struct adg_qa_rows *out, bool *good, struct adg_error *error);

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* Values of rows, or of patients with the shares of their own rows, against what is expected. */
ADG_MUST_CHECK enum adg_status adg_qa_check_categories(struct adg_qa_context *context, uint32_t index,
                                                       const struct adg_expected *expected, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_qa_check_person(struct adg_qa_context *context, uint32_t index,
                                                   const struct adg_expected *expected, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_qa_check_identifier(struct adg_qa_context *context, uint32_t index,
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

#endif
