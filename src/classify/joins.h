/*
 * Columns that gather others: CODE_01, CODE_02, ... joined with commas, or counted, in one column.
 *
 * The join of a row of numbered columns has a fingerprint (profile.h) as if it were a column of its own, made from their values as they pass by, one after the
 * other, without being put together: a column with the same fingerprint is that join. So has the number of their values, leaving out what stands for none ("-" and
 * "&").
 */
#ifndef ADG_CLASSIFY_JOINS_H
#define ADG_CLASSIFY_JOINS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buffer.h"

struct adg_join {
    uint32_t *members; /* columns, ascending */
    uint32_t count;
    uint64_t joined_rows, joined;   /* rows in which there is anything, and the fingerprint */
    uint64_t counted_rows, counted; /* the same of the number of values */
};

struct adg_joins {
    struct adg_join *list;
    uint32_t count;
    int32_t *join_of;          /* [columns] the join that a column is a member of, or -1 */
    struct adg_join_row *rows; /* [count][batch_rows] */
    uint32_t batch_rows;
};

/* Finds the rows of numbered columns: names of letters, digits and underscores that differ in the number at their end, which counts up from 1. A batch has
 * at most `batch_rows` rows. */
ADG_MUST_CHECK enum adg_status adg_joins_init(struct adg_joins *joins, const char *const *names, uint32_t columns,
                                              uint32_t batch_rows, struct adg_error *error);
void adg_joins_fini(struct adg_joins *joins);

/* A value that is not null, of row `row` of the batch; the columns of a row in ascending order. */
void adg_joins_add(struct adg_joins *joins, uint32_t column, uint32_t row, struct adg_span text);
/* Ends a batch whose first row is `first` of all. */
void adg_joins_end_batch(struct adg_joins *joins, uint64_t first, uint32_t rows);

#endif
