/*
 * A whole run: see run.h.
 *
 * Work is one sequence of items, (table, part) in order of tables and parts, so that many small tables and a large one both
 * keep all threads busy. Each thread takes the first of these that it can do:
 *
 *     write   the next item in order is encoded, and nobody else writes: append it to its table's file; after a table's
 *             last part, put the file under its final name while others write on
 *     open    a table is closed of which a thread may want an item next: make its columns again, while others encode
 *     encode  an item is left whose table is open, and no more than `window` items are ahead of the writer: generate its
 *             blocks and encode them
 *     wait    until something changes; or end, when everything is written or something failed
 *
 * Parts in flight, and with them memory, are bounded by the window. Everything in struct run below `lock` is guarded by it, and so
 * are states and users of tables; what else they hold is guarded by the writer's role, of which there is one.
 *
 * All tables are planned before anything is written, since planning is what refuses. Fifty plans of a national estate would be
 * most of the memory of a run, so what a plan draws from is dropped beyond a few, made again when the table's turn comes, and
 * dropped when its last part is written and no thread stays with it.
 */
#include "run/run.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/buffer.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "core/stop.h"
#include "generate/plan.h"
#include "run/choose.h"
#include "run/destination.h"
#include "run/encoding.h"
#include "run/output.h"

/* Columns that may be kept from planning to writing; those of the first table always are. */
#define KEPT_COLUMN_BYTES ((size_t)96 << 20)

enum table_state { TABLE_CLOSED, TABLE_OPENING, TABLE_OPEN };

struct table {
    const char *name;
    enum table_state state; /* open: the plan has its columns, and there is a sink */
    unsigned users;         /* threads that stay with it, and the run until its last part is written */
    struct adg_plan *plan;
    uint64_t blocks;
    uint64_t first_item; /* items of this table: first_item .. first_item + item_count - 1 */
    uint64_t item_count; /* at least one, which has no blocks when the table has no rows; none: the table is skipped */
    struct adg_sink *sink;
    struct adg_destination_file file;
    uint64_t bytes;      /* written so far, of this file */
    uint64_t done_bytes; /* of files that are finished */
};

struct slot {
    struct adg_sink_part part;
    bool ready;
};

struct run {
    const struct adg_run_options *options;
    const struct adg_sink_operations *sink;
    uint32_t part_blocks;
    struct adg_population *population; /* of profile coherent */
    struct adg_destination *destination;
    struct table *tables;
    uint32_t table_count;
    uint64_t item_count, rows_total;
    char key[320]; /* tells this run from others whose parts may not mix with its own */
    unsigned threads, window;
    struct slot *slots;           /* [window]; item i lies in slot i % window */
    struct adg_sink_part *spares; /* [window] memory of parts that were written, the latest last */
    unsigned spare_count;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t next_encode, next_write;
    bool writing;
    uint64_t rows_done;
    uint32_t planned; /* tables begun */
    size_t kept_bytes;
    enum adg_status status; /* of the first failure */
    struct adg_error error;
};

/* What a thread keeps while it stays with one table. */
struct worker {
    struct table *table;
    struct adg_encoding encoding;
};

/* ---- planning ---------------------------------------------------------------------------------------------------- */

static unsigned thread_count(const struct run *run)
{
    return run->options->threads > 0 ? run->options->threads : adg_processor_count();
}

static void close_table(const struct run *run, struct table *table)
{
    if (table->sink != NULL) {
        run->sink->free(table->sink);
        table->sink = NULL;
    }
    adg_plan_drop_columns(table->plan);
    table->state = TABLE_CLOSED;
}

static enum adg_status open_table(const struct run *run, struct table *table, struct adg_error *error)
{
    const struct adg_run_options *options = run->options;
    enum adg_status status = adg_plan_make_columns(table->plan, options->metadata, error);
    return status == ADG_OK ? run->sink->open(adg_plan_layout(table->plan), options->compression, &table->sink, error)
                            : status;
}

