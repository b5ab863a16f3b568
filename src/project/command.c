/*
 * Command lines of jobs: see command.h.
 */
#include "project/command.h"

#include <assert.h>
#include <string.h>

#include "core/buffer.h"
#include "core/file.h"
#include "core/memory.h"
#include "dataset/dataset.h"

/* ---- values ------------------------------------------------------------------------------------------------------ */

static uint32_t index_of(const struct adg_parameter *parameter)
{
    uint32_t at = (uint32_t)(parameter - adg_parameters);
    assert(at < ADG_MAX_PARAMETERS);
    return at;
}

void adg_job_values_init(struct adg_job_values *values, const struct adg_project_job *job)
{
    *values = (struct adg_job_values){0};
    for (uint32_t i = 0; i < job->default_count; i++) {
        uint32_t at = index_of(job->defaults[i].parameter);
        values->of[at].texts = job->defaults[i].values;
        values->of[at].count = job->defaults[i].count;
    }
}

static enum adg_status unknown_parameter(const struct adg_project_job *job, struct adg_error *error)
{
    struct adg_buffer names = {0};
    enum adg_status status = ADG_OK;
    for (const struct adg_parameter *p = adg_parameters; p->name != NULL && status == ADG_OK; p++) {
        if ((p->commands >> job->command & 1) != 0) {
            status = adg_buffer_printf(&names, error, "%s%s", names.size > 0 ? ", " : "", p->name);
        }
    }
    const char *list = status == ADG_OK ? adg_buffer_text(&names) : NULL;
    if (status == ADG_OK) {
        status = list == NULL ? adg_fail_memory(error)
                 : *list != '\0'
                     ? adg_fail(error, ADG_USAGE, "option --set: job %s has the parameters %s", job->name, list)
                     : adg_fail(error, ADG_USAGE, "option --set: job %s has no parameters", job->name);
    }
    adg_buffer_fini(&names);
    return status;
}

/* What the start says takes the place of the other one's default. */
static enum adg_status exclude_other(struct adg_job_values *values, const struct adg_project_job *job, const char *name,
                                     struct adg_error *error)
{
    const char *other = strcmp(name, "patients") == 0 ? "rows" : strcmp(name, "rows") == 0 ? "patients" : NULL;
    if (other == NULL) {
        return ADG_OK;
    }
    uint32_t at = index_of(adg_parameter_find(job->command, other));
    if (values->of[at].set && values->of[at].texts != NULL) {
        return adg_fail(error, ADG_USAGE, "option --set: patients or rows, not both");
    }
    values->of[at].texts = NULL;
    return ADG_OK;
}

/* A definition file is one more thing that the job may read: which one, the project's file says alone. */
static enum adg_status keep_to_the_file(const struct adg_job_values *values, const struct adg_parameter *parameter,
                                        const char *value, struct adg_error *error)
{
    const char *kept = adg_job_value(values, "dataset");
    if (strcmp(parameter->name, "dataset") != 0 || !adg_definition_is_file(value) ||
        (kept != NULL && strcmp(kept, value) == 0)) {
        return ADG_OK;
    }
    return adg_fail(
        error, ADG_USAGE,
        "option --set: dataset may be a built-in definition here; a definition file is named in " ADG_PROJECT_FILE);
}

