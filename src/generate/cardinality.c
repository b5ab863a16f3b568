/*
 * The patients of a table, by its RELATIONSHIP rows: of the table that is planned, or of one that it refers to.
 */
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "generate/internal.h"

enum adg_status adg_plan_weight(const struct adg_metadata_row *row, uint64_t *out, struct adg_error *error)
{
    if (!row->has_weight || !(row->weight >= 1 && row->weight <= ADG_LARGEST_WEIGHT) ||
        row->weight != (double)(uint64_t)row->weight) {
        return adg_fail(error, ADG_BAD_INPUT, "a weight is not a whole number from 1 to 2^53");
    }
    *out = (uint64_t)row->weight;
    return ADG_OK;
}

static bool is_relationship(const struct adg_dataset *dataset, const struct adg_metadata_row *row)
{
    if (dataset->patient_key < 0 || row->string.text == NULL) {
        return false;
    }
    const char *name = dataset->fields[dataset->patient_key].name;
    return strlen(name) == row->string.size && memcmp(name, row->string.text, row->string.size) == 0;
}

static enum adg_status read_cardinalities(const struct adg_dataset *dataset, struct adg_metadata_range range,
                                          uint64_t *cardinalities, uint64_t *weights, uint32_t *count,
                                          struct adg_error *error)
{
    for (size_t i = 0; i < range.count; i++) {
        const struct adg_metadata_row *row = &range.rows[i];
        if (!is_relationship(dataset, row)) {
            continue;
        }
        enum adg_status status = adg_plan_weight(row, &weights[*count], error);
        if (status != ADG_OK) {
            return status;
        }
        if (!row->has_numeric || !(row->numeric >= 0 && row->numeric <= ADG_LARGEST_WEIGHT) ||
            row->numeric != (double)(uint64_t)row->numeric) {
            return adg_fail(error, ADG_BAD_INPUT, "a cardinality of RELATIONSHIP is not a whole number");
        }
        cardinalities[(*count)++] = (uint64_t)row->numeric;
    }
    return ADG_OK;
}

/* With the rows of the primary key loaded. */
static enum adg_status plan_table_patients(const struct adg_metadata *metadata, const struct adg_dataset *dataset,
                                           const struct adg_table *table, const struct adg_plan_options *options,
                                           const struct adg_presence *presence, struct adg_patients *out, bool *stated,
                                           struct adg_error *error)
{
    const char *key = dataset->fields[dataset->primary_key].name;
    struct adg_metadata_range range = adg_metadata_find(metadata, table->name, key, ADG_VALUE_RELATIONSHIP);
    uint64_t *cardinalities = adg_alloc_zero(range.count + 1, sizeof *cardinalities);
    uint64_t *weights = adg_alloc_zero(range.count + 1, sizeof *weights);
    uint32_t count = 0;
    enum adg_status status = cardinalities == NULL || weights == NULL
                                 ? adg_fail_memory(error)
                                 : read_cardinalities(dataset, range, cardinalities, weights, &count, error);
    *stated = count > 0;
    if (status == ADG_OK && count == 0) {
        if (options->rows == 0) {
            status = adg_fail(error, ADG_BAD_INPUT,
                              "the metadata do not say how many rows a patient has (no RELATIONSHIP): ask for "
                              "a number of rows instead of patients");
        }
        cardinalities[0] = weights[0] = count = 1;
    }
    if (status == ADG_OK) {
        struct adg_stream stream = adg_stream_of(options->seed, dataset->id, table->ordinal, dataset->primary_key,
                                                 ADG_PURPOSE_CARDINALITY);
        unsigned threads = options->threads != 0 ? options->threads : adg_processor_count();
        status = adg_patients_plan(out, stream, presence, cardinalities, weights, count, options->patients,
                                   options->rows, threads, error);
    }
    adg_free(cardinalities);
    adg_free(weights);
    return status;
}

enum adg_status adg_table_patients(const struct adg_metadata *metadata, const struct adg_dataset *dataset,
                                   const struct adg_table *table, const struct adg_plan_options *options,
                                   const struct adg_presence *presence, struct adg_patients *out, bool *stated,
                                   struct adg_error *error)
{
    const char *key = dataset->fields[dataset->primary_key].name;
    enum adg_status status = adg_metadata_load(metadata, table->name, key, error);
    if (status == ADG_OK) {
        status = plan_table_patients(metadata, dataset, table, options, presence, out, stated, error);
        adg_metadata_unload(metadata, table->name, key);
    }
    return status;
}
