/*
 * A whole scrape: see scrape.h.
 */
#include "scrape/scrape.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "core/stop.h"
#include "scrape/delta.h"
#include "scrape/internal.h"
#include "scrape/query.h"

/* One table to scrape: by any thread, without the others. */
struct job {
    const struct adg_dataset *dataset;
    const char *table;
    struct adg_source_files files;
    const char *source;     /* in a database: the qualified name */
    struct adg_arena arena; /* what the manifest says of it */
    struct adg_metadata_rows rows;
};

struct scrape {
    const struct adg_scrape_options *options;
    struct adg_arena arena;
    struct job *jobs;
    uint32_t job_count;
    struct adg_control control;
    char *spill, *staging;
    int held;                         /* the metadata folder, where there is one */
    unsigned threads, at_once;        /* in all, and tables that are scraped at the same time */
    struct adg_scrape_options within; /* for the tables: progress under the lock */
    pthread_mutex_t lock;
    struct adg_metadata_rows rows;
    struct adg_manifest_table *manifest_tables;
};

static enum adg_status add_job(struct scrape *scrape, const struct adg_dataset *dataset, const char *table,
                               const char *path, bool *found, struct adg_error *error)
{
    struct job *job = &scrape->jobs[scrape->job_count];
    enum adg_status status = ADG_OK;
    *found = true;
    if (scrape->options->target != NULL) { /* which is asked later, when the process is confined */
        job->source = path != NULL ? path : table;
    } else {
        status = adg_source_find(scrape->options->source_folder, table, path, &scrape->arena, &job->files, found,
                                 error);
    }
    if (status == ADG_OK && *found) {
        job->dataset = dataset;
        job->table = table;
        scrape->job_count++;
    }
    return status;
}

/* The tables asked for, each of which must be there. */
static enum adg_status asked_jobs(struct scrape *scrape, struct adg_error *error)
{
    const struct adg_scrape_options *options = scrape->options;
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < options->table_count && status == ADG_OK; i++) {
        const struct adg_dataset *dataset = NULL;
        const struct adg_table *table = NULL;
        bool found = false;
        status = adg_definition_find_table(options->definition, options->tables[i], &dataset, &table, error);
        if (status == ADG_OK) {
            status = add_job(scrape, dataset, table->name, options->paths[i], &found, error);
        }
        if (status == ADG_OK && !found) {
            status = adg_fail(
                error, ADG_BAD_INPUT,
                "source %s holds no table %s (%s.parquet, %s/*.parquet or a Delta table %s, %s.csv or %s.csv.gz)",
                options->source_folder, table->name, table->name, table->name, table->name, table->name, table->name);
        }
    }
    return status;
}

static enum adg_status name_absent(struct scrape *scrape, struct adg_buffer *absent, struct adg_error *error)
{
    const struct adg_scrape_options *options = scrape->options;
    struct adg_buffer text = {0};
    enum adg_status status = ADG_OK;
    if (scrape->job_count == 0) {
        status = adg_fail(error, ADG_BAD_INPUT, "source %s holds no table of dataset %s",
                          options->target != NULL ? options->target->shown : options->source_folder,
                          options->definition->name);
    } else if (absent->size > 0) {
        status = adg_buffer_printf(&text, error, "not in the source: %s", adg_buffer_text(absent));
        if (status == ADG_OK && adg_buffer_text(&text) != NULL) {
            options->progress.warn(options->progress.context, (const char *)text.data);
        }
    }
    adg_buffer_fini(&text);
    return status;
}

static enum adg_status add_absent(struct adg_buffer *absent, const char *table, struct adg_error *error)
{
    return adg_buffer_printf(absent, error, "%s%s", absent->size == 0 ? "" : ", ", table);
}

