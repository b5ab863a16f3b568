/*
 * A plan's columns, and a data file that a sink has finished, as the log of a Delta table has them.
 */
#ifndef ADG_RUN_DESCRIBE_H
#define ADG_RUN_DESCRIBE_H

#include "adg.h"
#include "delta/describe.h"
#include "sink/sink.h"

struct adg_described {
    const struct adg_layout *layout;  /* borrowed */
    struct adg_delta_column *columns; /* [of the layout] */
    char (*types)[24];
};

ADG_MUST_CHECK enum adg_status adg_described_init(struct adg_described *described, const struct adg_layout *layout,
                                                  struct adg_error *error);
void adg_described_fini(struct adg_described *described); /* accepts a zeroed one */

/* Appends the statistics of the file that the sink has finished; *rows: how many it has. */
ADG_MUST_CHECK enum adg_status adg_describe_file(const struct adg_described *described,
                                                 const struct adg_sink_operations *operations,
                                                 const struct adg_sink *sink, struct adg_buffer *out, uint64_t *rows,
                                                 struct adg_error *error);
/* adg_parquet_write, which also appends the file's statistics to `statistics`, unless that is NULL. */
ADG_MUST_CHECK enum adg_status adg_parquet_write_described(const struct adg_plan *plan, uint64_t first_block,
                                                           uint64_t end_block, enum adg_compression compression,
                                                           const char *path, uint64_t *rows, uint64_t *bytes,
                                                           struct adg_buffer *statistics, struct adg_error *error);

#endif
