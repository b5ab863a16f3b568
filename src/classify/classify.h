/*
 * A definition proposed for a table that nobody has described (docs/classify.md): rows are read twice and only counted.
 */
#ifndef ADG_CLASSIFY_CLASSIFY_H
#define ADG_CLASSIFY_CLASSIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buffer.h"

struct adg_target;

/* What reading touches, handed over before an engine is loaded, so that the process can confine itself. */
struct adg_classify_places {
    const char *const *readable; /* the source's files */
    uint32_t readable_count;
    const char *spill;               /* the engine's private folder; NULL: no engine is needed */
    const struct adg_target *target; /* a database whose driver will be loaded, or NULL */
};

struct adg_classify_options {
    const char
        *path; /* a CSV file, plain or gzip, a Parquet file, or a folder of Parquet parts; of a database: the table */
    const struct adg_target *target; /* the database that holds it, or NULL; only read */
    const char *dataset;             /* names of letters, digits and underscores; NULL: after the file */
    const char *table;
    const char *beside; /* the engine's private folder is made beside this path */
    uint64_t rows;      /* at most so many are looked at, and fetched from a database; 0: all */
    void (*report)(void *context, const char *stage, const char *table, uint64_t done, uint64_t total);
    enum adg_status (*confine)(void *context, const struct adg_classify_places *places, struct adg_error *error);
    void *context;
};

struct adg_classify_result {
    struct adg_buffer text;     /* YAML */
    uint32_t fields, decisions; /* how many there are, and how many a person has to decide */
    bool has_patients;
};

/* ADG_BAD_INPUT: the file is none, malformed, without rows, without a header, or no column can be a key. */
ADG_MUST_CHECK enum adg_status adg_classify(const struct adg_classify_options *options, struct adg_classify_result *out,
                                            struct adg_error *error);
void adg_classify_result_fini(struct adg_classify_result *result);

/* Whether a name is one that a definition takes for a dataset or a table. */
bool adg_classify_is_name(const char *name);

#endif
