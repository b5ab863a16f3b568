/*
 * SQL that recomputes derived fields from the table's own columns: written apart from the generator's code, so that one can
 * be held against the other.
 */

#include "qa/internal.h"

static const char *joined(struct adg_qa_context *context, const struct adg_derivation *derivation)
{
    const char *all = "";
    for (uint32_t i = 0; i < derivation->input_count; i++) {
        all = ADG_SQL(&context->sql, i > 0 ? "$1 || ',' || coalesce($2, '')" : "coalesce($2, '')", all,
                      context->rows.columns[derivation->inputs[i]]);
    }
    return ADG_SQL(&context->sql, "nullif(trim(trailing ',' from $1), '')", all);
}

static const char *counted(struct adg_qa_context *context, const struct adg_derivation *derivation)
{
    const char *sum = "0";
    for (uint32_t i = 0; i < derivation->input_count; i++) {
        sum = ADG_SQL(&context->sql, "$1 + (case when $2 then 1 else 0 end)", sum,
                      adg_qa_filled(context, derivation->inputs[i]));
    }
    return ADG_SQL(&context->sql, "nullif(least($1, $2), 0)", adg_sql_number(&context->sql, derivation->number), sum);
}

/* Ages of less than a year: up to so many days, the code, and what stands for it as a fraction. */
static const struct {
    const char *days, *code, *fraction;
} steps[] = {{"0", "7001", "0.002"},   {"6", "7002", "0.010"},   {"28", "7003", "0.048"}, {"90", "7004", "0.167"},
             {"181", "7005", "0.375"}, {"272", "7006", "0.625"}, {"364", "7007", "0.875"}};
enum { STEPS = sizeof steps / sizeof steps[0] };

static const char *fraction_of(struct adg_qa_context *context, size_t step)
{
    return adg_qa_real(context, ADG_SQL(&context->sql, "'$1'", steps[step].fraction));
}

/* Of d days. */
static const char *age(struct adg_qa_context *context, bool fraction)
{
    struct adg_sql *sql = &context->sql;
    const char *cases = "case when d is null then null";
    for (size_t i = 0; i < STEPS; i++) {
        cases = ADG_SQL(sql, "$1 when d <= $2 then $3", cases, steps[i].days,
                        fraction ? fraction_of(context, i) : steps[i].code);
    }
    return fraction ? ADG_SQL(sql, "$1 when d >= 43800 then 120 else $2 / 365 end", cases, adg_qa_real(context, "d"))
                    : ADG_SQL(sql,
                              "$1 when d >= 43800 then 120 else cast((2 * d + 365 - mod(2 * d + 365, 730)) / 730 as "
                              "bigint) end",
                              cases);
}

static const char *fraction_of_code(struct adg_qa_context *context, const char *code)
{
    const char *cases = ADG_SQL(&context->sql, "case $1", code);
    for (size_t i = 0; i < STEPS; i++) {
        cases = ADG_SQL(&context->sql, "$1 when $2 then $3", cases, steps[i].code, fraction_of(context, i));
    }
    return ADG_SQL(&context->sql, "$1 else $2 end", cases, adg_qa_real(context, code));
}

const char *adg_qa_wrongly_derived(struct adg_qa_context *context, uint32_t field)
{
    const struct adg_derivation *derivation = context->dataset->fields[field].derivation;
    struct adg_sql *sql = &context->sql;
    const char *input = context->rows.columns[derivation->inputs[0]], *from = input, *value = "d";
    switch (derivation->kind) {
    case ADG_DERIVE_PREFIX:
        from = ADG_SQL(sql, "substr($1, 1, $2)", input, adg_sql_number(sql, derivation->number));
        break;
    case ADG_DERIVE_JOIN:
        from = joined(context, derivation);
        break;
    case ADG_DERIVE_COUNT_CODES:
        from = counted(context, derivation);
        break;
    case ADG_DERIVE_AGE_CATEGORY:
    case ADG_DERIVE_AGE_FRACTION: /* days between a date and the first of a month MMyyyy */
        from = ADG_SQL(sql, "(($1) - ($2))",
                       context->coherent ? adg_qa_valid(context, derivation->inputs[0]) : adg_qa_days(context, input),
                       adg_qa_month(context, context->rows.columns[derivation->inputs[1]]));
        value = age(context, derivation->kind == ADG_DERIVE_AGE_FRACTION);
        break;
    case ADG_DERIVE_AGE_FRACTION_OF_CATEGORY:
        value = fraction_of_code(context, "d");
        break;
    }
    return ADG_SQL(sql, "select count(*) from (select $1 as v, $2 as d from $3) x where v is distinct from $4",
                   context->rows.columns[field], from, context->rows.from, value);
}
