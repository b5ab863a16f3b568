/*
 * A table that a database holds, counted there: per field one grouped query, whose values, records and patients are then released
 * by the same code as those of a file. No row leaves the database, and of values none that comes less often than the threshold,
 * but those around a percentile, whose means are released.
 *
 * Whether enough patients have a value is seen from a mask of 62 bits, one for each of their hashes, which proves it or leaves it
 * open; what it leaves open is counted exactly by a second query.
 */
#ifndef ADG_SCRAPE_QUERY_H
#define ADG_SCRAPE_QUERY_H

#include "scrape/internal.h"
#include "scrape/reading.h"

struct adg_query {
    const struct adg_scrape_options *options;
    struct adg_counted_table *table;
    struct adg_engine *engine;
    struct adg_sql sql;
    const char *source; /* the table's name as it was given, for messages */
    const char *from;   /* the same as SQL */
    const char *patient, *primary;
    int64_t *column_of;           /* [field_count] */
    struct adg_reading *readings; /* [field_count]; value NULL: the source has no such column */
    uint64_t least;               /* records that a value needs to have a row */
};

/* The whole table; its rows go to table->rows. */
ADG_MUST_CHECK enum adg_status adg_query_table(const struct adg_scrape_options *options, const char *source,
                                               struct adg_engine *engine, struct adg_counted_table *table,
                                               struct adg_manifest_table *manifest, struct adg_arena *arena,
                                               struct adg_error *error);
/* Of some fields whose values are of one kind: for every row and field its number f, value v, mask b and patient p (null where there is
 * no patient key), as a table of a query. */
const char *adg_query_rows(struct adg_query *query, const uint32_t *fields, uint32_t count);
/* Runs a query that gives one row of whole numbers; null is 0. */
ADG_MUST_CHECK enum adg_status adg_query_numbers(struct adg_query *query, const char *text, const char *doing,
                                                 uint64_t *out, uint32_t count, struct adg_error *error);
/* The text of a result's column, which must be UTF-8. */
ADG_MUST_CHECK enum adg_status adg_query_text(const struct adg_engine_result *result, uint32_t column,
                                              struct adg_span *out, struct adg_error *error);

/* The fields that describe a person, and the relationship. */
ADG_MUST_CHECK enum adg_status adg_query_person(struct adg_query *query, uint32_t field, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_query_relationship(struct adg_query *query, struct adg_error *error);

/* The others. */
ADG_MUST_CHECK enum adg_status adg_query_frequencies(struct adg_query *query, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_query_continuous(struct adg_query *query, uint32_t field, struct adg_error *error);

#endif
