/*
 * adg scrape: record-level tables in, disclosure-controlled metadata out.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "confine.h"
#include "core/memory.h"
#include "core/parallel.h"
#include "scrape/scrape.h"
#include "target.h"

static const char usage[] =
    "usage: adg scrape --dataset D --source DIR|URI --meta DIR [OPTION]...\n"
    "\n"
    "Reads record-level tables and writes a metadata folder: aggregates only, small counts suppressed, the rest "
    "rounded. The\n"
    "source is only read. The result is one line per table on standard output: its name.\n"
    "\n"
    "  --dataset D           a built-in definition ('adg dataset list') or a definition file\n"
    "  --source DIR|URI      where the tables are: T.parquet, T/*.parquet, T.csv or T.csv.gz in a folder; or a "
    "database, "
    "in which\n"
    "                        all counting is done: duckdb:FILE, postgresql://USER@HOST/DATABASE, sc://HOST:PORT "
    "(Spark\n"
    "                        Connect), adbc:DRIVER?option=value (see docs/engines.md)\n"
    "  --dialect NAME        of adbc:DRIVER: duckdb, postgresql or spark\n"
    "  --meta DIR            the metadata folder; replaced whole\n"
    "  --table NAME[=PATH]   only this table, perhaps elsewhere, in a database under this qualified name; may repeat\n"
    "                        (default: every table that the source holds)\n"
    "  --exclude T,T         without --table: not these tables\n"
    "  --min-frequency N     records, and patients, that a value needs (default: as the definition says)\n"
    "  --rounding N          counts are rounded to multiples of N (default: as the definition says)\n"
    "  --control C           full, or reference: the original's weaker rules, for comparisons (default: full)\n"
    "  --strict              refuse values that are no such type, instead of counting them as null\n"
    "  --skip-unknown        leave out columns that the definition does not know, instead of refusing them\n"
    "  --add                 add the tables to a metadata folder of the same definition and parameters\n"
    "  --population N        how many people the data are drawn from; recorded with each table\n"
    "  --memory-mb N         what counting may hold in memory before it spills to a private folder beside the "
    "metadata\n"
    "                        (default: four fifths of the machine's; at least 8; reading Parquet takes some more)\n"
    "  --threads N           tables that are scraped at the same time (default: all cores)\n" ADG_SANDBOX_USAGE
    "  --quiet               no progress\n"
    "  --help                this text\n";

struct arguments {
    const char *dataset, *source, *dialect, *meta;
    struct adg_option_list tables;
    const char *exclude;
    struct adg_cli_names excluded;
    uint64_t min_frequency, rounding, population, memory_mb, threads;
    int control, sandbox;
    bool strict, skip_unknown, add;
};

static enum adg_status parse(int argc, char **argv, struct arguments *arguments, bool *help, struct adg_error *error)
{
    static const char *const controls[] = {"full", "reference", NULL};
    enum { SMALLEST_MEMORY_MB = 8 };
    struct adg_option options[] = {
        {.name = "dataset", .kind = ADG_OPTION_TEXT, .target = &arguments->dataset, .required = true},
        {.name = "source", .kind = ADG_OPTION_TEXT, .target = &arguments->source, .required = true},
        {.name = "dialect", .kind = ADG_OPTION_TEXT, .target = &arguments->dialect},
        {.name = "meta", .kind = ADG_OPTION_TEXT, .target = &arguments->meta, .required = true},
        {.name = "table", .kind = ADG_OPTION_LIST, .target = &arguments->tables},
        {.name = "exclude", .kind = ADG_OPTION_TEXT, .target = &arguments->exclude},
        {.name = "min-frequency", .kind = ADG_OPTION_COUNT, .target = &arguments->min_frequency},
        {.name = "rounding", .kind = ADG_OPTION_COUNT, .target = &arguments->rounding},
        {.name = "control", .kind = ADG_OPTION_CHOICE, .target = &arguments->control, .choices = controls},
        {.name = "strict", .kind = ADG_OPTION_FLAG, .target = &arguments->strict},
        {.name = "skip-unknown", .kind = ADG_OPTION_FLAG, .target = &arguments->skip_unknown},
        {.name = "add", .kind = ADG_OPTION_FLAG, .target = &arguments->add},
        {.name = "population", .kind = ADG_OPTION_COUNT, .target = &arguments->population},
        {.name = "memory-mb", .kind = ADG_OPTION_COUNT, .target = &arguments->memory_mb},
        {.name = "threads", .kind = ADG_OPTION_COUNT, .target = &arguments->threads},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &arguments->sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], NULL, 0, NULL, help,
                                           error);
    if (status != ADG_OK || *help) {
        return status;
    }
    if (arguments->min_frequency > ADG_LARGEST_CONTROL || arguments->rounding > ADG_LARGEST_CONTROL) {
        return adg_fail(error, ADG_USAGE, "options --min-frequency and --rounding: at most %d", ADG_LARGEST_CONTROL);
    }
    if (arguments->threads > UINT_MAX || arguments->population > INT64_MAX || arguments->memory_mb > INT64_MAX >> 20) {
        return adg_fail(error, ADG_USAGE, "options --threads, --memory-mb and --population: the number is too large");
    }
    if (arguments->memory_mb > 0 && arguments->memory_mb < SMALLEST_MEMORY_MB) {
        return adg_fail(error, ADG_USAGE, "option --memory-mb: at least %d", SMALLEST_MEMORY_MB);
    }
    for (uint32_t i = 0; i < arguments->tables.count; i++) {
        size_t name = strcspn(arguments->tables.items[i], "=");
        if (name == 0 || (arguments->tables.items[i][name] == '=' && arguments->tables.items[i][name + 1] == '\0')) {
            return adg_fail(error, ADG_USAGE, "option --table: expected NAME or NAME=PATH");
        }
        for (uint32_t k = 0; k < i; k++) {
            if (strncmp(arguments->tables.items[k], arguments->tables.items[i], name) == 0 &&
                strcspn(arguments->tables.items[k], "=") == name) {
                return adg_fail(error, ADG_USAGE, "option --table: table %.*s is asked for twice", (int)name,
                                arguments->tables.items[i]);
            }
        }
    }
    if (arguments->tables.count > 0 && arguments->exclude != NULL) {
        return adg_fail(error, ADG_USAGE, "--table and --exclude exclude each other");
    }
    return adg_cli_split_names(arguments->exclude, "exclude", &arguments->excluded, error);
}

static void report(void *context, const char *stage, const char *table, uint64_t done, uint64_t total)
{
    (void)context;
    adg_cli_progress(stage, table, done, total);
}

static enum adg_status confine(void *context, const struct adg_scrape_places *places, struct adg_error *error)
{
    const struct arguments *arguments = context;
    return adg_cli_confine_scrape(arguments->sandbox, places, error);
}

/* Splits NAME=PATH: names are copies, paths point into the arguments. */
static enum adg_status split_tables(const struct adg_option_list *tables, char **names, const char **paths,
                                    struct adg_error *error)
{
    for (uint32_t i = 0; i < tables->count; i++) {
        size_t length = strcspn(tables->items[i], "=");
        names[i] = adg_strndup(tables->items[i], length);
        paths[i] = tables->items[i][length] == '=' ? tables->items[i] + length + 1 : NULL;
        if (names[i] == NULL) {
            return adg_fail_memory(error);
        }
    }
    return ADG_OK;
}

