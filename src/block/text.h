/*
 * A value as text, the same wherever it is shown: whole numbers in digits, doubles with the fewest digits that read
 * back equal, decimals exact, ISO dates, timestamps "YYYY-MM-DD HH:MM:SS" with six more digits where they are not zero,
 * booleans "true" and "false".
 */
#ifndef ADG_BLOCK_TEXT_H
#define ADG_BLOCK_TEXT_H

#include "block/block.h"
#include "core/number.h"

/* Room for the text of every value but a string. */
#define ADG_VALUE_TEXT_BYTES ADG_NUMBER_TEXT_BYTES

/* Each writes into `out` (no NUL) and returns the length. `type` is one of those that int32_t and int64_t hold. */
size_t adg_int_text(enum adg_type type, unsigned scale, int64_t value, char out[ADG_VALUE_TEXT_BYTES]);

/* Entry `i` of a dictionary; `*text` points into the dictionary or to `scratch`. Returns the length. */
size_t adg_dictionary_text(const struct adg_dictionary *dictionary, unsigned scale, uint32_t i,
                           char scratch[ADG_VALUE_TEXT_BYTES], const char **text);

#endif
