/*
 * adg generate: metadata in, artificial tables out.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "adg_version.h"
#include "cli.h"
#include "confine.h"
#include "core/memory.h"
#include "database.h"
#include "govern/open_metadata.h"
#include "run/output.h"
#include "run/run.h"

static const char usage[] =
    "usage: adg generate --dataset D --meta DIR|open --out DIR|URI (--patients N | --rows N) [OPTION]...\n"
    "\n"
    "Generates artificial tables from metadata. Every table becomes one file, artificial_<table>.parquet, .csv or "
    ".arrows, in the\n"
    "output folder, which appears under its name only when it is complete. The result is one line per table on "
    "standard\n"
    "output: path, rows, bytes.\n"
    "\n"
    "  --dataset D           a built-in definition ('adg dataset list') or a definition file\n"
    "  --meta DIR|open       a release store; with --allow-unreleased, a metadata folder; open: the metadata that "
    "come\n"
    "                        with the program, made from published figures, which need no other option\n"
    "  --trust DIR           whose signatures count: DIR/reviewer/*.pub and DIR/approver/*.pub\n"
    "  --release HASH        this release of the store (default: the last one)\n"
    "  --out DIR|-|URI       the output folder; created when only its parent exists; -: standard output, for one "
    "--table,\n"
    "                        and no lines about results; or a database, in which each is a table artificial_<table>:\n"
    "                        postgresql://USER@HOST/DATABASE (see docs/databases.md)\n"
    "  --patients N          this many people, who appear in a table or not; with --profile reference, in every table\n"
    "  --rows N              exactly this many rows in every table\n"
    "  --seed S              of the random numbers, 0 to 2^64 - 1; the same seed gives the same rows (default: 1)\n"
    "  --table NAME          only this table; may repeat (default: every table that the metadata has)\n"
    "  --exclude T,T         without --table: not these tables\n"
    "  --format F            parquet; csv; arrow, an Arrow IPC stream: artificial_<table>.arrows; or delta, a Delta "
    "table:\n"
    "                        the folder artificial_<table> (default: parquet)\n"
    "  --compression C       of Parquet: auto, zstd or none (default: auto)\n"
    "  --profile P           coherent: people, keys, dates and codes belong together, as docs/coherence.md says; "
    "reference:\n"
    "                        every table has patients of its own, every field is drawn by itself (default: coherent)\n"
    "  --if-exists W         what becomes of a table that is there: error (ends with 1), overwrite, ignore or, in a "
    "database\n"
    "                        or a Delta table, append (default: overwrite; of those two, error)\n"
    "  --primary-key         in a database: declare the table's primary key\n"
    "  --connections N       to PostgreSQL: send rows over so many connections (default: 1)\n"
    "  --shard I/N           only part I of N, counted from 0: artificial_<table>/part-IIIII-of-NNNNN.<format>\n"
    "  --allow-unreleased    take metadata that has not been reviewed and released: for work on one's own data\n"
    "  --threads N           (default: all cores)\n" ADG_SANDBOX_USAGE "  --quiet               no progress\n"
    "  --help                this text\n";

struct arguments {
    const char *dataset, *meta, *out, *shard_text, *trust, *release;
    uint64_t patients, rows, seed, threads, shard, shards, connections;
    struct adg_option_list tables;
    const char *exclude;
    struct adg_cli_names excluded;
    int format, compression, sandbox, profile, if_exists;
    bool allow_unreleased, primary_key;
};

/* "I/N" with 0 <= I < N, digits only. */
static bool parse_shard(const char *text, uint64_t *shard, uint64_t *shards)
{
    uint64_t numbers[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        const char *start = text;
        for (; *text >= '0' && *text <= '9' && numbers[i] <= ADG_OUTPUT_MAX_SHARDS; text++) {
            numbers[i] = 10 * numbers[i] + (uint64_t)(*text - '0');
        }
        if (text == start || *text != (i == 0 ? '/' : '\0')) {
            return false;
        }
        text++;
    }
    *shard = numbers[0];
    *shards = numbers[1];
    return *shard < *shards && *shards <= ADG_OUTPUT_MAX_SHARDS;
}

