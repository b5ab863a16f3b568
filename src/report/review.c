/*
 * The report of a review: what the page's script needs, as JSON.
 */
#include "report/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/date.h"
#include "core/memory.h"
#include "core/number.h"
#include "core/version.h"
#include "report/internal.h"

enum { SHOWN_VALUES = 50, LONGEST_VALUES = 10, SHOWN_BYTES = 200 };

/* At most SHOWN_BYTES, with the length behind them; text of a metadata table is UTF-8. */
static json_t *short_text(const char *text, size_t size)
{
    char scratch[SHOWN_BYTES + 64];
    if (size <= SHOWN_BYTES) {
        return json_stringn(text, size);
    }
    size_t cut = SHOWN_BYTES;
    while (cut > 0 && ((unsigned char)text[cut] & 0xC0) == 0x80) {
        cut--;
    }
    int length = snprintf(scratch, sizeof scratch, "%.*s... (%zu bytes)", (int)cut, text, size);
    return json_stringn(scratch, (size_t)length);
}

/* A row's value as text; null: JSON null. */
static json_t *value_json(const struct adg_metadata_row *row)
{
    char number[ADG_NUMBER_TEXT_BYTES];
    json_t *made = NULL;
    if (row->string_array != NULL) {
        struct adg_buffer text = {0};
        bool good = true;
        for (uint32_t i = 0; i < row->string_array_count && good; i++) {
            const struct adg_optional_text *item = &row->string_array[i];
            good = adg_buffer_printf(&text, NULL, "%s%.*s", i > 0 ? " | " : "",
                                     item->text != NULL ? (int)item->size : 6,
                                     item->text != NULL ? item->text : "(null)") == ADG_OK;
        }
        made = good && text.size > 0 ? short_text((const char *)text.data, text.size) : json_null();
        adg_buffer_fini(&text);
    } else if (row->string.text != NULL) {
        made = short_text(row->string.text, row->string.size);
    } else if (row->has_date) {
        adg_date_format(row->date, number);
        made = json_stringn(number, 10);
    } else if (row->has_numeric && row->value_type != ADG_VALUE_DEMOGRAPHIC_DATE) {
        made = json_stringn(number, adg_double_format(row->numeric, number));
    }
    return made != NULL ? made : json_null(); /* what is no UTF-8 is not shown */
}

static int by_weight(const void *a, const void *b)
{
    const struct adg_metadata_row *x = *(const struct adg_metadata_row *const *)a,
                                  *y = *(const struct adg_metadata_row *const *)b;
    return x->weight > y->weight ? -1 : x->weight < y->weight ? 1 : (x > y) - (x < y);
}

static int by_length(const void *a, const void *b)
{
    const struct adg_metadata_row *x = *(const struct adg_metadata_row *const *)a,
                                  *y = *(const struct adg_metadata_row *const *)b;
    return x->string.size > y->string.size ? -1 : x->string.size < y->string.size ? 1 : (x > y) - (x < y);
}

static json_t *weights_json(const struct adg_metadata_row **rows, size_t first, size_t end)
{
    json_t *list = json_array();
    for (size_t i = first; i < end; i++) {
        json_array_append_new(list, json_pack("[o, f]", value_json(rows[i]), rows[i]->weight));
    }
    return list;
}

/* The distribution of a field: the commonest, the rarest and the longest of its values. */
static enum adg_status put_distribution(const struct adg_review *review, const struct adg_field_summary *field,
                                        json_t *object, struct adg_error *error)
{
    const struct adg_metadata_row **rows = adg_alloc_array(field->rows + 1, sizeof(void *));
    if (rows == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t i = 0; i < field->rows; i++) {
        rows[i] = &review->metadata->rows[field->first_row + i];
    }
    qsort(rows, field->rows, sizeof(void *), by_weight);
    size_t common = field->rows <= 2 * SHOWN_VALUES ? field->rows : SHOWN_VALUES;
    json_object_set_new(object, "commonest", weights_json(rows, 0, common));
    json_object_set_new(object, "rarest",
                        field->rows > common ? weights_json(rows, field->rows - SHOWN_VALUES, field->rows)
                                             : json_array());
    qsort(rows, field->rows, sizeof(void *), by_length);
    json_t *longest = json_array();
    for (size_t i = 0; i < field->rows && i < LONGEST_VALUES && rows[i]->string.size > 0; i++) {
        json_array_append_new(longest, value_json(rows[i]));
    }
    json_object_set_new(object, "longest", longest);
    adg_free(rows);
    return ADG_OK;
}