/* Whether a table may stay open after it was planned. */
static bool may_keep(struct run *run, const struct table *table)
{
    size_t bytes = adg_plan_column_bytes(table->plan);
    pthread_mutex_lock(&run->lock);
    bool keep = table == run->tables || run->kept_bytes + bytes <= KEPT_COLUMN_BYTES;
    run->kept_bytes += keep ? bytes : 0;
    pthread_mutex_unlock(&run->lock);
    return keep;
}

/* Several tables are planned side by side, each by one thread; a single one counts its patients with all. */
static enum adg_status plan_table(void *context, uint64_t number, struct adg_error *error)
{
    struct run *run = context;
    struct table *table = &run->tables[number];
    const struct adg_run_options *options = run->options;
    const struct adg_plan_options plan_options = {.seed = options->seed,
                                                  .patients = options->patients,
                                                  .rows = options->rows,
                                                  .shard = options->shard,
                                                  .shards = options->shards,
                                                  .threads = run->table_count > 1 ? 1 : thread_count(run),
                                                  .profile = options->profile,
                                                  .population = run->population};
    pthread_mutex_lock(&run->lock);
    options->progress.report(options->progress.context, "planning", table->name, run->planned++, run->table_count);
    pthread_mutex_unlock(&run->lock);
    enum adg_status status = adg_stop_check(error);
    if (status == ADG_OK) {
        status = adg_plan_new(options->definition, options->metadata, table->name, &plan_options, &table->plan, error);
    }
    if (status == ADG_OK) {
        status = open_table(run, table, error);
    }
    if (status == ADG_OK) {
        table->users = 1;
        table->state = TABLE_OPEN;
        if (!may_keep(run, table)) {
            close_table(run, table);
        }
    }
    return status;
}

/* Gives the table its items, and shows what its plan warns of. */
static void add_items(struct run *run, struct table *table)
{
    const struct adg_run_options *options = run->options;
    table->blocks = adg_plan_blocks(table->plan);
    table->first_item = run->item_count;
    table->item_count = table->blocks == 0 ? 1 : (table->blocks - 1) / run->part_blocks + 1;
    run->item_count += table->item_count;
    run->rows_total += adg_plan_rows(table->plan);
    for (uint32_t i = 0; i < adg_plan_warning_count(table->plan); i++) {
        options->progress.warn(options->progress.context, adg_plan_warning(table->plan, i));
    }
}

