/*
 * How far a generated field is from the metadata where profile coherent does not draw it by itself: a measurement, not a test. The
 * Kolmogorov-Smirnov distance of valid values, whose shares sum to 1 on both sides.
 */
#include "qa/drift.h"

#include <math.h>
#include <stdlib.h>

#include "core/memory.h"

struct point {
    double key, expected, found;
};

static int by_key(const void *a, const void *b)
{
    double x = ((const struct point *)a)->key, y = ((const struct point *)b)->key;
    return (x > y) - (x < y);
}

double adg_qa_distance(struct adg_qa_drift *drift)
{
    struct point *points = drift->points;
    double expected = 0, found = 0, all_expected = 0, all_found = 0, most = 0;
    if (drift->count == 0) {
        return 0;
    }
    qsort(points, drift->count, sizeof *points, by_key);
    for (size_t i = 0; i < drift->count; i++) {
        all_expected += points[i].expected;
        all_found += points[i].found;
    }
    for (size_t i = 0; i < drift->count; i++) {
        expected += all_expected > 0 ? points[i].expected / all_expected : 0;
        found += all_found > 0 ? points[i].found / all_found : 0;
        if (i + 1 == drift->count || points[i + 1].key > points[i].key) {
            most = fmax(most, fabs(expected - found));
        }
    }
    return most;
}

static enum adg_status add(struct adg_qa_drift *drift, double key, double expected, double found,
                           struct adg_error *error)
{
    if (drift->count == drift->capacity) {
        struct point *points = adg_grow_array(drift->points, &drift->capacity, 256, sizeof *points);
        if (points == NULL) {
            return adg_fail_memory(error);
        }
        drift->points = points;
    }
    ((struct point *)drift->points)[drift->count++] = (struct point){key, expected, found};
    return ADG_OK;
}

enum adg_status adg_qa_drift_expect(struct adg_qa_drift *drift, double key, double share, struct adg_error *error)
{
    return add(drift, key, share, 0, error);
}

enum adg_status adg_qa_drift_find(struct adg_qa_drift *drift, struct adg_qa_context *context, const char *query,
                                  const char *doing, struct adg_error *error)
{
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    enum adg_status status = context->sql.status;
    if (status == ADG_OK) {
        status = adg_engine_query(context->engine, query, doing, &result, error);
    }
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        if (!adg_engine_is_null(result, 0)) {
            status = add(drift, adg_engine_double(result, 0), 0, adg_engine_double(result, 1), error);
        }
    }
    adg_engine_result_free(result);
    return status;
}

void adg_qa_drift_fini(struct adg_qa_drift *drift)
{
    adg_free(drift->points);
}
