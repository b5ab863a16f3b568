/*
 * The DuckDB extension: a table function `adg` over tables that are made while they are read.
 *
 *     from adg('hes_apc_2021', patients := 100000)
 *
 *     bind        opens definition and metadata and plans the table; whatever is refused is refused here
 *     init        notes which columns the query wants
 *     local init  a block for each thread, which makes those columns alone
 *     scan        the next block, when the thread's last one is used up, and of it as many rows as a chunk takes
 *
 * Written against the stable C API v1.2.0, so one binary serves every later DuckDB.
 */
#define DUCKDB_EXTENSION_NAME adg
#include "scan.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"

/* ---- parameters ---------------------------------------------------------------------------------------------------- */

struct parameters {
    char *table, *dataset, *metadata, *trust, *release, *profile; /* DuckDB's memory; NULL: not given */
    int64_t patients, rows;
    bool has_patients, has_rows;
    uint64_t seed;
    bool allow_unreleased;
};

static char *text_parameter(duckdb_bind_info info, const char *name)
{
    duckdb_value value = duckdb_bind_get_named_parameter(info, name);
    char *text = value != NULL && !duckdb_is_null_value(value) ? duckdb_get_varchar(value) : NULL;
    duckdb_destroy_value(&value);
    return text;
}

static int64_t count_parameter(duckdb_bind_info info, const char *name, bool *given)
{
    duckdb_value value = duckdb_bind_get_named_parameter(info, name);
    *given = value != NULL && !duckdb_is_null_value(value);
    int64_t count = *given ? duckdb_get_int64(value) : 0;
    duckdb_destroy_value(&value);
    return count;
}

static void read_parameters(duckdb_bind_info info, struct parameters *parameters)
{
    duckdb_value table = duckdb_bind_get_parameter(info, 0);
    parameters->table = duckdb_is_null_value(table) ? NULL : duckdb_get_varchar(table);
    duckdb_destroy_value(&table);
    parameters->dataset = text_parameter(info, "dataset");
    parameters->metadata = text_parameter(info, "metadata");
    parameters->trust = text_parameter(info, "trust");
    parameters->release = text_parameter(info, "release");
    parameters->profile = text_parameter(info, "profile");
    parameters->patients = count_parameter(info, "patients", &parameters->has_patients);
    parameters->rows = count_parameter(info, "rows", &parameters->has_rows);
    duckdb_value seed = duckdb_bind_get_named_parameter(info, "seed");
    parameters->seed = seed != NULL && !duckdb_is_null_value(seed) ? duckdb_get_uint64(seed) : 1;
    duckdb_destroy_value(&seed);
    duckdb_value allow = duckdb_bind_get_named_parameter(info, "allow_unreleased");
    parameters->allow_unreleased = allow != NULL && !duckdb_is_null_value(allow) && duckdb_get_bool(allow);
    duckdb_destroy_value(&allow);
}

static void free_parameters(struct parameters *parameters)
{
    char *texts[] = {parameters->table, parameters->dataset, parameters->metadata,
                     parameters->trust, parameters->release, parameters->profile};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i] != NULL) {
            duckdb_free(texts[i]);
        }
    }
}

static bool is_reference(const struct parameters *parameters)
{
    return parameters->profile != NULL && strcmp(parameters->profile, "reference") == 0;
}

static enum adg_status check(const struct parameters *parameters, struct adg_error *error)
{
    bool open = parameters->metadata == NULL || strcmp(parameters->metadata, ADG_OPEN_METADATA) == 0;
    if (parameters->table == NULL) {
        return adg_fail(error, ADG_USAGE, "the name of a table is needed, not null");
    }
    if (parameters->profile != NULL && !is_reference(parameters) && strcmp(parameters->profile, "coherent") != 0) {
        return adg_fail(error, ADG_USAGE, "profile: expected coherent or reference, not '%s'", parameters->profile);
    }
    if (parameters->has_patients == parameters->has_rows) {
        return adg_fail(error, ADG_USAGE, "exactly one of patients and rows is needed");
    }
    if ((parameters->has_patients ? parameters->patients : parameters->rows) < 1) {
        return adg_fail(error, ADG_USAGE, "%s: expected a whole number from 1",
                        parameters->has_patients ? "patients" : "rows");
    }
    if (open && (parameters->trust != NULL || parameters->release != NULL || parameters->allow_unreleased)) {
        return adg_fail(error, ADG_USAGE,
                        "the open metadata are released with adg: trust, release and allow_unreleased are for other "
                        "metadata");
    }
    if (parameters->trust != NULL && parameters->allow_unreleased) {
        return adg_fail(error, ADG_USAGE, "trust and allow_unreleased exclude each other");
    }
    if (!open && parameters->trust == NULL && !parameters->allow_unreleased) {
        return adg_fail(error, ADG_REFUSED,
                        "metadata %s has not been shown to be released: say with trust := whose signatures count; for "
                        "work on your own data, take it with allow_unreleased := true",
                        parameters->metadata);
    }
    return ADG_OK;
}

