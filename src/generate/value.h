/*
 * Values of a field's own type, and sorted dictionaries made of them.
 *
 * What metadata holds (text, numbers, dates) is cast to the type of the field; a derived field's values are cast the
 * same way. Everything lies in the arena that is given.
 */
#ifndef ADG_GENERATE_VALUE_H
#define ADG_GENERATE_VALUE_H

#include "block/block.h"
#include "core/arena.h"
#include "core/status.h"

struct adg_value {
    bool null;
    union {
        int64_t whole; /* INT32, INT64, DECIMAL, DATE, TIMESTAMP, BOOLEAN */
        double real;   /* DOUBLE */
        struct {
            const char *bytes;
            size_t size;
        } text; /* STRING; borrowed */
    } as;
};

/* Each casts to the type of `field`; ADG_BAD_INPUT when the value cannot be one of that type. Texts that have to be
 * made go into the arena, others are borrowed. */
ADG_MUST_CHECK enum adg_status adg_value_from_text(const struct adg_field *field, const char *text, size_t size,
                                                   struct adg_value *out, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_value_from_number(const struct adg_field *field, double number,
                                                     struct adg_arena *arena, struct adg_value *out,
                                                     struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_value_from_date(const struct adg_field *field, int32_t days, struct adg_arena *arena,
                                                   struct adg_value *out, struct adg_error *error);

/* Sorts the values that are not null and drops duplicates. codes[i] is the entry of value i, or the number of entries
 * when it is null. A dictionary may come out empty. */
ADG_MUST_CHECK enum adg_status adg_value_dictionary(enum adg_type type, const struct adg_value *values, uint32_t count,
                                                    struct adg_arena *arena, struct adg_dictionary *out,
                                                    uint32_t *codes, struct adg_error *error);
#endif
