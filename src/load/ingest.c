/*
 * Tables through ADBC: see ingest.h.
 */
#include "load/ingest.h"

#include <nanoarrow/nanoarrow.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "engine/engine.h"
#include "load/batches.h"
#include "load/ddl.h"
#include "run/provenance.h"
#include "sink/batches.h"

struct place {
    const char *name;
    bool exists;
};

struct adbc {
    struct adg_destination base;
    const struct adg_run_options *run;
    struct adg_load_adbc_options options;
    struct adg_arena arena;
    struct adg_engine *engine;
    bool file_made, committed; /* file_made: by this run */
    struct place *places;      /* by number of the table */
    uint32_t place_count;
    pthread_mutex_t lock; /* a table is begun when the one before is committed: they share the connection */
    pthread_cond_t changed;
    bool busy;
    /* the table that is being filled */
    uint64_t rows_before;
    struct adg_batches *batches;
    pthread_t thread;
    bool running;
    const char *filling;
    enum adg_status status; /* the thread's, once it is joined */
    struct adg_error error;
};

static struct adbc *of(struct adg_destination *destination)
{
    return (struct adbc *)destination;
}

static bool is_duckdb(const struct adbc *adbc)
{
    return adbc->options.target->file != NULL;
}

static enum adg_status execute(struct adbc *adbc, struct adg_buffer *sql, const char *doing, struct adg_error *error)
{
    const char *text = adg_buffer_text(sql);
    enum adg_status status = text == NULL ? adg_fail_memory(error)
                                          : adg_engine_execute(adbc->engine, text, doing, error);
    sql->size = 0;
    return status;
}

static enum adg_status count_rows(struct adbc *adbc, const char *table, uint64_t *rows, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    struct adg_buffer sql = {0};
    bool has_row = false;
    enum adg_status status = adg_ddl_format(&sql, error, "select count(*) from %n", table);
    const char *text = status == ADG_OK ? adg_buffer_text(&sql) : NULL;
    if (status == ADG_OK) {
        status = text == NULL ? adg_fail_memory(error)
                              : adg_engine_query(adbc->engine, text, "counting the table's rows", &result, error);
    }
    if (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
    }
    if (status == ADG_OK) {
        *rows = has_row ? (uint64_t)adg_engine_int(result, 0) : 0;
    }
    adg_engine_result_free(result);
    adg_buffer_fini(&sql);
    return status;
}

/* ---- before anything is written ---------------------------------------------------------------------------------- */

static enum adg_status adbc_open(struct adg_destination *destination, struct adg_error *error)
{
    struct adbc *adbc = of(destination);
    const char *file = adbc->options.target->file;
    char spill[4096] = "";
    if (file != NULL) {
        const int folder_bytes = (int)(strrchr(file, '/') - file) + 1;
        snprintf(spill, sizeof spill, "%.*s", folder_bytes, file);
        if (access(spill, F_OK) != 0) {
            return adg_fail(error, ADG_FAILED, "%s: there is no such folder", spill);
        }
        snprintf(spill, sizeof spill, "%s.tmp", file);
        adbc->file_made = access(file, F_OK) != 0;
    }
    const struct adg_engine_options options = {
        .threads = adbc->run->threads > 0 ? adbc->run->threads : adg_processor_count(), .folder = spill};
    return adg_engine_open_out(adbc->options.target, &options, &adbc->engine, error);
}

/* Of a table that rows are appended to: the definition's names in their order, in any case, and no others. */
static enum adg_status check_columns(const char *name, const char *const *names, uint32_t count,
                                     const struct adg_layout *layout, struct adg_error *error)
{
    bool same = count == layout->column_count;
    for (uint32_t c = 0; same && c < count; c++) {
        same = strcasecmp(names[c], layout->columns[c].field->name) == 0;
    }
    return same ? ADG_OK
                : adg_fail(error, ADG_BAD_INPUT,
                           "%s has other columns than the definition, or has them in another order: nothing can be "
                           "appended",
                           name);
}

