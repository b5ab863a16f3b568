/*
 * Which tables a run writes: see choose.h.
 */
#include "run/choose.h"

#include "core/buffer.h"
#include "core/memory.h"
#include "metadata/metadata.h"

/* names[] has room for those that are asked for. */
static enum adg_status choose_listed(const struct adg_run_options *options, const char **names, uint32_t *count,
                                     struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < options->table_count && status == ADG_OK; i++) {
        const struct adg_table *table;
        status = adg_definition_find_table(options->definition, options->tables[i], NULL, &table, error);
        if (status == ADG_OK && !adg_metadata_has_table(options->metadata, table->name)) {
            status = adg_fail(error, ADG_BAD_INPUT, "table %s: the metadata has nothing about it", table->name);
        }
        if (status == ADG_OK) {
            names[(*count)++] = table->name;
        }
    }
    return status;
}

/* names[] has room for all of the definition. */
static enum adg_status choose_all(const struct adg_run_options *options, const char **names, uint32_t *count,
                                  struct adg_error *error)
{
    const struct adg_definition *definition = options->definition;
    struct adg_buffer missing = {0};
    enum adg_status status = adg_definition_check_tables(definition, options->exclude, options->exclude_count, error);
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        const struct adg_dataset *dataset = &definition->datasets[d];
        for (uint32_t t = 0; t < dataset->table_count && status == ADG_OK; t++) {
            const char *name = dataset->tables[t].name;
            if (adg_table_is_among(name, options->exclude, options->exclude_count)) {
                continue;
            }
            if (adg_metadata_has_table(options->metadata, name)) {
                names[(*count)++] = name;
            } else {
                status = adg_buffer_printf(&missing, error, "%s%s", missing.size > 0 ? ", " : "", name);
            }
        }
    }
    if (status == ADG_OK && *count == 0) {
        status = adg_fail(error, ADG_BAD_INPUT, "the metadata has no table of this definition%s",
                          options->exclude_count > 0 ? " but excluded ones" : "");
    }
    if (status == ADG_OK && missing.size > 0) {
        struct adg_buffer message = {0};
        status = adg_buffer_printf(&message, error, "no metadata for these tables, which are left out: %s",
                                   (char *)missing.data);
        if (status == ADG_OK) {
            options->progress.warn(options->progress.context, (char *)message.data);
        }
        adg_buffer_fini(&message);
    }
    adg_buffer_fini(&missing);
    return status;
}

enum adg_status adg_run_choose(const struct adg_run_options *options, const char ***out, uint32_t *out_count,
                               struct adg_error *error)
{
    const struct adg_definition *definition = options->definition;
    size_t most = options->table_count;
    uint32_t count = 0;
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        most += definition->datasets[d].table_count;
    }
    const char **names = adg_alloc_array(most, sizeof *names);
    if (names == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = options->tables != NULL ? choose_listed(options, names, &count, error)
                                                     : choose_all(options, names, &count, error);
    if (status != ADG_OK) {
        adg_free(names);
        return status;
    }
    *out = names;
    *out_count = count;
    return ADG_OK;
}
