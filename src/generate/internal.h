/*
 * What the files of the generator share: the plan's inside, the scratch of a block, and the steps that fill columns.
 *
 * A plan turns every field into a column and at most one step that fills it, in dependency order: sampled fields and
 * identifiers, the sorting of dates, derived fields. A step is a function and its own read-only details; it writes its
 * column for all rows of the block. Each adg_plan_<kind> function below prepares one kind: it sets the column's kind,
 * dictionary and nullability and adds the step.
 *
 * Columns without a step (CONSTANT and NULL) show codes that are all zero: entry 0 of the one-entry dictionary, or
 * null, being the count of an empty dictionary. So a step that reads another column's codes needs no special cases. But need.c must know of
 * every step that reads or writes codes of another field than its own: all others are unread, and may be gone by then.
 */
#ifndef ADG_GENERATE_INTERNAL_H
#define ADG_GENERATE_INTERNAL_H

#include <stdatomic.h>

#include "core/arena.h"
#include "core/buffer.h"
#include "generate/patients.h"
#include "generate/plan.h"
#include "generate/population.h"
#include "generate/random.h"
#include "generate/value.h"

/* One field while the plan is made and afterwards. */
struct adg_plan_column {
    const struct adg_field *field;
    enum adg_column_kind kind;
    struct adg_dictionary dictionary; /* count 0 unless CONSTANT or DICTIONARY */
    bool nullable;
    double entropy; /* as in the layout */
    bool runs;      /* as in the layout */
    bool own_codes; /* a step writes codes for it (even where a later step makes it CONSTANT or NULL) */
    bool sparse;    /* a step that draws filled rows writes its codes, and no other step does */
    bool unread;    /* as in the layout: one step writes its codes, and none reads them */
    bool missing;   /* sampled, without metadata */
};

/* Buffers of one column in one block. */
struct adg_work_column {
    uint32_t *
        codes; /* own; or the shared zeros; or the work's `passing`, when the column is unread: gone with the next such column */
    uint8_t *valid;    /* PLAIN and nullable */
    void *fixed;       /* PLAIN numbers: int32_t, int64_t or double */
    uint32_t *offsets; /* PLAIN text, TEXTS */
    uint32_t cells;    /* TEXTS */
    uint16_t *filled;  /* sparse: [ADG_SPARSE_FILLED] the rows that are not null, */
    uint32_t *values;  /* their codes, */
    uint32_t count;    /* and how many there are; */
    bool moved;        /* counted from another row now: codes are what tells */
    struct adg_buffer bytes;
};

/* Starts the cells of PLAIN text or TEXTS, with room for `bytes` of them. */
ADG_MUST_CHECK enum adg_status adg_work_begin_texts(struct adg_work_column *column, uint64_t bytes,
                                                    struct adg_error *error);
/* Room for `bytes` more. */
ADG_MUST_CHECK enum adg_status adg_work_reserve_texts(struct adg_work_column *column, uint64_t bytes,
                                                      struct adg_error *error);
/* Notes the end of a row's cell, or of a null row. */
static inline void adg_work_end_text(struct adg_work_column *column, uint32_t row)
{
    column->offsets[row + 1] = (uint32_t)(column->bytes.size - ADG_TEXT_HEADROOM);
}
/* Appends a cell of PLAIN text; there is room. */
static inline void adg_work_put_text(struct adg_work_column *column, const void *text, uint32_t size)
{
    adg_buffer_put(&column->bytes, &size, ADG_TEXT_LENGTH_BYTES);
    adg_buffer_put(&column->bytes, text, size);
}

/* Codes of a sparse column: null again in all rows, before its filled rows and their values are made anew; and what these are, after. */
void adg_work_clear_filled(struct adg_work_column *column, uint32_t null);
void adg_work_show_filled(struct adg_work_column *column);

/* Of the fields, those that the wanted ones are made from, and these: both [fields]. */
void adg_plan_need(const struct adg_plan *plan, const bool *wanted, bool *needed);
/* Fields that others are made from, or together with: shared[fields]. */
void adg_plan_shared(const struct adg_plan *plan, bool *shared);

