/*
 * adg qa: generated tables, in files or in a database, against the metadata that they were made from.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "confine.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "engine/spill.h"
#include "govern/open_metadata.h"
#include "qa/qa.h"
#include "report/report.h"
#include "target.h"

static const char usage[] =
    "usage: adg qa --dataset D --meta DIR|open (--data DIR | --source DIR|URI) [OPTION]...\n"
    "\n"
    "Holds every table of a data folder, or of a database, against the metadata that it was made from: row counts, "
    "schema, keys, derived\n"
    "fields and every field's distribution, over all rows. Thresholds follow from the number of rows: tables that "
    "were\n"
    "drawn as the metadata says pass with a probability of 0.999. Writes qa.json beside the data of a folder. The "
    "result is\n"
    "one line per table on standard output: table, pass or fail, rows. Tables that do not fit end with exit code 4.\n"
    "\n"
    "  --dataset D           a built-in definition ('adg dataset list') or a definition file\n"
    "  --meta DIR|open       a release store or a metadata folder; open: the metadata that come with the program\n"
    "  --release HASH        this release of the store (default: the last one)\n"
    "  --data DIR            the folder with the generated tables\n"
    "  --source DIR|URI      the same folder, or a database in which all counting is done: duckdb:FILE,\n"
    "                        postgresql://USER@HOST/DATABASE, sc://HOST:PORT (Spark Connect),\n"
    "                        adbc:DRIVER?option=value (see docs/engines.md)\n"
    "  --dialect NAME        of adbc:DRIVER: duckdb, postgresql or spark\n"
    "  --table NAME[=QUALIFIED]  of a database: only this table, perhaps under this qualified name; may repeat\n"
    "  --profile P           reference or coherent: what the tables were drawn as (default: as provenance.json or the "
    "table's\n"
    "                        comment says, else reference, in a database coherent)\n"
    "  --report FILE.html    also a page with the distributions that were expected and found\n"
    "  --json FILE           write the same result there too\n"
    "  --threads N           (default: all cores)\n" ADG_SANDBOX_USAGE "  --quiet               no list of findings\n"
    "  --help                this text\n";

struct arguments {
    const char *dataset, *meta, *release, *data, *source, *dialect, *json, *report, *profile;
    struct adg_option_list tables;
    uint64_t threads;
    int sandbox;
};

/* The database that --source names, if it names one. */
struct database {
    bool used;
    struct adg_arena arena;
    struct adg_target target;
    const char **names, **relations; /* of --table; NULL: no qualified name */
    const char *files[2];
    uint32_t file_count;
    char *spill;
};

static void show_progress(void *context, const char *stage, const char *table, uint64_t done, uint64_t total)
{
    (void)context;
    adg_cli_progress(stage, table, done, total);
}

/* NAME or NAME=QUALIFIED, each time. */
static enum adg_status split_tables(const struct arguments *arguments, struct database *database,
                                    struct adg_error *error)
{
    const struct adg_option_list *tables = &arguments->tables;
    database->names = adg_arena_array(&database->arena, tables->count + (size_t)1, sizeof *database->names);
    database->relations = adg_arena_array(&database->arena, tables->count + (size_t)1, sizeof *database->relations);
    enum adg_status status = database->names == NULL || database->relations == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t i = 0; i < tables->count && status == ADG_OK; i++) {
        const char *item = tables->items[i];
        size_t length = strcspn(item, "=");
        if (length == 0 || (item[length] == '=' && item[length + 1] == '\0')) {
            return adg_fail(error, ADG_USAGE, "option --table: expected NAME or NAME=QUALIFIED");
        }
        database->names[i] = adg_arena_strndup(&database->arena, item, length);
        database->relations[i] = item[length] == '=' ? item + length + 1 : NULL;
        status = database->names[i] == NULL ? adg_fail_memory(error) : ADG_OK;
        for (uint32_t k = 0; k < i && status == ADG_OK; k++) {
            status = strcmp(database->names[k], database->names[i]) != 0
                         ? ADG_OK
                         : adg_fail(error, ADG_USAGE, "option --table: table %s is named twice", database->names[i]);
        }
    }
    return status;
}

/* What --source and its options mean. */
static enum adg_status find_database(struct arguments *arguments, struct database *database, struct adg_error *error)
{
    database->used = arguments->source != NULL && adg_target_is(arguments->source);
    if ((arguments->data != NULL) == (arguments->source != NULL)) {
        return adg_fail(error, ADG_USAGE, "expected one of --data DIR and --source DIR|URI");
    }
    if (!database->used) {
        arguments->data = arguments->data != NULL ? arguments->data : arguments->source;
        return arguments->dialect != NULL || arguments->tables.count > 0
                   ? adg_fail(error, ADG_USAGE, "options --dialect and --table are for a --source that is a database")
                   : ADG_OK;
    }
    enum adg_status status = split_tables(arguments, database, error);
    if (status == ADG_OK) {
        status = adg_cli_find_target(arguments->source, arguments->dialect, database->relations,
                                     arguments->tables.count, &database->arena, &database->target, error);
    }
    if (status == ADG_OK) {
        status = adg_target_files(&database->target, &database->arena, database->files, &database->file_count, error);
    }
    return status;
}

