/*
 * How a value of a CATEGORICAL field is written in metadata, whatever its type (docs/metadata.md).
 */
#ifndef ADG_DATASET_CATEGORY_H
#define ADG_DATASET_CATEGORY_H

#include "core/buffer.h"
#include "core/number.h"
#include "dataset/dataset.h"

#define ADG_TIMESTAMP_TEXT_BYTES 32

/* YYYY-MM-DD HH:MM:SS, with as many decimals as are not zero. Returns the length (no NUL). */
size_t adg_timestamp_format(int64_t us, char out[ADG_TIMESTAMP_TEXT_BYTES]);

/* The text of a category of this field: integers, dates (days), timestamps (microseconds), booleans and unscaled decimals in
 * `integer`. `out` is for what is no text; text stays where it is. */
struct adg_span adg_category_text(const struct adg_field *field, int64_t integer, double number, struct adg_span text,
                                  char out[ADG_NUMBER_TEXT_BYTES]);

#endif
