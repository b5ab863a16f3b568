/*
 * The first format of the reference's metadata table, as a query that gives the columns of the present one: TABLE_NAME,
 * FIELD_NAME and a struct METADATA (docs/migration.md has its members). Percentiles stand in rows of their own there, and are
 * gathered into an array per table and field. A date whose values are text is read after its FORMAT, by the places of yyyy, MM
 * and dd.
 *
 * A demographic date has its replacements beside it, and the present format how often it is shown: what the replacements leave,
 * or, where the value is one of them, its share.
 */
#include "engine/dialect.h"
#include "scrape/internal.h"

/* $1: the file; $2: the demographic dates. */
static const char query[] =
    "(with typed as (select TABLE_NAME, FIELD_NAME, "
    "case METADATA.SUMMARY.CATEGORICAL.VALUE_TYPE when 'FLAT' then 'CATEGORICAL' "
    "when 'NESTED' then 'DEMOGRAPHIC_CATEGORICAL' "
    "else case when FIELD_NAME in $2 and METADATA.RELATIONSHIP.FREQUENCY is null then 'DEMOGRAPHIC_DATE' "
    "else coalesce(METADATA.SUMMARY.VALUE_TYPE, METADATA.VALUE_TYPE) end end as VALUE_TYPE, "
    "METADATA.FIELD_TYPE as FIELD_TYPE, METADATA.SUMMARY.CATEGORICAL.FLAT as FLAT, "
    "METADATA.SUMMARY.CATEGORICAL.NESTED as NESTED, METADATA.SUMMARY.DISCRETE as DISCRETE, "
    "METADATA.SUMMARY.CONTINUOUS as CONTINUOUS, METADATA.SUMMARY.DATE.WEIGHT as DATE_WEIGHT, "
    "METADATA.SUMMARY.DATE.FORMAT as FORMAT, METADATA.SUMMARY.DATE.NOISE as NOISE, "
    "cast(METADATA.SUMMARY.DATE.VALUE as varchar) as DAY, "
    "regexp_full_match(cast(METADATA.SUMMARY.DATE.VALUE as varchar), '[0-9]{4}-[0-9]{2}-[0-9]{2}( 00:00:00)?') as "
    "IS_ISO, "
    "METADATA.RELATIONSHIP as LINK from read_parquet($1, hive_partitioning = false)) "
    "select TABLE_NAME, FIELD_NAME, VALUE_TYPE, "
    "case VALUE_TYPE when 'CATEGORICAL' then cast(FLAT.VALUE as varchar) "
    "when 'RELATIONSHIP' then coalesce(cast(FIELD_TYPE as varchar), cast(LINK.LINKED_FIELD_NAME as varchar)) "
    "when 'DEMOGRAPHIC_DATE' then case when IS_ISO and FORMAT is not null then "
    "replace(replace(replace(FORMAT, 'yyyy', substr(DAY, 1, 4)), 'MM', substr(DAY, 6, 2)), 'dd', substr(DAY, 9, 2)) "
    "else DAY end end as VALUE_STRING, "
    "case VALUE_TYPE when 'DISCRETE' then cast(DISCRETE.VALUE as double) "
    "when 'RELATIONSHIP' then cast(LINK.MAPPING as double) "
    "when 'DEMOGRAPHIC_DATE' then round(case when coalesce(len(NOISE), 0) = 0 then 1 "
    "when len(list_filter(NOISE, x -> cast(x.REPLACEMENT as varchar) = DAY)) > 0 then "
    "list_sum(list_transform(list_filter(NOISE, x -> cast(x.REPLACEMENT as varchar) = DAY), x -> x.WEIGHT)) / "
    "list_sum(list_transform(NOISE, x -> x.WEIGHT)) "
    "else 1 - list_sum(list_transform(NOISE, x -> x.WEIGHT)) end, 6) end as VALUE_NUMERIC, "
    "case VALUE_TYPE when 'DATE' then cast(case when IS_ISO or FORMAT is null then substr(DAY, 1, 10) else "
    "substr(DAY, position('yyyy' in FORMAT), 4) || '-' || "
    "case when position('MM' in FORMAT) > 0 then substr(DAY, position('MM' in FORMAT), 2) else '01' end || '-' || "
    "case when position('dd' in FORMAT) > 0 then substr(DAY, position('dd' in FORMAT), 2) else '01' end "
    "end as date) end as VALUE_DATE, "
    "case VALUE_TYPE when 'DEMOGRAPHIC_CATEGORICAL' then list_transform(NESTED.VALUE, x -> cast(x.VALUE as varchar)) "
    "end as VALUE_STRING_ARRAY, cast(null as double[]) as VALUE_NUMERIC_ARRAY, "
    "coalesce(cast(FLAT.WEIGHT as double), cast(NESTED.WEIGHT as double), cast(DATE_WEIGHT as double), "
    "cast(DISCRETE.WEIGHT as double), cast(LINK.FREQUENCY as double)) as WEIGHT, "
    "case VALUE_TYPE when 'DEMOGRAPHIC_CATEGORICAL' then list_transform(NESTED.VALUE, x -> cast(x.WEIGHT as double)) "
    "end as WEIGHT_ARRAY from typed where VALUE_TYPE is null or VALUE_TYPE not in ('CONTINUOUS', 'ID') "
    "union all select TABLE_NAME, FIELD_NAME, VALUE_TYPE, null, null, null, null, "
    "coalesce(list_sort(list(cast(CONTINUOUS.VALUE as double)) filter (where CONTINUOUS.VALUE is not null)), "
    "cast([] as double[])), null, null "
    "from typed where VALUE_TYPE = 'CONTINUOUS' group by TABLE_NAME, FIELD_NAME, VALUE_TYPE)";

/* The names of the fields that are demographic dates in the definition, as an SQL list. */
static enum adg_status list_dates(const struct adg_definition *definition, struct adg_buffer *sql,
                                  struct adg_error *error)
{
    enum adg_status status = adg_buffer_append(sql, "[''", 3, error);
    for (uint32_t d = 0; status == ADG_OK && d < definition->dataset_count; d++) {
        const struct adg_dataset *dataset = &definition->datasets[d];
        for (uint32_t i = 0; status == ADG_OK && i < dataset->field_count; i++) {
            const struct adg_field *field = &dataset->fields[i];
            if (field->role == ADG_ROLE_SAMPLED && field->value_type == ADG_VALUE_DEMOGRAPHIC_DATE) {
                status = adg_buffer_append(sql, ", ", 2, error);
                status = status == ADG_OK ? adg_sql_literal(sql, field->name, error) : status;
            }
        }
    }
    return status == ADG_OK ? adg_buffer_append(sql, "]", 1, error) : status;
}

enum adg_status adg_import_first_format(const char *path, const struct adg_definition *definition,
                                        struct adg_buffer *out, struct adg_error *error)
{
    struct adg_buffer file = {0}, dates = {0};
    enum adg_status status = adg_sql_literal(&file, path, error);
    if (status == ADG_OK) {
        status = list_dates(definition, &dates, error);
    }
    const char *texts[] = {adg_buffer_text(&file), adg_buffer_text(&dates), NULL};
    if (status == ADG_OK && (texts[0] == NULL || texts[1] == NULL)) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        status = adg_sql_fill(out, query, texts, error);
    }
    adg_buffer_fini(&file);
    adg_buffer_fini(&dates);
    return status;
}