enum adg_status adg_job_values_set(struct adg_job_values *values, const struct adg_project_job *job, const char *text,
                                   struct adg_arena *arena, struct adg_error *error)
{
    size_t length = strcspn(text, "=");
    char *copy = adg_arena_strdup(arena, text);
    const char **texts = adg_arena_array(arena, strlen(text) + 1, sizeof *texts);
    if (copy == NULL || texts == NULL) {
        return adg_fail_memory(error);
    }
    if (text[length] != '=') {
        return adg_fail(error, ADG_USAGE, "option --set: expected PARAMETER=VALUE");
    }
    copy[length] = '\0';
    const struct adg_parameter *parameter = adg_parameter_find(job->command, copy);
    if (parameter == NULL) {
        return unknown_parameter(job, error);
    }
    uint32_t at = index_of(parameter), count = 0;
    if (values->of[at].set) {
        return adg_fail(error, ADG_USAGE, "option --set: %s is given twice", parameter->name);
    }
    char *rest = copy + length + 1;
    enum adg_status status = ADG_OK;
    while (rest != NULL && *rest != '\0' && status == ADG_OK) {
        char *comma = parameter->type == ADG_PARAMETER_NAMES ? strchr(rest, ',') : NULL;
        if (comma != NULL) {
            *comma = '\0';
        }
        status = adg_context(error, adg_parameter_check(parameter, rest, error), "option --set");
        texts[count++] = rest;
        rest = comma != NULL ? comma + 1 : NULL;
    }
    if (status == ADG_OK && count > 0) {
        status = keep_to_the_file(values, parameter, texts[0], error);
    }
    if (status == ADG_OK && count > 0) {
        status = exclude_other(values, job, parameter->name, error);
    }
    if (status == ADG_OK) {
        values->of[at].texts = count > 0 ? texts : NULL;
        values->of[at].count = count;
        values->of[at].set = true;
    }
    return status;
}

const char *adg_job_value(const struct adg_job_values *values, const char *name)
{
    for (uint32_t i = 0; adg_parameters[i].name != NULL; i++) {
        if (strcmp(adg_parameters[i].name, name) == 0) {
            return values->of[i].texts != NULL && values->of[i].count > 0 ? values->of[i].texts[0] : NULL;
        }
    }
    return NULL;
}

/* ---- words ------------------------------------------------------------------------------------------------------- */

struct builder {
    const struct adg_project *project;
    const struct adg_project_environment *environment;
    const struct adg_project_job *job;
    const struct adg_job_values *values;
    struct adg_arena *arena;
    struct adg_error *error;
    const char **words;
    uint32_t count, room;
    enum adg_status status; /* once it has failed, nothing is added */
};

static void add(struct builder *builder, const char *word)
{
    if (builder->status == ADG_OK && word == NULL) {
        builder->status = adg_fail_memory(builder->error);
    }
    if (builder->status == ADG_OK) {
        assert(builder->count < builder->room);
        builder->words[builder->count++] = word;
    }
}

static void add_option(struct builder *builder, const char *option, const char *value)
{
    add(builder, option);
    add(builder, value);
}

/* The folder of the job's place of a kind, and perhaps a name within it. adg_project_prove has seen that there is one. */
static const char *place(struct builder *builder, enum adg_grant_kind grant, enum adg_place_kind kind, const char *name)
{
    const struct adg_project_place *found = adg_project_place_of(builder->project, builder->job, grant, kind);
    if (found == NULL) {
        return NULL;
    }
    const char *address = adg_project_address(builder->project, builder->environment, found)->value;
    if (name == NULL) {
        return address;
    }
    char *joined = adg_path_join(address, name);
    const char *kept = joined != NULL ? adg_arena_strdup(builder->arena, joined) : NULL;
    adg_free(joined);
    return kept;
}

static void require(struct builder *builder, const char *name)
{
    if (builder->status == ADG_OK && adg_job_value(builder->values, name) == NULL) {
        builder->status = adg_fail(builder->error, ADG_USAGE, "job %s needs a value: --set %s=...", builder->job->name,
                                   name);
    }
}

static const char *dataset(struct builder *builder, struct adg_job_files *files)
{
    require(builder, "dataset");
    const char *value = adg_job_value(builder->values, "dataset");
    if (value != NULL && adg_definition_is_file(value)) {
        value = files->definition = adg_project_path(builder->project, value, builder->arena);
    }
    return value;
}

static bool is_among(const char *name, const char *const *names, uint32_t count)
{
    return names != NULL && adg_table_is_among(name, names, count);
}

static uint32_t parameter_index(const struct builder *builder, const char *name)
{
    const struct adg_parameter *parameter = adg_parameter_find(builder->job->command, name);
    return parameter != NULL ? index_of(parameter) : ADG_MAX_PARAMETERS;
}