static bool to_stdout(const struct arguments *arguments)
{
    return strcmp(arguments->out, "-") == 0;
}

static bool to_database(const struct arguments *arguments)
{
    return adg_cli_is_database(arguments->out);
}

static bool to_folder(const struct arguments *arguments)
{
    return !to_stdout(arguments) && !to_database(arguments);
}

static enum adg_status check_tables(const struct adg_option_list *tables, struct adg_error *error)
{
    for (uint32_t i = 0; i < tables->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (strcmp(tables->items[i], tables->items[j]) == 0) {
                return adg_fail(error, ADG_USAGE, "table %s is given twice", tables->items[i]);
            }
        }
    }
    return ADG_OK;
}

static enum adg_status parse(int argc, char **argv, struct arguments *arguments, bool *help, struct adg_error *error)
{
    static const char *const formats[] = {[ADG_FORMAT_PARQUET] = "parquet",
                                          [ADG_FORMAT_CSV] = "csv",
                                          [ADG_FORMAT_ARROW] = "arrow",
                                          [ADG_FORMAT_DELTA] = "delta",
                                          NULL};
    static const char *const compressions[] = {
        [ADG_COMPRESSION_AUTO] = "auto", [ADG_COMPRESSION_ZSTD] = "zstd", [ADG_COMPRESSION_NONE] = "none", NULL};
    enum { FIRST = ADG_IF_EXISTS_DEFAULT + 1 }; /* which has no name */
    static const char *const if_exists[] = {[ADG_IF_EXISTS_ERROR - FIRST] = "error",
                                            [ADG_IF_EXISTS_APPEND - FIRST] = "append",
                                            [ADG_IF_EXISTS_OVERWRITE - FIRST] = "overwrite",
                                            [ADG_IF_EXISTS_IGNORE - FIRST] = "ignore",
                                            NULL};
    enum {
        DATASET,
        META,
        OUT,
        PATIENTS,
        ROWS,
        SEED,
        TABLE,
        EXCLUDE,
        FORMAT,
        COMPRESSION,
        PROFILE,
        IF_EXISTS,
        PRIMARY_KEY,
        CONNECTIONS,
        SHARD,
        TRUST,
        RELEASE,
        ALLOW_UNRELEASED,
        THREADS,
        SANDBOX,
        COUNT
    };
    struct adg_option options[COUNT] = {
        [DATASET] = {.name = "dataset", .kind = ADG_OPTION_TEXT, .target = &arguments->dataset, .required = true},
        [META] = {.name = "meta", .kind = ADG_OPTION_TEXT, .target = &arguments->meta, .required = true},
        [OUT] = {.name = "out", .kind = ADG_OPTION_TEXT, .target = &arguments->out, .required = true},
        [PATIENTS] = {.name = "patients", .kind = ADG_OPTION_COUNT, .target = &arguments->patients},
        [ROWS] = {.name = "rows", .kind = ADG_OPTION_COUNT, .target = &arguments->rows},
        [SEED] = {.name = "seed", .kind = ADG_OPTION_UINT64, .target = &arguments->seed},
        [TABLE] = {.name = "table", .kind = ADG_OPTION_LIST, .target = &arguments->tables},
        [EXCLUDE] = {.name = "exclude", .kind = ADG_OPTION_TEXT, .target = &arguments->exclude},
        [FORMAT] = {.name = "format", .kind = ADG_OPTION_CHOICE, .target = &arguments->format, .choices = formats},
        [COMPRESSION] = {.name = "compression",
                         .kind = ADG_OPTION_CHOICE,
                         .target = &arguments->compression,
                         .choices = compressions},
        [PROFILE] = {.name = "profile",
                     .kind = ADG_OPTION_CHOICE,
                     .target = &arguments->profile,
                     .choices = adg_profile_names},
        [IF_EXISTS] = {.name = "if-exists",
                       .kind = ADG_OPTION_CHOICE,
                       .target = &arguments->if_exists,
                       .choices = if_exists},
        [PRIMARY_KEY] = {.name = "primary-key", .kind = ADG_OPTION_FLAG, .target = &arguments->primary_key},
        [CONNECTIONS] = {.name = "connections", .kind = ADG_OPTION_COUNT, .target = &arguments->connections},
        [SHARD] = {.name = "shard", .kind = ADG_OPTION_TEXT, .target = &arguments->shard_text},
        [TRUST] = {.name = "trust", .kind = ADG_OPTION_TEXT, .target = &arguments->trust},
        [RELEASE] = {.name = "release", .kind = ADG_OPTION_TEXT, .target = &arguments->release},
        [ALLOW_UNRELEASED] = {.name = "allow-unreleased",
                              .kind = ADG_OPTION_FLAG,
                              .target = &arguments->allow_unreleased},
        [THREADS] = {.name = "threads", .kind = ADG_OPTION_COUNT, .target = &arguments->threads},
        [SANDBOX] = {.name = "sandbox",
                     .kind = ADG_OPTION_CHOICE,
                     .target = &arguments->sandbox,
                     .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, COUNT, NULL, 0, NULL, help, error);
    if (status != ADG_OK || *help) {
        return status;
    }
    if (options[PATIENTS].given == options[ROWS].given) {
        return adg_fail(error, ADG_USAGE, "exactly one of --patients and --rows is needed");
    }
    const bool delta = arguments->format == ADG_FORMAT_DELTA;
    if (options[COMPRESSION].given && arguments->format != ADG_FORMAT_PARQUET && !delta) {
        return adg_fail(error, ADG_USAGE, "option --compression is for Parquet; %s is not compressed",
                        arguments->format == ADG_FORMAT_CSV ? "CSV" : "Arrow");
    }
    if (options[IF_EXISTS].given) {
        arguments->if_exists += FIRST;
    }
    if (to_database(arguments) && (options[FORMAT].given || options[COMPRESSION].given)) {
        return adg_fail(error, ADG_USAGE, "options --format and --compression are for files");
    }
    if (!to_database(arguments) && (options[PRIMARY_KEY].given || options[CONNECTIONS].given)) {
        return adg_fail(error, ADG_USAGE, "options --primary-key and --connections are for databases");
    }
    if (arguments->if_exists == ADG_IF_EXISTS_APPEND && !to_database(arguments) && !delta) {
        return adg_fail(error, ADG_USAGE, "--if-exists append: nothing can be appended to a file");
    }
    if (delta && to_stdout(arguments)) {
        return adg_fail(error, ADG_USAGE, "--format delta makes a folder; standard output is none");
    }
    if (delta && options[SHARD].given) {
        return adg_fail(error, ADG_USAGE,
                        "--shard makes files; a Delta table is filled by one run, or by several, of a seed each, with "
                        "--if-exists append");
    }
    if (to_stdout(arguments) && options[IF_EXISTS].given) {
        return adg_fail(error, ADG_USAGE, "--if-exists is for output that stays; standard output does not");
    }
    if (to_stdout(arguments) && arguments->tables.count != 1) {
        return adg_fail(error, ADG_USAGE, "--out - takes one table: name it with --table");
    }
    if (adg_is_open_metadata(arguments->meta) &&
        (options[TRUST].given || options[RELEASE].given || options[ALLOW_UNRELEASED].given)) {
        return adg_fail(error, ADG_USAGE,
                        "--meta open is released with the program: --trust, --release and --allow-unreleased are for "
                        "other metadata (for a folder of that name, write ./open)");
    }
    if (options[TRUST].given && options[ALLOW_UNRELEASED].given) {
        return adg_fail(error, ADG_USAGE, "--trust and --allow-unreleased exclude each other");
    }
    if (options[SHARD].given && !parse_shard(arguments->shard_text, &arguments->shard, &arguments->shards)) {
        return adg_fail(error, ADG_USAGE, "option --shard: expected I/N, from 0/N to N-1/N with N at most %d, not '%s'",
                        ADG_OUTPUT_MAX_SHARDS, arguments->shard_text);
    }
    if (arguments->threads > UINT_MAX) {
        return adg_fail(error, ADG_USAGE, "option --threads: at most %u", UINT_MAX);
    }
    if (arguments->tables.count > 0 && options[EXCLUDE].given) {
        return adg_fail(error, ADG_USAGE, "--table and --exclude exclude each other");
    }
    status = adg_cli_split_names(arguments->exclude, "exclude", &arguments->excluded, error);
    return status == ADG_OK ? check_tables(&arguments->tables, error) : status;
}

static void report(void *context, const char *stage, const char *table, uint64_t done, uint64_t total)
{
    (void)context;
    adg_cli_progress(stage, table, done, total);
}

/* Opens what the command reads; of several things amiss, the one that comes first (adg_cli_collect) is reported. */
static enum adg_status open_inputs(const struct arguments *arguments, struct adg_definition **definition,
                                   struct adg_metadata **metadata, struct adg_error *error)
{
    const struct adg_metadata_source source = {.folder = arguments->meta,
                                               .release = arguments->release,
                                               .trust = arguments->trust,
                                               .today = (int32_t)(time(NULL) / 86400),
                                               .allow_unreleased = arguments->allow_unreleased};
    struct adg_error next = {{0}};
    enum adg_status status = ADG_OK;
    if (!adg_is_open_metadata(arguments->meta) && !arguments->allow_unreleased && arguments->trust == NULL) {
        return adg_fail(error, ADG_REFUSED,
                        "metadata %s has not been shown to be released: say with --trust whose signatures count; for "
                        "work on your own data, take it with --allow-unreleased",
                        arguments->meta);
    }
    status = adg_definition_open(arguments->dataset, definition, error);
    if (status != ADG_OK) {
        return status;
    }
    enum adg_status metadata_status = adg_metadata_open(&source, *definition, metadata, &next);
    adg_cli_collect(&status, error, metadata_status, &next);
    for (uint32_t i = 0; i < arguments->tables.count; i++) {
        enum adg_status table_status = adg_definition_find_table(*definition, arguments->tables.items[i], NULL, NULL,
                                                                 &next);
        adg_cli_collect(&status, error, table_status, &next);
    }
    return status;
}

/* Metadata, trusted keys and definition to read, the output folder, if there is one, to write. `database`: NULL, or with what it needs. */
static enum adg_status confine(const struct arguments *arguments, bool created, const struct adg_cli_database *database,
                               struct adg_error *error)
{
    char parent[PATH_MAX], meta[PATH_MAX];
    adg_cli_parent(arguments->out, parent);
    enum adg_status status = adg_cli_metadata_folder(arguments->meta, meta, error);
    if (status != ADG_OK) {
        return status;
    }
    struct adg_place places[5] = {{meta, ADG_MAY_READ}};
    uint32_t count = 1;
    if (to_folder(arguments)) {
        places[count++] = (struct adg_place){arguments->out, ADG_MAY_WRITE};
    }
    if (database != NULL && database->folder != NULL) {
        places[count++] = (struct adg_place){database->folder, ADG_MAY_WRITE};
    }
    if (adg_definition_is_file(arguments->dataset)) {
        places[count++] = (struct adg_place){arguments->dataset, ADG_MAY_READ};
    }
    if (arguments->trust != NULL) {
        places[count++] = (struct adg_place){arguments->trust, ADG_MAY_READ};
    }
    if (created) {
        places[count++] = (struct adg_place){parent, ADG_MAY_ARRANGE};
    }
    return database != NULL ? adg_cli_confine_engine(arguments->sandbox, places, count, database->target, error)
                            : adg_cli_confine(arguments->sandbox, places, count, error);
}

static enum adg_status generate(const struct arguments *arguments, const struct adg_cli_database *database,
                                struct adg_error *error)
{
    bool created = false;
    struct adg_definition *definition = NULL;
    struct adg_metadata *metadata = NULL;
    struct adg_run_result result = {0};
    struct adg_error folder_error = {{0}};
    enum adg_status folder_status = ADG_OK;
    if (to_folder(arguments)) {
        folder_status = adg_cli_create_folder(arguments->out, &created, &folder_error);
    }
    enum adg_status status = confine(arguments, created, database, error);
    if (status == ADG_OK) {
        status = open_inputs(arguments, &definition, &metadata, error);
    }
    adg_cli_collect(&status, error, folder_status, &folder_error);
    struct adg_run_options options = {
        .definition = definition,
        .metadata = metadata,
        .out_folder = to_folder(arguments) ? arguments->out : NULL,
        .out_descriptor = STDOUT_FILENO,
        .tables = arguments->tables.items,
        .table_count = arguments->tables.count,
        .exclude = arguments->excluded.names,
        .exclude_count = arguments->excluded.count,
        .seed = arguments->seed,
        .patients = arguments->patients,
        .rows = arguments->rows,
        .shard = arguments->shard,
        .shards = arguments->shards,
        .sharded = arguments->shard_text != NULL,
        .profile = (enum adg_profile)arguments->profile,
        .format = (enum adg_format)arguments->format,
        .compression = (enum adg_compression)arguments->compression,
        .if_exists = (enum adg_if_exists)arguments->if_exists,
        .threads = (unsigned)arguments->threads,
        .tool = "adg " ADG_VERSION " (" ADG_COMMIT ")",
        .progress = {.report = report, .warn = adg_cli_warn_of},
    };
    if (status == ADG_OK && database != NULL) {
        status = adg_cli_database_destination(database, &options, error);
    }
    if (status == ADG_OK) {
        status = adg_run_generate(&options, &result, error);
    }
    adg_cli_progress_end();
    adg_cli_discard_folder(arguments->out, created, status);
    for (uint32_t t = 0; t < result.table_count && !to_stdout(arguments); t++) {
        printf("%s\t%" PRIu64 "\t%" PRIu64 "\n", result.tables[t].path, result.tables[t].rows, result.tables[t].bytes);
    }
    adg_run_result_fini(&result);
    adg_metadata_free(metadata);
    adg_definition_free(definition);
    return status;
}

static enum adg_status generate_into_database(const struct arguments *arguments, struct adg_error *error)
{
    struct adg_cli_database database = {.folder = NULL};
    enum adg_status status = adg_cli_database_find(arguments->out, arguments->connections, arguments->primary_key,
                                                   &database, error);
    if (status == ADG_OK) {
        status = generate(arguments, &database, error);
    }
    adg_cli_database_fini(&database);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {.seed = 1, .shards = 1, .profile = ADG_PROFILE_COHERENT};
    struct adg_error error = {{0}};
    bool help = false;
    enum adg_status status = parse(argc, argv, &arguments, &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
    } else if (status == ADG_OK) {
        adg_memory_keep();
        status = to_database(&arguments) ? generate_into_database(&arguments, &error)
                                         : generate(&arguments, NULL, &error);
    }
    struct adg_option tables = {.kind = ADG_OPTION_LIST, .target = &arguments.tables};
    adg_cli_lists_free(&tables, 1);
    adg_cli_names_fini(&arguments.excluded);
    return status == ADG_OK ? 0 : adg_cli_fail("generate", status, &error);
}

const struct adg_command adg_command_generate = {
    .name = "generate",
    .summary = "generate artificial tables from metadata",
    .usage = usage,
    .run = run,
};