/* The private folder of an engine in this process: where results go, else where temporary files go. */
static enum adg_status create_spill(const struct arguments *arguments, struct database *database,
                                    struct adg_error *error)
{
    const char *temporary = getenv("TMPDIR"), *result = arguments->json != NULL ? arguments->json : arguments->report;
    char *beside = result != NULL ? adg_strdup(result)
                                  : adg_path_join(temporary != NULL && *temporary != '\0' ? temporary : "/tmp", "adg");
    enum adg_status status = beside == NULL ? adg_fail_memory(error)
                                            : adg_spill_create(beside, &database->spill, error);
    adg_free(beside);
    return status;
}

static enum adg_status confine(const struct arguments *arguments, const struct database *database,
                               struct adg_error *error)
{
    char json_folder[PATH_MAX] = "", report_folder[PATH_MAX] = "", around[PATH_MAX] = "";
    char meta[PATH_MAX];
    enum adg_status status = adg_cli_metadata_folder(arguments->meta, meta, error);
    if (status != ADG_OK) {
        return status;
    }
    struct adg_place places[9] = {{meta, ADG_MAY_READ}};
    uint32_t count = 1;
    if (!database->used) {
        places[count++] = (struct adg_place){arguments->data, ADG_MAY_WRITE};
    }
    for (uint32_t i = 0; i < database->file_count; i++) {
        places[count++] = (struct adg_place){database->files[i], ADG_MAY_READ};
    }
    if (database->spill != NULL) {
        adg_cli_parent(database->spill, around);
        places[count++] = (struct adg_place){database->spill, ADG_MAY_WRITE};
        places[count++] = (struct adg_place){around, ADG_MAY_ARRANGE}; /* to remove it at the end */
    }
    if (adg_definition_is_file(arguments->dataset)) {
        places[count++] = (struct adg_place){arguments->dataset, ADG_MAY_READ};
    }
    if (arguments->json != NULL) {
        adg_cli_parent(arguments->json, json_folder);
        places[count++] = (struct adg_place){json_folder, ADG_MAY_WRITE};
    }
    if (arguments->report != NULL) {
        adg_cli_parent(arguments->report, report_folder);
        places[count++] = (struct adg_place){report_folder, ADG_MAY_WRITE};
    }
    return adg_cli_confine_engine(arguments->sandbox, places, count, database->used ? &database->target : NULL, error);
}

static enum adg_status write_results(const struct arguments *arguments, const struct adg_qa *qa,
                                     struct adg_error *error)
{
    struct adg_buffer text = {0};
    char *path = arguments->data != NULL ? adg_path_join(arguments->data, "qa.json") : NULL;
    enum adg_status status = path == NULL && arguments->data != NULL ? adg_fail_memory(error)
                                                                     : adg_qa_write(qa, &text, error);
    if (status == ADG_OK && path != NULL) {
        status = adg_file_write(path, text.data, text.size, error);
    }
    if (status == ADG_OK && arguments->json != NULL) {
        status = adg_file_write(arguments->json, text.data, text.size, error);
    }
    text.size = 0;
    if (status == ADG_OK && arguments->report != NULL) {
        status = adg_report_qa(qa, &text, error);
    }
    if (status == ADG_OK && arguments->report != NULL) {
        status = adg_file_write(arguments->report, text.data, text.size, error);
    }
    adg_buffer_fini(&text);
    adg_free(path);
    return status;
}

static void show(const struct adg_qa *qa)
{
    for (uint32_t t = 0; t < qa->table_count; t++) {
        printf("%s\t%s\t%" PRIu64 "\n", qa->tables[t].table, qa->tables[t].passed ? "pass" : "fail",
               qa->tables[t].rows);
        if (qa->tables[t].relation != NULL && strcmp(qa->tables[t].profile_from, "default") == 0) {
            adg_cli_say("table %s: checked as profile %s: nothing says what it was drawn as but --profile",
                        qa->tables[t].table, qa->tables[t].profile);
        }
    }
    for (size_t i = 0; i < qa->finding_count; i++) {
        const struct adg_qa_finding *finding = &qa->findings[i];
        adg_cli_say("%s: table %s%s%s: %s", finding->check, finding->table, finding->field != NULL ? ", field " : "",
                    finding->field != NULL ? finding->field : "", finding->text);
    }
}

