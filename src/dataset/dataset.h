/*
 * A definition: datasets with their fields, tables, types, identifier patterns and derivations.
 *
 * YAML in, structs out. One YAML document is one dataset; a file may hold several. Nothing here, or in any other C file,
 * knows the name of a HES field. Everything is immutable after adg_definition_open / adg_definition_parse and lives until
 * adg_definition_free. The format is described in docs/definitions.md.
 */
#ifndef ADG_DATASET_DATASET_H
#define ADG_DATASET_DATASET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/status.h"
#include "dataset/coherence.h"
#include "dataset/pattern.h"

enum adg_type {
    ADG_TYPE_STRING,
    ADG_TYPE_INT32,     /* "integer" */
    ADG_TYPE_INT64,     /* "long" */
    ADG_TYPE_DOUBLE,    /* "double" */
    ADG_TYPE_DECIMAL,   /* "decimal(precision,scale)", precision up to 18, held as int64 times 10^-scale */
    ADG_TYPE_DATE,      /* "date", int32 days since 1970-01-01 */
    ADG_TYPE_TIMESTAMP, /* "timestamp", int64 microseconds since 1970-01-01, UTC */
    ADG_TYPE_BOOLEAN,   /* "boolean", held as int32 0 or 1 */
};

enum adg_role { ADG_ROLE_SAMPLED, ADG_ROLE_ID, ADG_ROLE_DERIVED };

/* In the order of their names, which is the canonical order of metadata rows. */
enum adg_value_type {
    ADG_VALUE_CATEGORICAL,
    ADG_VALUE_COMPLETENESS,
    ADG_VALUE_CONTINUOUS,
    ADG_VALUE_DATE,
    ADG_VALUE_DEMOGRAPHIC_CATEGORICAL,
    ADG_VALUE_DEMOGRAPHIC_DATE,
    ADG_VALUE_DISCRETE,
    ADG_VALUE_RELATIONSHIP,
};
#define ADG_VALUE_TYPES 8

enum adg_derivation_kind {
    ADG_DERIVE_PREFIX, /* first `number` characters of the input */
    ADG_DERIVE_JOIN,   /* inputs joined with ","; missing is empty, trailing commas removed, nothing left is null */
    ADG_DERIVE_COUNT_CODES,  /* inputs neither null nor a placeholder (after trimming), at most `number`; 0 is null */
    ADG_DERIVE_AGE_CATEGORY, /* input 0 a date, input 1 a month of birth MMyyyy */
    ADG_DERIVE_AGE_FRACTION, /* the same inputs */
    ADG_DERIVE_AGE_FRACTION_OF_CATEGORY, /* input 0 an age with the codes 7001 to 7007 */
};

struct adg_derivation {
    enum adg_derivation_kind kind;
    uint32_t *inputs; /* field indices, never this field; sampled or derived, without a cycle */
    uint32_t input_count;
    uint32_t number; /* prefix: characters; count_codes: cap */
};

struct adg_field {
    const char *name;   /* upper case */
    const char *column; /* of a source, in any case: the name, unless the definition says otherwise */
    enum adg_type type;
    uint8_t precision, scale; /* decimals only */
    enum adg_role role;
    enum adg_value_type value_type;          /* sampled only: one of the seven that are scraped per field */
    const struct adg_pattern *pattern;       /* id only */
    const struct adg_derivation *derivation; /* derived only */
};

struct adg_table {
    const char *name;
    uint32_t ordinal; /* position in the definition, from 0: part of the address of its random numbers */
};

/* What a review of metadata looks for, beside the rules that hold for every dataset. */
struct adg_review_rules {
    const char *const *excluded_fields; /* names that must not occur in metadata; upper case */
    uint32_t excluded_field_count;
    const uint32_t *organisation_fields; /* whose codes may look like postcodes */
    uint32_t organisation_field_count;
    const char *const *checklist; /* questions that reviewer and approver answer with yes */
    uint32_t checklist_count;
};

