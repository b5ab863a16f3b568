/*
 * Reads CSV, plain or gzip, record by record: comma, quotes doubled within quotes, LF or CR LF, a leading byte order mark. Strict:
 * a ragged row, a NUL, bytes that are no UTF-8, a quote that does not close are errors with file and line, never with a value.
 * Memory: the longest record.
 */
#ifndef ADG_SCRAPE_CSV_H
#define ADG_SCRAPE_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buffer.h"

struct adg_csv;

/* Opens the file and reads its header. ADG_BAD_INPUT: no header. */
ADG_MUST_CHECK enum adg_status adg_csv_open(const char *path, struct adg_csv **out, struct adg_error *error);
void adg_csv_free(struct adg_csv *csv);

uint32_t adg_csv_column_count(const struct adg_csv *csv);
const char *adg_csv_column(const struct adg_csv *csv, uint32_t column); /* as the file has it */

/* The next records, as many as are at hand, at least one and at most `most`; *count is 0 behind the last. Field f of record r is
 * fields[r * column_count + f], valid until the next call. What is wrong behind the first record fails the next call. */
ADG_MUST_CHECK enum adg_status adg_csv_next(struct adg_csv *csv, uint32_t most, const struct adg_span **fields,
                                            uint32_t *count, struct adg_error *error);
uint64_t adg_csv_line(const struct adg_csv *csv, uint32_t record); /* where the record of the batch begins, from 1 */

bool adg_is_utf8(const uint8_t *text, size_t size);

#endif