static enum adg_status check_existing(struct adbc *adbc, const char *name, const char *const *names, uint32_t count,
                                      const struct adg_layout *layout, bool *skip, struct adg_error *error)
{
    char message[512];
    switch (adbc->run->if_exists) {
    case ADG_IF_EXISTS_DEFAULT:
    case ADG_IF_EXISTS_ERROR:
        return adg_fail(error, ADG_FAILED,
                        "%s is there; --if-exists append, overwrite or ignore says what becomes of it", name);
    case ADG_IF_EXISTS_IGNORE:
        snprintf(message, sizeof message, "%s is there, and is left as it is", name);
        adbc->run->progress.warn(adbc->run->progress.context, message);
        *skip = true;
        return ADG_OK;
    case ADG_IF_EXISTS_OVERWRITE:
        return ADG_OK;
    case ADG_IF_EXISTS_APPEND:
        break;
    }
    if (adbc->options.primary_key) {
        return adg_fail(error, ADG_FAILED,
                        "%s is there, and its primary key is its own: leave --primary-key out to append", name);
    }
    return check_columns(name, names, count, layout, error);
}

static enum adg_status adbc_check(struct adg_destination *destination, const struct adg_destination_table *table,
                                  bool *skip, struct adg_error *error)
{
    struct adbc *adbc = of(destination);
    const char *const *names = NULL;
    uint32_t count = 0;
    char name[256];
    snprintf(name, sizeof name, ADG_LOAD_NAME, table->name);
    if (table->number >= adbc->place_count) {
        uint32_t places = 2 * table->number + 8;
        struct place *more = adg_realloc_array(adbc->places, places, sizeof *more);
        if (more == NULL) {
            return adg_fail_memory(error);
        }
        memset(more + adbc->place_count, 0, (places - adbc->place_count) * sizeof *more);
        adbc->places = more;
        adbc->place_count = places;
    }
    struct place *place = &adbc->places[table->number];
    place->name = adg_arena_strdup(&adbc->arena, name);
    enum adg_status status = place->name == NULL
                                 ? adg_fail_memory(error)
                                 : adg_engine_table_columns(adbc->engine, name, &adbc->arena, &names, &count, error);
    place->exists = names != NULL;
    return status == ADG_OK && place->exists
               ? check_existing(adbc, place->name, names, count, adg_plan_layout(table->plan), skip, error)
               : status;
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

static bool appends(const struct adbc *adbc, const struct place *place)
{
    return place->exists && adbc->run->if_exists == ADG_IF_EXISTS_APPEND;
}

static enum adg_status make_table(struct adbc *adbc, const struct place *place,
                                  const struct adg_destination_table *table, struct adg_error *error)
{
    const struct adg_dataset *dataset = NULL;
    struct adg_buffer sql = {0};
    enum adg_status status = adg_definition_find_table(adbc->run->definition, table->name, &dataset, NULL, error);
    if (status == ADG_OK && place->exists) {
        status = adg_ddl_format(&sql, error, "drop table %n", place->name);
        if (status == ADG_OK) {
            status = execute(adbc, &sql, "replacing the table", error);
        }
    }
    if (status == ADG_OK) {
        status = adg_ddl_format(&sql, error, "create table %n ", place->name);
    }
    if (status == ADG_OK) {
        status = adg_ddl_columns(&sql, adg_plan_layout(table->plan), true, error);
    }
    if (status == ADG_OK && adbc->options.primary_key) {
        sql.size--; /* the closing bracket */
        status = adg_ddl_format(&sql, error, ", primary key (%n))", dataset->fields[dataset->primary_key].name);
    }
    if (status == ADG_OK) {
        status = execute(adbc, &sql, "creating the table", error);
    }
    adg_buffer_fini(&sql);
    return status;
}

static void *fill(void *context)
{
    struct adbc *adbc = context;
    struct ArrowArrayStream stream;
    adg_batches_stream(adbc->batches, &stream);
    adbc->status = adg_engine_ingest(adbc->engine, adbc->filling, ADG_INGEST_APPEND, &stream, "filling the table",
                                     &adbc->error);
    adg_batches_close(adbc->batches);
    return NULL;
}

static enum adg_status adbc_begin(struct adg_destination *destination, const struct adg_destination_table *table,
                                  struct adg_destination_file *file, struct adg_error *error)
{
    struct adbc *adbc = of(destination);
    const struct place *place = &adbc->places[table->number];
    struct ArrowSchema schema = {0};
    (void)file;
    pthread_mutex_lock(&adbc->lock);
    while (adbc->busy) {
        pthread_cond_wait(&adbc->changed, &adbc->lock);
    }
    adbc->busy = true;
    pthread_mutex_unlock(&adbc->lock);
    adbc->rows_before = 0;
    enum adg_status status = appends(adbc, place) ? count_rows(adbc, place->name, &adbc->rows_before, error)
                                                  : make_table(adbc, place, table, error);
    if (status == ADG_OK) {
        status = adg_sink_batches_schema(table->sink, &schema, error);
    }
    if (status == ADG_OK) {
        status = adg_batches_new(&schema, &adbc->batches, error);
    }
    if (status == ADG_OK) {
        adbc->filling = place->name;
        adbc->running = pthread_create(&adbc->thread, NULL, fill, adbc) == 0;
        status = adbc->running ? ADG_OK : adg_fail(error, ADG_FAILED, "a thread cannot be started");
    }
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    return status;
}

/* Waits for the thread, whose result this is. */
static enum adg_status join(struct adbc *adbc, struct adg_error *error)
{
    if (adbc->running) {
        pthread_join(adbc->thread, NULL);
        adbc->running = false;
    }
    if (adbc->status != ADG_OK && error != NULL) {
        *error = adbc->error;
    }
    return adbc->status;
}

static enum adg_status adbc_take(struct adg_destination *destination, const struct adg_destination_table *table,
                                 struct adg_sink_part *part, uint64_t *bytes, struct adg_error *error)
{
    struct adbc *adbc = of(destination);
    struct ArrowArray batch;
    (void)table;
    if (part->detail == NULL) { /* of a table without rows */
        return ADG_OK;
    }
    *bytes = adg_sink_batches_take(part, &batch);
    if (adg_batches_put(adbc->batches, &batch)) {
        return ADG_OK;
    }
    enum adg_status status = join(adbc, error);
    return status != ADG_OK ? status : adg_fail(error, ADG_FAILED, "filling the table: the driver takes no more rows");
}

/* ---- making it count --------------------------------------------------------------------------------------------- */

/* A driver may lose what the database says of the last rows: that they go against its primary key. */
static enum adg_status check_rows(struct adbc *adbc, const struct place *place,
                                  const struct adg_destination_table *table, struct adg_error *error)
{
    uint64_t rows = 0;
    enum adg_status status = count_rows(adbc, place->name, &rows, error);
    if (status == ADG_OK && rows != adbc->rows_before + adg_plan_rows(table->plan)) {
        status = adg_fail(error, ADG_FAILED,
                          "filling the table: the database did not take all rows; another --seed gives other keys, if "
                          "some are there already");
    }
    return status;
}

/* DuckDB keeps comments; of others nothing is known. */
static enum adg_status comment(struct adbc *adbc, const struct place *place, const struct adg_destination_table *table,
                               struct adg_error *error)
{
    const struct adg_provenance provenance = adg_provenance_of(adbc->run);
    const struct adg_provenance_entry entry = {
        .table = table->name, .is_part = adbc->run->sharded, .rows = adg_plan_rows(table->plan)};
    struct adg_buffer text = {0}, sql = {0};
    enum adg_status status = adg_buffer_append_text(&text, ADG_LOAD_COMMENT, error);
    if (status == ADG_OK) {
        status = adg_provenance_line(&text, &provenance, &entry, error);
    }
    if (status == ADG_OK) {
        text.size--; /* its line end */
        const char *said = adg_buffer_text(&text);
        status = said == NULL ? adg_fail_memory(error)
                              : adg_ddl_format(&sql, error, "comment on table %n is %l", place->name, said);
    }
    if (status == ADG_OK) {
        status = execute(adbc, &sql, "saying what the table was made from", error);
    }
    adg_buffer_fini(&sql);
    adg_buffer_fini(&text);
    return status;
}

static enum adg_status adbc_commit(struct adg_destination *destination, const struct adg_destination_table *table,
                                   struct adg_error *error)
{
    struct adbc *adbc = of(destination);
    const struct place *place = &adbc->places[table->number];
    adg_batches_end(adbc->batches);
    enum adg_status status = join(adbc, error);
    if (status == ADG_OK) {
        status = check_rows(adbc, place, table, error);
    }
    if (status == ADG_OK && is_duckdb(adbc) && !appends(adbc, place)) {
        status = comment(adbc, place, table, error);
    }
    if (status == ADG_OK) {
        status = adg_engine_commit(adbc->engine, error);
    }
    if (status == ADG_OK) {
        adbc->committed = true;
        adg_batches_free(adbc->batches);
        adbc->batches = NULL;
    }
    pthread_mutex_lock(&adbc->lock);
    adbc->busy = false;
    pthread_cond_broadcast(&adbc->changed);
    pthread_mutex_unlock(&adbc->lock);
    return status;
}

static const char *adbc_place(const struct adg_destination *destination, uint32_t table)
{
    return ((const struct adbc *)destination)->places[table].name;
}

/* A file that this run has made, and that holds nothing. */
static void remove_file(const struct adbc *adbc)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.wal", adbc->options.target->file);
    unlink(path);
    unlink(adbc->options.target->file);
}

