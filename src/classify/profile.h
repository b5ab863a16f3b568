/*
 * What is counted of a column while rows pass by, in memory that does not grow with them.
 *
 * A value is taken as its text (a stored number or date as the text of a category, scrape/value.h), whatever the source, and counted: what it could be
 * read as, which characters stand at each of its places, how long it is, and its hash in a sketch of distinct values. Fingerprints
 * tell columns apart: the sum over all rows of hash(row, value) modulo 2^64 is equal for two columns when they are equal in every row, and,
 * but for a chance of 2^-64, then alone; so is that of hash(row, first n characters) for a column that is the prefix of another.
 * No pair of columns is ever compared row by row.
 *
 * Nothing here is a value of the source, but for the range of whole numbers and the sets of characters per place: neither leaves the room as it is.
 */
#ifndef ADG_CLASSIFY_PROFILE_H
#define ADG_CLASSIFY_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "classify/joins.h"
#include "classify/personal.h"
#include "classify/sketch.h"
#include "core/buffer.h"
#include "scrape/value.h"

/* Formats of dates, as people write them down: the year y, the month M, the day d. */
enum adg_date_format {
    ADG_DATE_ISO,          /* yyyy-MM-dd, the only one that is read as a date */
    ADG_DATE_COMPACT,      /* yyyyMMdd */
    ADG_DATE_SHORT_SLASH,  /* dd/MM/yy */
    ADG_DATE_LONG_SLASH,   /* dd/MM/yyyy */
    ADG_DATE_SHORT_DIGITS, /* ddMMyy */
    ADG_DATE_MONTH,        /* MMyyyy */
};
#define ADG_DATE_FORMATS (ADG_DATE_MONTH + 1)
extern const char *const adg_date_format_names[ADG_DATE_FORMATS];

enum {
    ADG_PROFILE_PLACES = 48,
    ADG_PROFILE_PREFIXES = 8,
    ADG_PROFILE_LENGTHS = 64,
};

struct adg_column_profile {
    const char *name; /* in the source; the caller's */
    enum adg_source_kind kind;
    uint64_t filled;     /* rows with a value */
    uint64_t unreadable; /* rows with one that no field can have: NaN */
    uint32_t shortest, longest;
    uint64_t lengths[ADG_PROFILE_LENGTHS]; /* values of so many bytes; the last: that or more */
    uint64_t whole;                        /* whole numbers */
    uint64_t leading_zeros;                /* of them, with a zero in front */
    uint64_t negative, wide;               /* of them, below zero; and beyond 18 digits */
    uint64_t fractions;  /* other numbers, or whole ones that are written with a point or an exponent */
    uint32_t decimals;   /* most digits behind a point */
    uint64_t exponents;  /* of the fractions, with an exponent */
    int64_t least, most; /* of the whole numbers */
    uint64_t ages;       /* whole numbers from 0 to 130, */
    uint64_t age_codes;  /* and from 7001 to 7007: ages below one year */
    uint64_t letters;    /* values with a letter */
    uint64_t foreign;    /* values with bytes beyond ASCII or control characters */
    uint64_t truths;     /* "true" and "false" */
    uint64_t dates[ADG_DATE_FORMATS];
    uint32_t days_seen, months_seen; /* bits: of values that could be ddMMyy */
    uint64_t timestamps, midnights;
    uint64_t personal[ADG_PERSONAL_KINDS];
    uint64_t places[ADG_PROFILE_PLACES][2];               /* bits: the ASCII characters at each place */
    uint64_t fingerprint, prefixes[ADG_PROFILE_PREFIXES]; /* of the first n + 1 characters */
    struct adg_sketch sketch;
};

struct adg_table_profile {
    struct adg_column_profile *columns;
    uint32_t column_count;
    uint64_t rows;
    struct adg_joins joins;
    bool typed; /* the source knows types, and has other columns than text */
};

/* Columns with these names, which stay the caller's; rows come in batches of at most `batch_rows`. */
ADG_MUST_CHECK enum adg_status adg_table_profile_init(struct adg_table_profile *profile, const char *const *names,
                                                      uint32_t count, uint32_t batch_rows, struct adg_error *error);
void adg_table_profile_fini(struct adg_table_profile *profile);

/* A value of row `row` (from 0), as text that is not empty. */
ADG_MUST_CHECK enum adg_status adg_profile_add(struct adg_column_profile *column, uint64_t row, struct adg_span text,
                                               struct adg_error *error);

/* The parts of a fingerprint, for what is no column but might be: the hash of bytes behind others, and what a row adds. */
#define ADG_PROFILE_HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t adg_profile_hash_bytes(uint64_t hash, struct adg_span bytes);
uint64_t adg_profile_print(uint64_t hash, uint64_t row);
/* What a value is found by in a sketch. */
uint64_t adg_profile_hash(struct adg_span text);

#endif