/* The names of a list with commas between them. */
static const char *joined_names(struct builder *builder, const char *const *names, uint32_t count)
{
    struct adg_buffer text = {0};
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = adg_buffer_printf(&text, builder->error, "%s%s", i > 0 ? "," : "", names[i]);
    }
    const char *kept = status == ADG_OK ? adg_arena_strndup(builder->arena, (const char *)text.data, text.size) : NULL;
    adg_buffer_fini(&text);
    return kept;
}

/* Tables included but for those excluded; where none are named as included, those excluded. `option`: --table, one for each;
 * NULL: --include with commas. */
static void add_tables(struct builder *builder, const char *option)
{
    uint32_t in = parameter_index(builder, "include"), out = parameter_index(builder, "exclude");
    const char *const *included = in < ADG_MAX_PARAMETERS ? builder->values->of[in].texts : NULL;
    const char *const *excluded = out < ADG_MAX_PARAMETERS ? builder->values->of[out].texts : NULL;
    uint32_t included_count = included != NULL ? builder->values->of[in].count : 0, left = 0;
    uint32_t excluded_count = excluded != NULL ? builder->values->of[out].count : 0;
    if (included_count == 0) {
        if (excluded_count > 0) {
            add_option(builder, "--exclude", joined_names(builder, excluded, excluded_count));
        }
        return;
    }
    const char **kept = adg_arena_array(builder->arena, included_count, sizeof *kept);
    for (uint32_t i = 0; i < included_count && kept != NULL; i++) {
        if (!is_among(included[i], excluded, excluded_count) && !is_among(included[i], kept, left)) {
            kept[left++] = included[i];
        }
    }
    if (builder->status == ADG_OK && (kept == NULL || left == 0)) {
        builder->status = kept == NULL
                              ? adg_fail_memory(builder->error)
                              : adg_fail(builder->error, ADG_USAGE,
                                         "job %s: every table that is included is also excluded", builder->job->name);
        return;
    }
    if (option == NULL) {
        add_option(builder, "--include", joined_names(builder, kept, left));
    }
    for (uint32_t i = 0; option != NULL && i < left; i++) {
        add_option(builder, option, kept[i]);
    }
}

/* A parameter's option: its name with dashes. */
static const char *option_of(struct builder *builder, const char *name)
{
    size_t length = strlen(name);
    char *option = adg_arena_alloc(builder->arena, length + 3);
    if (option != NULL) {
        memcpy(option, "--", 2);
        for (size_t i = 0; i <= length; i++) {
            option[2 + i] = name[i] == '_' ? '-' : name[i];
        }
    }
    return option;
}

/* What needs no care of its own. */
static void add_others(struct builder *builder)
{
    for (uint32_t i = 0; adg_parameters[i].name != NULL; i++) {
        const struct adg_parameter *parameter = &adg_parameters[i];
        bool own = strcmp(parameter->name, "dataset") == 0 || parameter->type == ADG_PARAMETER_NAMES ||
                   parameter->each_time;
        const char *value = builder->values->of[i].count > 0 ? adg_job_value(builder->values, parameter->name) : NULL;
        if (own || value == NULL) {
            continue;
        }
        if (parameter->type != ADG_PARAMETER_FLAG) {
            add_option(builder, option_of(builder, parameter->name), value);
        } else if (strcmp(value, "true") == 0) {
            add(builder, option_of(builder, parameter->name));
        }
    }
}

