/*
 * Patients and their rows: see patients.h.
 *
 * How many patients fill N rows is not known before they are drawn, so chunks are counted in waves: the first one as
 * large as the mean cardinality suggests, each next one by what is still missing.
 */
#include "generate/patients.h"

#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "core/stop.h"

/* Row numbers stay below this: identifiers number their strings with 48 bits. */
#define MOST_ROWS (UINT64_C(1) << 48)
enum { CHUNKS_PER_PART = 64 };

/* Classes of people: who does not appear has the class after the last, which has no rows. What only those need who may appear
 * is drawn for them alone. */
static void draw_people(const struct adg_patients *plan, uint64_t first, uint32_t count, uint32_t *classes,
                        uint32_t *births)
{
    const struct adg_presence *presence = &plan->presence;
    uint64_t people[ADG_PATIENT_CHUNK] = {first};
    uint32_t words[ADG_PATIENT_CHUNK], drawn[ADG_PATIENT_CHUNK], some = 0, there = 0;
    adg_stream_words(&presence->appears, first, count, words);
    for (uint32_t i = 0; i < count; i++) {
        classes[i] = plan->cardinality_count;
        people[some] = first + i;
        words[some] = words[i];
        some += words[i] < presence->most;
    }
    adg_patients_words(&presence->birth, people, some, drawn);
    adg_alias_draw(presence->births, drawn, some, drawn);
    for (uint32_t i = 0; i < some; i++) {
        births[people[i] - first] = drawn[i];
        people[there] = people[i];
        there += words[i] < presence->ends[drawn[i]];
    }
    adg_patients_words(&plan->stream, people, there, drawn);
    adg_alias_draw(&plan->alias, drawn, there, drawn);
    for (uint32_t i = 0; i < there; i++) {
        classes[people[i] - first] = drawn[i];
    }
}

/* Draws the cardinality classes of the chunk's patients, and what those who appear are born as; returns how many patients the
 * chunk has. */
static uint32_t draw_chunk(const struct adg_patients *plan, uint64_t chunk, uint32_t classes[ADG_PATIENT_CHUNK],
                           uint32_t births[ADG_PATIENT_CHUNK])
{
    uint64_t first = chunk * ADG_PATIENT_CHUNK, left = plan->patients - first;
    uint32_t count = left < ADG_PATIENT_CHUNK ? (uint32_t)left : ADG_PATIENT_CHUNK;
    if (plan->selected) {
        draw_people(plan, first, count, classes, births);
    } else if (plan->cardinality_count == 1) {
        memset(classes, 0, count * sizeof *classes);
    } else {
        adg_stream_words(&plan->stream, first, count, classes);
        adg_alias_draw(&plan->alias, classes, count, classes);
    }
    return count;
}

struct counting {
    struct adg_patients *plan;
    uint64_t first_chunk, end_chunk;
};

/* Leaves each chunk's own rows and patients at index chunk + 1. */
static enum adg_status count_part(void *context, uint64_t part, struct adg_error *error)
{
    struct counting *counting = context;
    struct adg_patients *plan = counting->plan;
    uint32_t classes[ADG_PATIENT_CHUNK], births[ADG_PATIENT_CHUNK];
    uint64_t chunk = counting->first_chunk + part * CHUNKS_PER_PART;
    uint64_t end = chunk + CHUNKS_PER_PART < counting->end_chunk ? chunk + CHUNKS_PER_PART : counting->end_chunk;
    for (; chunk < end; chunk++) {
        uint32_t count = draw_chunk(plan, chunk, classes, births);
        uint64_t rows = 0, filled = 0;
        for (uint32_t i = 0; i < count; i++) {
            uint64_t cardinality = plan->cardinalities[classes[i]];
            rows += cardinality;
            filled += cardinality != 0;
        }
        plan->rows_before[chunk + 1] = rows;
        plan->filled_before[chunk + 1] = filled;
    }
    return adg_stop_check(error);
}

/* Counts chunks up to `end_chunk` and sums them up. */
static enum adg_status count_chunks(struct adg_patients *plan, uint64_t end_chunk, unsigned threads,
                                    struct adg_error *error)
{
    uint64_t *rows = adg_realloc_array(plan->rows_before, end_chunk + 1, sizeof *rows);
    if (rows == NULL) {
        return adg_fail_memory(error);
    }
    plan->rows_before = rows;
    uint64_t *filled = adg_realloc_array(plan->filled_before, end_chunk + 1, sizeof *filled);
    if (filled == NULL) {
        return adg_fail_memory(error);
    }
    plan->filled_before = filled;
    rows[0] = filled[0] = 0;
    struct counting counting = {plan, plan->chunk_count, end_chunk};
    uint64_t parts = (end_chunk - plan->chunk_count + CHUNKS_PER_PART - 1) / CHUNKS_PER_PART;
    enum adg_status status = adg_parallel_for(threads, parts, count_part, &counting, error);
    if (status != ADG_OK) {
        return status;
    }
    for (uint64_t chunk = plan->chunk_count; chunk < end_chunk; chunk++) {
        if (rows[chunk + 1] > MOST_ROWS || rows[chunk] > MOST_ROWS) {
            return adg_fail(error, ADG_BAD_INPUT, "more than 2^48 rows in one table");
        }
        rows[chunk + 1] += rows[chunk];
        filled[chunk + 1] += filled[chunk];
    }
    plan->chunk_count = end_chunk;
    if (rows[end_chunk] > MOST_ROWS) {
        return adg_fail(error, ADG_BAD_INPUT, "more than 2^48 rows in one table");
    }
    return ADG_OK;
}

