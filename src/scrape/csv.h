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

/* The next record's fields, [column_count], valid until the next call; *end instead behind the last. */
ADG_MUST_CHECK enum adg_status adg_csv_next(struct adg_csv *csv, const struct adg_span **fields, bool *end,
                                            struct adg_error *error);
uint64_t adg_csv_line(const struct adg_csv *csv); /* where the record begins, from 1 */

#endif