/* ---- planning ------------------------------------------------------------------------------------------------------ */

/* Beside the extension's file, where it was built, or where it was installed; false: where a program would look. */
static bool find_open_metadata(char out[PATH_MAX])
{
    static const char *const places[] = {"open", "../../share/adg/open", "../../../share/adg/open"};
    static const int anchor;
    const char *named = getenv("ADG_OPEN_METADATA");
    Dl_info file;
    if ((named != NULL && named[0] != '\0') || dladdr(&anchor, &file) == 0 || file.dli_fname == NULL) {
        return false;
    }
    const char *slash = strrchr(file.dli_fname, '/');
    int folder = slash != NULL ? (int)(slash - file.dli_fname) : 1;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int size = snprintf(out, PATH_MAX, "%.*s/%s", folder, slash != NULL ? file.dli_fname : ".", places[i]);
        if (size > 0 && size < PATH_MAX && access(out, F_OK) == 0) {
            return true;
        }
    }
    return false;
}

static enum adg_status make_plan(const struct parameters *parameters, struct adg_plan **out, struct adg_error *error)
{
    char open_folder[PATH_MAX];
    struct adg_definition *definition = NULL;
    struct adg_metadata *metadata = NULL;
    const struct adg_metadata_source source = {.folder = parameters->metadata != NULL ? parameters->metadata
                                                                                      : ADG_OPEN_METADATA,
                                               .open_folder = find_open_metadata(open_folder) ? open_folder : NULL,
                                               .release = parameters->release,
                                               .trust = parameters->trust,
                                               .today = (int32_t)(time(NULL) / 86400),
                                               .allow_unreleased = parameters->allow_unreleased};
    const struct adg_plan_options options = {.seed = parameters->seed,
                                             .patients = (uint64_t)parameters->patients,
                                             .rows = (uint64_t)parameters->rows,
                                             .shards = 1,
                                             .threads = 1,
                                             .profile = is_reference(parameters) ? ADG_PROFILE_REFERENCE
                                                                                 : ADG_PROFILE_COHERENT};
    enum adg_status status = check(parameters, error);
    if (status == ADG_OK) {
        status = adg_definition_open(parameters->dataset != NULL ? parameters->dataset : "hes", &definition, error);
    }
    if (status == ADG_OK) {
        status = adg_metadata_open(&source, definition, &metadata, error);
    }
    if (status == ADG_OK) {
        status = adg_plan_new(definition, metadata, parameters->table, &options, out, error);
    }
    adg_metadata_free(metadata);
    adg_definition_free(definition);
    return status;
}

static void free_plan(void *plan)
{
    adg_plan_free(plan);
}

static void bind(duckdb_bind_info info)
{
    struct parameters parameters = {0};
    struct adg_plan *plan = NULL;
    struct adg_error error = {{0}};
    read_parameters(info, &parameters);
    enum adg_status status = make_plan(&parameters, &plan, &error);
    free_parameters(&parameters);
    if (status != ADG_OK) {
        struct adg_error named = error;
        adg_context(&named, status, "adg");
        duckdb_bind_set_error(info, named.message);
        return;
    }
    const struct adg_layout *layout = adg_plan_layout(plan);
    for (uint32_t i = 0; i < layout->column_count; i++) {
        duckdb_logical_type type = scan_type(layout->columns[i].field);
        duckdb_bind_add_result_column(info, layout->columns[i].field->name, type);
        duckdb_destroy_logical_type(&type);
    }
    duckdb_bind_set_cardinality(info, adg_plan_rows(plan), true);
    duckdb_bind_set_bind_data(info, plan, free_plan);
}

/* ---- scanning ------------------------------------------------------------------------------------------------------ */

static idx_t column_of(void *info, idx_t i)
{
    return duckdb_init_get_column_index(info, i);
}

