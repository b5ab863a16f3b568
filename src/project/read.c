/*
 * project.yaml as structs: see project.h.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/file.h"
#include "core/memory.h"
#include "engine/target.h"
#include "project/project.h"
#include "yaml/tree.h"

enum { MAX_ENVIRONMENTS = 8, MAX_PLACES = 32, MAX_JOBS = 64, MAX_TABLES = 4096, MAX_CONCURRENCY = 10 };

const char *const adg_place_kind_names[ADG_PLACE_KINDS + 1] = {
    [ADG_PLACE_SOURCE] = "source",         [ADG_PLACE_METADATA] = "metadata",   [ADG_PLACE_STORE] = "store",
    [ADG_PLACE_ARTIFICIAL] = "artificial", [ADG_PLACE_PUBLISHED] = "published",
};
const char *const adg_grant_names[ADG_GRANTS] = {
    [ADG_GRANT_READS] = "reads", [ADG_GRANT_WRITES] = "writes", [ADG_GRANT_AMENDS] = "amends"};

struct reader {
    struct adg_tree tree;
    struct adg_project *project;
};

static struct adg_position position_of(const struct reader *reader, const yaml_node_t *node)
{
    return (struct adg_position){reader->tree.first_line + node->start_mark.line + 1, node->start_mark.column + 1};
}

static void *array(const struct reader *reader, size_t count, size_t bytes)
{
    return adg_arena_array(reader->tree.arena, count > 0 ? count : 1, bytes);
}

static enum adg_status missing(const struct reader *reader, const yaml_node_t *node, const char *key)
{
    return adg_tree_refuse(&reader->tree, node, 0, "expected the key %s here", key);
}

/* The index of a scalar in a list of words that ends with NULL. */
static enum adg_status read_choice(const struct reader *reader, const yaml_node_t *node, const char *const *words,
                                   const char *what, uint32_t *out)
{
    char list[256] = "";
    size_t used = 0;
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (node->type == YAML_SCALAR_NODE && strcmp(adg_tree_text(node), words[i]) == 0) {
            *out = i;
            return ADG_OK;
        }
        size_t length = strlen(words[i]) + 2;
        if (used + length < sizeof list) {
            memcpy(list + used, i > 0 ? ", " : "", i > 0 ? 2 : 0);
            used += i > 0 ? 2 : 0;
            memcpy(list + used, words[i], length - 1);
            used += length - 2;
        }
    }
    return adg_tree_refuse(&reader->tree, node, 0, "expected %s as one of %s", what, list);
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

