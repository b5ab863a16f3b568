/*
 * What a report shows of a field: expected and found shares side by side, few enough to draw.
 */
#include <math.h>
#include <stdlib.h>

#include "core/memory.h"
#include "qa/internal.h"

enum { COMMONEST = 40, STRANGEST = 10 };

struct candidate {
    size_t at;
    double key;
};

static int largest_first(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return x->key > y->key ? -1 : x->key < y->key ? 1 : (x->at > y->at) - (x->at < y->at);
}

static enum adg_status put_point(struct adg_qa *qa, struct adg_qa_chart *chart, struct adg_span value, double expected,
                                 double found, struct adg_error *error)
{
    size_t size = value.size < ADG_QA_CHART_BYTES ? value.size : ADG_QA_CHART_BYTES;
    while (size < value.size && size > 0 && (value.data[size] & 0xC0) == 0x80) { /* within a character */
        size--;
    }
    const char *text = value.data != NULL ? adg_arena_strndup(&qa->arena, (const char *)value.data, size) : NULL;
    if (value.data != NULL && text == NULL) {
        return adg_fail_memory(error);
    }
    chart->points[chart->count++] = (struct adg_qa_point){text, expected, found};
    return ADG_OK;
}

/* The commonest values, and of the others those that are furthest from what was expected. */
static enum adg_status draw_shares(struct adg_qa *qa, const struct adg_expected *expected, const double *found,
                                   double samples, struct adg_qa_chart *chart, struct adg_error *error)
{
    struct candidate *all = adg_alloc_array(expected->count + 1, sizeof *all);
    enum adg_status status = all == NULL ? adg_fail_memory(error) : ADG_OK;
    size_t count = 0;
    for (size_t i = 0; i < expected->count && status == ADG_OK; i++) {
        double larger = fmax(expected->shares[i].share, found[i] / samples);
        if (larger > 0) { /* null is listed where there is none */
            all[count++] = (struct candidate){i, larger};
        }
    }
    size_t shown = count < COMMONEST + STRANGEST ? count : COMMONEST + STRANGEST;
    size_t common = count < COMMONEST + STRANGEST ? count : COMMONEST;
    if (count > 0) {
        qsort(all, count, sizeof *all, largest_first);
    }
    for (size_t i = common; i < count; i++) {
        double share = expected->shares[all[i].at].share;
        all[i].key = fabs(found[all[i].at] / samples - share) / sqrt(share + 1 / samples);
    }
    if (common < count) {
        qsort(all + common, count - common, sizeof *all, largest_first);
    }
    chart->values = count;
    for (size_t i = 0; i < shown && status == ADG_OK; i++) {
        status = put_point(qa, chart, expected->shares[all[i].at].value, expected->shares[all[i].at].share,
                           found[all[i].at] / samples, error);
    }
    adg_free(all);
    return status;
}

/* Values in their order, shares summed up to each; runs of values make one point. */
static enum adg_status draw_cumulative(struct adg_qa *qa, const struct adg_expected *expected, const double *found,
                                       double samples, struct adg_qa_chart *chart, struct adg_error *error)
{
    double expected_sum = 0, found_sum = 0;
    size_t most = ADG_QA_CHART_POINTS - 1, first = 0;
    enum adg_status status = ADG_OK;
    if (expected->count > 0 && expected->shares[0].value.data == NULL) { /* null has a point of its own */
        expected_sum = expected->shares[0].share;
        found_sum = found[0] / samples;
        status = put_point(qa, chart, expected->shares[0].value, expected_sum, found_sum, error);
        first = 1;
    }
    size_t values = expected->count - first, drawn = 0;
    for (size_t i = 0; i < values && status == ADG_OK; i++) {
        expected_sum += expected->shares[first + i].share;
        found_sum += found[first + i] / samples;
        if (values <= most || (i + 1) * most / values > drawn) {
            drawn = values <= most ? drawn : (i + 1) * most / values;
            status = put_point(qa, chart, expected->shares[first + i].value, expected_sum, found_sum, error);
        }
    }
    return status;
}

enum adg_status adg_qa_draw(struct adg_qa *qa, const struct adg_expected *expected, const double *found, double samples,
                            bool cumulative, struct adg_qa_chart *out, struct adg_error *error)
{
    struct adg_qa_chart chart = {.cumulative = cumulative, .values = expected->count};
    chart.points = adg_arena_array(&qa->arena, ADG_QA_CHART_POINTS, sizeof *chart.points);
    enum adg_status status = chart.points == NULL ? adg_fail_memory(error)
                             : cumulative         ? draw_cumulative(qa, expected, found, samples, &chart, error)
                                                  : draw_shares(qa, expected, found, samples, &chart, error);
    *out = chart;
    return status;
}