static void adbc_close(struct adg_destination *destination)
{
    struct adbc *adbc = of(destination);
    if (adbc->batches != NULL) {
        struct adg_error ignored;
        adg_batches_give_up(adbc->batches);
        enum adg_status status = join(adbc, &ignored);
        if (adbc->engine != NULL && status != ADG_OK) {
            status = adg_engine_rollback(adbc->engine, &ignored);
        }
        (void)status; /* a transaction that is not committed ends with its connection at the latest */
    }
    adg_batches_free(adbc->batches);
    adg_engine_free(adbc->engine);
    if (adbc->file_made && !adbc->committed) {
        remove_file(adbc);
    }
    pthread_cond_destroy(&adbc->changed);
    pthread_mutex_destroy(&adbc->lock);
    adg_arena_fini(&adbc->arena);
    adg_free(adbc->places);
    adg_free(adbc);
}

enum adg_status adg_destination_adbc_new(const struct adg_run_options *run, const struct adg_load_adbc_options *options,
                                         struct adg_destination **out, struct adg_error *error)
{
    static const struct adg_destination_operations operations = {.open = adbc_open,
                                                                 .check = adbc_check,
                                                                 .begin = adbc_begin,
                                                                 .take = adbc_take,
                                                                 .commit = adbc_commit,
                                                                 .place = adbc_place,
                                                                 .close = adbc_close};
    struct adbc *adbc = adg_alloc_zero(1, sizeof *adbc);
    if (adbc == NULL) {
        return adg_fail_memory(error);
    }
    *adbc = (struct adbc){.base.operations = &operations,
                          .run = run,
                          .options = *options,
                          .lock = PTHREAD_MUTEX_INITIALIZER,
                          .changed = PTHREAD_COND_INITIALIZER};
    *out = &adbc->base;
    return ADG_OK;
}
