/*
 * CONTINUOUS: null by COMPLETENESS, else an interval between neighbouring percentiles, uniformly, and a place within
 * it.
 *
 * Whole numbers from a narrow range become codes of a dictionary that lists the range; everything else is a PLAIN
 * column.
 */
#include "generate/internal.h"

#include <math.h>
#include <string.h>

#include "block/text.h"
#include "core/date.h"
#include "core/memory.h"
#include "core/vectors.h"
#include "sample/alias.h"
#include "sample/quantile.h"

/* A range of whole numbers as large as this is listed. */
enum { LARGEST_LISTED_RANGE = 65536 };

struct continuous {
    struct adg_stream value, interval, null;
    uint64_t null_parts; /* of 2^32 */
    double *percentiles;
    uint32_t count;
    int64_t first;    /* listed: the first entry */
    uint32_t entries; /* listed: how many; the code of null */
    enum adg_type type;
    unsigned scale;
    double unit;         /* decimals: 10^scale */
    int64_t step;        /* values are multiples of it: timestamps are made to the second */
    int64_t least, most; /* of the field's type */
};

/* Leaves the word of the place in words, that of the interval in more_words, and that of null in patient_codes. */
static void draw_words(const struct continuous *continuous, struct adg_work *work)
{
    adg_stream_words(&continuous->value, work->first_row, work->rows, work->words);
    adg_stream_words(&continuous->interval, work->first_row, work->rows, work->more_words);
    if (continuous->null_parts > 0) {
        adg_stream_words(&continuous->null, work->first_row, work->rows, work->patient_codes);
    }
}

static double draw(const struct continuous *continuous, const struct adg_work *work, uint32_t row)
{
    return adg_quantile_draw(continuous->percentiles, continuous->count, work->more_words[row], work->words[row]);
}

static bool is_null(const struct continuous *continuous, const struct adg_work *work, uint32_t row)
{
    return continuous->null_parts > 0 && work->patient_codes[row] < continuous->null_parts;
}

#if defined(__x86_64__)

/* Codes of a multiple of eight rows: the arithmetic of adg_quantile_draw() and adg_round_half_up(), of which the latter is a floor. What is
 * left of the first entry is exact in doubles: both are whole, and less than 65,536 apart. */
ADG_FOR_AVX512 static void list_avx512(const struct continuous *continuous, const struct adg_work *work, uint32_t rows,
                                       uint32_t *codes)
{
    const __m512i intervals = _mm512_set1_epi64(continuous->count - 1);
    const __m512d unit = _mm512_set1_pd(1.0 / 4294967296.0), half = _mm512_set1_pd(0.5);
    const __m512d first = _mm512_set1_pd((double)continuous->first);
    for (uint32_t i = 0; i < rows; i += 8) {
        __m512i word = _mm512_cvtepu32_epi64(_mm256_loadu_si256((const __m256i *)(const void *)(work->more_words + i)));
        __m512i interval = _mm512_srli_epi64(_mm512_mul_epu32(word, intervals), 32);
        __m256i place = _mm256_loadu_si256((const __m256i *)(const void *)(work->words + i));
        __m512d u = _mm512_mul_pd(_mm512_cvtepu32_pd(place), unit);
        __m512d a = _mm512_i64gather_pd(interval, continuous->percentiles, sizeof(double));
        __m512d b = _mm512_i64gather_pd(interval, continuous->percentiles + 1, sizeof(double));
        __m512d value = _mm512_add_pd(a, _mm512_mul_pd(u, _mm512_sub_pd(b, a)));
        __m512d whole = _mm512_roundscale_pd(_mm512_add_pd(value, half), _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
        _mm256_storeu_si256((__m256i *)(void *)(codes + i), _mm512_cvttpd_epi32(_mm512_sub_pd(whole, first)));
    }
}

/* Words as doubles: below 2^32 they are the last bits of 2^52 and more. */
ADG_FOR_AVX2 static inline __m256d doubles_of(__m256i words)
{
    const __m256d base = _mm256_set1_pd(4503599627370496.0);
    return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(words, _mm256_castpd_si256(base))), base);
}