static enum adg_status check(struct arguments *arguments, struct adg_error *error)
{
    struct database database = {0};
    struct adg_definition *definition = NULL;
    struct adg_metadata *metadata = NULL;
    struct adg_qa qa = {0};
    /* whether it was released is the generator's question: here the data are held against what it says */
    const struct adg_metadata_source source = {.folder = arguments->meta,
                                               .release = arguments->release,
                                               .today = (int32_t)(time(NULL) / 86400),
                                               .allow_unreleased = true};
    enum adg_status status = find_database(arguments, &database, error);
    if (status == ADG_OK && database.target.file != NULL) {
        status = create_spill(arguments, &database, error);
    }
    if (status == ADG_OK) {
        status = confine(arguments, &database, error);
    }
    if (status == ADG_OK) {
        status = adg_definition_open(arguments->dataset, &definition, error);
    }
    if (status == ADG_OK) {
        status = adg_metadata_open(&source, definition, &metadata, error);
    }
    if (status == ADG_OK) {
        const struct adg_qa_options options = {.definition = definition,
                                               .metadata = metadata,
                                               .data_folder = arguments->data,
                                               .target = database.used ? &database.target : NULL,
                                               .tables = (const char *const *)database.names,
                                               .relations = (const char *const *)database.relations,
                                               .table_count = database.used ? arguments->tables.count : 0,
                                               .spill = database.spill,
                                               .profile = arguments->profile,
                                               .threads = arguments->threads > 0 ? (unsigned)arguments->threads
                                                                                 : adg_processor_count(),
                                               .report = show_progress};
        status = adg_qa_run(&options, &qa, error);
        adg_cli_progress_end();
    }
    if (status == ADG_OK) {
        status = write_results(arguments, &qa, error);
    }
    if (status == ADG_OK) {
        show(&qa);
        if (!qa.passed) {
            status = database.used
                         ? adg_fail(error, ADG_BAD_INPUT, "tables of the database do not fit the metadata")
                         : adg_fail(error, ADG_BAD_INPUT, "tables in %s do not fit the metadata: see qa.json there",
                                    arguments->data);
        }
    }
    adg_qa_fini(&qa);
    status = adg_spill_remove(database.spill, status, error);
    adg_arena_fini(&database.arena);
    adg_metadata_free(metadata);
    adg_definition_free(definition);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {0};
    bool help = false;
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "dataset", .kind = ADG_OPTION_TEXT, .target = &arguments.dataset, .required = true},
        {.name = "meta", .kind = ADG_OPTION_TEXT, .target = &arguments.meta, .required = true},
        {.name = "release", .kind = ADG_OPTION_TEXT, .target = &arguments.release},
        {.name = "data", .kind = ADG_OPTION_TEXT, .target = &arguments.data},
        {.name = "source", .kind = ADG_OPTION_TEXT, .target = &arguments.source},
        {.name = "dialect", .kind = ADG_OPTION_TEXT, .target = &arguments.dialect},
        {.name = "table", .kind = ADG_OPTION_LIST, .target = &arguments.tables},
        {.name = "profile", .kind = ADG_OPTION_TEXT, .target = &arguments.profile},
        {.name = "report", .kind = ADG_OPTION_TEXT, .target = &arguments.report},
        {.name = "json", .kind = ADG_OPTION_TEXT, .target = &arguments.json},
        {.name = "threads", .kind = ADG_OPTION_COUNT, .target = &arguments.threads},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &arguments.sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], NULL, 0, NULL,
                                           &help, &error);
    if (status == ADG_OK && arguments.threads > UINT_MAX) {
        status = adg_fail(&error, ADG_USAGE, "option --threads: at most %u", UINT_MAX);
    }
    if (status == ADG_OK && arguments.release != NULL && adg_is_open_metadata(arguments.meta)) {
        status = adg_fail(&error, ADG_USAGE, "option --release is for a store; --meta open is the program's own");
    }
    if (status == ADG_OK && arguments.profile != NULL && strcmp(arguments.profile, "reference") != 0 &&
        strcmp(arguments.profile, "coherent") != 0) {
        status = adg_fail(&error, ADG_USAGE, "option --profile: expected coherent or reference, not '%s'",
                          arguments.profile);
    }
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
    } else if (status == ADG_OK) {
        status = check(&arguments, &error);
    }
    struct adg_option tables = {.kind = ADG_OPTION_LIST, .target = &arguments.tables};
    adg_cli_lists_free(&tables, 1);
    return status == ADG_OK ? 0 : adg_cli_fail("qa", status, &error);
}

const struct adg_command adg_command_qa = {
    .name = "qa", .summary = "check generated tables against their metadata", .usage = usage, .run = run};
