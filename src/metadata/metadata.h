/*
 * The metadata table: rows in canonical order, its folder (metadata.parquet, definition.yaml, manifest.json), reading,
 * checking and writing. `spec` below is the project's description of the format, docs/metadata.md.
 *
 * A builder (adg_metadata_rows) takes rows in any order; writing sorts them. A struct adg_metadata is what was read and
 * checked: immutable, shared between threads.
 */
#ifndef ADG_METADATA_METADATA_H
#define ADG_METADATA_METADATA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/buffer.h"
#include "dataset/dataset.h"

struct adg_optional_text {
    const char *text; /* NULL: null. Not NUL-terminated in general */
    size_t size;
};

/* One row: one retained value. Pointers lie in the arena of whoever holds the row. Null is told by has_*, or NULL. */
struct adg_metadata_row {
    const char *table; /* NUL-terminated */
    const char *field; /* NUL-terminated */
    enum adg_value_type value_type;
    bool has_numeric, has_date, has_weight;
    struct adg_optional_text string;              /* VALUE_STRING */
    double numeric;                               /* VALUE_NUMERIC */
    int32_t date;                                 /* VALUE_DATE, days since 1970-01-01 */
    double weight;                                /* WEIGHT */
    const struct adg_optional_text *string_array; /* VALUE_STRING_ARRAY; NULL: null */
    uint32_t string_array_count;
    const double *numeric_array; /* VALUE_NUMERIC_ARRAY; NULL: null */
    uint32_t numeric_array_count;
    const double *weight_array; /* WEIGHT_ARRAY; NULL: null */
    uint32_t weight_array_count;
};

/* The columns of the table, in their order. */
enum {
    ADG_COLUMN_TABLE_NAME,
    ADG_COLUMN_FIELD_NAME,
    ADG_COLUMN_VALUE_TYPE,
    ADG_COLUMN_VALUE_STRING,
    ADG_COLUMN_VALUE_NUMERIC,
    ADG_COLUMN_VALUE_DATE,
    ADG_COLUMN_VALUE_STRING_ARRAY,
    ADG_COLUMN_VALUE_NUMERIC_ARRAY,
    ADG_COLUMN_WEIGHT,
    ADG_COLUMN_WEIGHT_ARRAY,
    ADG_METADATA_COLUMNS,
};
struct adg_metadata_column {
    const char *name;
    enum adg_type type;
    bool is_list;
};
extern const struct adg_metadata_column adg_metadata_columns[ADG_METADATA_COLUMNS];

/* ---- building ---------------------------------------------------------------------------------------------------- */

struct adg_metadata_rows {
    struct adg_arena arena;
    struct adg_metadata_row *rows;
    size_t count, capacity;
};

/* Copies the row and all that it points to. */
ADG_MUST_CHECK enum adg_status adg_metadata_rows_add(struct adg_metadata_rows *rows, const struct adg_metadata_row *row,
                                                     struct adg_error *error);
/* Canonical order: TABLE_NAME, FIELD_NAME, VALUE_TYPE, then VALUE_STRING, VALUE_NUMERIC, VALUE_DATE, VALUE_STRING_ARRAY,
 * VALUE_NUMERIC_ARRAY, WEIGHT, WEIGHT_ARRAY; nulls first, text by bytes, arrays element by element (a prefix first). */
void adg_metadata_rows_sort(struct adg_metadata_rows *rows);
void adg_metadata_rows_fini(struct adg_metadata_rows *rows);

/* What manifest.json says of one table. No exact count, no path. */
struct adg_manifest_table {
    const char *name;
    const char *const *skipped_columns; /* unknown to the definition, left out on request */
    uint32_t skipped_column_count;
    const char *const *missing_columns; /* in the definition, not in the source */
    uint32_t missing_column_count;
    bool records_alone;  /* no patient key: thresholds count records, not patients */
    uint64_t population; /* 0: not stated */
};

/* How metadata came about. */
enum adg_origin {
    ADG_ORIGIN_SCRAPED,
    ADG_ORIGIN_IMPORTED, /* the reference's own table, through import-metadata */
    ADG_ORIGIN_COMPOSED, /* from distributions that somebody wrote: see compose.h */
};

struct adg_manifest {
    const char *definition_name;
    uint32_t min_frequency, rounding;
    bool control_reference; /* scraped with --control reference */
    enum adg_origin origin;
    const char *attribution;                 /* what whoever passes on data made from it has to say; NULL: nothing */
    const struct adg_manifest_table *tables; /* any order in, sorted by name out */
    uint32_t table_count;
    const char *tool_version; /* in: NULL for this program's */
    char metadata_sha256[65]; /* set by reading and writing */
    char definition_sha256[65];
};