/* Every table that the folder holds, the others are named once; with a database all of them. */
static enum adg_status all_jobs(struct scrape *scrape, struct adg_error *error)
{
    const struct adg_scrape_options *options = scrape->options;
    struct adg_buffer absent = {0};
    enum adg_status status = adg_definition_check_tables(options->definition, options->exclude, options->exclude_count,
                                                         error);
    for (uint32_t d = 0; d < options->definition->dataset_count; d++) {
        const struct adg_dataset *dataset = &options->definition->datasets[d];
        for (uint32_t t = 0; t < dataset->table_count && status == ADG_OK; t++) {
            bool found = false;
            if (adg_table_is_among(dataset->tables[t].name, options->exclude, options->exclude_count)) {
                continue;
            }
            status = add_job(scrape, dataset, dataset->tables[t].name, NULL, &found, error);
            if (status == ADG_OK && !found) {
                status = add_absent(&absent, dataset->tables[t].name, error);
            }
        }
    }
    if (status == ADG_OK) {
        status = name_absent(scrape, &absent, error);
    }
    adg_buffer_fini(&absent);
    return status;
}

/* What the options leave open the definition says, for all datasets alike. */
static enum adg_status choose_control(struct scrape *scrape, struct adg_error *error)
{
    const struct adg_scrape_options *options = scrape->options;
    const struct adg_definition *definition = options->definition;
    scrape->control = (struct adg_control){options->min_frequency, options->rounding, options->control_reference};
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        const struct adg_dataset *dataset = &definition->datasets[d];
        if ((options->min_frequency == 0 && dataset->min_frequency != definition->datasets[0].min_frequency) ||
            (options->rounding == 0 && dataset->rounding != definition->datasets[0].rounding)) {
            return adg_fail(error, ADG_USAGE,
                            "the datasets differ in min_frequency or rounding: say --min-frequency and --rounding");
        }
    }
    if (options->min_frequency == 0) {
        scrape->control.min_frequency = definition->datasets[0].min_frequency;
    }
    if (options->rounding == 0) {
        scrape->control.rounding = definition->datasets[0].rounding;
    }
    return ADG_OK;
}

