/*
 * A Delta table in a local folder: which of its Parquet files are its rows now. The log is replayed from its last complete checkpoint
 * (https://github.com/delta-io/delta/blob/master/PROTOCOL.md, "Action Reconciliation").
 *
 * What its rows cannot be read without is refused by name: deletion vectors, column mapping, partition columns, checkpoints of version
 * 2, other reader features. Spark reads those (docs/engines.md).
 */
#ifndef ADG_SCRAPE_DELTA_H
#define ADG_SCRAPE_DELTA_H

#include "delta/log.h"
#include "engine/engine.h"
#include "scrape/source.h"

/*
 * The log, replayed: see delta/log.h, whose fini it needs. One without a version is none of a table. `folder` is borrowed until then. `spill` is
 * a folder for the engine that reads checkpoints. ADG_BAD_INPUT: the log is damaged or incomplete.
 */
ADG_MUST_CHECK enum adg_status adg_delta_read_log(const char *folder, const char *spill, struct adg_arena *arena,
                                                  struct adg_delta_log *out, struct adg_error *error);
/*
 * The files of the table's last version, as Parquet, in the arena. `spill` as above. ADG_BAD_INPUT: the log is damaged or incomplete, the table
 * needs what is not read here, or it has no file.
 */
ADG_MUST_CHECK enum adg_status adg_delta_resolve(const char *folder, const char *spill, struct adg_arena *arena,
                                                 struct adg_source_files *out, struct adg_error *error);

#endif