/* Scratch of a block: all rows of block `first_row / ADG_BLOCK_ROWS`, before a shard cuts them. */
struct adg_work {
    const struct adg_plan *plan;
    bool *wanted, *needed; /* [fields], see adg_plan_need; NULL: all */
    uint64_t first_row;
    uint32_t rows;
    struct adg_patient_runs runs;
    uint32_t *words;         /* [ADG_BLOCK_ROWS] random words, or whatever a step needs */
    uint32_t *more_words;    /* the same */
    uint32_t *patient_codes; /* the same, one per run */
    int32_t
        *birth_days;   /* [ADG_BLOCK_ROWS] first of the row's month of birth, or ADG_NO_DAY; when the plan has people */
    uint64_t *numbers; /* [3][ADG_BLOCK_ROWS] for references; when the plan has any */
    const uint32_t **pointers; /* [fields]: the columns that a join reads */
    const uint32_t *zeros;
    uint64_t *join_keys;  /* [ADG_JOIN_SLOTS] codes that were joined */
    uint32_t *join_cells; /* [ADG_JOIN_SLOTS] and where their text is */
    struct adg_work_column *columns;
    struct adg_column_taker taker; /* of unread columns; none: they are shown as all others */
    uint32_t *passing;             /* [ADG_BLOCK_ROWS] codes of the one that is made, when there is a taker */
};
/* At most half full with a block's rows. */
#define ADG_JOIN_SLOTS (2 * ADG_BLOCK_ROWS)

struct adg_step {
    enum adg_status (*run)(const struct adg_step *step, struct adg_work *work, struct adg_error *error);
    uint32_t field;
    const void *detail;
};

/* A table that this one refers to. */
struct adg_linked_table {
    const struct adg_member *member;
    struct adg_patients patients;
    enum adg_status status; /* ADG_BAD_INPUT: it cannot be generated */
};

struct adg_plan {
    struct adg_arena arena; /* of the columns: see adg_plan_drop_columns */
    struct adg_arena kept;  /* of everything else */
    atomic_uint holders;
    const struct adg_definition *definition; /* held */
    const struct adg_dataset *dataset;
    const struct adg_table *table;
    const struct adg_metadata *metadata; /* while planning only, as is the next one */
    struct adg_plan_options options;
    uint64_t seed;
    bool coherent;
    const struct adg_population *population; /* of profile coherent */
    struct adg_population *own_population;   /* the same when it was not given */
    const struct adg_people *people;         /* NULL: patients are the table's own */
    const struct adg_member *member;
    struct adg_presence presence;
    struct adg_linked_table *linked;
    uint32_t linked_count;
    struct adg_patients patients;
    struct adg_plan_column *columns; /* one per field; NULL: dropped */
    struct adg_step *steps;
    uint32_t step_count;
    struct adg_layout layout;
    struct adg_layout_column *layout_columns; /* those of the layout */
    uint64_t first_row, rows;                 /* of the shard */
    uint64_t first_block, blocks;
    const char **warnings;
    uint32_t warning_count, warning_capacity;
};

/* A value in an eighth of the rows or fewer: the column is sparse. Part of the output's format. */
#define ADG_SPARSE_PARTS (UINT64_C(1) << 29)
/* Filled rows of a block that there is room for: 48 standard deviations above the mean of an eighth, which is to say all of them. */
#define ADG_SPARSE_FILLED (ADG_BLOCK_ROWS / 4)

#define ADG_LARGEST_WEIGHT 9007199254740992.0 /* 2^53 */

/* Appends a step; there is room for one per field and two more. */
void adg_plan_add_step(struct adg_plan *plan, uint32_t field,
                       enum adg_status (*run)(const struct adg_step *, struct adg_work *, struct adg_error *),
                       const void *detail);

/* Sets kind and dictionary of a column of codes: NULL for an empty dictionary, CONSTANT for one entry without nulls. */
void adg_plan_set_dictionary(struct adg_plan_column *column, const struct adg_dictionary *dictionary, bool nullable);

/* log2(parts / 2^32), to sixteen bits behind the point. */
double adg_plan_log2_of_parts(uint64_t parts);

/* The random numbers that belong to a field of this table. */
struct adg_stream adg_plan_stream(const struct adg_plan *plan, uint32_t field, enum adg_purpose purpose);

/* Text of a metadata row's optional text, cast to the field's type; a null text is null. */
ADG_MUST_CHECK enum adg_status adg_plan_text_value(const struct adg_field *field, struct adg_optional_text text,
                                                   struct adg_value *out, struct adg_error *error);