static void build(struct builder *builder, struct adg_command_line *out)
{
    struct adg_job_files *files = &out->files;
    switch (builder->job->command) {
    case ADG_JOB_SCRAPE:
        add_option(builder, "--dataset", dataset(builder, files));
        add_option(builder, "--source", place(builder, ADG_GRANT_READS, ADG_PLACE_SOURCE, NULL));
        add_option(builder, "--meta", place(builder, ADG_GRANT_WRITES, ADG_PLACE_METADATA, ADG_PROJECT_METADATA));
        add_tables(builder, "--table");
        break;
    case ADG_JOB_REVIEW:
        add_option(builder, "--meta", place(builder, ADG_GRANT_AMENDS, ADG_PLACE_METADATA, ADG_PROJECT_METADATA));
        add_option(builder, "--report", place(builder, ADG_GRANT_AMENDS, ADG_PLACE_METADATA, "review.html"));
        break;
    case ADG_JOB_RELEASE:
        require(builder, "confirm_utc");
        add_option(builder, "--meta", place(builder, ADG_GRANT_READS, ADG_PLACE_METADATA, ADG_PROJECT_METADATA));
        add_option(builder, "--to", place(builder, ADG_GRANT_WRITES, ADG_PLACE_STORE, NULL));
        files->trust = builder->environment->trust.path;
        add_option(builder, "--trust", files->trust);
        add(builder, "--confirm-utc");
        out->confirmation = builder->count;
        add(builder, adg_job_value(builder->values, "confirm_utc"));
        break;
    case ADG_JOB_GENERATE:
        if (adg_job_value(builder->values, "patients") == NULL) {
            require(builder, "rows");
        }
        add_option(builder, "--dataset", dataset(builder, files));
        add_option(builder, "--meta", place(builder, ADG_GRANT_READS, ADG_PLACE_STORE, NULL));
        files->trust = builder->environment->trust.path;
        add_option(builder, "--trust", files->trust);
        add_option(builder, "--out", place(builder, ADG_GRANT_WRITES, ADG_PLACE_ARTIFICIAL, NULL));
        add_tables(builder, "--table");
        break;
    case ADG_JOB_QA:
        add_option(builder, "--dataset", dataset(builder, files));
        add_option(builder, "--meta", place(builder, ADG_GRANT_READS, ADG_PLACE_STORE, NULL));
        add_option(builder, "--data", place(builder, ADG_GRANT_AMENDS, ADG_PLACE_ARTIFICIAL, NULL));
        add_option(builder, "--report", place(builder, ADG_GRANT_AMENDS, ADG_PLACE_ARTIFICIAL, "qa.html"));
        break;
    case ADG_JOB_PUBLISH:
        add_option(builder, "--data", place(builder, ADG_GRANT_READS, ADG_PLACE_ARTIFICIAL, NULL));
        add_option(builder, "--to", place(builder, ADG_GRANT_WRITES, ADG_PLACE_PUBLISHED, NULL));
        add_tables(builder, NULL);
        break;
    case ADG_JOB_MIGRATE:
        add(builder, "tables");
        add_option(builder, "--dataset", dataset(builder, files));
        add_option(builder, "--data", place(builder, ADG_GRANT_AMENDS, ADG_PLACE_ARTIFICIAL, NULL));
        add_tables(builder, "--table");
        break;
    case ADG_JOB_COMMANDS:
        break;
    }
}

enum adg_status adg_command_line_build(const struct adg_project *project,
                                       const struct adg_project_environment *environment,
                                       const struct adg_project_job *job, const struct adg_job_values *values,
                                       struct adg_arena *arena, struct adg_command_line *out, struct adg_error *error)
{
    enum { FIXED_WORDS = 24 };
    struct adg_command_line made = {0};
    struct builder builder = {.project = project,
                              .environment = environment,
                              .job = job,
                              .values = values,
                              .arena = arena,
                              .error = error,
                              .room = FIXED_WORDS + 2 * ADG_MAX_PARAMETERS};
    for (uint32_t i = 0; i < ADG_MAX_PARAMETERS; i++) {
        builder.room += 2 * values->of[i].count;
    }
    builder.words = adg_arena_array(arena, builder.room + (size_t)1, sizeof *builder.words);
    if (builder.words == NULL) {
        return adg_fail_memory(error);
    }
    add(&builder, adg_job_command_names[job->command]);
    build(&builder, &made);
    add_others(&builder);
    if (builder.status == ADG_OK) {
        made.words = builder.words;
        made.count = builder.count;
        *out = made;
    }
    return builder.status;
}