static enum adg_status plan(struct run *run, struct adg_error *error)
{
    const char **names = NULL;
    uint32_t count = 0;
    enum adg_status status = adg_run_choose(run->options, &names, &count, error);
    if (status == ADG_OK) {
        run->tables = adg_alloc_zero(count, sizeof *run->tables);
        status = run->tables == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    for (; status == ADG_OK && run->table_count < count; run->table_count++) {
        run->tables[run->table_count].name = names[run->table_count];
    }
    adg_free(names);
    if (status == ADG_OK && run->options->out_folder == NULL && run->destination == NULL && run->table_count != 1) {
        status = adg_fail(error, ADG_USAGE, "standard output takes one table");
    }
    if (status == ADG_OK && run->options->profile == ADG_PROFILE_COHERENT) {
        status = adg_population_new(run->options->definition, run->options->metadata, &run->population, error);
    }
    if (status == ADG_OK) {
        status = adg_parallel_for(thread_count(run), run->table_count, plan_table, run, error);
    }
    return status;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static enum adg_status write_bytes(struct table *table, const struct adg_buffer *bytes, struct adg_error *error)
{
    enum adg_status status = adg_descriptor_write(table->file.descriptor, table->file.name, bytes->data, bytes->size,
                                                  error);
    if (status == ADG_OK) {
        table->bytes += bytes->size;
    }
    return status;
}

static struct adg_destination_table told(const struct run *run, const struct table *table)
{
    return (struct adg_destination_table){.number = (uint32_t)(table - run->tables),
                                          .name = table->name,
                                          .plan = table->plan,
                                          .operations = run->sink,
                                          .sink = table->sink,
                                          .bytes = table->bytes};
}

/* Hands the part over, or writes it. */
static enum adg_status put_part(const struct run *run, struct table *table, struct adg_sink_part *part,
                                struct adg_error *error)
{
    struct adg_destination *destination = run->destination;
    if (destination->operations->take == NULL) {
        return adg_output_put_part(table->file.descriptor, table->file.name, part, &table->bytes, error);
    }
    const struct adg_destination_table about = told(run, table);
    uint64_t bytes = 0;
    enum adg_status status = destination->operations->take(destination, &about, part, &bytes, error);
    if (status == ADG_OK) {
        table->bytes += bytes;
    }
    return status;
}

static enum adg_status begin_file(const struct run *run, struct table *table, struct adg_error *error)
{
    struct adg_buffer bytes = {0};
    table->bytes = 0;
    const struct adg_destination_table about = told(run, table);
    enum adg_status status = run->destination->operations->begin(run->destination, &about, &table->file, error);
    if (status == ADG_OK) {
        status = run->sink->begin(table->sink, &bytes, error);
    }
    if (status == ADG_OK) {
        status = write_bytes(table, &bytes, error);
    }
    adg_buffer_fini(&bytes);
    return status;
}

/* The sink's last words; then `end` or `commit` of the destination. */
static enum adg_status finish_file(const struct run *run, struct table *table,
                                   enum adg_status (*then)(struct adg_destination *destination,
                                                           const struct adg_destination_table *table,
                                                           struct adg_error *error),
                                   struct adg_error *error)
{
    struct adg_buffer bytes = {0};
    enum adg_status status = run->sink->finish(table->sink, table->bytes, &bytes, error);
    if (status == ADG_OK) {
        status = write_bytes(table, &bytes, error);
    }
    if (status == ADG_OK) {
        const struct adg_destination_table about = told(run, table);
        status = then(run->destination, &about, error);
        table->done_bytes += table->bytes;
    }
    adg_buffer_fini(&bytes);
    return status;
}

static enum adg_status write_part(const struct run *run, struct table *table, uint64_t item, struct adg_sink_part *part,
                                  struct adg_error *error)
{
    const uint64_t number = item - table->first_item, file_parts = run->destination->file_parts;
    const bool begins = file_parts > 0 ? number % file_parts == 0 : number == 0;
    enum adg_status status = ADG_OK;
    if (begins && number > 0) {
        status = finish_file(run, table, run->destination->operations->end, error);
    }
    if (status == ADG_OK && begins) {
        status = begin_file(run, table, error);
    }
    if (status == ADG_OK && table->blocks > 0) {
        status = run->sink->append(table->sink, part, table->bytes, error);
    }
    if (status == ADG_OK) {
        status = put_part(run, table, part, error);
    }
    return status;
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

static struct table *table_of_item(struct run *run, uint64_t item)
{
    uint32_t low = 0, high = run->table_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (run->tables[middle].first_item <= item) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &run->tables[low];
}

/* Called with the lock held. */
static void note(struct run *run, const struct table *table, enum adg_status status, const struct adg_error *error)
{
    if (status != ADG_OK && run->status == ADG_OK) {
        run->status = status;
        run->error = *error;
        adg_context(&run->error, status, "table %s", table->name);
    }
    pthread_cond_broadcast(&run->changed);
}

/* The last one closes the table. Called without the lock. */
static void leave_table(struct run *run, struct table *table)
{
    pthread_mutex_lock(&run->lock);
    bool last = --table->users == 0;
    pthread_mutex_unlock(&run->lock);
    if (last) {
        close_table(run, table);
    }
}

/* Writes the next item in order. Called with the lock held, and returns so. */
static void write_next(struct run *run)
{
    uint64_t item = run->next_write;
    struct slot *slot = &run->slots[item % run->window];
    struct table *table = table_of_item(run, item);
    struct adg_error error = {{0}};
    run->writing = true;
    pthread_mutex_unlock(&run->lock);
    enum adg_status status = write_part(run, table, item, &slot->part, &error);
    struct adg_sink_part spare = adg_sink_part_empty(&slot->part);
    run->sink->part_fini(&slot->part);
    pthread_mutex_lock(&run->lock);
    if (run->spare_count < run->window) { /* parts without blocks have taken no memory, and would bring more and more */
        run->spares[run->spare_count++] = spare;
        spare = (struct adg_sink_part){0};
    }
    *slot = (struct slot){0};
    run->next_write++;
    run->writing = false;
    note(run, table, status, &error);
    run->sink->part_fini(&spare);
    if (status == ADG_OK && run->next_write == table->first_item + table->item_count) {
        pthread_mutex_unlock(&run->lock);
        status = finish_file(run, table, run->destination->operations->commit, &error);
        leave_table(run, table);
        pthread_mutex_lock(&run->lock);
        note(run, table, status, &error);
    }
}

static void worker_leave(struct run *run, struct worker *worker)
{
    adg_encoding_fini(&worker->encoding);
    if (worker->table != NULL) {
        leave_table(run, worker->table);
    }
    *worker = (struct worker){0};
}

static enum adg_status worker_enter(struct run *run, struct worker *worker, struct table *table,
                                    struct adg_error *error)
{
    if (worker->table == table) {
        return ADG_OK;
    }
    worker_leave(run, worker);
    pthread_mutex_lock(&run->lock);
    table->users++;
    pthread_mutex_unlock(&run->lock);
    worker->table = table;
    return adg_encoding_init(&worker->encoding, run->sink, table->sink, table->plan, error);
}

static enum adg_status encode_blocks(struct run *run, struct worker *worker, uint64_t first, uint64_t end,
                                     struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint64_t b = first; b < end && status == ADG_OK; b++) {
        uint32_t rows = 0;
        status = adg_encoding_add(&worker->encoding, b, &rows, error);
        if (status == ADG_OK) {
            pthread_mutex_lock(&run->lock);
            run->rows_done += rows;
            run->options->progress.report(run->options->progress.context, "generating", worker->table->name,
                                          run->rows_done, run->rows_total);
            pthread_mutex_unlock(&run->lock);
        }
    }
    return status;
}

/* Memory of parts is with those that are made or wait to be written, and no more of it than there may be of these. */
static struct adg_sink_part take_spare(struct run *run)
{
    struct adg_sink_part spare = {0};
    pthread_mutex_lock(&run->lock);
    if (run->spare_count > 0) {
        spare = run->spares[--run->spare_count];
    }
    pthread_mutex_unlock(&run->lock);
    return spare;
}

/* Generates and encodes an item. Called without the lock. */
static enum adg_status encode_item(struct run *run, struct worker *worker, struct table *table, uint64_t item,
                                   struct adg_sink_part *part, struct adg_error *error)
{
    if (table->blocks == 0) {
        return adg_stop_check(error);
    }
    uint64_t first = (item - table->first_item) * run->part_blocks;
    uint64_t end = table->blocks - first < run->part_blocks ? table->blocks : first + run->part_blocks;
    enum adg_status status = worker_enter(run, worker, table, error);
    if (status == ADG_OK) {
        struct adg_sink_part memory = take_spare(run);
        run->sink->part_begin(worker->encoding.encoder, &memory);
        run->sink->part_fini(&memory);
        status = encode_blocks(run, worker, first, end, error);
    }
    return status == ADG_OK ? run->sink->part_end(worker->encoding.encoder, part, error) : status;
}

/* Called with the lock held, and returns so. */
static void encode_next(struct run *run, struct worker *worker)
{
    uint64_t item = run->next_encode++;
    struct table *table = table_of_item(run, item);
    struct adg_sink_part part = {0};
    struct adg_error error = {{0}};
    pthread_mutex_unlock(&run->lock);
    enum adg_status status = encode_item(run, worker, table, item, &part, &error);
    pthread_mutex_lock(&run->lock);
    run->slots[item % run->window] = (struct slot){.part = part, .ready = status == ADG_OK};
    note(run, table, status, &error);
}

/* The first closed table among those of the next items, one for each thread. */
static struct table *table_to_open(struct run *run)
{
    const uint64_t wanted = run->next_encode + run->threads, allowed = run->next_write + run->window;
    for (uint64_t item = run->next_encode; item < run->item_count && item < wanted && item < allowed;) {
        struct table *table = table_of_item(run, item);
        if (table->state == TABLE_CLOSED) {
            return table;
        }
        item = table->first_item + table->item_count;
    }
    return NULL;
}

/* Called with the lock held, and returns so. */
static void open_next(struct run *run, struct worker *worker, struct table *table)
{
    struct adg_error error = {{0}};
    table->state = TABLE_OPENING;
    pthread_mutex_unlock(&run->lock);
    worker_leave(run, worker); /* its memory is for planning, and so is a part's */
    struct adg_sink_part spare = take_spare(run);
    run->sink->part_fini(&spare);
    enum adg_status status = adg_stop_check(&error);
    if (status == ADG_OK) {
        status = open_table(run, table, &error);
    }
    pthread_mutex_lock(&run->lock);
    table->state = status == ADG_OK ? TABLE_OPEN : TABLE_CLOSED;
    note(run, table, status, &error);
}

static bool can_encode(struct run *run)
{
    return run->next_encode < run->item_count && run->next_encode < run->next_write + run->window &&
           table_of_item(run, run->next_encode)->state == TABLE_OPEN;
}

/* One thread. Failures are noted in the run, not returned. */
static enum adg_status work(void *context, uint64_t number, struct adg_error *error)
{
    (void)number;
    (void)error;
    struct run *run = context;
    struct worker worker = {0};
    struct table *closed;
    pthread_mutex_lock(&run->lock);
    while (run->status == ADG_OK && run->next_write < run->item_count) {
        if (!run->writing && run->slots[run->next_write % run->window].ready) {
            write_next(run);
        } else if ((closed = table_to_open(run)) != NULL) {
            open_next(run, &worker, closed);
        } else if (can_encode(run)) {
            encode_next(run, &worker);
        } else {
            pthread_cond_wait(&run->changed, &run->lock);
        }
    }
    pthread_mutex_unlock(&run->lock);
    worker_leave(run, &worker);
    return ADG_OK;
}

static enum adg_status work_in_threads(struct run *run, struct adg_error *error)
{
    unsigned threads = thread_count(run);
    if (threads > run->item_count) {
        threads = (unsigned)run->item_count;
    }
    run->threads = threads;
    run->window = threads + 2;
    run->slots = adg_alloc_zero(run->window, sizeof *run->slots);
    run->spares = adg_alloc_zero(run->window, sizeof *run->spares);
    if (run->slots == NULL || run->spares == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = adg_parallel_for(threads, threads, work, run, error);
    if (status == ADG_OK && run->status != ADG_OK) {
        status = run->status;
        if (error != NULL) {
            *error = run->error;
        }
    }
    return status;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

const char *const adg_profile_names[] = {
    [ADG_PROFILE_REFERENCE] = "reference", [ADG_PROFILE_COHERENT] = "coherent", NULL};

static void make_key(struct run *run)
{
    const struct adg_run_options *options = run->options;
    snprintf(run->key, sizeof run->key,
             "definition %s\nmetadata %s\nseed %" PRIu64 "\npatients %" PRIu64 "\nrows %" PRIu64 "\nshards %" PRIu64
             "\nprofile %s\nformat %d\ncompression %d\n",
             options->metadata->manifest.definition_sha256, options->metadata->manifest.metadata_sha256, options->seed,
             options->patients, options->rows, options->shards, adg_profile_names[options->profile],
             (int)options->format, (int)options->compression);
}

/* Asks the destination about every table, before the first is written, and gives those that are to be written their items. */
static enum adg_status check_tables(struct run *run, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t t = 0; t < run->table_count && status == ADG_OK; t++) {
        struct table *table = &run->tables[t];
        const struct adg_destination_table about = told(run, table);
        bool skip = false;
        status = run->destination->operations->check(run->destination, &about, &skip, error);
        if (status == ADG_OK && !skip) {
            add_items(run, table);
        } else if (status == ADG_OK) {
            table->first_item = run->item_count;
            close_table(run, table);
        }
    }
    return status;
}

static enum adg_status write_tables(struct run *run, struct adg_error *error)
{
    const struct adg_run_options *options = run->options;
    enum adg_status status = ADG_OK;
    if (run->destination != NULL) {
        ; /* the caller's */
    } else if (options->out_folder == NULL) {
        status = adg_destination_descriptor_new(options, &run->destination, error);
    } else if (options->format == ADG_FORMAT_DELTA) {
        status = adg_destination_delta_new(options, run->table_count, &run->destination, error);
    } else {
        status = adg_destination_folder_new(options, run->sink->extension, run->key, run->table_count,
                                            &run->destination, error);
    }
    if (status == ADG_OK) {
        status = run->destination->operations->open(run->destination, error);
    }
    if (status == ADG_OK) {
        status = check_tables(run, error);
    }
    return status == ADG_OK && run->item_count > 0 ? work_in_threads(run, error) : status;
}

static enum adg_status take_result(struct run *run, struct adg_run_result *result, struct adg_error *error)
{
    struct adg_run_result made = {.tables = adg_alloc_array(run->table_count, sizeof *made.tables)};
    if (made.tables == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t t = 0; t < run->table_count; t++) {
        const struct table *table = &run->tables[t];
        const char *place = run->destination->operations->place(run->destination, t);
        if (table->item_count == 0) {
            continue;
        }
        struct adg_run_table *entry = &made.tables[made.table_count++];
        *entry = (struct adg_run_table){.table = table->name,
                                        .path = place != NULL ? adg_strdup(place) : NULL,
                                        .rows = adg_plan_rows(table->plan),
                                        .bytes = table->done_bytes};
        if (entry->path == NULL && place != NULL) {
            adg_run_result_fini(&made);
            return adg_fail_memory(error);
        }
    }
    *result = made;
    return ADG_OK;
}

enum adg_status adg_run_generate(const struct adg_run_options *options, struct adg_run_result *result,
                                 struct adg_error *error)
{
    struct run run = {.options = options,
                      .sink = options->sink != NULL ? options->sink : adg_sink_find(options->format),
                      .destination = options->destination,
                      .lock = PTHREAD_MUTEX_INITIALIZER,
                      .changed = PTHREAD_COND_INITIALIZER};
    run.part_blocks = run.sink->part_blocks > 0 ? run.sink->part_blocks : ADG_SINK_PART_BLOCKS;
    make_key(&run);
    enum adg_status status = plan(&run, error);
    if (status == ADG_OK) {
        status = write_tables(&run, error);
    }
    if (status == ADG_OK) {
        status = take_result(&run, result, error);
    }
    if (run.destination != NULL) {
        run.destination->operations->close(run.destination);
    }
    for (unsigned i = 0; run.slots != NULL && i < run.window; i++) {
        run.sink->part_fini(&run.slots[i].part);
    }
    for (uint32_t t = 0; t < run.table_count; t++) {
        if (run.tables[t].sink != NULL) {
            run.sink->free(run.tables[t].sink);
        }
        adg_plan_free(run.tables[t].plan);
    }
    adg_population_free(run.population);
    for (unsigned i = 0; run.spares != NULL && i < run.spare_count; i++) {
        run.sink->part_fini(&run.spares[i]);
    }
    adg_free(run.spares);
    adg_free(run.slots);
    adg_free(run.tables);
    pthread_cond_destroy(&run.changed);
    pthread_mutex_destroy(&run.lock);
    return status;
}

void adg_run_result_fini(struct adg_run_result *result)
{
    for (uint32_t t = 0; t < result->table_count; t++) {
        adg_free(result->tables[t].path);
    }
    adg_free(result->tables);
    *result = (struct adg_run_result){0};
}