/* Makes an empty folder beside `folder`, ".<folder>.<random>": where metadata is written before it is put into place. It is
 * made first, so that a process may confine itself to it. The name is the caller's. */
ADG_MUST_CHECK enum adg_status adg_metadata_stage(const char *folder, char **out, struct adg_error *error);

/*
 * Holds a metadata folder that is there against other commands that would replace it or add to it, from before its old tables are read
 * until the new folder is in place: ADG_FAILED at once when one of them holds it. The hold is a lock of the folder itself, so it leaves
 * nothing behind and ends with the process. *held is -1 where no folder is; unlock accepts that.
 */
ADG_MUST_CHECK enum adg_status adg_metadata_lock(const char *folder, int *held, struct adg_error *error);
void adg_metadata_unlock(int held);

/* Sorts `rows` and writes the three files into `folder`, which then holds nothing else of ours: a folder that is there is
 * replaced whole (written into `staging`, synced, renamed); one that holds files which are not of a metadata folder is refused
 * (ADG_FAILED). `staging` is gone afterwards, also after a failure. The same input gives the same bytes. */
ADG_MUST_CHECK enum adg_status adg_metadata_write(const char *folder, const char *staging,
                                                  const struct adg_definition *definition,
                                                  struct adg_manifest *manifest, struct adg_metadata_rows *rows,
                                                  struct adg_error *error);

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct adg_metadata_parts;

struct adg_metadata {
    struct adg_arena arena;
    atomic_uint more_holders;            /* beside the caller of adg_metadata_open */
    const struct adg_metadata_row *rows; /* in canonical order; NULL while they are read in parts */
    size_t row_count;                    /* of all of them */
    struct adg_metadata_parts *parts;    /* NULL: rows has everything. Has a lock of its own */
    struct adg_manifest manifest;
    char manifest_sha256[65];
    bool released;               /* both signatures and the store's log were verified, or they are the open metadata */
    char release_timestamp[20];  /* UTC; "" when it is not from a store */
    const char *definition_text; /* definition.yaml */
    size_t definition_text_bytes;
};

/* Reads a folder without asking whether it was released: hashes against the manifest, then every row, now or when it is loaded: known VALUE_TYPE,
 * weights finite, whole, from 1 to 2^53 (0 and more in COMPLETENESS; inner weights finite and >= 0), arrays of equal length,
 * percentiles finite and sorted, COMPLETENESS of two, canonical order, no duplicate row. With `definition`: each of its
 * datasets is, byte for byte, among those of definition.yaml, else ADG_REFUSED, before anything else is looked at. All other
 * faults are ADG_BAD_INPUT. */
ADG_MUST_CHECK enum adg_status adg_metadata_read(const char *folder, const struct adg_definition *definition,
                                                 struct adg_metadata **out, struct adg_error *error);

/* ADG_REFUSED when somebody has reviewed or signed the folder; one that is not there is not. */
ADG_MUST_CHECK enum adg_status adg_metadata_check_unsigned(const char *folder, struct adg_error *error);

/*
 * For adding tables to a folder: its rows and manifest, without those of the tables named in `replaced`. ADG_REFUSED when
 * somebody has reviewed or signed it, ADG_BAD_INPUT when it has another definition or other parameters than `manifest` says.
 * On success `rows` holds the rows and manifest->tables the folder's other tables, in the memory of `rows`.
 */
ADG_MUST_CHECK enum adg_status adg_metadata_load_for_adding(const char *folder, const struct adg_definition *definition,
                                                            const char *const *replaced, uint32_t replaced_count,
                                                            struct adg_manifest *manifest,
                                                            struct adg_metadata_rows *rows, struct adg_error *error);

/* One more holder, each of whom calls adg_metadata_free in the end. Any thread. */
const struct adg_metadata *adg_metadata_hold(const struct adg_metadata *metadata);

/*
 * Rows of a table, or of one of its fields, into memory, where they stay until they have been unloaded as often as loaded. Before that,
 * nothing is found. ADG_BAD_INPUT: they break the rules. Any thread may call both.
 */
ADG_MUST_CHECK enum adg_status adg_metadata_load(const struct adg_metadata *metadata, const char *table,
                                                 const char *field /* NULL: all */, struct adg_error *error);
void adg_metadata_unload(const struct adg_metadata *metadata, const char *table, const char *field);

/* The rows of one table, field and value type, of those loaded: a range, empty when there is none. */
struct adg_metadata_range {
    const struct adg_metadata_row *rows;
    size_t count;
};
struct adg_metadata_range adg_metadata_find(const struct adg_metadata *metadata, const char *table, const char *field,
                                            enum adg_value_type value_type);
bool adg_metadata_has_table(const struct adg_metadata *metadata, const char *table); /* any row */

#endif