static enum adg_status read_places(struct reader *reader, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_entries(&reader->tree, node, MAX_PLACES, "places", &count);
    struct adg_project_place *places = status == ADG_OK ? array(reader, count, sizeof *places) : NULL;
    if (status == ADG_OK && places == NULL) {
        status = adg_fail_memory(reader->tree.error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *value, *key = adg_tree_entry(&reader->tree, node, i, &value);
        uint32_t kind = 0;
        status = read_choice(reader, value, adg_place_kind_names, "what the place holds", &kind);
        if (status == ADG_OK) {
            status = adg_tree_name(&reader->tree, key, "the name of a place", false, &places[i].name);
        }
        places[i].kind = (enum adg_place_kind)kind;
        places[i].at = position_of(reader, key);
    }
    if (status == ADG_OK) {
        reader->project->places = places;
        reader->project->place_count = count;
    }
    return status;
}

static int64_t find_place(const struct reader *reader, const yaml_node_t *node)
{
    for (uint32_t i = 0; i < reader->project->place_count && node->type == YAML_SCALAR_NODE; i++) {
        if (strcmp(reader->project->places[i].name, adg_tree_text(node)) == 0) {
            return i;
        }
    }
    return -1;
}

static enum adg_status refuse_place(const struct reader *reader, const yaml_node_t *node)
{
    return adg_tree_refuse(&reader->tree, node, 0,
                           "expected the name of a place, as the key places has it: this one is unknown");
}

/* ---- environments ------------------------------------------------------------------------------------------------ */

/* Whether a text begins with a scheme ("sc:"): it names no folder. */
static bool has_scheme(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
    return length > 0 && text[length] == ':';
}

static enum adg_status read_database(const struct reader *reader, const yaml_node_t *node, struct adg_address *address)
{
    static const char in_file[] = "duckdb:";
    struct adg_error ignored = {{0}};
    struct adg_target target = {0};
    bool file = strncmp(address->text, in_file, strlen(in_file)) == 0;
    enum adg_status status = adg_target_is(address->text) ? ADG_OK : ADG_USAGE;
    address->value = address->text;
    if (status == ADG_OK && file) {
        char *joined = NULL;
        address->path = adg_project_path(reader->project, address->text + strlen(in_file), reader->tree.arena);
        if (address->path != NULL) {
            struct adg_buffer value = {0};
            status = adg_buffer_printf(&value, reader->tree.error, "%s%s", in_file, address->path);
            joined = status == ADG_OK ? adg_buffer_text(&value) : NULL;
            address->value = joined != NULL ? adg_arena_strdup(reader->tree.arena, joined) : NULL;
            adg_buffer_fini(&value);
        }
        return address->value == NULL || address->path == NULL ? adg_fail_memory(reader->tree.error) : status;
    }
    if (status == ADG_OK) {
        const char *dialect = strncmp(address->text, "adbc:", 5) == 0 ? "postgresql" : NULL;
        status = adg_target_parse(address->text, dialect, reader->tree.arena, &target, &ignored);
    }
    /* the message never shows the address: a secret may be what is amiss */
    return status != ADG_USAGE
               ? ADG_OK
               : adg_tree_refuse(&reader->tree, node, 0,
                                 "expected a folder, or a database as duckdb:FILE, postgresql://, sc:// "
                                 "or adbc:, without a secret in its address");
}

static enum adg_status read_address(const struct reader *reader, const yaml_node_t *node, bool may_be_database,
                                    struct adg_address *address)
{
    enum adg_status status = adg_tree_line(&reader->tree, node, "a folder", &address->text);
    address->at = position_of(reader, node);
    if (status != ADG_OK) {
        return status;
    }
    if (has_scheme(address->text) && may_be_database) {
        return read_database(reader, node, address);
    }
    if (has_scheme(address->text)) {
        return adg_tree_refuse(&reader->tree, node, 0, "expected a folder: only a source may be a database");
    }
    if (address->text[0] == '-' || address->text[0] == '~') {
        return adg_tree_refuse(&reader->tree, node, 0, "expected a folder that begins with no dash and no tilde");
    }
    address->path = address->value = adg_project_path(reader->project, address->text, reader->tree.arena);
    return address->path == NULL ? adg_fail_memory(reader->tree.error) : ADG_OK;
}

static enum adg_status read_addresses(const struct reader *reader, const yaml_node_t *node,
                                      struct adg_project_environment *environment)
{
    uint32_t count = 0, places = reader->project->place_count;
    struct adg_address *addresses = array(reader, places, sizeof *addresses);
    enum adg_status status = addresses == NULL ? adg_fail_memory(reader->tree.error)
                                               : adg_tree_entries(&reader->tree, node, MAX_PLACES, "places", &count);
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *value, *key = adg_tree_entry(&reader->tree, node, i, &value);
        int64_t place = find_place(reader, key);
        status = place < 0 ? refuse_place(reader, key)
                           : read_address(reader, value, reader->project->places[place].kind == ADG_PLACE_SOURCE,
                                          &addresses[place]);
    }
    for (uint32_t i = 0; i < places && status == ADG_OK; i++) {
        if (addresses[i].text == NULL) {
            status = adg_tree_refuse(&reader->tree, node, 0, "expected an address for every place: %s has none",
                                     reader->project->places[i].name);
        }
    }
    environment->addresses = addresses;
    return status;
}

