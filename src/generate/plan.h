/*
 * The plan of a table, and a pure function (plan, block number) -> block. The public half is in adg.h; this is what the
 * rest of the program needs besides.
 */
#ifndef ADG_GENERATE_PLAN_H
#define ADG_GENERATE_PLAN_H

#include "adg.h"
#include "block/block.h"
#include "core/status.h"
#include "metadata/metadata.h"

/* One more holder, each of whom calls adg_plan_free in the end. Any thread. */
const struct adg_plan *adg_plan_hold(const struct adg_plan *plan);

/*
 * A block that shows only some columns and makes only what these need: wanted[column]. The others must not be looked at.
 */
ADG_MUST_CHECK enum adg_status adg_block_new_of(const struct adg_plan *plan, const bool *wanted, struct adg_block **out,
                                                struct adg_error *error);

/*
 * A block that hands every unread column (struct adg_layout_column) to `taker`, and shows no codes of it when it is done. These columns
 * share one memory.
 */
ADG_MUST_CHECK enum adg_status adg_block_new_passing(const struct adg_plan *plan, const struct adg_column_taker *taker,
                                                     struct adg_block **out, struct adg_error *error);

/* Where a range of blocks ends whose end may be ADG_ALL_BLOCKS; ADG_USAGE when it is not within the plan's. */
ADG_MUST_CHECK enum adg_status adg_plan_range(const struct adg_plan *plan, uint64_t first_block, uint64_t end_block,
                                              uint64_t *end, struct adg_error *error);

/* Kinds, dictionaries and names of the columns; lives as long as the plan. */
const struct adg_layout *adg_plan_layout(const struct adg_plan *plan);

/*
 * A plan without its columns: dictionaries, and whatever values are drawn from, which is nearly all of its memory. What it says of rows and
 * blocks, its warnings, and its layout without dictionaries stay, but no block can be made. Nobody else may use the plan meanwhile. Blocks,
 * and whatever else has looked at its dictionaries, are gone before.
 */
void adg_plan_drop_columns(struct adg_plan *plan);
/* The same columns again, from the same metadata. A plan that has them stays as it is. After a failure it has none. */
ADG_MUST_CHECK enum adg_status adg_plan_make_columns(struct adg_plan *plan, const struct adg_metadata *metadata,
                                                     struct adg_error *error);
size_t adg_plan_column_bytes(const struct adg_plan *plan);

/* Warnings of planning, each one line without newline ("table T: no metadata for fields A, B, ...; filled with nulls"). */
uint32_t adg_plan_warning_count(const struct adg_plan *plan);
const char *adg_plan_warning(const struct adg_plan *plan, uint32_t i);

#endif
