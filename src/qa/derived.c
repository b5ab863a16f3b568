/*
 * SQL that recomputes derived fields from the table's own columns: written apart from the generator's code, so that one can
 * be held against the other.
 */

#include "qa/internal.h"

static enum adg_status put_field(struct adg_buffer *sql, const struct adg_dataset *dataset, uint32_t field,
                                 struct adg_error *error)
{
    return adg_sql_identifier(sql, dataset->fields[field].name, error);
}

static enum adg_status put_join(struct adg_buffer *sql, const struct adg_dataset *dataset,
                                const struct adg_derivation *derivation, struct adg_error *error)
{
    enum adg_status status = adg_buffer_append_text(sql, "nullif(rtrim(", error);
    for (uint32_t i = 0; i < derivation->input_count && status == ADG_OK; i++) {
        status = adg_buffer_append_text(sql, i > 0 ? " || ',' || coalesce(" : "coalesce(", error);
        if (status == ADG_OK) {
            status = put_field(sql, dataset, derivation->inputs[i], error);
        }
        if (status == ADG_OK) {
            status = adg_buffer_append_text(sql, ", '')", error);
        }
    }
    return status == ADG_OK ? adg_buffer_append_text(sql, ", ','), '')", error) : status;
}

enum adg_status adg_qa_filled_sql(const struct adg_dataset *dataset, uint32_t field, struct adg_buffer *sql,
                                  struct adg_error *error)
{
    enum adg_status status = adg_buffer_append_text(sql, "(", error);
    if (status == ADG_OK) {
        status = put_field(sql, dataset, field, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(sql, " is not null", error);
    }
    if (status == ADG_OK && dataset->placeholder_count > 0) {
        status = adg_buffer_append_text(sql, " and trim(", error);
        if (status == ADG_OK) {
            status = put_field(sql, dataset, field, error);
        }
        if (status == ADG_OK) {
            status = adg_buffer_append_text(sql, ", ' ' || chr(9) || chr(10) || chr(13)) not in (", error);
        }
        for (uint32_t p = 0; p < dataset->placeholder_count && status == ADG_OK; p++) {
            status = adg_buffer_append_text(sql, p > 0 ? ", " : "", error);
            if (status == ADG_OK) {
                status = adg_sql_literal(sql, dataset->placeholders[p], error);
            }
        }
        if (status == ADG_OK) {
            status = adg_buffer_append_text(sql, ")", error);
        }
    }
    return status == ADG_OK ? adg_buffer_append_text(sql, ")", error) : status;
}

static enum adg_status put_count(struct adg_buffer *sql, const struct adg_dataset *dataset,
                                 const struct adg_derivation *derivation, struct adg_error *error)
{
    enum adg_status status = adg_buffer_printf(sql, error, "nullif(least(%u, 0", derivation->number);
    for (uint32_t i = 0; i < derivation->input_count && status == ADG_OK; i++) {
        status = adg_buffer_append_text(sql, " + cast(", error);
        if (status == ADG_OK) {
            status = adg_qa_filled_sql(dataset, derivation->inputs[i], sql, error);
        }
        if (status == ADG_OK) {
            status = adg_buffer_append_text(sql, " as integer)", error);
        }
    }
    return status == ADG_OK ? adg_buffer_append_text(sql, "), 0)", error) : status;
}

/* Days between a date and the first of a month MMyyyy, as "x" of a lateral join would be: repeated where it is needed. */
static enum adg_status put_days(struct adg_buffer *sql, const struct adg_dataset *dataset,
                                const struct adg_derivation *derivation, bool coherent, struct adg_error *error)
{
    const char *month = dataset->fields[derivation->inputs[1]].name;
    enum adg_status status = adg_buffer_append_text(sql, "(", error);
    if (status == ADG_OK) {
        status = coherent ? adg_qa_valid_sql(dataset, derivation->inputs[0], sql, error)
                          : put_field(sql, dataset, derivation->inputs[0], error);
    }
    /* names of fields are letters, digits and underscores */
    return status == ADG_OK
               ? adg_buffer_printf(sql, error,
                                   " - try_cast(case when regexp_full_match(\"%s\", '[0-9]{6}') then "
                                   "substr(\"%s\", 3, 4) || '-' || substr(\"%s\", 1, 2) || '-01' end as date))",
                                   month, month, month)
               : status;
}

static enum adg_status put_age(struct adg_buffer *sql, const struct adg_dataset *dataset,
                               const struct adg_derivation *derivation, bool fraction, bool coherent,
                               struct adg_error *error)
{
    static const struct {
        int days, code;
        const char *fraction;
    } steps[] = {{0, 7001, "0.002"},   {6, 7002, "0.010"},   {28, 7003, "0.048"}, {90, 7004, "0.167"},
                 {181, 7005, "0.375"}, {272, 7006, "0.625"}, {364, 7007, "0.875"}};
    enum adg_status status = adg_buffer_append_text(sql, "(select case when d is null then null", error);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == ADG_OK; i++) {
        status = fraction ? adg_buffer_printf(sql, error, " when d <= %d then %s", steps[i].days, steps[i].fraction)
                          : adg_buffer_printf(sql, error, " when d <= %d then %d", steps[i].days, steps[i].code);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(sql,
                                        fraction
                                            ? " when d >= 43800 then 120 else cast(d as double) / 365 end from (select "
                                            : " when d >= 43800 then 120 else (2 * d + 365) // 730 end from (select ",
                                        error);
    }
    if (status == ADG_OK) {
        status = put_days(sql, dataset, derivation, coherent, error);
    }
    return status == ADG_OK ? adg_buffer_append_text(sql, " as d))", error) : status;
}

enum adg_status adg_qa_derived_sql(const struct adg_dataset *dataset, uint32_t field, bool coherent,
                                   struct adg_buffer *sql, struct adg_error *error)
{
    const struct adg_derivation *derivation = dataset->fields[field].derivation;
    const char *input = dataset->fields[derivation->inputs[0]].name;
    switch (derivation->kind) {
    case ADG_DERIVE_PREFIX:
        return adg_buffer_printf(sql, error, "substr(\"%s\", 1, %u)", input, derivation->number);
    case ADG_DERIVE_JOIN:
        return put_join(sql, dataset, derivation, error);
    case ADG_DERIVE_COUNT_CODES:
        return put_count(sql, dataset, derivation, error);
    case ADG_DERIVE_AGE_CATEGORY:
        return put_age(sql, dataset, derivation, false, coherent, error);
    case ADG_DERIVE_AGE_FRACTION:
        return put_age(sql, dataset, derivation, true, coherent, error);
    case ADG_DERIVE_AGE_FRACTION_OF_CATEGORY:
        return adg_buffer_printf(
            sql, error,
            "cast(case \"%s\" when 7001 then 0.002 when 7002 then 0.010 when 7003 then 0.048 when 7004 "
            "then 0.167 when 7005 then 0.375 when 7006 then 0.625 when 7007 then 0.875 else "
            "cast(\"%s\" as double) end as double)",
            input, input);
    }
    return adg_fail(error, ADG_FAILED, "a derivation without a check");
}
