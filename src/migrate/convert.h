/*
 * Within the migrate room: an old table, or one file of it, as the definition has it, in the engine's SQL.
 *
 *     adg_conversion_open(&conversion, error)      its columns; current: what the definition says, as far as columns tell
 *     adg_conversion_check(&conversion, error)     every value fits; current: nothing would change
 *     adg_conversion_write(&conversion, error)     conversion.fresh
 *     adg_conversion_verify(&conversion, error)    it holds the same values in the same rows
 *
 * Values are compared by a hash of each row with its number, summed up: 64 bits, so that one wrong cell goes unseen with a chance of
 * 2^-64, in a pass over each file and constant memory.
 *
 * Rows that the engine cannot read by itself come to it in pieces (migrate/pieces.h), each in the same relation; then
 *
 *     adg_conversion_describe                      of the first piece, in place of open
 *     adg_conversion_count ..., _judge             of each piece, in place of check
 *     adg_conversion_columns                       what is selected from a piece
 *     adg_conversion_add ...                       of each piece of the old and of the new rows, whose sums are compared
 */
#ifndef ADG_MIGRATE_CONVERT_H
#define ADG_MIGRATE_CONVERT_H

#include "dataset/dataset.h"
#include "engine/sql.h"

/* Rows, and the sum of their hashes. */
struct adg_digest {
    uint64_t rows, sum;
};

struct adg_conversion {
    const struct adg_dataset *dataset;
    struct adg_engine *engine;
    struct adg_arena *arena;
    const char *file,
        *fresh; /* absolute; the new one lies beside the old one. Of another table, `file` is its name for messages */
    const char *relation; /* the old rows in SQL; NULL: those of the file */
    bool csv;
    /* of the table that the file belongs to, NULL: its own. Others are not there, and unknown ones are the table's to tell */
    const char *const *visible;
    uint32_t visible_count;
    bool unordered; /* rows have no numbers: a table of a database */
    void (*warn)(void *context, const char *message);
    void *context;
    /* what opening finds */
    const char **sources; /* per field: the old column's name, NULL: missing */
    const char **types;   /* per field: the old column's type */
    bool current;
    /* what counting finds */
    uint64_t changed, *misfits;           /* rows that would be others; per field: values that do not fit */
    const char *counts, *columns, *names; /* SQL, made once */
};

/* Columns that the definition does not know are named in a warning. ADG_BAD_INPUT: it is no such file, or has no primary key. */
ADG_MUST_CHECK enum adg_status adg_conversion_open(struct adg_conversion *conversion, struct adg_error *error);
/* ADG_BAD_INPUT with every column's count, where there is a value that does not fit. Of a table of several files: what each counts is added
 * to misfits[field], and judged together. */
ADG_MUST_CHECK enum adg_status adg_conversion_check(struct adg_conversion *conversion, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_conversion_write(struct adg_conversion *conversion, struct adg_error *error);
/* ADG_FAILED: they differ. */
ADG_MUST_CHECK enum adg_status adg_conversion_verify(struct adg_conversion *conversion, struct adg_error *error);

/* ---- in pieces --------------------------------------------------------------------------------------------------- */

ADG_MUST_CHECK enum adg_status adg_conversion_describe(struct adg_conversion *conversion, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_conversion_count(struct adg_conversion *conversion, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_conversion_judge(struct adg_conversion *conversion, struct adg_error *error);
/* "VALUE as NAME, ...", in the conversion's arena. */
ADG_MUST_CHECK enum adg_status adg_conversion_columns(struct adg_conversion *conversion, const char **out,
                                                      struct adg_error *error);
/* The rows of a relation, as the select list has them. */
ADG_MUST_CHECK enum adg_status adg_conversion_add(struct adg_conversion *conversion, const char *list,
                                                  const char *relation, struct adg_digest *digest,
                                                  struct adg_error *error);
/* ADG_FAILED: they differ. `name` is of the old table, for the message. */
ADG_MUST_CHECK enum adg_status adg_conversion_compare(const struct adg_digest *old, const struct adg_digest *fresh,
                                                      const char *name, struct adg_error *error);

/* What opening does, for who knows the columns of a table: warns of the names in `unknown`; ADG_BAD_INPUT: it has no primary key. */
ADG_MUST_CHECK enum adg_status adg_conversion_tell_unknown(const struct adg_conversion *conversion,
                                                           struct adg_buffer *unknown, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_conversion_no_key(const struct adg_conversion *conversion, struct adg_error *error);

/* An engine that reads the files of the conversions, and writes their new ones. `spill`: its folder, which must be there. */
ADG_MUST_CHECK enum adg_status adg_conversion_open_engine(struct adg_conversion *conversions, uint32_t count,
                                                          const char *spill, struct adg_engine **out,
                                                          struct adg_error *error);

#endif