/* A weight as a whole number from 1 to 2^53; ADG_BAD_INPUT when it is not. */
ADG_MUST_CHECK enum adg_status adg_plan_weight(const struct adg_metadata_row *row, uint64_t *out,
                                               struct adg_error *error);

/* An alias table in the plan's arena. */
ADG_MUST_CHECK enum adg_status adg_plan_alias(struct adg_plan *plan, const uint64_t *parts, uint32_t count,
                                              struct adg_alias *out, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_plan_sampled(struct adg_plan *plan, uint32_t field, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_plan_continuous(struct adg_plan *plan, uint32_t field, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_plan_pattern(struct adg_plan *plan, uint32_t field, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_plan_patient_date(struct adg_plan *plan, uint32_t field, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_plan_identifier(struct adg_plan *plan, uint32_t field, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_plan_sorted_dates(struct adg_plan *plan, struct adg_error *error);
/* The inputs have been planned. */
ADG_MUST_CHECK enum adg_status adg_plan_derived(struct adg_plan *plan, uint32_t field, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_plan_age(struct adg_plan *plan, uint32_t field, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_plan_join(struct adg_plan *plan, uint32_t field, struct adg_error *error);

/* An input of a derived field: a column of codes, planned before. ADG_BAD_INPUT when it is a PLAIN one. */
ADG_MUST_CHECK enum adg_status adg_plan_input(const struct adg_plan *plan, uint32_t field, uint32_t i,
                                              const struct adg_plan_column **out, struct adg_error *error);
/* A column whose codes are looked up by those of `input`: values[code] for every entry and null of the input. */
ADG_MUST_CHECK enum adg_status adg_plan_map(struct adg_plan *plan, uint32_t field, uint32_t input,
                                            const struct adg_value *values, struct adg_error *error);

/* One line, copied. */
ADG_MUST_CHECK enum adg_status adg_plan_warn(struct adg_plan *plan, const char *text, struct adg_error *error);
/* The patients of a table. *stated is false when the metadata has no RELATIONSHIP: then everybody has one row. */
ADG_MUST_CHECK enum adg_status adg_table_patients(const struct adg_metadata *metadata,
                                                  const struct adg_dataset *dataset, const struct adg_table *table,
                                                  const struct adg_plan_options *options,
                                                  const struct adg_presence *presence, struct adg_patients *out,
                                                  bool *stated, struct adg_error *error);

/* ---- profile coherent -------------------------------------------------------------------------------------------- */

/* Plans a field that a coupling writes: *coupled is false when none does. Dates and what follows from them come later. */
ADG_MUST_CHECK enum adg_status adg_plan_coupled_field(struct adg_plan *plan, uint32_t field, bool *coupled,
                                                      struct adg_error *error);
/* Timelines, the sorting of dates that are in none, and ages. */
ADG_MUST_CHECK enum adg_status adg_plan_coupled_dates(struct adg_plan *plan, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_plan_timeline(struct adg_plan *plan, const struct adg_timeline *timeline,
                                                 struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_plan_nested(struct adg_plan *plan, const struct adg_nested_group *group,
                                               struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_plan_reference(struct adg_plan *plan, const struct adg_reference *reference,
                                                  struct adg_error *error);
/* An age from the row's birth and the date of `at`. */
ADG_MUST_CHECK enum adg_status adg_plan_person_age(struct adg_plan *plan, uint32_t field, uint32_t at,
                                                   struct adg_error *error);
/* Bits of a value that is not null; parts[count] is that of null. */
double adg_parts_entropy(const uint64_t *parts, uint32_t count);

/* Values of a CATEGORICAL, DISCRETE or DATE field. */
struct adg_listed_values {
    struct adg_dictionary dictionary;
    uint64_t *weights;     /* [dictionary.count + 1], the last of null rows */
    uint64_t null, filled; /* COMPLETENESS, or what the rows say */
    bool there;            /* any row, or COMPLETENESS */
};
/* The values of a field in the plan's arena; weights are the caller's to free, also after a failure. */
ADG_MUST_CHECK enum adg_status adg_plan_values(struct adg_plan *plan, uint32_t field, struct adg_listed_values *out,
                                               struct adg_error *error);

/* COMPLETENESS of a field: false when it has no such row. */
ADG_MUST_CHECK enum adg_status adg_plan_completeness(const struct adg_plan *plan, uint32_t field, bool *there,
                                                     uint64_t *null, uint64_t *filled, struct adg_error *error);

#endif
