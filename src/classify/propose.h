/*
 * A definition proposed from what was counted of a table: keys first, then, with what a second pass has told, every field. Each
 * decision comes with its evidence, in words that hold no value and no exact count of the source.
 */
#ifndef ADG_CLASSIFY_PROPOSE_H
#define ADG_CLASSIFY_PROPOSE_H

#include "classify/profile.h"
#include "classify/relations.h"
#include "core/arena.h"
#include "dataset/dataset.h"

/* A column as a field. */
struct adg_proposed_field {
    const char *name;     /* upper case; the column's, or made from it */
    const char *column;   /* in the source */
    const char *evidence; /* what the decision rests on */
    const char *decision; /* what a person has to decide; NULL: nothing */
    enum adg_type type;
    uint8_t precision, scale;
    enum adg_role role;
    enum adg_value_type value_type; /* sampled */
    const char *pattern;            /* id */
    const char *derivation;         /* derived */
    int64_t derived_from;           /* the column that it equals or begins as; -1 */
    int64_t gathered;               /* the join that it is, or counts; -1 */
    enum adg_personal personal;
    struct adg_sketch_summary values;
};

struct adg_proposal {
    struct adg_arena arena;
    const struct adg_table_profile *table;
    struct adg_proposed_field *fields; /* [column_count of the table] */
    uint32_t primary_key;
    int64_t patient_key;                             /* -1: none found */
    const char *primary_evidence, *primary_decision; /* the latter NULL when it is sure */
    const char *patient_evidence;
    uint32_t sorted_dates[ADG_ORDERED_DATES];
    uint32_t sorted_date_count;
    bool placeholders; /* codes are counted without "-" and "&" */
};

/* Names and keys. The profile stays the caller's and must outlive the proposal. ADG_BAD_INPUT: no column can be a primary key. */
ADG_MUST_CHECK enum adg_status adg_propose_keys(const struct adg_table_profile *table, struct adg_proposal *out,
                                                struct adg_error *error);
/* What the second pass is to look at; the lists are the proposal's. */
ADG_MUST_CHECK enum adg_status adg_propose_relations(struct adg_proposal *proposal, struct adg_relations *out,
                                                     struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_propose_fields(struct adg_proposal *proposal, const struct adg_relations *relations,
                                                  struct adg_error *error);
void adg_proposal_fini(struct adg_proposal *proposal);

/* ---- shared by the files that decide ----------------------------------------------------------------------------- */

/* Sets derived_from and gathered of every field. */
ADG_MUST_CHECK enum adg_status adg_propose_followers(struct adg_proposal *proposal, struct adg_error *error);
bool adg_has_comma(const struct adg_column_profile *column); /* some value */
/* A count as it may leave: to the nearest 5, "fewer than 5" below, "no" for none. */
#define ADG_COUNT_TEXT_BYTES 32
const char *adg_count_text(uint64_t count, char out[ADG_COUNT_TEXT_BYTES]);
/* printf into the arena; NULL without memory. */
ADG_PRINTF(2, 3) const char *adg_propose_text(struct adg_arena *arena, const char *format, ...);

bool adg_is_number(const struct adg_column_profile *column); /* every value */
bool adg_is_whole(const struct adg_column_profile *column);  /* every value, and none is too long for a number */
/* Numbers with decimals are among the values, and more than the few hexadecimal codes that read as one with an exponent: 12e45. */
bool adg_has_measures(const struct adg_column_profile *column);
bool adg_is_unique(const struct adg_column_profile *column,
                   const struct adg_sketch_summary *values); /* no value is seen twice */
bool adg_is_nearly_unique(const struct adg_column_profile *column, const struct adg_sketch_summary *values);
/* Whole numbers that leave out few in their range. */
bool adg_is_dense(const struct adg_column_profile *column);
/* Dense, or most values are equally long, and not short: like something that was issued. */
bool adg_is_issued(const struct adg_column_profile *column);
/* The format that every value has, or -1; for digits alone only where chance does not explain it. */
int adg_date_format_of(const struct adg_column_profile *column, const struct adg_sketch_summary *values);
/* Points that the name gets for speaking of a key. */
int adg_key_name(const char *name);
/* Points for being a person's key, 4 and more: it is one; whatever the points, only for what repeats plausibly. */
int adg_patient_points(const struct adg_table_profile *table, const struct adg_proposed_field *field, uint32_t column);

#endif
