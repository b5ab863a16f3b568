/*
 * The table of formats: see sink.h.
 */
#include "sink/sink.h"

const struct adg_sink_operations *adg_sink_find(enum adg_format format)
{
    return format == ADG_FORMAT_CSV ? &adg_sink_csv : &adg_sink_parquet;
}
