/*
 * Artificial tables that an older version wrote, converted to what the definition says now (docs/migration.md). The engine reads the old
 * file and writes the new one beside it, in the same format; the new one takes the old one's name when both hold the same values. A Delta
 * table gets a version of new files: see delta.h.
 */
#ifndef ADG_MIGRATE_TABLES_H
#define ADG_MIGRATE_TABLES_H

#include "core/status.h"
#include "dataset/dataset.h"

#define ADG_MIGRATE_BACKUP ".backup" /* behind the file's name */

enum adg_migration { ADG_MIGRATION_NONE, ADG_MIGRATION_CURRENT, ADG_MIGRATION_DONE }; /* ascending: what was done */

struct adg_migrate_options {
    /* with artificial_<table>.parquet, .csv or .arrows, or parts or a Delta table in artificial_<table>; locked while this works */
    const char *folder;
    bool keep_backup; /* of files */
    const char *tool; /* "adg 0.1.0 (commit)", for the log of a Delta table */
    void (*warn)(void *context, const char *message);
    void *context;
};

/*
 * Converts the files of one table. *out: there are none, they were as the definition says, or one was converted. `spill` is a folder of
 * the process's own within `folder`. ADG_BAD_INPUT: values do not fit (counts per column in the message), or it is no such file: no file
 * of the table is changed. ADG_FAILED: something else is in the way of a backup, no space: a file is converted or what it was.
 */
ADG_MUST_CHECK enum adg_status adg_migrate_table(const struct adg_migrate_options *options,
                                                 const struct adg_dataset *dataset, const char *table,
                                                 const char *spill, enum adg_migration *out, struct adg_error *error);

#endif
