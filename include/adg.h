/*
 * libadg: definitions, metadata and the generation of artificial tables, block by block.
 *
 * Order of calls:
 *     adg_definition_open -> adg_metadata_open -> adg_plan_new -> adg_block_new, adg_block_generate, ... -> *_free
 *                                                              -> adg_stream_open -> the stream's own callbacks
 *
 * Ownership: what a function hands out through a pointer to a pointer belongs to the caller and goes with the matching
 * _free, which accepts NULL. A population borrows definition and metadata. A plan holds its definition, and has copies of what it needs of the
 * metadata; a stream holds its plan: each may be freed as soon as nobody calls it any more. A plan borrows the population that it was given, a block
 * its plan: free them in reverse order.
 * Threads: definition, metadata and plan are immutable once made and may be shared; a block belongs to one thread at a time.
 * Failure: every function that can fail returns an adg_status, leaves its outputs untouched when that is not ADG_OK, and
 * writes a message into `error`, which may be NULL.
 */
#ifndef ADG_H
#define ADG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum adg_status {
    ADG_OK = 0,
    ADG_FAILED = 1,    /* at run time: I/O, engine, out of memory or disk */
    ADG_USAGE = 2,     /* wrong arguments; found before anything is opened */
    ADG_REFUSED = 3,   /* on disclosure grounds */
    ADG_BAD_INPUT = 4, /* the input does not fit the definition, or is malformed */
};

struct adg_error {
    char message[2048]; /* UTF-8, ends with NUL; never a value or an exact count from a source */
};

/* ---- definitions ------------------------------------------------------------------------------------------------- */

/* One or more datasets, as one YAML file holds them. */
struct adg_definition;

/* `name_or_path` is a built-in name (hes_apc, hes_op, hes_ae, hes) or a YAML file. ADG_BAD_INPUT: no such name, or an
 * error in the file, with file, line, column and what was expected. */
enum adg_status adg_definition_open(const char *name_or_path, struct adg_definition **out, struct adg_error *error);
void adg_definition_free(struct adg_definition *definition);

/* ---- metadata ---------------------------------------------------------------------------------------------------- */

/* A metadata folder, read and checked. */
struct adg_metadata;

/* The folder that stands for the metadata which come with the program, made from published figures. */
#define ADG_OPEN_METADATA "open"

/* Where metadata comes from. */
struct adg_metadata_source {
    const char
        *folder; /* a release store; or, with allow_unreleased, a metadata folder too; or ADG_OPEN_METADATA alone */
    const char
        *open_folder;    /* where the open metadata lie; NULL: where the environment variable ADG_OPEN_METADATA says, or
                                beside the program */
    const char *release; /* which release of the store, by the hash of its manifest; NULL: the last one */
    const char *trust;   /* folder of the public keys that are trusted: reviewer/ *.pub and approver/ *.pub */
    int32_t today;       /* days since 1970-01-01, UTC: no signature is from the future */
    bool allow_unreleased; /* instead of trust: for work on one's own data, nobody's signature is asked for */
};

/* Reads metadata, each file once, and verifies it before anything else is looked at: log, both signatures, review, hashes. ADG_REFUSED
 * says what does not match, or that definition.yaml is another definition; ADG_BAD_INPUT: a file is malformed or does not match the
 * manifest's hash (with allow_unreleased), ADG_FAILED: it cannot be read. */
enum adg_status adg_metadata_open(const struct adg_metadata_source *source, const struct adg_definition *definition,
                                  struct adg_metadata **out, struct adg_error *error);
void adg_metadata_free(struct adg_metadata *metadata);

/* ---- generation -------------------------------------------------------------------------------------------------- */

/* How the fields of a record, and the records of a person, belong together. */
enum adg_profile {
    ADG_PROFILE_REFERENCE = 0, /* not at all: every field on its own */
    ADG_PROFILE_COHERENT = 1,  /* as the definition says: docs/coherence.md */
};

/* The people of profile coherent: worked out from all of the metadata, the same whichever tables are planned. */
struct adg_population;

enum adg_status adg_population_new(const struct adg_definition *definition, const struct adg_metadata *metadata,
                                   struct adg_population **out, struct adg_error *error);
void adg_population_free(struct adg_population *population);

struct adg_plan_options {
    uint64_t seed;
    uint64_t patients; /* this many patients; or 0 and */
    uint64_t rows;     /* exactly this many rows */
    uint64_t shard;    /* part `shard` of `shards`, cut between patients; 0 of 1 is everything */
    uint64_t shards;
    unsigned threads; /* for planning; 0: all cores */
    enum adg_profile profile;
    const struct adg_population
        *population; /* of profile coherent, borrowed by the plan; NULL: the plan makes its own */
};