static enum adg_status scrape(struct arguments *arguments, struct adg_error *error)
{
    struct adg_definition *definition = NULL;
    struct adg_target target = {0};
    struct adg_arena arena = {0};
    bool is_target = adg_target_is(arguments->source);
    struct adg_scrape_result result = {0};
    char **names = adg_alloc_zero(arguments->tables.count, sizeof *names);
    const char **paths = adg_alloc_zero(arguments->tables.count, sizeof *paths);
    enum adg_status status = names == NULL || paths == NULL ? adg_fail_memory(error)
                                                            : split_tables(&arguments->tables, names, paths, error);
    if (status == ADG_OK && !is_target && arguments->dialect != NULL) {
        status = adg_fail(error, ADG_USAGE, "option --dialect is for --source adbc:DRIVER");
    }
    if (status == ADG_OK && is_target) {
        status = adg_cli_find_target(arguments->source, arguments->dialect, paths, arguments->tables.count, &arena,
                                     &target, error);
    }
    if (status == ADG_OK) {
        status = adg_definition_open(arguments->dataset, &definition, error);
    }
    if (status == ADG_OK) {
        const struct adg_scrape_options options = {
            .definition = definition,
            .source_folder = is_target ? NULL : arguments->source,
            .target = is_target ? &target : NULL,
            .meta_folder = arguments->meta,
            .tables = (const char *const *)names,
            .paths = paths,
            .table_count = arguments->tables.count,
            .exclude = arguments->excluded.names,
            .exclude_count = arguments->excluded.count,
            .min_frequency = (uint32_t)arguments->min_frequency,
            .rounding = (uint32_t)arguments->rounding,
            .control_reference = arguments->control == 1,
            .strict = arguments->strict,
            .skip_unknown = arguments->skip_unknown,
            .add = arguments->add,
            .population = arguments->population,
            .memory_bytes = arguments->memory_mb << 20,
            .threads = arguments->threads > 0 ? (unsigned)arguments->threads : adg_processor_count(),
            .progress = {.report = report, .warn = adg_cli_warn_of, .context = arguments},
            .confine = confine,
        };
        status = adg_scrape(&options, &result, error);
        adg_cli_progress_end();
    }
    for (uint32_t i = 0; i < result.table_count; i++) {
        printf("%s\n", result.tables[i]);
    }
    for (uint32_t i = 0; names != NULL && i < arguments->tables.count; i++) {
        adg_free(names[i]);
    }
    adg_free(names);
    adg_free(paths);
    adg_scrape_result_fini(&result);
    adg_arena_fini(&arena);
    adg_definition_free(definition);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct adg_error error = {{0}};
    bool help = false;
    enum adg_status status = parse(argc, argv, &arguments, &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
    } else if (status == ADG_OK) {
        status = scrape(&arguments, &error);
    }
    struct adg_option tables = {.kind = ADG_OPTION_LIST, .target = &arguments.tables};
    adg_cli_lists_free(&tables, 1);
    adg_cli_names_fini(&arguments.excluded);
    return status == ADG_OK ? 0 : adg_cli_fail("scrape", status, &error);
}

const struct adg_command adg_command_scrape = {
    .name = "scrape", .summary = "scrape record-level tables into metadata", .usage = usage, .run = run};
