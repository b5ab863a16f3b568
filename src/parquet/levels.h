/*
 * From codes with nulls to what a data page holds: definition levels, a bit per row, and the codes without nulls.
 */
#ifndef ADG_PARQUET_LEVELS_H
#define ADG_PARQUET_LEVELS_H

#include <stdint.h>

/* Leaves out nulls, codes of `null` and above (all below 2^31), and notes in `present` (a bit per row, the first row lowest)
 * which rows are left; returns how many. `packed` has room for rows + 8. */
uint32_t adg_levels_compact(const uint32_t *codes, uint32_t rows, uint32_t null, uint32_t *packed, uint8_t *present);
/* The smallest and the largest of codes up to `highest`; UINT32_MAX and 0 when there is none. */
void adg_levels_bounds(const uint32_t *codes, uint32_t count, uint32_t highest, uint32_t *min, uint32_t *max);

#endif
