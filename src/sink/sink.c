/*
 * The table of formats: see sink.h.
 */
#include "sink/sink.h"

struct adg_sink_part adg_sink_part_empty(struct adg_sink_part *part)
{
    struct adg_sink_part empty = {.pieces = part->pieces, .piece_count = part->piece_count, .bytes = part->bytes};
    for (uint32_t i = 0; i < empty.piece_count; i++) {
        empty.pieces[i].size = 0;
    }
    empty.bytes.size = 0;
    part->pieces = NULL;
    part->piece_count = 0;
    part->bytes = (struct adg_buffer){0};
    return empty;
}

void adg_sink_take_nothing(struct adg_sink_encoder *encoder, struct adg_sink_part *memory)
{
    (void)encoder;
    (void)memory;
}

enum adg_status adg_sink_append_nothing(struct adg_sink *sink, struct adg_sink_part *part, uint64_t offset,
                                        struct adg_error *error)
{
    (void)sink;
    (void)part;
    (void)offset;
    (void)error;
    return ADG_OK;
}

const struct adg_sink_operations *adg_sink_find(enum adg_format format)
{
    static const struct adg_sink_operations *const sinks[] = {[ADG_FORMAT_PARQUET] = &adg_sink_parquet,
                                                              [ADG_FORMAT_CSV] = &adg_sink_csv,
                                                              [ADG_FORMAT_ARROW] = &adg_sink_arrow,
                                                              [ADG_FORMAT_DELTA] = &adg_sink_parquet};
    return sinks[format];
}