/* The private folders, and the process confined to them and to the source, before an engine is loaded or a thread starts. */
static enum adg_status prepare(struct scrape *scrape, struct adg_error *error)
{
    const struct adg_scrape_options *options = scrape->options;
    uint32_t count = 0;
    for (uint32_t i = 0; i < scrape->job_count; i++) {
        count += scrape->jobs[i].files.count;
    }
    const char **readable = adg_arena_array(&scrape->arena, count + (size_t)2, sizeof *readable);
    if (readable == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = options->add ? adg_metadata_check_unsigned(options->meta_folder, error) : ADG_OK;
    if (status == ADG_OK) {
        status = adg_metadata_lock(options->meta_folder, &scrape->held, error);
    }
    if (status == ADG_OK) {
        status = adg_target_files(options->target, &scrape->arena, readable, &count, error);
    }
    if (status != ADG_OK) {
        return status;
    }
    for (uint32_t i = 0; i < scrape->job_count; i++) {
        for (uint32_t f = 0; f < scrape->jobs[i].files.count; f++) {
            readable[count++] = scrape->jobs[i].files.paths[f];
        }
    }
    status = adg_spill_create(options->meta_folder, &scrape->spill, error);
    if (status == ADG_OK) {
        status = adg_metadata_stage(options->meta_folder, &scrape->staging, error);
    }
    if (status == ADG_OK && options->confine != NULL) {
        const struct adg_scrape_places places = {readable,        count,         options->meta_folder,
                                                 scrape->staging, scrape->spill, options->target};
        status = options->confine(options->progress.context, &places, error);
    }
    return status;
}

/* ---- one table --------------------------------------------------------------------------------------------------- */

static void report(void *context, const char *stage, const char *table, uint64_t done, uint64_t total)
{
    struct scrape *scrape = context;
    const struct adg_scrape_progress *progress = &scrape->options->progress;
    pthread_mutex_lock(&scrape->lock);
    if (progress->report != NULL) {
        progress->report(progress->context, stage, table, done, total);
    }
    pthread_mutex_unlock(&scrape->lock);
}

static void warn(void *context, const char *message)
{
    struct scrape *scrape = context;
    pthread_mutex_lock(&scrape->lock);
    scrape->options->progress.warn(scrape->options->progress.context, message);
    pthread_mutex_unlock(&scrape->lock);
}

/* An engine of the job's own, which sees its files alone. It only reads: of memory it takes no more than it needs. */
static enum adg_status open_engine(const struct scrape *scrape, const struct job *job, const char *folder,
                                   struct adg_engine **out, struct adg_error *error)
{
    const uint64_t least = UINT64_C(512) << 20;
    uint64_t memory = scrape->within.memory_bytes;
    const struct adg_engine_options options = {.threads = scrape->threads / scrape->at_once,
                                               .memory_bytes = memory > least ? memory : least,
                                               .folder = folder,
                                               .readable = job->files.paths,
                                               .readable_count = job->files.count};
    enum adg_status status = adg_folder_create(folder, error);
    return status == ADG_OK ? adg_engine_open(&options, out, error) : status;
}

static enum adg_status open_target(const struct scrape *scrape, const char *folder, struct adg_engine **out,
                                   struct adg_error *error)
{
    const struct adg_engine_options options = {
        .threads = scrape->threads, .memory_bytes = scrape->options->memory_bytes, .folder = folder};
    enum adg_status status = adg_folder_create(folder, error);
    return status == ADG_OK ? adg_engine_open_target(scrape->options->target, &options, out, error) : status;
}

/* Of all tables those that the database has; the others are named once. */
static enum adg_status drop_absent(struct scrape *scrape, struct adg_error *error)
{
    struct adg_engine *engine = NULL;
    struct adg_buffer absent = {0};
    uint32_t kept = 0;
    enum adg_status status = open_target(scrape, scrape->spill, &engine, error);
    for (uint32_t i = 0; i < scrape->job_count && status == ADG_OK; i++) {
        bool found = false;
        status = adg_stop_check(error);
        if (status == ADG_OK) {
            status = adg_engine_has_table(engine, scrape->jobs[i].source, &found, error);
        }
        if (status == ADG_OK && found) {
            scrape->jobs[kept++] = scrape->jobs[i];
        } else if (status == ADG_OK) {
            status = add_absent(&absent, scrape->jobs[i].table, error);
        }
    }
    if (status == ADG_OK) {
        scrape->job_count = kept;
        status = name_absent(scrape, &absent, error);
    }
    adg_engine_free(engine);
    adg_buffer_fini(&absent);
    return status;
}

/* One pass over what a field's counter holds. */
static enum adg_status take(struct adg_counted_table *table, uint32_t field, struct adg_error *error)
{
    return table->dataset->fields[field].value_type == ADG_VALUE_CONTINUOUS ? adg_continuous_take(table, field, error)
                                                                            : adg_frequency_take(table, field, error);
}

static enum adg_status finish(struct adg_counted_table *table, uint32_t field, struct adg_error *error)
{
    return table->dataset->fields[field].value_type == ADG_VALUE_CONTINUOUS ? adg_continuous_finish(table, field, error)
                                                                            : adg_frequency_finish(table, field, error);
}

static enum adg_status summarise_person(const struct adg_counted_table *table, uint32_t field, struct adg_error *error)
{
    return table->dataset->fields[field].value_type == ADG_VALUE_DEMOGRAPHIC_DATE
               ? adg_summarise_modes(table, field, error)
               : adg_summarise_patterns(table, field, error);
}

/* Values that are in memory first, of all fields, which frees it; then, field by field, those that found no room. */
static enum adg_status summarise(struct adg_counted_table *table, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (int sweep = 0; sweep < 2; sweep++) {
        for (uint32_t f = 0; f < table->dataset->field_count && status == ADG_OK; f++) {
            struct adg_field_counts *counts = &table->fields[f];
            bool more = true;
            status = adg_stop_check(error);
            if (status == ADG_OK && sweep == 0 && table->person_of[f] >= 0) {
                status = summarise_person(table, f, error);
            }
            if (status == ADG_OK && sweep == 0 && counts->counted) {
                status = take(table, f, error);
                adg_counter_forget(&counts->counter);
            }
            while (status == ADG_OK && sweep == 1 && counts->counted && more) {
                status = adg_counter_next_pass(&counts->counter, &more, error);
                if (status == ADG_OK && more) {
                    status = take(table, f, error);
                }
            }
            if (status == ADG_OK && sweep == 1 && counts->counted) {
                status = finish(table, f, error);
            }
            adg_context(error, status, "field %s", table->dataset->fields[f].name);
        }
    }
    return status == ADG_OK && table->has_patients ? adg_summarise_relationship(table, error) : status;
}

static enum adg_status scrape_table(void *context, uint64_t index, struct adg_error *error)
{
    struct scrape *scrape = context;
    const struct adg_scrape_options *options = &scrape->within;
    struct job *job = &scrape->jobs[index];
    struct adg_manifest_table *manifest = &scrape->manifest_tables[index];
    struct adg_counted_table table = {
        .dataset = job->dataset, .name = job->table, .control = scrape->control, .rows = &job->rows};
    struct adg_engine *engine = NULL;
    *manifest = (struct adg_manifest_table){.name = job->table,
                                            .population = options->population,
                                            .records_alone = job->dataset->patient_key < 0 ||
                                                             options->control_reference};
    char *folder = adg_path_join(scrape->spill, job->table);
    enum adg_status status = folder == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK && job->source != NULL) {
        status = open_target(scrape, folder, &engine, error);
    } else if (status == ADG_OK && job->files.format == ADG_SOURCE_DELTA) {
        status = adg_folder_create(folder, error);
        if (status == ADG_OK) {
            status = adg_delta_resolve(job->files.paths[0], folder, &job->arena, &job->files, error);
        }
    }
    if (status == ADG_OK && job->source == NULL && job->files.format == ADG_SOURCE_PARQUET) {
        status = open_engine(scrape, job, folder, &engine, error);
    }
    if (status == ADG_OK && job->source != NULL) {
        status = adg_query_table(options, job->source, engine, &table, manifest, &job->arena, error);
    } else if (status == ADG_OK) {
        status = adg_count_table(options, &job->files, engine, scrape->spill, &table, manifest, &job->arena, error);
        if (status == ADG_OK) {
            status = summarise(&table, error);
        }
    }
    adg_counted_table_fini(&table);
    adg_engine_free(engine);
    adg_free(folder);
    return adg_context(error, status, "table %s", job->table);
}

