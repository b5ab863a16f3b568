/*
 * Where the generator's random numbers lie. Part of the output's format: changing a number here changes every table.
 *
 * key     = seed
 * counter = {row or patient block low, high, column, purpose}
 * column  = ordinal of the table << 16 | index of the field;  table part 0xffff: shared by all tables of the dataset
 * purpose = id of the dataset << 16 | one of the numbers below
 */
#ifndef ADG_GENERATE_RANDOM_H
#define ADG_GENERATE_RANDOM_H

#include <stdint.h>

#include "sample/philox.h"

enum adg_purpose {
    ADG_PURPOSE_VALUE = 1,       /* by row: the value, or the place in an interval. DEMOGRAPHIC_DATE: by patient */
    ADG_PURPOSE_NULL = 2,        /* by row: whether a CONTINUOUS value is null */
    ADG_PURPOSE_INTERVAL = 3,    /* by row: the interval of a CONTINUOUS value */
    ADG_PURPOSE_PATTERN = 4,     /* by patient: the pattern of DEMOGRAPHIC_CATEGORICAL */
    ADG_PURPOSE_SHOWN = 5,       /* by row: whether a DEMOGRAPHIC_DATE shows the patient's value */
    ADG_PURPOSE_OTHER = 6,       /* by row: the other value that it shows else */
    ADG_PURPOSE_CARDINALITY = 7, /* by patient: number of rows; column is that of the primary key */
    ADG_PURPOSE_PERMUTATION = 8, /* rounds of the bijection behind an identifier; table part 0xffff */
    ADG_PURPOSE_CHARACTERS = 9,  /* by number of the string: characters of a long identifier; table part 0xffff */
    ADG_PURPOSE_GAP = 18,        /* sparse columns, as are their values: by draw within a block, see sparse.h */
    /* profile coherent */
    ADG_PURPOSE_STATE = 10,   /* by row: whether a date or time is valid, null, or which invalid value it is */
    ADG_PURPOSE_LENGTH = 11,  /* by row: a span's length; column is the first length's of the first span that has it */
    ADG_PURPOSE_SIDE = 12,    /* by row: where a span lies around another; column is that of its first length */
    ADG_PURPOSE_PRESENT = 13, /* by row: how many positions of a group are filled; column is that of the first one */
    ADG_PURPOSE_APPEARS = 14, /* by patient: whether the person is in the table; column is that of the primary key */
    /* of a population: its id takes the place of the dataset's, and people are numbered from 0 */
    ADG_PURPOSE_BIRTH = 15,              /* column 0 */
    ADG_PURPOSE_PERSON_PERMUTATION = 16, /* column 0 */
    ADG_PURPOSE_PERSON_CHARACTERS = 17,  /* column 0 */
    ADG_PURPOSE_CANDIDATE = 0x1000,      /* + r: candidates 2 r and 2 r + 1 of a field; column is a hash of its name */
    ADG_PURPOSE_PATTERN_CANDIDATE = 0x8000, /* the same, of its patterns */
};

#define ADG_SHARED_TABLE 0xffffu

static inline struct adg_stream adg_stream_of(uint64_t seed, uint16_t dataset, uint32_t table, uint32_t field,
                                              enum adg_purpose purpose)
{
    struct adg_stream stream = {seed, table << 16 | field, (uint32_t)dataset << 16 | (uint32_t)purpose};
    return stream;
}

#endif
