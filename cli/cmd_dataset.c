/*
 * adg dataset list | show D | check FILE
 */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "core/date.h"
#include "dataset/dataset.h"

static const char usage[] =
    "usage: adg dataset list\n"
    "       adg dataset show DATASET\n"
    "       adg dataset check FILE.yaml\n"
    "\n"
    "  list     the built-in datasets: name, tables, fields\n"
    "  show     keys, tables and fields of a dataset (a built-in name or a definition file)\n"
    "  check    reads a definition file; an error is shown with file, line, column and what was expected\n"
    "\n"
    "  --quiet  nothing but results and errors\n"
    "  --help   this text\n";

static enum adg_status list(struct adg_error *error)
{
    for (const char *const *name = adg_definition_builtin_names(); *name != NULL; name++) {
        struct adg_definition *definition = NULL;
        enum adg_status status = adg_definition_open(*name, &definition, error);
        if (status != ADG_OK) {
            return status;
        }
        uint32_t tables = 0, fields = 0;
        for (uint32_t d = 0; d < definition->dataset_count; d++) {
            tables += definition->datasets[d].table_count;
            fields += definition->datasets[d].field_count;
        }
        printf("%s\t%u tables\t%u fields\n", *name, tables, fields);
        adg_definition_free(definition);
    }
    return ADG_OK;
}

static void show_derivation(const struct adg_dataset *dataset, const struct adg_derivation *derivation)
{
    static const char *const names[] = {"prefix",       "join",         "count_codes",
                                        "age_category", "age_fraction", "age_fraction_of_category"};
    printf("%s(", names[derivation->kind]);
    for (uint32_t i = 0; i < derivation->input_count; i++) {
        printf("%s%s", i == 0 ? "" : ", ", dataset->fields[derivation->inputs[i]].name);
    }
    if (derivation->kind == ADG_DERIVE_PREFIX) {
        printf(", %u", derivation->number);
    } else if (derivation->kind == ADG_DERIVE_COUNT_CODES) {
        printf(", cap %u", derivation->number);
    }
    printf(")");
}

static void show_span(const struct adg_dataset *dataset, const struct adg_timeline *timeline,
                      const struct adg_span_rule *span)
{
    printf("span\t%s\t%s\t", dataset->fields[span->from].name, dataset->fields[span->to].name);
    for (uint32_t i = 0; i < span->length_count; i++) {
        printf("%s%s", i == 0 ? "" : ", ", dataset->fields[span->lengths[i]].name);
    }
    if (span->at_least >= 0) {
        printf("\tat least %s", dataset->fields[timeline->spans[span->at_least].lengths[0]].name);
    }
    if (span->below > 0) {
        printf("\tbelow %u", span->below);
    }
    printf("\n");
}

static void show_coherence(const struct adg_dataset *dataset)
{
    const struct adg_coherence *coherence = &dataset->coherence;
    const struct adg_population_rule *population = &coherence->population;
    if (population->id > 0) {
        printf("population\t%u\n", population->id);
    }
    if (population->birth >= 0) {
        printf("birth\t%s\n", dataset->fields[population->birth].name);
    }
    if (population->age >= 0) {
        printf("age\t%s\tat %s\n", dataset->fields[population->age].name, dataset->fields[population->age_at].name);
    }
    for (uint32_t i = 0; i < population->same_count; i++) {
        printf("same\t%s\n", dataset->fields[population->same[i]].name);
    }
    for (uint32_t i = 0; i < coherence->invalid_date_count; i++) {
        char day[10];
        adg_date_format(coherence->invalid_dates[i], day);
        printf("invalid date\t%.10s\n", day);
    }
    for (uint32_t t = 0; t < coherence->timeline_count; t++) {
        const struct adg_timeline *timeline = &coherence->timelines[t];
        printf("timeline\t%s\n", dataset->fields[timeline->anchor].name);
        for (uint32_t s = 0; s < timeline->span_count; s++) {
            show_span(dataset, timeline, &timeline->spans[s]);
        }
    }
    for (uint32_t g = 0; g < coherence->nested_count; g++) {
        const struct adg_nested_group *group = &coherence->nested[g];
        printf("nested\t%s\t%s\n", dataset->fields[group->fields[0]].name,
               dataset->fields[group->fields[group->count - 1]].name);
    }
    for (uint32_t i = 0; i < coherence->reference_count; i++) {
        printf("reference\t%s\t%s\n", dataset->fields[coherence->references[i].field].name,
               coherence->references[i].dataset);
    }
    for (uint32_t i = 0; i < coherence->table_value_count; i++) {
        printf("value per table\t%s\n", dataset->fields[coherence->table_values[i].field].name);
    }
}