static enum adg_status put_fields(const struct adg_review *review, json_t *fields, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (size_t i = 0; i < review->field_count && status == ADG_OK; i++) {
        const struct adg_field_summary *field = &review->fields[i];
        json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:f, s:f}", "table", field->table, "field", field->field,
                                   "kind", adg_value_type_name(field->value_type), "values", (json_int_t)field->rows,
                                   "records", field->records, "ratio", field->ratio);
        status = put_distribution(review, field, object, error);
        json_array_append_new(fields, object);
    }
    for (size_t i = 0; review->metadata != NULL && i < review->metadata->row_count && status == ADG_OK; i++) {
        const struct adg_metadata_row *row = &review->metadata->rows[i];
        if (row->value_type != ADG_VALUE_CONTINUOUS) {
            continue;
        }
        json_t *percentiles = json_array();
        for (uint32_t k = 0; k < row->numeric_array_count; k++) {
            json_array_append_new(percentiles, json_real(row->numeric_array[k]));
        }
        json_array_append_new(fields, json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:o}", "table", row->table, "field",
                                                row->field, "kind", "CONTINUOUS", "values", 0, "records", 0, "ratio", 0,
                                                "percentiles", percentiles));
    }
    return status;
}

static json_t *tables_json(const struct adg_review *review)
{
    json_t *tables = json_array();
    const char *last = "";
    for (size_t i = 0; review->metadata != NULL && i < review->metadata->row_count; i++) {
        if (strcmp(review->metadata->rows[i].table, last) != 0) {
            last = review->metadata->rows[i].table;
            json_array_append_new(tables, json_string(last));
        }
    }
    return tables;
}

static json_t *findings_json(const struct adg_review *review)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < review->finding_count; i++) {
        const struct adg_finding *finding = &review->findings[i];
        json_t *object = adg_finding_json(finding);
        if (finding->row > 0 && review->metadata != NULL) {
            json_object_set_new(object, "value", value_json(&review->metadata->rows[finding->row - 1]));
        }
        json_array_append_new(findings, object);
    }
    return findings;
}

enum adg_status adg_report_review(const struct adg_review *review, struct adg_buffer *out, struct adg_error *error)
{
    json_t *checks = json_array(), *fields = json_array(), *checklist = json_array();
    for (int i = 0; i < ADG_CHECKS; i++) {
        const struct adg_check_text *check = &adg_check_texts[i];
        json_array_append_new(checks, json_pack("{s:s, s:s, s:s, s:b, s:I}", "id", check->id, "title", check->title,
                                                "advice", check->advice, "fails", (int)check->fails, "findings",
                                                (json_int_t)review->counts[i]));
    }
    for (uint32_t i = 0; i < review->checklist_count; i++) {
        json_array_append_new(checklist, json_string(review->checklist[i]));
    }
    enum adg_status status = put_fields(review, fields, error);
    json_t *root = json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "tool", ADG_TOOL_VERSION, "manifest_sha256",
                             review->manifest_sha256, "result", review->passed ? "pass" : "fail", "checks", checks,
                             "findings", findings_json(review), "fields", fields, "tables", tables_json(review),
                             "checklist", checklist);
    if (status == ADG_OK) {
        status = root == NULL ? adg_fail_memory(error) : adg_report_put("review", root, out, error);
    }
    json_decref(root);
    return status;
}
