/*
 * Reading a column of a database as a field's type, in SQL: the rules of value.h, so that the same values come out of any engine.
 */
#ifndef ADG_SCRAPE_READING_H
#define ADG_SCRAPE_READING_H

#include "dataset/dataset.h"
#include "engine/engine.h"
#include "engine/sql.h"
#include "scrape/value.h"

/* How a field is read. */
struct adg_reading {
    enum adg_source_kind kind; /* as what values come: TEXT, INT, DOUBLE, DATE or TIMESTAMP, the latter as bigint */
    bool is_float;             /* DOUBLE: of a column of floats, whose shortest text is what they stand for */
    const char *filled;        /* not null where there is something */
    const char *value;         /* null where there is nothing, or nothing that can be read */
    bool can_fail;             /* whether there may be something that cannot be read */
};

/* `column` is an identifier. A column that no field of this type can be read from gives a reading that fails throughout. */
void adg_reading_make(struct adg_sql *sql, const char *column, enum adg_result_kind kind, const struct adg_field *field,
                      struct adg_reading *out);
/* The value as text that compares by bytes, of keys and of fields that describe a person. */
const char *adg_reading_text(struct adg_sql *sql, const struct adg_reading *reading);

#endif
