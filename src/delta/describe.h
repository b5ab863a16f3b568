/*
 * What the log of a Delta table says of columns and data files, as JSON text: the schema, and the statistics of a file.
 */
#ifndef ADG_DELTA_DESCRIBE_H
#define ADG_DELTA_DESCRIBE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buffer.h"
#include "dataset/dataset.h"

/* As what the bounds of a column come, and are written. NONE: the column has none, which holds for booleans and timestamps. */
enum adg_delta_kind {
    ADG_DELTA_NONE,
    ADG_DELTA_TEXT,
    ADG_DELTA_INTEGER,
    ADG_DELTA_DECIMAL, /* integer times 10^-scale */
    ADG_DELTA_DOUBLE,
    ADG_DELTA_DATE /* integer: days since 1970-01-01 */
};

struct adg_delta_column {
    const char *name;
    const char *type; /* "string", "integer", "decimal(16,15)", ... */
    enum adg_delta_kind kind;
    uint8_t scale;
};

struct adg_delta_value { /* what the kind says */
    struct adg_span text;
    int64_t integer;
    double number;
};

/* Of one column of one file. */
struct adg_delta_statistics {
    uint64_t nulls;
    bool known; /* the bounds; not when all is null */
    struct adg_delta_value min, max;
};

/* A field as a column. Its name is borrowed, `type` receives the type's and must live as long. */
void adg_delta_column_of(const struct adg_field *field, char type[24], struct adg_delta_column *out);

/* Appends the schema; all columns may be null. ADG_FAILED: no memory. */
ADG_MUST_CHECK enum adg_status adg_delta_schema_append(struct adg_buffer *out, const struct adg_delta_column *columns,
                                                       uint32_t count, struct adg_error *error);
/*
 * Appends {"numRecords": ..., "minValues": ..., "maxValues": ..., "nullCount": ...}. Bounds that JSON or Delta cannot have are left out:
 * text that is no UTF-8, numbers that are not finite, years outside 1 to 9999.
 */
ADG_MUST_CHECK enum adg_status adg_delta_statistics_append(struct adg_buffer *out,
                                                           const struct adg_delta_column *columns, uint32_t count,
                                                           uint64_t rows, const struct adg_delta_statistics *statistics,
                                                           struct adg_error *error);

#endif
