/*
 * Where the result of a table goes: one file, or one part among the parts of a folder.
 *
 *     <out>/artificial_<table>.<extension>
 *     <out>/artificial_<table>/part-IIIII-of-NNNNN.<extension>
 *
 * A folder of parts remembers in a hidden file, ".adg-run", which run its parts belong to, so that no part of another seed,
 * size, format or metadata lands among them. Readers of such folders pass over hidden files.
 */
#ifndef ADG_RUN_OUTPUT_H
#define ADG_RUN_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "sink/sink.h"

#define ADG_OUTPUT_MAX_SHARDS 99999 /* five digits in a part's name */

struct adg_output {
    char *path;   /* of the file */
    char *folder; /* of the parts; NULL without shards */
    uint64_t shards;
    bool prepared; /* the folder of the parts remembers this run */
};

/* Only names; ADG_USAGE when there are more than ADG_OUTPUT_MAX_SHARDS. A zeroed output may be finished. */
ADG_MUST_CHECK enum adg_status adg_output_init(struct adg_output *output, const char *out_folder, const char *table,
                                               const char *extension, bool sharded, uint64_t shard, uint64_t shards,
                                               struct adg_error *error);
/* ADG_FAILED when the path is taken by a folder, or the part would lie beside parts of another number of shards or of another
 * run; `run` is a text that tells runs apart. */
ADG_MUST_CHECK enum adg_status adg_output_check(const struct adg_output *output, const char *run,
                                                struct adg_error *error);
/* Creates the folder of the parts, and what it remembers of the run. */
ADG_MUST_CHECK enum adg_status adg_output_prepare(struct adg_output *output, const char *run, struct adg_error *error);
/* Removes the folder of the parts, when this run has prepared it and no part is in it. */
void adg_output_discard(const struct adg_output *output);
void adg_output_fini(struct adg_output *output);

/* Writes a part to an open file, whose name is for the message, and counts its bytes. */
ADG_MUST_CHECK enum adg_status adg_output_put_part(int descriptor, const char *name, const struct adg_sink_part *part,
                                                   uint64_t *bytes, struct adg_error *error);

#endif
