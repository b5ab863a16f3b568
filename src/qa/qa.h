/*
 * Generated tables held against the metadata that they were made from: row counts, schema, keys, derived fields, and every field's
 * distribution, over all rows.
 *
 * Thresholds follow from the number of rows. Under the hypothesis that a field was drawn as the metadata says, no finding comes
 * up in a whole run but with probability ADG_QA_SIGNIFICANCE; each of its T tests is held to that share of it (Bonferroni). For
 * a single share the bound is Chernoff's, in Hoeffding's form with the relative entropy (1963, theorem 1); for a total variation
 * distance McDiarmid's inequality around the expectation; for a distribution function Dvoretzky, Kiefer and Wolfowitz with Massart's
 * constant (1990). They hold for any number of rows; none is an approximation.
 */
#ifndef ADG_QA_QA_H
#define ADG_QA_QA_H

#include "engine/target.h"
#include "metadata/json.h"
#include "metadata/metadata.h"

#define ADG_QA_SIGNIFICANCE 0.001
#define ADG_QA_FEWEST_ROWS 100 /* a table must have more, as in the original */

/* What was found amiss. Artificial data and released metadata: values may be shown. */
struct adg_qa_finding {
    const char *table, *field; /* field: NULL: of the table */
    const char *check, *text;
};

/* What a report draws of a field: shares of single values, or, where values have an order, shares up to a value. */
#define ADG_QA_CHART_POINTS 100
#define ADG_QA_CHART_BYTES 60
struct adg_qa_point {
    const char *value; /* NULL: null; at most ADG_QA_CHART_BYTES */
    double expected, found;
};
struct adg_qa_chart {
    struct adg_qa_point *points;
    uint32_t count; /* at most ADG_QA_CHART_POINTS; 0: nothing to draw */
    bool cumulative;
    size_t values; /* that the metadata imply, also those without a point */
};

/* One field's distance and what sampling allows. */
struct adg_qa_field {
    const char *table, *field;
    const char *measure; /* "total variation", "Kolmogorov-Smirnov", "rows per patient", "derived", "identifier" */
    double distance, bound;
    double samples; /* rows, or patients for a field of a person */
    bool passed;
    bool drifts;  /* recomputed, or drawn otherwise than by itself: how far it is from the metadata is no fault */
    double drift; /* Kolmogorov-Smirnov of an order, else total variation */
    bool null_drifts;
    double null_drift; /* share of nulls found, less that of the metadata */
    struct adg_qa_chart chart;
};

struct adg_qa_table {
    const char *table;
    const char *const *files; /* paths, and their hashes */
    const char (*sha256)[65];
    uint32_t file_count;
    bool csv, parts;             /* parts: a folder of them, else one file */
    uint64_t rows, planned_rows; /* planned: 0 when not stated */
    const char *relation;        /* in a database: its qualified name, and there are no files; else NULL */
    const char *profile;
    const char *profile_from; /* who says so: "provenance", "option" or "default" */
    json_t
        *provenance; /* Delta tables and databases: an array, one entry for each run whose rows are there; else NULL */
    bool passed;
};

struct adg_qa {
    struct adg_arena arena;
    struct adg_qa_table *tables;
    uint32_t table_count;
    struct adg_qa_finding *findings;
    size_t finding_count, finding_capacity;
    struct adg_qa_field *fields;
    size_t field_count, field_capacity;
    double tests; /* T */
    char manifest_sha256[65];
    const char *engine; /* the database's, "PostgreSQL"; NULL: files */
    bool passed;
};

struct adg_qa_options {
    const struct adg_definition *definition;
    const struct adg_metadata *metadata;
    const char *data_folder;
    const struct adg_target *target; /* a database in place of the folder, with its driver; else NULL */
    const char *const *tables;       /* [table_count] of a database; none: all that it has */
    const char *const *relations;    /* [table_count] their qualified names; NULL: the table's own */
    uint32_t table_count;
    const char *spill;   /* of a database: a private folder for what does not fit into memory */
    const char *profile; /* NULL: what the provenance names, else `reference`; of a database `coherent` */
    unsigned threads;
    void (*report)(void *context, const char *stage, const char *table, uint64_t done, uint64_t total);
    void *context;
};

/* ADG_BAD_INPUT: there is no table of the definition, or not one that was asked for. ADG_FAILED: the database does not answer. What
 * the data get wrong are findings, not failures. */
ADG_MUST_CHECK enum adg_status adg_qa_run(const struct adg_qa_options *options, struct adg_qa *out,
                                          struct adg_error *error);
void adg_qa_fini(struct adg_qa *qa);

/* Appends qa.json. */
ADG_MUST_CHECK enum adg_status adg_qa_write(const struct adg_qa *qa, struct adg_buffer *out, struct adg_error *error);

#endif
