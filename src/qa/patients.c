/*
 * How often patients appear in a generated table, against RELATIONSHIP.
 */
#include <string.h>

#include "core/number.h"
#include "qa/internal.h"

/* Shares of the cardinalities among the patients who have rows: the others cannot be seen in a table. */
static enum adg_status expect_cardinalities(const struct adg_qa_context *context, struct adg_arena *arena,
                                            struct adg_expected *out, struct adg_error *error)
{
    const struct adg_dataset *dataset = context->dataset;
    struct adg_metadata_range range = adg_metadata_find(context->options->metadata, context->table->table,
                                                        dataset->fields[dataset->primary_key].name,
                                                        ADG_VALUE_RELATIONSHIP);
    const char *key = dataset->fields[dataset->patient_key].name;
    struct adg_expected made = {.shares = adg_arena_array(arena, range.count + 1, sizeof *made.shares)};
    double total = 0;
    if (made.shares == NULL) {
        return adg_fail_memory(error);
    }
    for (size_t i = 0; i < range.count; i++) {
        const struct adg_metadata_row *row = &range.rows[i];
        char text[ADG_NUMBER_TEXT_BYTES];
        if (row->numeric <= 0 || row->string.size != strlen(key) ||
            memcmp(row->string.text, key, row->string.size) != 0) {
            continue;
        }
        size_t size = adg_double_format(row->numeric, text);
        const char *copy = adg_arena_strndup(arena, text, size);
        if (copy == NULL) {
            return adg_fail_memory(error);
        }
        made.shares[made.count++] = (struct adg_share){{(const uint8_t *)copy, size}, row->weight};
        total += row->weight;
    }
    if (made.count == 0) { /* as the generator does without RELATIONSHIP */
        made.shares[made.count++] = (struct adg_share){{(const uint8_t *)"1", 1}, 1};
        total = 1;
    }
    for (size_t i = 0; i < made.count; i++) {
        made.shares[i].share /= total;
    }
    adg_expected_settle(&made);
    *out = made;
    return ADG_OK;
}

enum adg_status adg_qa_check_patients(struct adg_qa_context *context, struct adg_error *error)
{
    const struct adg_dataset *dataset = context->dataset;
    context->patients = 0;
    if (dataset->patient_key < 0) {
        return ADG_OK;
    }
    const char *key = dataset->fields[dataset->patient_key].name;
    const struct adg_field cardinality = {.name = key, .type = ADG_TYPE_INT64};
    struct adg_arena arena = {0};
    struct adg_expected expected = {NULL, 0};
    struct adg_sql *sql = &context->sql;
    const char *patient = context->rows.columns[dataset->patient_key], *from = context->rows.from;
    enum adg_status status = adg_qa_count(context, ADG_SQL(sql, "select count(distinct $1) from $2", patient, from),
                                          key, &context->patients, error);
    if (status == ADG_OK && context->patients > 0) {
        status = expect_cardinalities(context, &arena, &expected, error);
    }
    if (status == ADG_OK && context->patients > 0) {
        /* --rows cuts the last patient; a part ends and begins within a patient */
        uint32_t parts = context->table->file_count;
        const struct adg_qa_sample sample = {.measure = "rows per patient",
                                             .noun = "cardinality",
                                             .samples = (double)context->patients,
                                             .cut = parts > 1 ? 1 + 2 * parts : 1};
        const char *query = ADG_SQL(
            sql, "select n, $1 from (select count(*) as n from $2 where $3 is not null group by $3) x group by 1",
            adg_qa_real(context, "count(*)"), from, patient);
        status = adg_qa_check_shares(context, &cardinality, &expected, query, &sample, error);
    }
    adg_arena_fini(&arena);
    return status;
}
