/*
 * Which columns of a source are fields, and what is said of the others.
 */
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "core/memory.h"
#include "scrape/internal.h"

void adg_control_amount(const struct adg_control *control, uint64_t count, char out[64])
{
    if (count < control->min_frequency) {
        snprintf(out, 64, "fewer than %" PRIu32 " values", control->min_frequency);
    } else {
        snprintf(out, 64, "about %" PRIu64 " values", adg_control_round(control, count));
    }
}

static enum adg_status append_name(struct adg_buffer *list, const char *name, struct adg_error *error)
{
    enum adg_status status = list->size > 0 ? adg_buffer_append_text(list, ", ", error) : ADG_OK;
    return status == ADG_OK ? adg_buffer_append_text(list, name, error) : status;
}

/* Unknown columns: refused, all of them named at once, or left out and recorded. Without the key columns the first line may
 * be no header, so that its words are values: they are counted, not shown. */
static enum adg_status check_unknown(const struct adg_columns *columns, const struct adg_scrape_options *options,
                                     const struct adg_dataset *dataset, bool keys_missing,
                                     struct adg_manifest_table *manifest, struct adg_arena *arena,
                                     struct adg_error *error)
{
    struct adg_buffer names = {0};
    uint32_t count = 0;
    const char **unknown = adg_arena_array(arena, columns->count, sizeof *unknown);
    enum adg_status status = unknown == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t c = 0; c < columns->count && status == ADG_OK; c++) {
        const char *name = columns->names[c];
        if (adg_dataset_find_column(dataset, name) < 0) {
            unknown[count] = adg_arena_strdup(arena, name);
            status = unknown[count++] == NULL ? adg_fail_memory(error) : append_name(&names, name, error);
        }
    }
    if (status == ADG_OK && keys_missing) {
        const char *hint = columns->count == 1 ? "; it has a single column: is its delimiter a comma?" : "";
        status = adg_fail(
            error, ADG_BAD_INPUT, "%s: no column for the key %s%s%s (%u of its %u columns are not in dataset %s)%s",
            columns->source, dataset->fields[dataset->primary_key].column, dataset->patient_key >= 0 ? " or for " : "",
            dataset->patient_key >= 0 ? dataset->fields[dataset->patient_key].column : "", count, columns->count,
            dataset->name, hint);
    } else if (status == ADG_OK && count > 0 && !options->skip_unknown) {
        status = adg_fail(error, ADG_BAD_INPUT,
                          "%s: dataset %s does not know the columns %s; --skip-unknown leaves them out",
                          columns->source, dataset->name, adg_buffer_text(&names));
    }
    manifest->skipped_columns = unknown;
    manifest->skipped_column_count = count;
    adg_buffer_fini(&names);
    return status;
}

static enum adg_status note_missing(const struct adg_columns *columns, const struct adg_scrape_options *options,
                                    const struct adg_counted_table *table, const int64_t *column_of,
                                    struct adg_manifest_table *manifest, struct adg_arena *arena,
                                    struct adg_error *error)
{
    const struct adg_scrape_progress *progress = &options->progress;
    const struct adg_dataset *dataset = table->dataset;
    struct adg_buffer text = {0};
    uint32_t count = 0;
    const char **missing = adg_arena_array(arena, dataset->field_count, sizeof *missing);
    enum adg_status status = missing == NULL ? adg_fail_memory(error)
                                             : adg_buffer_printf(&text, error, "%s: columns of table %s are missing: ",
                                                                 columns->source, table->name);
    for (uint32_t f = 0; f < dataset->field_count && status == ADG_OK; f++) {
        if (column_of[f] < 0 && dataset->fields[f].role == ADG_ROLE_SAMPLED) {
            missing[count] = adg_arena_strdup(arena, dataset->fields[f].column);
            status = missing[count] == NULL
                         ? adg_fail_memory(error)
                         : adg_buffer_printf(&text, error, "%s%s", count > 0 ? ", " : "", dataset->fields[f].column);
            count++;
        }
    }
    if (status == ADG_OK && count > 0 && adg_buffer_text(&text) != NULL) {
        progress->warn(progress->context, (const char *)text.data);
    }
    manifest->missing_columns = missing;
    manifest->missing_column_count = count;
    adg_buffer_fini(&text);
    return status;
}

enum adg_status adg_columns_differ(const struct adg_columns *columns, struct adg_error *error)
{
    for (uint32_t i = 0; i < columns->count; i++) {
        for (uint32_t k = 0; k < i; k++) {
            if (strcasecmp(columns->names[i], columns->names[k]) == 0) {
                return adg_fail(error, ADG_BAD_INPUT,
                                "%s: expected different names of columns, columns %u and %u have the same",
                                columns->source, k + 1, i + 1);
            }
        }
    }
    return ADG_OK;
}

enum adg_status adg_columns_find(const struct adg_columns *columns, const struct adg_scrape_options *options,
                                 const struct adg_counted_table *table, int64_t *column_of,
                                 struct adg_manifest_table *manifest, struct adg_arena *arena, struct adg_error *error)
{
    const struct adg_dataset *dataset = table->dataset;
    for (uint32_t f = 0; f < dataset->field_count; f++) {
        column_of[f] = -1;
    }
    for (uint32_t c = 0; c < columns->count; c++) {
        int64_t field = adg_dataset_find_column(dataset, columns->names[c]);
        if (field >= 0 && column_of[field] < 0) {
            column_of[field] = c;
        }
    }
    bool keys_missing = column_of[dataset->primary_key] < 0 ||
                        (table->has_patients && column_of[dataset->patient_key] < 0);
    enum adg_status status = check_unknown(columns, options, dataset, keys_missing, manifest, arena, error);
    return status == ADG_OK ? note_missing(columns, options, table, column_of, manifest, arena, error) : status;
}
