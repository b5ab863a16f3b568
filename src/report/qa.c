/*
 * The report of quality checks: qa.json's content, and the points of the charts.
 */

#include "qa/qa.h"
#include "report/internal.h"
#include "report/report.h"

static void put_chart(json_t *field, const struct adg_qa_chart *chart)
{
    json_t *points = json_array();
    for (uint32_t i = 0; i < chart->count; i++) {
        const struct adg_qa_point *point = &chart->points[i];
        json_t *made = json_pack("[s?, f, f]", point->value, point->expected, point->found);
        if (made == NULL) { /* the value is no UTF-8 */
            made = json_pack("[s, f, f]", "(not text)", point->expected, point->found);
        }
        json_array_append_new(points, made);
    }
    json_object_set_new(field, "points", points);
    json_object_set_new(field, "cumulative", json_boolean(chart->cumulative));
    json_object_set_new(field, "values", json_integer((json_int_t)chart->values));
}

enum adg_status adg_report_qa(const struct adg_qa *qa, struct adg_buffer *out, struct adg_error *error)
{
    struct adg_buffer text = {0};
    enum adg_status status = adg_qa_write(qa, &text, error);
    json_t *root = status == ADG_OK ? json_loadb((const char *)text.data, text.size, 0, NULL) : NULL;
    json_t *fields = json_object_get(root, "fields");
    for (size_t i = 0; i < json_array_size(fields); i++) { /* in the order of qa->fields */
        if (qa->fields[i].chart.count > 0) {
            put_chart(json_array_get(fields, i), &qa->fields[i].chart);
        }
    }
    if (status == ADG_OK) {
        status = root == NULL ? adg_fail_memory(error) : adg_report_put("qa", root, out, error);
    }
    json_decref(root);
    adg_buffer_fini(&text);
    return status;
}
