/*
 * Definition and record-level tables in, disclosure-controlled metadata out (docs/scraping.md).
 *
 * Rows pass by once, each value read as its field's type and counted. Disclosure control is applied to the counts before anything is
 * written. Warnings and errors carry no source value and no exact count.
 */
#ifndef ADG_SCRAPE_SCRAPE_H
#define ADG_SCRAPE_SCRAPE_H

#include "dataset/dataset.h"

struct adg_target;

struct adg_scrape_progress {
    void (*report)(void *context, const char *stage, const char *table, uint64_t done, uint64_t total);
    void (*warn)(void *context, const char *message);
    void *context;
};

/* What a scrape touches, handed over before an engine is loaded or a thread starts, so that the process can confine itself. */
struct adg_scrape_places {
    const char *const *readable; /* the source's files */
    uint32_t readable_count;
    const char *meta_folder;         /* may be missing */
    const char *staging;             /* beside it: becomes the metadata folder */
    const char *spill;               /* beside it: the engines' and our own */
    const struct adg_target *target; /* a database whose driver will be loaded, or NULL */
};

struct adg_scrape_options {
    const struct adg_definition *definition;
    const char *source_folder;       /* where the tables are; NULL with */
    const struct adg_target *target; /* the database that holds them, or NULL */
    const char *meta_folder;
    const char *const *tables;        /* names; with */
    const char *const *paths;         /* the path, or qualified name, of each; NULL: its own name */
    uint32_t table_count;             /* 0: every table that the source holds */
    const char *const *exclude;       /* without `tables`: not these */
    uint32_t exclude_count;
    uint32_t min_frequency, rounding; /* 0: as the definition says */
    bool control_reference, strict, skip_unknown, add;
    uint64_t population;   /* 0: not stated */
    unsigned threads;      /* as many tables at once; 0: all cores */
    uint64_t memory_bytes; /* of what is counted, before it spills; 0: four fifths of the machine's */
    struct adg_scrape_progress progress;
    enum adg_status (*confine)(void *context, const struct adg_scrape_places *places, struct adg_error *error);
};

struct adg_scrape_result {
    const char **tables; /* those scraped; names of the definition */
    uint32_t table_count;
};

ADG_MUST_CHECK enum adg_status adg_scrape(const struct adg_scrape_options *options, struct adg_scrape_result *result,
                                          struct adg_error *error);
void adg_scrape_result_fini(struct adg_scrape_result *result);

#endif
