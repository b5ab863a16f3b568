/*
 * Metadata that is read table by table, or field by field: a national estate has millions of rows, and whoever wants one table of it
 * should wait for that one. The file is cut into row groups that end between fields (adg_metadata_write does so); a part is one of them.
 */
#ifndef ADG_METADATA_PARTS_H
#define ADG_METADATA_PARTS_H

#include "metadata/internal.h"

struct adg_metadata_parts;

/*
 * Where row groups end, for adg_parquet_table: between tables, and between fields with many rows and fields with few, so that the latter
 * can be had without the former. In the arena.
 */
ADG_MUST_CHECK enum adg_status adg_metadata_cut(const struct adg_metadata_row *rows, size_t count,
                                                struct adg_arena *arena, struct adg_parquet_table *table,
                                                struct adg_error *error);

/*
 * The parts of a file, none read yet. *out is NULL when the file is not cut that way, as one that others wrote; it is then to be read as
 * a whole. Takes the file's bytes and the definition that rows are checked against, on success. *rows: how many there are.
 */
ADG_MUST_CHECK enum adg_status adg_metadata_parts_new(struct adg_buffer *file, struct adg_definition **definition,
                                                      struct adg_metadata_parts **out, size_t *rows,
                                                      struct adg_error *error);
void adg_metadata_parts_free(struct adg_metadata_parts *parts);

bool adg_metadata_parts_have(const struct adg_metadata_parts *parts, const char *table);
/* See adg_metadata_load. */
ADG_MUST_CHECK enum adg_status adg_metadata_parts_load(struct adg_metadata_parts *parts, const char *table,
                                                       const char *field, struct adg_error *error);
void adg_metadata_parts_unload(struct adg_metadata_parts *parts, const char *table, const char *field);
/* The rows of the part that holds the field; none when it has not been loaded. */
struct adg_metadata_range adg_metadata_parts_rows(struct adg_metadata_parts *parts, const char *table,
                                                  const char *field);

#endif
