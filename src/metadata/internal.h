/*
 * Within the metadata room.
 */
#ifndef ADG_METADATA_INTERNAL_H
#define ADG_METADATA_INTERNAL_H

#include "metadata/folder.h"
#include "metadata/metadata.h"
#include "parquet/table.h"

/* The canonical order; 0 for equal rows. */
int adg_metadata_row_compare(const struct adg_metadata_row *a, const struct adg_metadata_row *b);
int adg_metadata_row_compare_key(const struct adg_metadata_row *a, const char *table, const char *field,
                                 enum adg_value_type value_type);

/* Rows (sorted or not) to and from the columns of a file. Reading names the row (1-based) and column at fault. Both take
 * memory from the arena. */
ADG_MUST_CHECK enum adg_status adg_metadata_to_table(const struct adg_metadata_row *rows, size_t count,
                                                     struct adg_arena *arena, struct adg_parquet_table *out,
                                                     struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_metadata_from_table(const struct adg_parquet_table *table, struct adg_arena *arena,
                                                       struct adg_metadata_row **rows, struct adg_error *error);

/* Every rule for rows, in canonical order: see adg_metadata_read. */
ADG_MUST_CHECK enum adg_status adg_metadata_check(const struct adg_metadata_row *rows, size_t count,
                                                  const struct adg_definition *definition, struct adg_error *error);

/* manifest.json. Reading takes memory from the arena. */
ADG_MUST_CHECK enum adg_status adg_manifest_write(const struct adg_manifest *manifest, struct adg_buffer *out,
                                                  struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_manifest_read(struct adg_span text, struct adg_arena *arena,
                                                 struct adg_manifest *out, struct adg_error *error);

#endif