/* Cuts the patients after the one with row `plan->rows` - 1. */
static void cut_patients(struct adg_patients *plan)
{
    uint32_t classes[ADG_PATIENT_CHUNK], births[ADG_PATIENT_CHUNK];
    uint64_t chunk = plan->chunk_count - 1;
    while (plan->rows_before[chunk] >= plan->rows) {
        chunk--;
    }
    uint64_t rows = plan->rows_before[chunk], filled = plan->filled_before[chunk];
    uint32_t patient = 0;
    draw_chunk(plan, chunk, classes, births);
    for (; rows < plan->rows; patient++) {
        uint64_t cardinality = plan->cardinalities[classes[patient]];
        rows += cardinality;
        filled += cardinality != 0;
    }
    plan->patients = chunk * ADG_PATIENT_CHUNK + patient;
    plan->chunk_count = chunk + 1;
    plan->rows_before[chunk + 1] = plan->rows;
    plan->filled_before[chunk + 1] = plan->filled = filled;
}

static enum adg_status fill_rows(struct adg_patients *plan, uint64_t rows, double mean, unsigned threads,
                                 struct adg_error *error)
{
    plan->patients = UINT64_MAX;
    while (plan->chunk_count == 0 || plan->rows_before[plan->chunk_count] < rows) {
        uint64_t there = plan->chunk_count == 0 ? 0 : plan->rows_before[plan->chunk_count];
        double chunks = (double)(rows - there) / mean / ADG_PATIENT_CHUNK * 1.01 + 1;
        if (chunks + (double)plan->chunk_count > 67108864.0) { /* 1 GiB of sums */
            return adg_fail(error, ADG_BAD_INPUT, "too many patients are needed for so many rows: hardly any has rows");
        }
        enum adg_status status = count_chunks(plan, plan->chunk_count + (uint64_t)chunks, threads, error);
        if (status != ADG_OK) {
            return status;
        }
    }
    plan->rows = rows;
    cut_patients(plan);
    return ADG_OK;
}

enum adg_status adg_patients_plan(struct adg_patients *plan, struct adg_stream stream,
                                  const struct adg_presence *presence, const uint64_t *cardinalities,
                                  const uint64_t *weights, uint32_t count, uint64_t patients, uint64_t rows,
                                  unsigned threads, struct adg_error *error)
{
    uint64_t *parts = adg_alloc_array((size_t)count + 1, sizeof *parts);
    plan->cardinalities = adg_alloc_zero((size_t)count + 1, sizeof *plan->cardinalities);
    enum adg_status status = ADG_OK;
    if (parts == NULL || plan->cardinalities == NULL) {
        status = adg_fail_memory(error);
        goto done;
    }
    plan->stream = stream;
    plan->cardinality_count = count;
    plan->selected = presence != NULL;
    plan->presence = presence != NULL ? *presence : (struct adg_presence){.share = 1};
    memcpy(plan->cardinalities, cardinalities, count * sizeof *cardinalities);
    status = adg_parts_scale(weights, count, 0, 0, parts, error);
    if (status != ADG_OK) {
        goto done;
    }
    double mean = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (cardinalities[i] > MOST_ROWS / ADG_PATIENT_CHUNK) {
            status = adg_fail(error, ADG_BAD_INPUT, "a patient with more than 2^36 rows");
            goto done;
        }
        mean += (double)cardinalities[i] * (double)parts[i] / (double)ADG_PARTS;
    }
    mean *= plan->presence.share;
    if (mean == 0 && rows > 0) {
        status = adg_fail(error, ADG_BAD_INPUT, "no patient has rows by the metadata, so none can be filled");
        goto done;
    }
    status = adg_alias_build(&plan->alias, parts, count, error);
    if (status != ADG_OK) {
        goto done;
    }
    if (rows > MOST_ROWS || patients > MOST_ROWS) {
        status = adg_fail(error, ADG_BAD_INPUT, "more than 2^48 rows or patients in one table");
    } else if (rows > 0) {
        status = fill_rows(plan, rows, mean, threads, error);
    } else {
        plan->patients = patients;
        status = count_chunks(plan, (patients + ADG_PATIENT_CHUNK - 1) / ADG_PATIENT_CHUNK, threads, error);
        if (status == ADG_OK) {
            plan->rows = plan->rows_before[plan->chunk_count];
            plan->filled = plan->filled_before[plan->chunk_count];
        }
    }
done:
    adg_free(parts);
    return status;
}

