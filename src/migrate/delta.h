/*
 * A Delta table that an older version wrote, converted to what the definition says now (docs/migration.md): new data files beside the old
 * ones, and one version of the table that names them in place of those. The version before is the backup; its files stay until VACUUM.
 *
 * Whether there is anything to convert is what the log says: where its columns are the definition's, the table is left as it is. New files
 * have names that tell for which version they were made, so that a later run knows what one that was killed has left, and removes that.
 */
#ifndef ADG_MIGRATE_DELTA_H
#define ADG_MIGRATE_DELTA_H

#include "migrate/tables.h"

/*
 * `folder` is the table's, absolute, and locked while this works. *out as of adg_migrate_table; NONE: no version was ever committed.
 * ADG_BAD_INPUT: values do not fit, or the table needs what is not read or written here; ADG_FAILED: another writer has committed
 * meanwhile, another program has removed new files, no space. After a failure the table has no new version, except where the message is
 * that its log could not be synced.
 */
ADG_MUST_CHECK enum adg_status adg_migrate_delta(const struct adg_migrate_options *options,
                                                 const struct adg_dataset *dataset, const char *folder,
                                                 const char *spill, enum adg_migration *out, struct adg_error *error);

#endif
