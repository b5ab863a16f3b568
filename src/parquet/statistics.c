/*
 * Merged statistics: see statistics.h.
 */
#include "parquet/statistics.h"

static struct adg_span span_of(const struct adg_buffer *buffer)
{
    return (struct adg_span){buffer->data, buffer->size};
}

static enum adg_status keep(struct adg_buffer *kept, struct adg_span value, struct adg_error *error)
{
    kept->size = 0;
    return adg_buffer_append(kept, value.data, value.size, error);
}

enum adg_status adg_parquet_statistics_add(struct adg_parquet_statistics *statistics,
                                           const struct adg_parquet_chunk *chunk, struct adg_error *error)
{
    const struct adg_parquet_bounds *bounds = &chunk->bounds;
    enum adg_status status = ADG_OK;
    statistics->nulls += chunk->nulls;
    statistics->incomplete = statistics->incomplete || !chunk->bounds_complete;
    if (!bounds->known) {
        return ADG_OK;
    }
    if (!statistics->known || adg_parquet_compare(chunk->type, bounds->min, span_of(&statistics->min)) < 0) {
        status = keep(&statistics->min, bounds->min, error);
    }
    if (status == ADG_OK &&
        (!statistics->known || adg_parquet_compare(chunk->type, bounds->max, span_of(&statistics->max)) > 0)) {
        status = keep(&statistics->max, bounds->max, error);
    }
    statistics->known = statistics->known || status == ADG_OK;
    return status;
}

void adg_parquet_statistics_clear(struct adg_parquet_statistics *statistics)
{
    struct adg_buffer min = statistics->min, max = statistics->max;
    min.size = max.size = 0;
    *statistics = (struct adg_parquet_statistics){.min = min, .max = max};
}

void adg_parquet_statistics_fini(struct adg_parquet_statistics *statistics)
{
    adg_buffer_fini(&statistics->min);
    adg_buffer_fini(&statistics->max);
    *statistics = (struct adg_parquet_statistics){0};
}
