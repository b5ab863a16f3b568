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
    void (*warn)(void *context, const char *message);
    void *context;
    /* what opening finds */
    const char **sources; /* per field: the old column's name, NULL: missing */
    const char **types;   /* per field: the old column's type */
    bool current;
};

/* Columns that the definition does not know are named in a warning. ADG_BAD_INPUT: it is no such file, or has no primary key. */
ADG_MUST_CHECK enum adg_status adg_conversion_open(struct adg_conversion *conversion, struct adg_error *error);
/* ADG_BAD_INPUT with every column's count, where there is a value that does not fit. */
ADG_MUST_CHECK enum adg_status adg_conversion_check(struct adg_conversion *conversion, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_conversion_write(const struct adg_conversion *conversion, struct adg_error *error);
/* ADG_FAILED: they differ. */
ADG_MUST_CHECK enum adg_status adg_conversion_verify(const struct adg_conversion *conversion, struct adg_error *error);

#endif