/* How one table will be generated. */
struct adg_plan;

enum adg_status adg_plan_new(const struct adg_definition *definition, const struct adg_metadata *metadata,
                             const char *table, const struct adg_plan_options *options, struct adg_plan **out,
                             struct adg_error *error);
void adg_plan_free(struct adg_plan *plan);

uint64_t adg_plan_rows(const struct adg_plan *plan); /* of this shard */
uint64_t adg_plan_blocks(const struct adg_plan *plan);
uint32_t adg_plan_columns(const struct adg_plan *plan);
const char *adg_plan_column_name(const struct adg_plan *plan, uint32_t column); /* lives as long as the definition */

/* A range of rows as columns. Reused for many block numbers. */
struct adg_block;

enum adg_status adg_block_new(const struct adg_plan *plan, struct adg_block **out, struct adg_error *error);
void adg_block_free(struct adg_block *block);

/* Makes block `number` (0 .. adg_plan_blocks - 1): a pure function of plan and number. The contents of the block's last
 * number are gone. */
enum adg_status adg_block_generate(struct adg_block *block, uint64_t number, struct adg_error *error);
uint32_t adg_block_rows(const struct adg_block *block);

/* The value as text (as CSV has it, without quotes), appended NUL-terminated to `out`, cut at `size` bytes; returns its
 * full length, or -1 for null. */
int64_t adg_block_text(const struct adg_block *block, uint32_t column, uint32_t row, char *out, size_t size);

/* ---- files ------------------------------------------------------------------------------------------------------- */

#define ADG_ALL_BLOCKS UINT64_MAX /* as end_block: to the last one */

enum adg_compression { ADG_COMPRESSION_AUTO, ADG_COMPRESSION_ZSTD, ADG_COMPRESSION_NONE };

/* Writes blocks first_block .. end_block - 1 as one Parquet file, on the calling thread; it appears under its name only when it is
 * complete. The folder must exist. `rows` and `bytes` may be NULL. ADG_FAILED: it cannot be written, nothing is left of it. */
enum adg_status adg_parquet_write(const struct adg_plan *plan, uint64_t first_block, uint64_t end_block,
                                  enum adg_compression compression, const char *path, uint64_t *rows, uint64_t *bytes,
                                  struct adg_error *error);

/* ---- Arrow streams ----------------------------------------------------------------------------------------------- */

/* As the Arrow C data and stream interfaces define them. */
struct ArrowArrayStream;
struct ArrowSchema;

struct adg_stream_options {
    uint64_t first_block, end_block; /* blocks first_block .. end_block - 1; ADG_ALL_BLOCKS: to the last */
    const char *const *columns;      /* these, in this order, names in any case; NULL: all. Only they are made */
    uint32_t column_count;
    bool dictionaries; /* texts as dictionary<int32, utf8> where the metadata list them; else all as utf8 */
};

/*
 * Rows as a stream of record batches, one per block (at most 16,384 rows, fewer in the last, and in the first of a shard). The
 * consumer releases the stream, at any time, and each batch: batches stay valid after stream, plan, metadata and definition are
 * gone. Calls of get_next from several threads take turns. Types: src/sink/arrow.h. ADG_BAD_INPUT: no such column; ADG_USAGE: a
 * column twice, or no such blocks.
 */
enum adg_status adg_stream_open(const struct adg_plan *plan, const struct adg_stream_options *options,
                                struct ArrowArrayStream *out, struct adg_error *error);

/* The schema of such a stream, a struct of the columns, without the blocks being looked at. The caller releases it. */
enum adg_status adg_stream_schema(const struct adg_plan *plan, const struct adg_stream_options *options,
                                  struct ArrowSchema *out, struct adg_error *error);

/* The schema of a table of the definition without dictionaries, which needs no metadata. */
enum adg_status adg_definition_schema(const struct adg_definition *definition, const char *table,
                                      struct ArrowSchema *out, struct adg_error *error);

/* The rows of the metadata table (docs/metadata.md) about one table, or, with NULL, about all tables of the definition that the
 * metadata have: one batch per table, read when it is asked for. The stream holds definition and metadata. */
enum adg_status adg_metadata_stream_open(const struct adg_definition *definition, const struct adg_metadata *metadata,
                                         const char *table, struct ArrowArrayStream *out, struct adg_error *error);

#ifdef __cplusplus
}
#endif
#endif
