/*
 * Artificial tables in a database, converted to what the definition says now (docs/migration.md).
 *
 *     adg_migrate_database_open -> adg_migrate_database_table ... -> adg_migrate_database_close
 *
 * A table is one transaction: the new one is filled under another name, held against the old one, and takes its name; the old one
 * is dropped, or stays as the backup. So a process that is killed leaves nothing of its own. In DuckDB all of that is SQL; from
 * PostgreSQL and SQLite rows come as Arrow batches through the engine (migrate/pieces.h), and go back by their driver's bulk ingest.
 */
#ifndef ADG_MIGRATE_DATABASE_H
#define ADG_MIGRATE_DATABASE_H

#include "engine/target.h"
#include "migrate/tables.h"

#define ADG_MIGRATE_TABLE_BACKUP "_backup" /* behind the table's name */

struct adg_migrate_database;

/* Of the options `folder` is not used. Target and options are borrowed until close. ADG_FAILED: no driver, no server, or a database
 * of which it is not known how a table is replaced. */
ADG_MUST_CHECK enum adg_status adg_migrate_database_open(const struct adg_target *target,
                                                         const struct adg_migrate_options *options,
                                                         struct adg_migrate_database **out, struct adg_error *error);
void adg_migrate_database_close(struct adg_migrate_database *database);

/*
 * Converts one table. *out: there is none, it was as the definition says, or it was converted. ADG_BAD_INPUT: values do not fit (counts
 * per column in the message), or it has no primary key: it stays. ADG_FAILED: something is in the way, or rests on the table: it stays.
 */
ADG_MUST_CHECK enum adg_status adg_migrate_database_table(struct adg_migrate_database *database,
                                                          const struct adg_dataset *dataset, const char *table,
                                                          enum adg_migration *out, struct adg_error *error);

#endif
