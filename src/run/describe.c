/*
 * Columns and files for the log of a Delta table: see describe.h.
 */
#include "run/describe.h"

#include <string.h>

#include "core/memory.h"

enum adg_status adg_described_init(struct adg_described *described, const struct adg_layout *layout,
                                   struct adg_error *error)
{
    struct adg_described made = {.layout = layout,
                                 .columns = adg_alloc_array(layout->column_count, sizeof *made.columns),
                                 .types = adg_alloc_array(layout->column_count, sizeof *made.types)};
    if (made.columns == NULL || made.types == NULL) {
        adg_described_fini(&made);
        return adg_fail_memory(error);
    }
    for (uint32_t c = 0; c < layout->column_count; c++) {
        adg_delta_column_of(layout->columns[c].field, made.types[c], &made.columns[c]);
    }
    *described = made;
    return ADG_OK;
}

void adg_described_fini(struct adg_described *described)
{
    adg_free(described->columns);
    adg_free(described->types);
    *described = (struct adg_described){0};
}

static struct adg_delta_value value_of(enum adg_type type, struct adg_span bytes)
{
    struct adg_delta_value value = {.text = bytes};
    int32_t narrow;
    if (type == ADG_TYPE_DOUBLE) {
        memcpy(&value.number, bytes.data, sizeof value.number);
    } else if (adg_type_is_int32(type) && bytes.size == sizeof narrow) {
        memcpy(&narrow, bytes.data, sizeof narrow);
        value.integer = narrow;
    } else if (type != ADG_TYPE_STRING && bytes.size == sizeof value.integer) {
        memcpy(&value.integer, bytes.data, sizeof value.integer);
    }
    return value;
}

enum adg_status adg_describe_file(const struct adg_described *described, const struct adg_sink_operations *operations,
                                  const struct adg_sink *sink, struct adg_buffer *out, uint64_t *rows,
                                  struct adg_error *error)
{
    const struct adg_layout *layout = described->layout;
    struct adg_delta_statistics *statistics = adg_alloc_array(layout->column_count, sizeof *statistics);
    struct adg_sink_statistics column = {0};
    if (statistics == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t c = 0; c < layout->column_count; c++) {
        const enum adg_type type = layout->columns[c].field->type;
        operations->statistics(sink, c, &column);
        statistics[c] = (struct adg_delta_statistics){.nulls = column.nulls, .known = column.known};
        if (column.known) {
            statistics[c].min = value_of(type, column.min);
            statistics[c].max = value_of(type, column.max);
        }
    }
    enum adg_status status = adg_delta_statistics_append(out, described->columns, layout->column_count, column.rows,
                                                         statistics, error);
    if (status == ADG_OK) {
        *rows = column.rows;
    }
    adg_free(statistics);
    return status;
}
