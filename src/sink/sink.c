/*
 * The table of formats: see sink.h.
 */
#include "sink/sink.h"

const struct adg_sink_operations *adg_sink_find(enum adg_format format)
{
    static const struct adg_sink_operations *const sinks[] = {[ADG_FORMAT_PARQUET] = &adg_sink_parquet,
                                                              [ADG_FORMAT_CSV] = &adg_sink_csv,
                                                              [ADG_FORMAT_ARROW] = &adg_sink_arrow};
    return sinks[format];
}
