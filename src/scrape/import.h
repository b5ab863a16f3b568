/*
 * Reads a metadata table that the reference system wrote (Parquet from Spark) into a metadata folder: in its present format, or in
 * its first one (docs/migration.md). The engine reads the file; what comes in is checked like metadata of our own.
 */
#ifndef ADG_SCRAPE_IMPORT_H
#define ADG_SCRAPE_IMPORT_H

#include "scrape/scrape.h"

struct adg_import_options {
    const char *file;  /* only read */
    bool first_format; /* TABLE_NAME, FIELD_NAME and a struct METADATA */
    const struct adg_definition *definition;
    const char *meta_folder;
    void (*warn)(void *context, const char *message);
    enum adg_status (*confine)(void *context, const struct adg_scrape_places *places, struct adg_error *error);
    void *context;
};

/* Rows of fields that the definition does not sample are left out, and named in one warning. ADG_BAD_INPUT: the file is no
 * metadata table, or a row breaks its rules. ADG_USAGE: the file lies in the folder, which is replaced whole. */
ADG_MUST_CHECK enum adg_status adg_import_metadata(const struct adg_import_options *options, struct adg_error *error);

#endif