static void show_dataset(const struct adg_dataset *dataset)
{
    printf("dataset\t%s\nid\t%u\n", dataset->name, dataset->id);
    printf("primary key\t%s\n", dataset->fields[dataset->primary_key].name);
    printf("patient key\t%s\n", dataset->patient_key >= 0 ? dataset->fields[dataset->patient_key].name : "none");
    printf("min_frequency\t%u\nrounding\t%u\n", dataset->min_frequency, dataset->rounding);
    if (dataset->sorted_date_count > 0) {
        printf("sorted dates\t");
        for (uint32_t i = 0; i < dataset->sorted_date_count; i++) {
            printf("%s%s", i == 0 ? "" : ", ", dataset->fields[dataset->sorted_dates[i]].name);
        }
        printf("\n");
    }
    for (uint32_t i = 0; i < dataset->placeholder_count; i++) {
        printf("placeholder\t%s\n", dataset->placeholders[i]);
    }
    show_coherence(dataset);
    for (uint32_t i = 0; i < dataset->table_count; i++) {
        printf("table\t%s\n", dataset->tables[i].name);
    }
    static const char *const roles[] = {"sampled", "id", "derived"};
    for (uint32_t i = 0; i < dataset->field_count; i++) {
        const struct adg_field *field = &dataset->fields[i];
        char type[24];
        adg_type_format(field, type);
        printf("field\t%s\t%s\t%s\t", field->name, type, roles[field->role]);
        if (field->role == ADG_ROLE_SAMPLED) {
            printf("%s", adg_value_type_name(field->value_type));
        } else if (field->role == ADG_ROLE_ID) {
            printf("%s", adg_pattern_text(field->pattern));
        } else {
            show_derivation(dataset, field->derivation);
        }
        if (strcmp(field->column, field->name) != 0) {
            printf("\t%s", field->column);
        }
        printf("\n");
    }
}

static enum adg_status show(const char *name, bool check, struct adg_error *error)
{
    struct adg_definition *definition = NULL;
    enum adg_status status = adg_definition_open(name, &definition, error);
    for (uint32_t d = 0; status == ADG_OK && d < definition->dataset_count; d++) {
        const struct adg_dataset *dataset = &definition->datasets[d];
        if (check) {
            printf("%s: dataset %s is in order: %u tables, %u fields\n", name, dataset->name, dataset->table_count,
                   dataset->field_count);
        } else {
            show_dataset(dataset);
        }
    }
    adg_definition_free(definition);
    return status;
}

static int run(int argc, char **argv)
{
    const char *words[2] = {NULL, NULL};
    uint32_t count = 0;
    bool help = false;
    struct adg_error error = {{0}};
    enum adg_status status = adg_cli_parse(argc, argv, NULL, 0, words, 2, &count, &help, &error);
    if (help) {
        fputs(usage, stdout);
        return 0;
    }
    if (status == ADG_OK) {
        bool is_list = count == 1 && strcmp(words[0], "list") == 0;
        bool is_show = count == 2 && strcmp(words[0], "show") == 0,
             is_check = count == 2 && strcmp(words[0], "check") == 0;
        status = is_list               ? list(&error)
                 : is_show || is_check ? show(words[1], is_check, &error)
                                       : adg_fail(&error, ADG_USAGE, "expected list, show DATASET or check FILE.yaml");
    }
    return status == ADG_OK ? 0 : adg_cli_fail("dataset", status, &error);
}

const struct adg_command adg_command_dataset = {
    .name = "dataset", .summary = "list, show and check definitions of datasets", .usage = usage, .run = run};
