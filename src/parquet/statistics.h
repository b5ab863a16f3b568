/*
 * What is known of a column of a whole file: the statistics of its chunks, merged.
 */
#ifndef ADG_PARQUET_STATISTICS_H
#define ADG_PARQUET_STATISTICS_H

#include "parquet/chunk.h"

struct adg_parquet_statistics {
    uint64_t nulls;
    bool incomplete;            /* a chunk has values and no bounds */
    bool known;                 /* a chunk has bounds: min and max are those of all that have some */
    struct adg_buffer min, max; /* in PLAIN encoding without length prefix */
};

/* A zeroed struct knows nothing. After a failure it may be behind. */
ADG_MUST_CHECK enum adg_status adg_parquet_statistics_add(struct adg_parquet_statistics *statistics,
                                                          const struct adg_parquet_chunk *chunk,
                                                          struct adg_error *error);
/* Forgets all, and keeps the memory. */
void adg_parquet_statistics_clear(struct adg_parquet_statistics *statistics);
void adg_parquet_statistics_fini(struct adg_parquet_statistics *statistics);

#endif
