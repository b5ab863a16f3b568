/*
 * adg_stream_open, adg_stream_schema and adg_definition_schema (include/adg.h): blocks of a plan, one after the other, as an ArrowArrayStream.
 *
 * A stream has one block, which it makes anew for every batch, and a batch is a copy: so there are never more than the two.
 * It holds its plan, which holds its definition; nothing else is needed once the plan is made. A lock makes calls from
 * several threads take turns.
 */
#include <errno.h>
#include <nanoarrow/nanoarrow.h>
#include <pthread.h>
#include <string.h>

#include "core/memory.h"
#include "dataset/dataset.h"
#include "generate/plan.h"
#include "sink/arrow.h"

#define EXPORT __attribute__((visibility("default")))

struct stream {
    const struct adg_plan *plan; /* held */
    struct adg_block *block;
    struct adg_arrow *arrow;
    pthread_mutex_t lock; /* guards the rest */
    uint64_t next, end;
    struct adg_error error;
};

static int error_number(enum adg_status status)
{
    return status == ADG_USAGE || status == ADG_BAD_INPUT ? EINVAL : EIO;
}

/* ---- the columns that are asked for -------------------------------------------------------------------------------- */

struct chosen {
    uint32_t *numbers; /* NULL: all of them */
    bool *wanted;      /* [columns of the plan]; NULL: all of them */
    uint32_t count;
};

static void chosen_fini(struct chosen *chosen)
{
    adg_free(chosen->numbers);
    adg_free(chosen->wanted);
}

static int64_t find_column(const struct adg_layout *layout, const char *name)
{
    for (uint32_t i = 0; i < layout->column_count; i++) {
        if (strcasecmp(layout->columns[i].field->name, name) == 0) {
            return i;
        }
    }
    return -1;
}

static enum adg_status choose(const struct adg_layout *layout, const struct adg_stream_options *options,
                              struct chosen *chosen, struct adg_error *error)
{
    if (options->columns == NULL) {
        return ADG_OK;
    }
    chosen->count = options->column_count;
    chosen->numbers = adg_alloc_array(chosen->count, sizeof *chosen->numbers);
    chosen->wanted = adg_alloc_zero(layout->column_count, sizeof *chosen->wanted);
    if (chosen->numbers == NULL || chosen->wanted == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < chosen->count; i++) {
        int64_t number = find_column(layout, options->columns[i]);
        if (number < 0) {
            return adg_fail(error, ADG_BAD_INPUT, "table %s has no column %s", layout->table, options->columns[i]);
        }
        if (chosen->wanted[number]) {
            return adg_fail(error, ADG_USAGE, "column %s is asked for twice", options->columns[i]);
        }
        chosen->numbers[i] = (uint32_t)number;
        chosen->wanted[number] = true;
    }
    return ADG_OK;
}

/* ---- the callbacks of the Arrow C stream interface ----------------------------------------------------------------- */

static int get_schema(struct ArrowArrayStream *arrow_stream, struct ArrowSchema *out)
{
    struct stream *stream = arrow_stream->private_data;
    pthread_mutex_lock(&stream->lock);
    enum adg_status status = adg_arrow_schema(stream->arrow, out, &stream->error);
    pthread_mutex_unlock(&stream->lock);
    return status == ADG_OK ? 0 : error_number(status);
}

static int get_next(struct ArrowArrayStream *arrow_stream, struct ArrowArray *out)
{
    struct stream *stream = arrow_stream->private_data;
    enum adg_status status = ADG_OK;
    pthread_mutex_lock(&stream->lock);
    if (stream->next == stream->end) {
        *out = (struct ArrowArray){.release = NULL};
    } else {
        status = adg_block_generate(stream->block, stream->next, &stream->error);
        if (status == ADG_OK) {
            status = adg_arrow_batch(stream->arrow, stream->block, out, &stream->error);
        }
        stream->next += status == ADG_OK;
    }
    pthread_mutex_unlock(&stream->lock);
    return status == ADG_OK ? 0 : error_number(status);
}