static enum adg_status read_environment(const struct reader *reader, const yaml_node_t *key, const yaml_node_t *node,
                                        struct adg_project_environment *environment)
{
    static const char *const keys[] = {"trust", "places", NULL};
    const yaml_node_t *values[2];
    environment->at = position_of(reader, key);
    enum adg_status status = adg_tree_name(&reader->tree, key, "the name of an environment", false, &environment->name);
    if (status == ADG_OK) {
        status = adg_tree_mapping(&reader->tree, node, keys, values, "an environment");
    }
    for (int i = 0; i < 2 && status == ADG_OK; i++) {
        status = values[i] == NULL ? missing(reader, node, keys[i]) : ADG_OK;
    }
    if (status == ADG_OK) {
        status = read_address(reader, values[0], false, &environment->trust);
    }
    return status == ADG_OK ? read_addresses(reader, values[1], environment) : status;
}

static enum adg_status read_environments(struct reader *reader, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_entries(&reader->tree, node, MAX_ENVIRONMENTS, "environments", &count);
    struct adg_project_environment *environments = status == ADG_OK ? array(reader, count, sizeof *environments) : NULL;
    if (status == ADG_OK && environments == NULL) {
        status = adg_fail_memory(reader->tree.error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *value, *key = adg_tree_entry(&reader->tree, node, i, &value);
        status = read_environment(reader, key, value, &environments[i]);
    }
    if (status == ADG_OK && count == 0) {
        status = adg_tree_refuse(&reader->tree, node, 0, "expected at least one environment");
    }
    if (status == ADG_OK) {
        reader->project->environments = environments;
        reader->project->environment_count = count;
    }
    return status;
}

/* ---- jobs -------------------------------------------------------------------------------------------------------- */

static enum adg_status read_grant(const struct reader *reader, const yaml_node_t *node, const char *what,
                                  struct adg_project_grant *grant)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_sequence(&reader->tree, node, MAX_PLACES, what, &count);
    uint32_t *places = status == ADG_OK ? array(reader, count, sizeof *places) : NULL;
    struct adg_position *at = status == ADG_OK ? array(reader, count, sizeof *at) : NULL;
    if (status == ADG_OK && (places == NULL || at == NULL)) {
        status = adg_fail_memory(reader->tree.error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *item = adg_tree_item(&reader->tree, node, i);
        int64_t place = find_place(reader, item);
        if (place < 0) {
            return refuse_place(reader, item);
        }
        for (uint32_t j = 0; j < i; j++) {
            if (places[j] == (uint32_t)place) {
                return adg_tree_refuse(&reader->tree, item, 0, "expected each place once, found %s again",
                                       reader->project->places[place].name);
            }
        }
        places[i] = (uint32_t)place;
        at[i] = position_of(reader, item);
    }
    if (status == ADG_OK) {
        *grant = (struct adg_project_grant){places, at, count};
    }
    return status;
}

static enum adg_status read_value(const struct reader *reader, const yaml_node_t *node,
                                  const struct adg_parameter *parameter, const char **out)
{
    struct adg_error error = {{0}};
    if (node->type != YAML_SCALAR_NODE) {
        return adg_tree_refuse(&reader->tree, node, 0, "expected one value of %s", parameter->name);
    }
    if (adg_parameter_check(parameter, adg_tree_text(node), &error) != ADG_OK) {
        return adg_tree_refuse(&reader->tree, node, 0, "%s", error.message);
    }
    *out = adg_arena_strdup(reader->tree.arena, adg_tree_text(node));
    return *out == NULL ? adg_fail_memory(reader->tree.error) : ADG_OK;
}

static enum adg_status read_default(const struct reader *reader, const yaml_node_t *key, const yaml_node_t *node,
                                    enum adg_job_command command, struct adg_project_default *out)
{
    const struct adg_parameter *parameter = adg_parameter_find(command, adg_tree_text(key));
    uint32_t count = 1;
    if (parameter == NULL) {
        return adg_tree_refuse(&reader->tree, key, 0, "expected a parameter that %s has: this one is unknown",
                               adg_job_command_names[command]);
    }
    if (parameter->each_time) {
        return adg_tree_refuse(&reader->tree, key, 0,
                               "expected no %s here: a person says it each time that the job is started",
                               parameter->name);
    }
    enum adg_status status = ADG_OK;
    if (parameter->type == ADG_PARAMETER_NAMES) {
        status = adg_tree_sequence(&reader->tree, node, MAX_TABLES, "names of tables", &count);
    }
    const char **values = status == ADG_OK ? array(reader, count, sizeof *values) : NULL;
    if (status == ADG_OK && values == NULL) {
        status = adg_fail_memory(reader->tree.error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        bool list = parameter->type == ADG_PARAMETER_NAMES;
        status = read_value(reader, list ? adg_tree_item(&reader->tree, node, i) : node, parameter, &values[i]);
    }
    *out = (struct adg_project_default){parameter, values, count};
    return status;
}

static enum adg_status read_defaults(const struct reader *reader, const yaml_node_t *node, struct adg_project_job *job)
{
    uint32_t count = 0;
    enum { MAX_DEFAULTS = 32 };
    const yaml_node_t *rows = NULL, *patients = NULL;
    enum adg_status status = adg_tree_entries(&reader->tree, node, MAX_DEFAULTS, "parameters", &count);
    struct adg_project_default *defaults = status == ADG_OK ? array(reader, count, sizeof *defaults) : NULL;
    if (status == ADG_OK && defaults == NULL) {
        status = adg_fail_memory(reader->tree.error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *value, *key = adg_tree_entry(&reader->tree, node, i, &value);
        status = read_default(reader, key, value, job->command, &defaults[i]);
        rows = strcmp(adg_tree_text(key), "rows") == 0 ? key : rows;
        patients = strcmp(adg_tree_text(key), "patients") == 0 ? key : patients;
    }
    if (status == ADG_OK && rows != NULL && patients != NULL) {
        status = adg_tree_refuse(&reader->tree, rows, 0, "expected patients or rows, found both");
    }
    if (status == ADG_OK) {
        job->defaults = defaults;
        job->default_count = count;
    }
    return status;
}

static enum adg_status read_schedule(const struct reader *reader, const yaml_node_t *node, struct adg_project_job *job)
{
    struct adg_error error = {{0}};
    size_t column = 0;
    enum adg_status status = adg_tree_line(&reader->tree, node, "a schedule", &job->schedule_text);
    if (status == ADG_OK && adg_cron_parse(job->schedule_text, &job->schedule, &column, &error) != ADG_OK) {
        status = adg_tree_refuse(&reader->tree, node, column, "%s", error.message);
    }
    return status;
}

static enum adg_status read_job(const struct reader *reader, const yaml_node_t *key, const yaml_node_t *node,
                                struct adg_project_job *job)
{
    enum { DOES, READS, WRITES, AMENDS, PARAMETERS, CONCURRENCY, SCHEDULE, KEYS };
    static const char *const keys[] = {"does",       "reads",       "writes",   "amends",
                                       "parameters", "concurrency", "schedule", NULL};
    const yaml_node_t *values[KEYS];
    uint32_t command = 0;
    job->at = position_of(reader, key);
    job->concurrency = 1;
    enum adg_status status = adg_tree_name(&reader->tree, key, "the name of a job", false, &job->name);
    if (status == ADG_OK) {
        status = adg_tree_mapping(&reader->tree, node, keys, values, "a job");
    }
    if (status == ADG_OK) { /* a job that is called after a command does that */
        status = read_choice(reader, values[DOES] != NULL ? values[DOES] : key, adg_job_command_names,
                             values[DOES] != NULL ? "what the job does" : "the key does, or the name of the job,",
                             &command);
        job->command = (enum adg_job_command)command;
    }
    for (int g = 0; g < ADG_GRANTS && status == ADG_OK; g++) {
        if (values[READS + g] != NULL) {
            status = read_grant(reader, values[READS + g], "places", &job->grants[g]);
        }
    }
    if (status == ADG_OK && values[PARAMETERS] != NULL) {
        status = read_defaults(reader, values[PARAMETERS], job);
    }
    if (status == ADG_OK && values[CONCURRENCY] != NULL) {
        status = adg_tree_number(&reader->tree, values[CONCURRENCY], MAX_CONCURRENCY, "the concurrency",
                                 &job->concurrency);
    }
    if (status == ADG_OK && values[SCHEDULE] != NULL) {
        status = read_schedule(reader, values[SCHEDULE], job);
        if (status == ADG_OK && job->command == ADG_JOB_RELEASE) {
            status = adg_tree_refuse(&reader->tree, values[SCHEDULE], 0,
                                     "expected no schedule: a person starts a release, and confirms it");
        }
    }
    return status;
}

static enum adg_status read_jobs(struct reader *reader, const yaml_node_t *node)
{
    uint32_t count = 0;
    enum adg_status status = adg_tree_entries(&reader->tree, node, MAX_JOBS, "jobs", &count);
    struct adg_project_job *jobs = status == ADG_OK ? array(reader, count, sizeof *jobs) : NULL;
    if (status == ADG_OK && jobs == NULL) {
        status = adg_fail_memory(reader->tree.error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        const yaml_node_t *value, *key = adg_tree_entry(&reader->tree, node, i, &value);
        status = read_job(reader, key, value, &jobs[i]);
    }
    if (status == ADG_OK) {
        reader->project->jobs = jobs;
        reader->project->job_count = count;
    }
    return status;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static enum adg_status read_root(struct reader *reader)
{
    enum { PROJECT, PLACES, ENVIRONMENTS, JOBS, KEYS };
    static const char *const keys[] = {"project", "places", "environments", "jobs", NULL};
    const yaml_node_t *values[KEYS], *root = adg_tree_root(&reader->tree);
    enum adg_status status = adg_tree_mapping(&reader->tree, root, keys, values, "a project");
    for (int i = 0; i < KEYS && status == ADG_OK; i++) {
        status = values[i] == NULL ? missing(reader, root, keys[i]) : ADG_OK;
    }
    if (status == ADG_OK) {
        status = adg_tree_name(&reader->tree, values[PROJECT], "the name of the project", false,
                               &reader->project->name);
    }
    if (status == ADG_OK) {
        status = read_places(reader, values[PLACES]);
    }
    if (status == ADG_OK) {
        status = read_environments(reader, values[ENVIRONMENTS]);
    }
    return status == ADG_OK ? read_jobs(reader, values[JOBS]) : status;
}

enum adg_status adg_project_parse(const char *folder, struct adg_span text, struct adg_project **out,
                                  struct adg_error *error)
{
    struct adg_project *project = adg_alloc_zero(1, sizeof *project);
    char *path = adg_path_join(folder, ADG_PROJECT_FILE);
    enum adg_status status = project == NULL || path == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK) {
        project->folder = adg_arena_strdup(&project->arena, folder);
        project->file = adg_arena_strdup(&project->arena, path);
        status = project->folder == NULL || project->file == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    if (status == ADG_OK) {
        struct reader reader = {
            .tree = {.file = project->file, .what = "project", .arena = &project->arena, .error = error},
            .project = project};
        status = adg_tree_load(&reader.tree, (const char *)text.data, text.size);
        if (status == ADG_OK) {
            status = read_root(&reader);
            adg_tree_fini(&reader.tree);
        }
    }
    if (status == ADG_OK) {
        *out = project;
        project = NULL;
    }
    adg_project_free(project);
    adg_free(path);
    return status;
}

enum adg_status adg_project_open(const char *folder, struct adg_project **out, struct adg_error *error)
{
    struct adg_buffer text = {0};
    char *path = adg_path_join(folder, ADG_PROJECT_FILE);
    enum adg_status status = path == NULL ? adg_fail_memory(error) : adg_file_read(path, &text, error);
    if (status == ADG_OK) {
        status = adg_project_parse(folder, (struct adg_span){text.data, text.size}, out, error);
    }
    adg_buffer_fini(&text);
    adg_free(path);
    return status;
}

void adg_project_free(struct adg_project *project)
{
    if (project != NULL) {
        adg_arena_fini(&project->arena);
        adg_free(project);
    }
}
