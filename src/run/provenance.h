/*
 * provenance.json: what the tables of an output folder were made from. One entry per file (or folder of parts); a later run
 * into the same folder replaces the entries of what it writes and keeps the others. Callers hold the folder's lock. No host, user, reviewer or path.
 */
#ifndef ADG_RUN_PROVENANCE_H
#define ADG_RUN_PROVENANCE_H

#include "core/buffer.h"
#include "metadata/json.h"
#include "metadata/metadata.h"
#include "run/run.h"

#define ADG_PROVENANCE_FILE "provenance.json"

struct adg_provenance_entry {
    const char *name;  /* of the file or folder within the output folder; not in its JSON */
    const char *table; /* of the definition */
    bool is_part;      /* of a table whose rows this run does not know */
    uint64_t rows;     /* of the whole table; not told of a part */
};

struct adg_provenance {
    const struct adg_definition *definition;
    const struct adg_metadata *metadata;
    const char *tool;                      /* version and commit */
    const char *profile;                   /* "reference" or "coherent" */
    uint64_t seed, patients, rows, shards; /* patients or rows is 0 */
};

/* What a run tells of itself; borrows from the options. */
struct adg_provenance adg_provenance_of(const struct adg_run_options *options);
/* One entry as an object, which is the caller's; NULL without memory. */
json_t *adg_provenance_json(const struct adg_provenance *provenance, const struct adg_provenance_entry *entry);

/* The file of `folder` no longer says anything about `name`; it is left alone where it says nothing, or is not there. */
ADG_MUST_CHECK enum adg_status adg_provenance_forget(const char *folder, const char *name, struct adg_error *error);
/* Writes or completes the file in `folder`. A file there that is no provenance.json is replaced. */
ADG_MUST_CHECK enum adg_status adg_provenance_add(const char *folder, const struct adg_provenance *provenance,
                                                  const struct adg_provenance_entry *entry, struct adg_error *error);

/* The same entry as one line, for where a table cannot have a file beside it. */
ADG_MUST_CHECK enum adg_status adg_provenance_line(struct adg_buffer *out, const struct adg_provenance *provenance,
                                                   const struct adg_provenance_entry *entry, struct adg_error *error);

#endif