static const char *get_last_error(struct ArrowArrayStream *arrow_stream)
{
    const struct stream *stream = arrow_stream->private_data;
    return stream->error.message;
}

static void stream_free(struct stream *stream)
{
    if (stream != NULL) {
        adg_block_free(stream->block);
        adg_arrow_free(stream->arrow);
        adg_plan_free((struct adg_plan *)(uintptr_t)stream->plan);
        pthread_mutex_destroy(&stream->lock);
        adg_free(stream);
    }
}

static void release(struct ArrowArrayStream *arrow_stream)
{
    stream_free(arrow_stream->private_data);
    arrow_stream->private_data = NULL;
    arrow_stream->release = NULL;
}

/* ---- public -------------------------------------------------------------------------------------------------------- */

EXPORT enum adg_status adg_stream_open(const struct adg_plan *plan, const struct adg_stream_options *options,
                                       struct ArrowArrayStream *out, struct adg_error *error)
{
    struct chosen chosen = {0};
    uint64_t end = 0;
    enum adg_status status = adg_plan_range(plan, options->first_block, options->end_block, &end, error);
    if (status != ADG_OK) {
        return status;
    }
    struct stream *stream = adg_alloc_zero(1, sizeof *stream);
    if (stream == NULL) {
        return adg_fail_memory(error);
    }
    pthread_mutex_init(&stream->lock, NULL);
    stream->plan = adg_plan_hold(plan);
    stream->next = options->first_block;
    stream->end = end;
    const struct adg_layout *layout = adg_plan_layout(plan);
    status = choose(layout, options, &chosen, error);
    if (status == ADG_OK) {
        status = adg_arrow_new(layout, chosen.numbers, chosen.count, options->dictionaries, &stream->arrow, error);
    }
    if (status == ADG_OK) {
        status = adg_block_new_of(plan, chosen.wanted, &stream->block, error);
    }
    chosen_fini(&chosen);
    if (status != ADG_OK) {
        stream_free(stream);
        return status;
    }
    *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                     .get_next = get_next,
                                     .get_last_error = get_last_error,
                                     .release = release,
                                     .private_data = stream};
    return ADG_OK;
}

EXPORT enum adg_status adg_stream_schema(const struct adg_plan *plan, const struct adg_stream_options *options,
                                         struct ArrowSchema *out, struct adg_error *error)
{
    struct chosen chosen = {0};
    struct adg_arrow *arrow = NULL;
    const struct adg_layout *layout = adg_plan_layout(plan);
    enum adg_status status = choose(layout, options, &chosen, error);
    if (status == ADG_OK) {
        status = adg_arrow_new(layout, chosen.numbers, chosen.count, options->dictionaries, &arrow, error);
    }
    if (status == ADG_OK) {
        status = adg_arrow_schema(arrow, out, error);
    }
    adg_arrow_free(arrow);
    chosen_fini(&chosen);
    return status;
}

EXPORT enum adg_status adg_definition_schema(const struct adg_definition *definition, const char *table,
                                             struct ArrowSchema *out, struct adg_error *error)
{
    const struct adg_dataset *dataset = NULL;
    struct adg_arrow *arrow = NULL;
    enum adg_status status = adg_definition_find_table(definition, table, &dataset, NULL, error);
    if (status != ADG_OK) {
        return status;
    }
    struct adg_layout_column *columns = adg_alloc_zero(dataset->field_count, sizeof *columns);
    if (columns == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t f = 0; f < dataset->field_count; f++) {
        columns[f] = (struct adg_layout_column){.field = &dataset->fields[f], .kind = ADG_COLUMN_NULL};
    }
    const struct adg_layout layout = {.table = table, .column_count = dataset->field_count, .columns = columns};
    status = adg_arrow_new(&layout, NULL, 0, false, &arrow, error);
    if (status == ADG_OK) {
        status = adg_arrow_schema(arrow, out, error);
    }
    adg_arrow_free(arrow);
    adg_free(columns);
    return status;
}