static void init(duckdb_init_info info)
{
    const struct adg_plan *plan = duckdb_init_get_bind_data(info);
    struct scan *scan = scan_new(plan, duckdb_init_get_column_count(info), column_of, info);
    if (scan == NULL) {
        duckdb_init_set_error(info, "adg: out of memory");
        return;
    }
    uint64_t blocks = adg_plan_blocks(plan);
    duckdb_init_set_max_threads(info, blocks > 0 ? blocks : 1);
    duckdb_init_set_init_data(info, scan, scan_free);
}

/* What a thread is at. */
struct reader {
    struct adg_block *block; /* NULL: none yet */
    uint32_t next;           /* row of the block */
    uint32_t rows;           /* of the block; 0: none yet */
};

static void reader_free(void *pointer)
{
    struct reader *reader = pointer;
    adg_block_free(reader->block);
    adg_free(reader);
}

static void local_init(duckdb_init_info info)
{
    struct reader *reader = adg_alloc_zero(1, sizeof *reader);
    if (reader == NULL) {
        duckdb_init_set_error(info, "adg: out of memory");
        return;
    }
    duckdb_init_set_init_data(info, reader, reader_free);
}

static enum adg_status next_block(struct scan *scan, struct reader *reader, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    reader->next = reader->rows = 0;
    while (status == ADG_OK && reader->rows == 0) {
        uint64_t number = atomic_fetch_add(&scan->next_block, 1);
        if (number >= adg_plan_blocks(scan->plan)) {
            break;
        }
        if (reader->block == NULL) {
            status = adg_block_new_of(scan->plan, scan->wanted, &reader->block, error);
        }
        if (status == ADG_OK) {
            status = adg_block_generate(reader->block, number, error);
        }
        if (status == ADG_OK) {
            reader->rows = adg_block_rows(reader->block);
        }
    }
    return status;
}

static void scan_chunk(duckdb_function_info info, duckdb_data_chunk output)
{
    struct scan *scan = duckdb_function_get_init_data(info);
    struct reader *reader = duckdb_function_get_local_init_data(info);
    struct adg_error error = {{0}};
    if (reader->next == reader->rows && next_block(scan, reader, &error) != ADG_OK) {
        duckdb_function_set_error(info, error.message);
        return;
    }
    uint32_t left = reader->rows - reader->next, most = (uint32_t)duckdb_vector_size();
    uint32_t rows = left < most ? left : most;
    if (rows == 0) {
        duckdb_data_chunk_set_size(output, 0);
        return;
    }
    scan_fill(scan, reader->block, reader->next, rows, output);
    reader->next += rows;
}

/* ---- the entry ----------------------------------------------------------------------------------------------------- */

static void add_named(duckdb_table_function function, const char *name, duckdb_type kind)
{
    duckdb_logical_type type = duckdb_create_logical_type(kind);
    duckdb_table_function_add_named_parameter(function, name, type);
    duckdb_destroy_logical_type(&type);
}

DUCKDB_EXTENSION_API bool adg_init_c_api(duckdb_extension_info info, struct duckdb_extension_access *access);

DUCKDB_EXTENSION_ENTRYPOINT(duckdb_connection connection, duckdb_extension_info info,
                            struct duckdb_extension_access *access)
{
    duckdb_table_function function = duckdb_create_table_function();
    duckdb_logical_type text = duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    duckdb_table_function_set_name(function, "adg");
    duckdb_table_function_add_parameter(function, text);
    duckdb_destroy_logical_type(&text);
    add_named(function, "dataset", DUCKDB_TYPE_VARCHAR);
    add_named(function, "patients", DUCKDB_TYPE_BIGINT);
    add_named(function, "rows", DUCKDB_TYPE_BIGINT);
    add_named(function, "seed", DUCKDB_TYPE_UBIGINT);
    add_named(function, "metadata", DUCKDB_TYPE_VARCHAR);
    add_named(function, "trust", DUCKDB_TYPE_VARCHAR);
    add_named(function, "release", DUCKDB_TYPE_VARCHAR);
    add_named(function, "profile", DUCKDB_TYPE_VARCHAR);
    add_named(function, "allow_unreleased", DUCKDB_TYPE_BOOLEAN);
    duckdb_table_function_supports_projection_pushdown(function, true);
    duckdb_table_function_set_bind(function, bind);
    duckdb_table_function_set_init(function, init);
    duckdb_table_function_set_local_init(function, local_init);
    duckdb_table_function_set_function(function, scan_chunk);
    bool registered = duckdb_register_table_function(connection, function) == DuckDBSuccess;
    duckdb_destroy_table_function(&function);
    if (!registered) {
        access->set_error(info, "adg: the table function cannot be registered");
    }
    return registered;
}