/* All of them, as many at once as there are threads and as memory is enough for. */
static enum adg_status scrape_tables(struct scrape *scrape, struct adg_error *error)
{
    const uint64_t least = UINT64_C(64) << 20; /* for a table, if others are scraped at the same time */
    const struct adg_scrape_options *options = scrape->options;
    const uint64_t memory = options->memory_bytes > 0 ? options->memory_bytes : adg_memory_bytes() / 5 * 4;
    const uint64_t room = memory > least ? memory / least : 1;
    scrape->at_once = scrape->threads < scrape->job_count ? scrape->threads : scrape->job_count;
    scrape->at_once = scrape->at_once < room ? scrape->at_once : (unsigned)room;
    if (options->target != NULL && options->target->file != NULL) {
        scrape->at_once = 1; /* the engine has the threads */
    }
    scrape->within = *options;
    scrape->within.memory_bytes = memory / scrape->at_once;
    scrape->within.progress = (struct adg_scrape_progress){report, warn, scrape};
    enum adg_status status = adg_parallel_for(scrape->at_once, scrape->job_count, scrape_table, scrape, error);
    for (uint32_t i = 0; i < scrape->job_count && status == ADG_OK; i++) {
        const struct adg_metadata_rows *rows = &scrape->jobs[i].rows;
        for (size_t r = 0; r < rows->count && status == ADG_OK; r++) {
            status = adg_metadata_rows_add(&scrape->rows, &rows->rows[r], error);
        }
    }
    return status;
}

/* The rows and tables of a folder that is added to, behind those of this scrape. */
static enum adg_status add_to_folder(struct scrape *scrape, struct adg_manifest *manifest, struct adg_error *error)
{
    struct adg_metadata_rows held = {0};
    struct adg_manifest old = *manifest;
    const char **names = adg_arena_array(&scrape->arena, scrape->job_count, sizeof *names);
    if (names == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < scrape->job_count; i++) {
        names[i] = scrape->jobs[i].table;
    }
    enum adg_status status = adg_metadata_load_for_adding(scrape->options->meta_folder, scrape->options->definition,
                                                          names, scrape->job_count, &old, &held, error);
    if (status != ADG_OK) {
        return status;
    }
    struct adg_manifest_table *tables = adg_arena_array(&scrape->arena, (size_t)manifest->table_count + old.table_count,
                                                        sizeof *tables);
    if (tables == NULL) {
        adg_metadata_rows_fini(&held);
        return adg_fail_memory(error);
    }
    memcpy(tables, manifest->tables, manifest->table_count * sizeof *tables);
    if (old.table_count > 0) {
        memcpy(tables + manifest->table_count, old.tables, old.table_count * sizeof *tables);
    }
    manifest->tables = tables;
    manifest->table_count += old.table_count;
    for (size_t i = 0; i < scrape->rows.count && status == ADG_OK; i++) {
        status = adg_metadata_rows_add(&held, &scrape->rows.rows[i], error);
    }
    adg_metadata_rows_fini(&scrape->rows); /* the names of the old tables lie in `held` */
    scrape->rows = held;
    return status;
}