/* The same, of a multiple of four rows. */
ADG_FOR_AVX2 static void list_avx2(const struct continuous *continuous, const struct adg_work *work, uint32_t rows,
                                   uint32_t *codes)
{
    const __m256i intervals = _mm256_set1_epi64x(continuous->count - 1);
    const __m256d unit = _mm256_set1_pd(1.0 / 4294967296.0), half = _mm256_set1_pd(0.5);
    const __m256d first = _mm256_set1_pd((double)continuous->first);
    for (uint32_t i = 0; i < rows; i += 4) {
        __m256i word = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(const void *)(work->more_words + i)));
        __m256i interval = _mm256_srli_epi64(_mm256_mul_epu32(word, intervals), 32);
        __m256i place = _mm256_cvtepu32_epi64(_mm_loadu_si128((const __m128i *)(const void *)(work->words + i)));
        __m256d u = _mm256_mul_pd(doubles_of(place), unit);
        __m256d a = _mm256_i64gather_pd(continuous->percentiles, interval, sizeof(double));
        __m256d b = _mm256_i64gather_pd(continuous->percentiles + 1, interval, sizeof(double));
        __m256d value = _mm256_add_pd(a, _mm256_mul_pd(u, _mm256_sub_pd(b, a)));
        __m256d whole = _mm256_floor_pd(_mm256_add_pd(value, half));
        _mm_storeu_si128((__m128i *)(void *)(codes + i), _mm256_cvttpd_epi32(_mm256_sub_pd(whole, first)));
    }
}

/* Codes as if no row were null, of how many rows from the first on. */
static uint32_t list_fast(const struct continuous *continuous, const struct adg_work *work, uint32_t *codes)
{
    if (continuous->count == 1 || adg_cpu_choose() < ADG_CPU_AVX2) {
        return 0;
    }
    bool wide = adg_cpu_choose() >= ADG_CPU_AVX512;
    uint32_t done = wide ? work->rows / 8 * 8 : work->rows / 4 * 4;
    (wide ? list_avx512 : list_avx2)(continuous, work, done, codes);
    return done;
}

#else

static uint32_t list_fast(const struct continuous *continuous, const struct adg_work *work, uint32_t *codes)
{
    (void)continuous, (void)work, (void)codes;
    return 0;
}
#endif