void adg_patients_fini(struct adg_patients *plan)
{
    adg_alias_fini(&plan->alias);
    adg_free(plan->cardinalities);
    adg_free(plan->rows_before);
    adg_free(plan->filled_before);
}

/* The chunk that holds item `at`: the last one with before[chunk] <= at. Items exist, so empty chunks are passed
 * over. */
static uint64_t find_chunk(const uint64_t *before, uint64_t chunk_count, uint64_t at)
{
    uint64_t low = 0, high = chunk_count; /* before[low] <= at < before[high] */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (before[middle] <= at) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

uint64_t adg_patients_first_row(const struct adg_patients *plan, uint64_t filled)
{
    if (filled >= plan->filled) {
        return plan->rows;
    }
    uint32_t classes[ADG_PATIENT_CHUNK], births[ADG_PATIENT_CHUNK];
    uint64_t chunk = find_chunk(plan->filled_before, plan->chunk_count, filled);
    uint64_t row = plan->rows_before[chunk], seen = plan->filled_before[chunk];
    draw_chunk(plan, chunk, classes, births);
    for (uint32_t i = 0;; i++) {
        uint64_t cardinality = plan->cardinalities[classes[i]];
        if (cardinality != 0 && seen++ == filled) {
            return row;
        }
        row += cardinality;
    }
}

void adg_patients_runs(const struct adg_patients *plan, uint64_t first_row, uint32_t rows,
                       struct adg_patient_runs *runs)
{
    uint32_t classes[ADG_PATIENT_CHUNK], births[ADG_PATIENT_CHUNK];
    uint64_t chunk = find_chunk(plan->rows_before, plan->chunk_count, first_row);
    uint64_t row = plan->rows_before[chunk], end = first_row + rows;
    runs->count = 0;
    for (; row < end; chunk++) {
        if (plan->rows_before[chunk + 1] == plan->rows_before[chunk]) {
            continue;
        }
        uint32_t count = draw_chunk(plan, chunk, classes, births);
        for (uint32_t i = 0; i < count && row < end; i++) {
            uint64_t cardinality = plan->cardinalities[classes[i]];
            if (cardinality != 0 && row + cardinality > first_row) {
                runs->before = runs->count > 0 ? runs->before : row < first_row ? first_row - row : 0;
                runs->patients[runs->count] = chunk * ADG_PATIENT_CHUNK + i;
                if (plan->selected) {
                    runs->births[runs->count] = births[i];
                }
                runs->starts[runs->count++] = row < first_row ? 0 : (uint32_t)(row - first_row);
            }
            row += cardinality;
        }
    }
    runs->starts[runs->count] = rows;
}

void adg_patients_find(const struct adg_patients *plan, const uint64_t *patients, uint32_t count, uint64_t *first_rows,
                       uint64_t *rows)
{
    uint32_t classes[ADG_PATIENT_CHUNK], births[ADG_PATIENT_CHUNK], at = 0;
    uint64_t drawn = UINT64_MAX, row = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t chunk = patients[i] / ADG_PATIENT_CHUNK;
        rows[i] = first_rows[i] = 0;
        if (patients[i] >= plan->patients) {
            continue;
        }
        if (chunk != drawn) {
            draw_chunk(plan, chunk, classes, births);
            drawn = chunk;
            row = plan->rows_before[chunk];
            at = 0;
        }
        for (; at < patients[i] % ADG_PATIENT_CHUNK; at++) {
            row += plan->cardinalities[classes[at]];
        }
        uint64_t cardinality = plan->cardinalities[classes[at]], left = plan->rows > row ? plan->rows - row : 0;
        first_rows[i] = row;
        rows[i] = cardinality < left ? cardinality : left; /* the last patient may be cut */
    }
}

/* Few of the patients that share their blocks of random numbers: each one's own block is made, of which one word counts. */
static void draw_scattered(const struct adg_stream *stream, const uint64_t *patients, uint32_t count, uint32_t *out)
{
    enum { BATCH = 256 };
    uint32_t low[BATCH], high[BATCH], words[4 * BATCH];
    for (uint32_t from = 0; from < count; from += BATCH) {
        uint32_t batch = count - from < BATCH ? count - from : BATCH;
        for (uint32_t i = 0; i < batch; i++) {
            uint64_t block = adg_stream_block(patients[from + i]);
            low[i] = (uint32_t)block;
            high[i] = (uint32_t)(block >> 32);
        }
        adg_philox4x32_many(stream, low, high, batch, words);
        for (uint32_t i = 0; i < batch; i++) {
            out[from + i] = words[adg_stream_place(patients[from + i]) * batch + i];
        }
    }
}

void adg_patients_words(const struct adg_stream *stream, const uint64_t *patients, uint32_t count, uint32_t *out)
{
    uint32_t words[64];
    uint64_t group = UINT64_MAX;
    if (count > 0 && (patients[count - 1] / 64 - patients[0] / 64 + 1) * 16 > count) {
        draw_scattered(stream, patients, count, out);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (patients[i] / 64 != group) {
            group = patients[i] / 64;
            adg_stream_words(stream, group * 64, 64, words);
        }
        out[i] = words[patients[i] % 64];
    }
}
