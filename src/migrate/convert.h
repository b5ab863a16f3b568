/*
 * Within the migrate room: one file of an old table as the definition has it, in the engine's SQL.
 *
 *     adg_conversion_open(&conversion, error)      its columns; current: what the definition says, as far as columns tell
 *     adg_conversion_check(&conversion, error)     every value fits; current: nothing would change
 *     adg_conversion_write(&conversion, error)     conversion.fresh
 *     adg_conversion_verify(&conversion, error)    it holds the same values in the same rows
 *
 * Values are compared by a hash of each row with its number, summed up: 64 bits, so that one wrong cell goes unseen with a chance of
 * 2^-64, in a pass over each file and constant memory.
 */
#ifndef ADG_MIGRATE_CONVERT_H
#define ADG_MIGRATE_CONVERT_H

#include "dataset/dataset.h"
#include "engine/sql.h"

struct adg_conversion {
    const struct adg_dataset *dataset;
    struct adg_engine *engine;
    struct adg_arena *arena;
    const char *file, *fresh; /* absolute; the new one lies beside the old one */
    bool csv;
    /* of the table that the file belongs to, NULL: its own. Others are not there, and unknown ones are the table's to tell */
    const char *const *columns;
    uint32_t column_count;
    void (*warn)(void *context, const char *message);
    void *context;
    /* what opening finds */
    const char **sources; /* per field: the old column's name, NULL: missing */
    const char **types;   /* per field: the old column's type */
    bool current;
};

/* Columns that the definition does not know are named in a warning. ADG_BAD_INPUT: it is no such file, or has no primary key. */
ADG_MUST_CHECK enum adg_status adg_conversion_open(struct adg_conversion *conversion, struct adg_error *error);
/* ADG_BAD_INPUT with every column's count, where there is a value that does not fit. Of a table of several files: what each counts is added
 * to misfits[field], and judged together. */
ADG_MUST_CHECK enum adg_status adg_conversion_check(struct adg_conversion *conversion, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_conversion_count(struct adg_conversion *conversion, uint64_t *misfits,
                                                    struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_conversion_judge(const struct adg_dataset *dataset, const char *name,
                                                    const uint64_t *misfits, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_conversion_write(const struct adg_conversion *conversion, struct adg_error *error);
/* ADG_FAILED: they differ. */
ADG_MUST_CHECK enum adg_status adg_conversion_verify(const struct adg_conversion *conversion, struct adg_error *error);

/* What opening does, for who knows the columns of a table: warns of the names in `unknown`; ADG_BAD_INPUT: it has no primary key. */
ADG_MUST_CHECK enum adg_status adg_conversion_tell_unknown(const struct adg_conversion *conversion,
                                                           struct adg_buffer *unknown, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_conversion_no_key(const struct adg_conversion *conversion, struct adg_error *error);

/* An engine that reads the files of the conversions, and writes their new ones. `spill`: its folder, which must be there. */
ADG_MUST_CHECK enum adg_status adg_conversion_open_engine(struct adg_conversion *conversions, uint32_t count,
                                                          const char *spill, struct adg_engine **out,
                                                          struct adg_error *error);

#endif
