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

/* Patients of a chunk that may have rows, in order: all of them, or the people who appear. */
struct drawn {
    uint32_t count;
    uint32_t places[ADG_PATIENT_CHUNK];  /* within the chunk */
    uint32_t classes[ADG_PATIENT_CHUNK]; /* of cardinality */
    uint32_t births[ADG_PATIENT_CHUNK];  /* of people */
};

/* What only those need who may appear is drawn for them alone. */
static void draw_people(const struct adg_patients *plan, uint64_t first, uint32_t count, struct drawn *out)
{
    const struct adg_presence *presence = &plan->presence;
    uint64_t people[ADG_PATIENT_CHUNK] = {first};
    uint32_t words[ADG_PATIENT_CHUNK], some = 0, there = 0;
    const uint32_t most = presence->most > UINT32_MAX ? UINT32_MAX : (uint32_t)(presence->most - 1);
    adg_stream_words(&presence->appears, first, count, words);
    for (uint32_t i = 0; i < count; i++) {
        out->places[some] = i;
        some += words[i] <= most;
    }
    for (uint32_t i = 0; i < some; i++) {
        people[i] = first + out->places[i];
    }
    adg_patients_words(&presence->birth, people, some, out->births);
    adg_alias_draw(presence->births, out->births, some, out->births);
    for (uint32_t i = 0; i < some; i++) {
        uint32_t place = out->places[i], birth = out->births[i];
        out->places[there] = place;
        out->births[there] = birth;
        people[there] = first + place;
        there += words[place] < presence->ends[birth];
    }
    adg_patients_words(&plan->stream, people, there, out->classes);
    adg_alias_draw(&plan->alias, out->classes, there, out->classes);
    out->count = there;
}

static void draw_chunk(const struct adg_patients *plan, uint64_t chunk, struct drawn *out)
{
    uint64_t first = chunk * ADG_PATIENT_CHUNK, left = plan->patients - first;
    uint32_t count = left < ADG_PATIENT_CHUNK ? (uint32_t)left : ADG_PATIENT_CHUNK;
    if (plan->selected) {
        draw_people(plan, first, count, out);
        return;
    }
    if (plan->cardinality_count == 1) {
        memset(out->classes, 0, count * sizeof *out->classes);
    } else {
        adg_stream_words(&plan->stream, first, count, out->classes);
        adg_alias_draw(&plan->alias, out->classes, count, out->classes);
    }
    for (uint32_t i = 0; i < count; i++) {
        out->places[i] = i;
    }
    out->count = count;
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
    struct drawn drawn;
    uint64_t chunk = counting->first_chunk + part * CHUNKS_PER_PART;
    uint64_t end = chunk + CHUNKS_PER_PART < counting->end_chunk ? chunk + CHUNKS_PER_PART : counting->end_chunk;
    for (; chunk < end; chunk++) {
        draw_chunk(plan, chunk, &drawn);
        uint64_t rows = 0, filled = 0;
        for (uint32_t i = 0; i < drawn.count; i++) {
            uint64_t cardinality = plan->cardinalities[drawn.classes[i]];
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
    struct drawn drawn;
    uint64_t chunk = plan->chunk_count - 1;
    while (plan->rows_before[chunk] >= plan->rows) {
        chunk--;
    }
    uint64_t rows = plan->rows_before[chunk], filled = plan->filled_before[chunk];
    uint32_t last = 0;
    draw_chunk(plan, chunk, &drawn);
    for (uint32_t i = 0; rows < plan->rows; i++) {
        uint64_t cardinality = plan->cardinalities[drawn.classes[i]];
        last = drawn.places[i];
        rows += cardinality;
        filled += cardinality != 0;
    }
    plan->patients = chunk * ADG_PATIENT_CHUNK + last + 1;
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
    plan->cardinalities = adg_alloc_array(count, sizeof *plan->cardinalities);
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
    struct drawn drawn;
    uint64_t chunk = find_chunk(plan->filled_before, plan->chunk_count, filled);
    uint64_t row = plan->rows_before[chunk], seen = plan->filled_before[chunk];
    draw_chunk(plan, chunk, &drawn);
    for (uint32_t i = 0;; i++) {
        uint64_t cardinality = plan->cardinalities[drawn.classes[i]];
        if (cardinality != 0 && seen++ == filled) {
            return row;
        }
        row += cardinality;
    }
}

void adg_patients_runs(const struct adg_patients *plan, uint64_t first_row, uint32_t rows,
                       struct adg_patient_runs *runs)
{
    struct drawn drawn;
    uint64_t chunk = find_chunk(plan->rows_before, plan->chunk_count, first_row);
    uint64_t row = plan->rows_before[chunk], end = first_row + rows;
    runs->count = 0;
    for (; row < end; chunk++) {
        if (plan->rows_before[chunk + 1] == plan->rows_before[chunk]) {
            continue;
        }
        draw_chunk(plan, chunk, &drawn);
        for (uint32_t i = 0; i < drawn.count && row < end; i++) {
            uint64_t cardinality = plan->cardinalities[drawn.classes[i]];
            if (cardinality != 0 && row + cardinality > first_row) {
                runs->before = runs->count > 0 ? runs->before : row < first_row ? first_row - row : 0;
                runs->patients[runs->count] = chunk * ADG_PATIENT_CHUNK + drawn.places[i];
                if (plan->selected) {
                    runs->births[runs->count] = drawn.births[i];
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
    struct drawn drawn;
    uint64_t chunk = UINT64_MAX, row = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = first_rows[i] = 0;
        if (patients[i] >= plan->patients) {
            continue;
        }
        if (patients[i] / ADG_PATIENT_CHUNK != chunk) {
            chunk = patients[i] / ADG_PATIENT_CHUNK;
            draw_chunk(plan, chunk, &drawn);
            row = plan->rows_before[chunk];
            at = 0;
        }
        for (; at < drawn.count && drawn.places[at] < patients[i] % ADG_PATIENT_CHUNK; at++) {
            row += plan->cardinalities[drawn.classes[at]];
        }
        if (at < drawn.count && drawn.places[at] == patients[i] % ADG_PATIENT_CHUNK) {
            uint64_t cardinality = plan->cardinalities[drawn.classes[at]];
            uint64_t left = plan->rows > row ? plan->rows - row : 0; /* the last patient may be cut */
            first_rows[i] = row;
            rows[i] = cardinality < left ? cardinality : left;
        }
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