static enum adg_status run_listed(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct continuous *continuous = step->detail;
    uint32_t *codes = work->columns[step->field].codes;
    draw_words(continuous, work);
    uint32_t done = list_fast(continuous, work, codes);
    uint32_t last = (uint32_t)(continuous->null_parts - 1);
    for (uint32_t i = 0; i < done && continuous->null_parts > 0; i++) {
        codes[i] = work->patient_codes[i] <= last ? continuous->entries : codes[i];
    }
    for (uint32_t i = done; i < work->rows; i++) {
        uint32_t code = (uint32_t)(adg_round_half_up(draw(continuous, work, i)) - continuous->first);
        codes[i] = is_null(continuous, work, i) ? continuous->entries : code;
    }
    return ADG_OK;
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

/* The value in the field's type; doubles are their own. */
static int64_t whole_value(const struct continuous *continuous, double value)
{
    int64_t step = continuous->step;
    int64_t whole = step > 1 ? adg_round_half_up(value / (double)step) * step
                             : adg_round_half_up(value * continuous->unit);
    return clamp(whole, continuous->least, continuous->most);
}

static enum adg_status run_plain(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    (void)error;
    const struct continuous *continuous = step->detail;
    struct adg_work_column *column = &work->columns[step->field];
    draw_words(continuous, work);
    for (uint32_t i = 0; i < work->rows; i++) {
        double value = draw(continuous, work, i);
        if (continuous->null_parts > 0) {
            bool null = is_null(continuous, work, i);
            column->valid[i] = !null;
            value = null ? 0 : value;
        }
        if (continuous->type == ADG_TYPE_DOUBLE) {
            ((double *)column->fixed)[i] = value;
        } else if (adg_type_is_int32(continuous->type)) {
            ((int32_t *)column->fixed)[i] = (int32_t)whole_value(continuous, value);
        } else {
            ((int64_t *)column->fixed)[i] = whole_value(continuous, value);
        }
    }
    return ADG_OK;
}

static enum adg_status run_text(const struct adg_step *step, struct adg_work *work, struct adg_error *error)
{
    const struct continuous *continuous = step->detail;
    struct adg_work_column *column = &work->columns[step->field];
    draw_words(continuous, work);
    enum adg_status status = adg_work_begin_texts(
        column, (uint64_t)work->rows * (ADG_TEXT_LENGTH_BYTES + ADG_VALUE_TEXT_BYTES), error);
    for (uint32_t i = 0; i < work->rows && status == ADG_OK; i++) {
        bool null = is_null(continuous, work, i);
        if (continuous->null_parts > 0) {
            column->valid[i] = !null;
        }
        if (!null) {
            char text[ADG_VALUE_TEXT_BYTES];
            adg_work_put_text(column, text, (uint32_t)adg_double_format(draw(continuous, work, i), text));
        }
        adg_work_end_text(column, i);
    }
    return status;
}

/* Codes over the listed range, when it is narrow enough. */
static enum adg_status plan_listed(struct adg_plan *plan, uint32_t field, struct continuous *continuous, bool *listed,
                                   struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    double least = continuous->percentiles[0], most = continuous->percentiles[continuous->count - 1];
    if (!(most - least < LARGEST_LISTED_RANGE - 1)) {
        return ADG_OK;
    }
    int64_t first = adg_round_half_up(least), last = adg_round_half_up(most);
    uint32_t count = (uint32_t)(last - first) + 1;
    struct adg_value *values = adg_alloc_array(count, sizeof *values);
    uint32_t *codes = adg_alloc_array(count, sizeof *codes);
    struct adg_dictionary dictionary = {0};
    enum adg_status status = values == NULL || codes == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK) {
        for (uint32_t i = 0; i < count; i++) {
            values[i] = (struct adg_value){.as.whole = first + i};
        }
        status = adg_value_dictionary(continuous->type, values, count, &plan->arena, &dictionary, codes, error);
    }
    adg_free(values);
    adg_free(codes);
    if (status == ADG_OK) {
        continuous->first = first;
        continuous->entries = count;
        adg_plan_set_dictionary(column, &dictionary, continuous->null_parts > 0);
        *listed = true;
        if (column->kind == ADG_COLUMN_DICTIONARY) {
            adg_plan_add_step(plan, field, run_listed, continuous);
        }
    }
    return status;
}

static enum adg_status null_parts(const struct adg_plan *plan, uint32_t field, uint64_t *out, struct adg_error *error)
{
    bool complete = false;
    uint64_t null = 0, filled = 0, parts[2] = {ADG_PARTS, 0};
    enum adg_status status = adg_plan_completeness(plan, field, &complete, &null, &filled, error);
    if (status == ADG_OK && complete) {
        uint64_t one = 1;
        status = adg_parts_scale(&one, 1, null, filled, parts, error);
    }
    if (status == ADG_OK) {
        *out = parts[1];
    }
    return status;
}