static enum adg_status write_metadata(struct scrape *scrape, struct adg_error *error)
{
    const struct adg_scrape_options *options = scrape->options;
    struct adg_manifest manifest = {.definition_name = options->definition->name,
                                    .min_frequency = scrape->control.min_frequency,
                                    .rounding = scrape->control.rounding,
                                    .control_reference = options->control_reference,
                                    .tables = scrape->manifest_tables,
                                    .table_count = scrape->job_count};
    enum adg_status status = options->add ? add_to_folder(scrape, &manifest, error) : ADG_OK;
    if (status == ADG_OK) {
        status = adg_stop_check(error);
    }
    return status == ADG_OK ? adg_metadata_write(options->meta_folder, scrape->staging, options->definition, &manifest,
                                                 &scrape->rows, error)
                            : status;
}

static uint32_t count_tables(const struct adg_definition *definition)
{
    uint32_t count = 0;
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        count += definition->datasets[d].table_count;
    }
    return count;
}

enum adg_status adg_scrape(const struct adg_scrape_options *options, struct adg_scrape_result *result,
                           struct adg_error *error)
{
    struct scrape scrape = {.options = options,
                            .held = -1,
                            .threads = options->threads > 0 ? options->threads : adg_processor_count(),
                            .lock = PTHREAD_MUTEX_INITIALIZER};
    uint32_t most = count_tables(options->definition) + options->table_count;
    scrape.jobs = adg_arena_array(&scrape.arena, most, sizeof *scrape.jobs);
    scrape.manifest_tables = adg_arena_array(&scrape.arena, most, sizeof *scrape.manifest_tables);
    const char **tables = NULL;
    enum adg_status status = scrape.jobs == NULL || scrape.manifest_tables == NULL ? adg_fail_memory(error)
                                                                                   : choose_control(&scrape, error);
    if (status == ADG_OK) {
        status = options->table_count > 0 ? asked_jobs(&scrape, error) : all_jobs(&scrape, error);
    }
    if (status == ADG_OK) {
        status = prepare(&scrape, error);
    }
    if (status == ADG_OK && options->target != NULL && options->table_count == 0) {
        status = drop_absent(&scrape, error);
    }
    if (status == ADG_OK) {
        status = scrape_tables(&scrape, error);
    }
    if (status == ADG_OK) {
        status = write_metadata(&scrape, error);
    }
    if (status == ADG_OK) {
        tables = adg_alloc_array(scrape.job_count, sizeof *tables);
        status = tables == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    if (status == ADG_OK) {
        for (uint32_t i = 0; i < scrape.job_count; i++) {
            tables[i] = scrape.jobs[i].table;
        }
        *result = (struct adg_scrape_result){tables, scrape.job_count};
    }
    for (uint32_t i = 0; i < scrape.job_count; i++) {
        adg_metadata_rows_fini(&scrape.jobs[i].rows);
    }
    if (scrape.staging != NULL && status != ADG_OK) {
        enum adg_status removed = adg_folder_remove(scrape.staging, NULL); /* the failure is reported already */
        (void)removed;
    }
    adg_free(scrape.staging);
    adg_metadata_unlock(scrape.held);
    status = adg_spill_remove(scrape.spill, status, error);
    adg_metadata_rows_fini(&scrape.rows);
    for (uint32_t i = 0; i < scrape.job_count; i++) { /* the manifest's names lie there */
        adg_arena_fini(&scrape.jobs[i].arena);
    }
    adg_arena_fini(&scrape.arena);
    pthread_mutex_destroy(&scrape.lock);
    return status;
}

void adg_scrape_result_fini(struct adg_scrape_result *result)
{
    adg_free(result->tables);
    *result = (struct adg_scrape_result){0};
}
