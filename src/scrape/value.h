/*
 * Reading a value as its field's type (docs/scraping.md, "Reading a value").
 */
#ifndef ADG_SCRAPE_VALUE_H
#define ADG_SCRAPE_VALUE_H

#include "core/buffer.h"
#include "core/number.h"
#include "dataset/category.h"

/* How a source stores a column. */
enum adg_source_kind {
    ADG_SOURCE_TEXT,
    ADG_SOURCE_DECIMAL, /* as text, exact */
    ADG_SOURCE_INT,
    ADG_SOURCE_DOUBLE,
    ADG_SOURCE_DATE,      /* days */
    ADG_SOURCE_TIMESTAMP, /* microseconds */
    ADG_SOURCE_BOOLEAN,
};

struct adg_source_value {
    enum adg_source_kind kind;
    bool null;
    int64_t integer; /* INT, DATE, TIMESTAMP, BOOLEAN */
    double number;
    struct adg_span text;
};

/* As a field's type: integers, dates, timestamps, booleans and unscaled decimals as int64; doubles; text. */
struct adg_value {
    bool null, unreadable; /* unreadable: null, and to be counted */
    int64_t integer;
    double number;
    struct adg_span text;
    char scratch[ADG_NUMBER_TEXT_BYTES]; /* text made from a number */
};

void adg_value_read(const struct adg_source_value *source, const struct adg_field *field, struct adg_value *value);
/* What kind of thing an unreadable value was: "text", "a number", "a date", ... Never the value. */
const char *adg_value_kind(const struct adg_source_value *source);

#endif