enum adg_status adg_plan_continuous(struct adg_plan *plan, uint32_t field, struct adg_error *error)
{
    struct adg_plan_column *column = &plan->columns[field];
    const struct adg_field *description = column->field;
    struct adg_metadata_range range = adg_metadata_find(plan->metadata, plan->table->name, description->name,
                                                        ADG_VALUE_CONTINUOUS);
    uint64_t nulls = 0;
    enum adg_status status = null_parts(plan, field, &nulls, error);
    if (status != ADG_OK) {
        return status;
    }
    if (range.count == 0) {
        column->missing =
            adg_metadata_find(plan->metadata, plan->table->name, description->name, ADG_VALUE_COMPLETENESS).count == 0;
        return ADG_OK;
    }
    if (range.count > 1 || range.rows[0].numeric_array_count == 0) {
        return adg_fail(error, ADG_BAD_INPUT, "CONTINUOUS is one row with percentiles");
    }
    if (description->type == ADG_TYPE_DATE || description->type == ADG_TYPE_BOOLEAN) {
        return adg_fail(error, ADG_BAD_INPUT, "a CONTINUOUS field is a number, a timestamp or text");
    }
    if (nulls == ADG_PARTS) {
        return ADG_OK;
    }
    uint32_t count = range.rows[0].numeric_array_count;
    struct continuous *continuous = adg_arena_array(&plan->arena, 1, sizeof *continuous);
    double *percentiles = adg_arena_array(&plan->arena, count, sizeof *percentiles);
    if (continuous == NULL || percentiles == NULL) {
        return adg_fail_memory(error);
    }
    memcpy(percentiles, range.rows[0].numeric_array, count * sizeof *percentiles);
    for (uint32_t i = 0; i < count; i++) {
        if (!isfinite(percentiles[i]) || (i > 0 && percentiles[i] < percentiles[i - 1])) {
            return adg_fail(error, ADG_BAD_INPUT, "percentiles are not finite and ascending");
        }
    }
    if (!isfinite(percentiles[count - 1] - percentiles[0])) {
        return adg_fail(error, ADG_BAD_INPUT, "percentiles are further apart than a double holds");
    }
    *continuous = (struct continuous){
        .value = adg_plan_stream(plan, field, ADG_PURPOSE_VALUE),
        .interval = adg_plan_stream(plan, field, ADG_PURPOSE_INTERVAL),
        .null = adg_plan_stream(plan, field, ADG_PURPOSE_NULL),
        .null_parts = nulls,
        .percentiles = percentiles,
        .count = count,
        .type = description->type,
        .unit = 1,
        .step = 1,
        .least = INT64_MIN,
        .most = INT64_MAX,
    };
    if (description->type == ADG_TYPE_INT32) {
        continuous->least = INT32_MIN;
        continuous->most = INT32_MAX;
    }
    if (description->type == ADG_TYPE_TIMESTAMP) {
        const int64_t day_us = INT64_C(86400000000);
        continuous->step = 1000000;
        continuous->least = ADG_DATE_MIN * day_us;
        continuous->most = ADG_DATE_MAX * day_us;
    }
    if (description->type == ADG_TYPE_DECIMAL) {
        int64_t limit = 1;
        for (unsigned i = 0; i < description->precision; i++) {
            limit *= 10;
        }
        for (unsigned i = 0; i < description->scale; i++) {
            continuous->unit *= 10;
        }
        continuous->least = 1 - limit;
        continuous->most = limit - 1;
    }
    if (description->type != ADG_TYPE_STRING && description->type != ADG_TYPE_DOUBLE) {
        double limit = adg_type_is_int32(description->type) ? 2147483647.0 : 4611686018427387904.0 / continuous->unit;
        if (percentiles[0] < -limit || percentiles[count - 1] > limit) {
            return adg_fail(error, ADG_BAD_INPUT, "percentiles exceed the type of the field");
        }
    }
    if (description->type == ADG_TYPE_INT32 || description->type == ADG_TYPE_INT64) {
        bool listed = false;
        status = plan_listed(plan, field, continuous, &listed, error);
        if (status != ADG_OK || listed) {
            return status;
        }
    }
    column->kind = ADG_COLUMN_PLAIN;
    column->nullable = nulls > 0;
    adg_plan_add_step(plan, field, description->type == ADG_TYPE_STRING ? run_text : run_plain, continuous);
    return ADG_OK;
}