struct adg_dataset {
    const char *name;
    uint16_t id; /* stated in the definition; part of the address of its random numbers */
    const struct adg_field *fields;
    uint32_t field_count; /* at most 65,535 */
    const struct adg_table *tables;
    uint32_t table_count;         /* at most 65,535 */
    uint32_t primary_key;         /* field index, role id */
    int64_t patient_key;          /* field index, role id; -1 when the dataset has none */
    const uint32_t *sorted_dates; /* fields whose dates are sorted left to right in each row, nulls to the right */
    uint32_t sorted_date_count;
    const char *const *placeholders; /* what count_codes takes for no code, trimmed */
    uint32_t placeholder_count;
    uint32_t min_frequency; /* defaults of the disclosure control */
    uint32_t rounding;
    struct adg_review_rules review;
    struct adg_coherence coherence; /* zeroed, but for indices of -1, when the definition says nothing */
    const char *source_text;        /* the YAML document, byte for byte, without separators */
    size_t source_text_bytes;
};

struct adg_definition {
    struct adg_arena arena;
    atomic_uint *holders; /* adg_definition_open's caller and whoever holds it besides; in the arena */
    const struct adg_dataset *datasets;
    uint32_t dataset_count;
    const char *name; /* what the user asked for: built-in name, or the dataset's names joined with "+" */
    const char *text; /* the whole file, byte for byte: what definition.yaml in a metadata folder holds */
    size_t text_bytes;
};

/* Parses `text`; `file` is for messages. ADG_BAD_INPUT: "FILE:LINE:COLUMN: expected ...". */
ADG_MUST_CHECK enum adg_status adg_definition_parse(const char *file, const char *text, size_t text_bytes,
                                                    struct adg_definition **out, struct adg_error *error);

/* One more holder, each of whom calls adg_definition_free in the end. Any thread. */
const struct adg_definition *adg_definition_hold(const struct adg_definition *definition);

/* The dataset that holds the table, and the table; ADG_BAD_INPUT when there is none. Either output may be NULL. */
ADG_MUST_CHECK enum adg_status adg_definition_find_table(const struct adg_definition *definition, const char *table,
                                                         const struct adg_dataset **out_dataset,
                                                         const struct adg_table **out_table, struct adg_error *error);
/* ADG_BAD_INPUT: one of the names is no table of it. */
ADG_MUST_CHECK enum adg_status adg_definition_check_tables(const struct adg_definition *definition,
                                                           const char *const *names, uint32_t count,
                                                           struct adg_error *error);
/* Whether a table is among those. */
bool adg_table_is_among(const char *table, const char *const *names, uint32_t count);
const struct adg_dataset *adg_definition_find_dataset(const struct adg_definition *definition,
                                                      const char *name); /* or NULL */

/* Field index by name in any case, or -1. */
int64_t adg_dataset_find_field(const struct adg_dataset *dataset, const char *name);
/* The field's place among the sorted dates, or -1. */
int64_t adg_dataset_sorted_place(const struct adg_dataset *dataset, uint32_t field);

/* Whether a text is one of the placeholders, blanks at its ends aside. */
bool adg_dataset_is_placeholder(const struct adg_dataset *dataset, const char *text, size_t size);

/* Whether values of the type lie in int32_t; else they lie in int64_t, double or text. */
static inline bool adg_type_is_int32(enum adg_type type)
{
    return type == ADG_TYPE_INT32 || type == ADG_TYPE_DATE || type == ADG_TYPE_BOOLEAN;
}

/* The field whose column in a source has this name, in any case, or -1. */
int64_t adg_dataset_find_column(const struct adg_dataset *dataset, const char *column);

/* "integer", "decimal(16,15)", ... as the YAML has it, into `out`. */
void adg_type_format(const struct adg_field *field, char out[24]);
const char *adg_value_type_name(enum adg_value_type value_type); /* "CATEGORICAL" */
bool adg_value_type_parse(const char *text, size_t length, enum adg_value_type *out);

/* Whether what a user named is a file and no built-in name: it has a point or a slash. */
bool adg_definition_is_file(const char *name_or_path);

/* Built-in definitions, in alphabetical order; NULL at the end. */
const char *const *adg_definition_builtin_names(void);

#endif
