/*
 * adg migrate: what older versions left behind, as the present one has it.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adg_version.h"
#include "cli.h"
#include "confine.h"
#include "core/file.h"
#include "core/memory.h"
#include "database.h"
#include "migrate/database.h"

static const char usage[] =
    "usage: adg migrate metadata FILE --dataset D --meta DIR [--sandbox S]\n"
    "       adg migrate tables --data DIR|DATABASE --dataset D [--table NAME]... [--keep-backup] [--sandbox S]\n"
    "\n"
    "metadata: converts a metadata table in the original Artificial Data Generator's first format (Parquet) into a "
    "metadata\n"
    "folder. FILE is only read, and stays as the backup. The folder needs review and release like any other.\n"
    "tables: converts artificial_<table>.parquet, .csv or .arrows of an older version, or the parts or the Delta table "
    "in\n"
    "artificial_<table>, to the columns and types of the definition, or the table artificial_<table> of a database. A\n"
    "table whose values do not fit stays as it is.\n"
    "\n"
    "  --dataset D           a built-in definition ('adg dataset list') or a definition file\n"
    "  --meta DIR            the metadata folder; replaced whole\n"
    "  --data DIR|DATABASE   the folder with the tables, or what generate --out names: duckdb:FILE, postgresql://..., "
    "adbc:...\n"
    "  --table NAME          a table to convert; may repeat (default: every table of the dataset that is there)\n"
    "  --keep-backup         keep the old file as artificial_<table>.parquet.backup (.csv.backup, .arrows.backup), the "
    "old\n"
    "                        table of a database as artificial_<table>_backup; of a Delta table the version before "
    "stays\n"
    "                        in any case\n" ADG_SANDBOX_USAGE
    "  --quiet               nothing but warnings and errors\n"
    "  --help                this text\n";

struct arguments {
    struct adg_cli_import import;
    const char *data;
    struct adg_option_list tables;
    bool keep_backup;
};

/* Where the tables are: a folder, or a database. */
struct place {
    struct adg_migrate_options options;
    const char *spill;                     /* of a folder */
    struct adg_migrate_database *database; /* NULL: a folder */
};

static enum adg_status convert_one(const struct place *place, const struct adg_dataset *dataset, const char *table,
                                   bool wanted, struct adg_error *error)
{
    enum adg_migration done = ADG_MIGRATION_NONE;
    enum adg_status status = place->database != NULL
                                 ? adg_migrate_database_table(place->database, dataset, table, &done, error)
                                 : adg_migrate_table(&place->options, dataset, table, place->spill, &done, error);
    if (status == ADG_OK && done == ADG_MIGRATION_NONE && wanted) {
        status = place->database != NULL
                     ? adg_fail(error, ADG_BAD_INPUT, "artificial_%s: the database has no such table", table)
                     : adg_fail(
                           error, ADG_BAD_INPUT,
                           "%s/artificial_%s.parquet: there is no such file, nor a CSV or Arrow one, nor parts or a "
                           "Delta table",
                           place->options.folder, table);
    }
    if (done == ADG_MIGRATION_DONE) {
        printf("%s\n", table);
        fflush(stdout);
    }
    return status;
}

/* One table after the other; what is wrong with one does not keep the others from being converted. */
static enum adg_status convert(const struct arguments *arguments, const struct adg_definition *definition,
                               const struct place *place, struct adg_error *error)
{
    enum adg_status kept = ADG_OK;
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        const struct adg_dataset *dataset = &definition->datasets[d];
        for (uint32_t t = 0; t < dataset->table_count; t++) {
            const char *name = dataset->tables[t].name;
            bool wanted = false;
            for (uint32_t i = 0; i < arguments->tables.count; i++) {
                wanted = wanted || strcmp(arguments->tables.items[i], name) == 0;
            }
            if (arguments->tables.count > 0 && !wanted) {
                continue;
            }
            struct adg_error failure = {{0}};
            enum adg_status status = convert_one(place, dataset, name, wanted, &failure);
            if (status != ADG_OK) {
                adg_cli_warn_of(NULL, failure.message);
            }
            adg_cli_collect(&kept, error, status, &failure);
        }
    }
    return kept == ADG_OK ? ADG_OK : adg_fail(error, kept, "not every table was converted: see above");
}

static enum adg_status migrate_folder(const struct arguments *arguments, const struct adg_definition *definition,
                                      struct adg_error *error)
{
    struct adg_folder_lock lock = {.fd = -1};
    char folder[PATH_MAX];
    enum adg_status status = ADG_OK;
    if (realpath(arguments->data, folder) == NULL) {
        return adg_fail(error, ADG_FAILED, "folder %s cannot be opened", arguments->data);
    }
    char *spill = adg_path_join(folder, ".adg-migrate");
    const struct adg_place writable = {folder, ADG_MAY_WRITE};
    status = spill == NULL ? adg_fail_memory(error)
                           : adg_cli_confine_engine(arguments->import.sandbox, &writable, 1, NULL, error);
    if (status == ADG_OK) {
        status = adg_folder_lock(&lock, folder, error);
    }
    bool locked = status == ADG_OK;
    if (status == ADG_OK) { /* what a run left that was killed */
        status = adg_folder_remove(spill, error);
    }
    if (status == ADG_OK) {
        status = adg_folder_create(spill, error);
    }
    if (status == ADG_OK) {
        const struct place place = {.options = {.folder = folder,
                                                .keep_backup = arguments->keep_backup,
                                                .tool = "adg " ADG_VERSION " (" ADG_COMMIT ")",
                                                .warn = adg_cli_warn_of},
                                    .spill = spill};
        status = convert(arguments, definition, &place, error);
        enum adg_status removed = adg_folder_remove(spill, status == ADG_OK ? error : NULL);
        status = status == ADG_OK ? removed : status;
    }
    if (locked) {
        adg_folder_unlock(&lock);
    }
    adg_free(spill);
    return status;
}

static enum adg_status migrate_database(const struct arguments *arguments, const struct adg_definition *definition,
                                        struct adg_error *error)
{
    struct adg_cli_database data = {.folder = NULL};
    struct place place = {.options = {.keep_backup = arguments->keep_backup, .warn = adg_cli_warn_of}};
    enum adg_status status = adg_cli_database_find_data(arguments->data, &data, error);
    if (status == ADG_OK) {
        const struct adg_place writable = {data.folder, ADG_MAY_WRITE};
        status = adg_cli_confine_engine(arguments->import.sandbox, &writable, data.folder != NULL ? 1 : 0, data.target,
                                        error);
    }
    if (status == ADG_OK) {
        status = adg_migrate_database_open(data.target, &place.options, &place.database, error);
    }
    if (status == ADG_OK) {
        status = convert(arguments, definition, &place, error);
    }
    adg_migrate_database_close(place.database);
    adg_cli_database_fini(&data);
    return status;
}

static enum adg_status migrate_tables(const struct arguments *arguments, struct adg_error *error)
{
    struct adg_definition *definition = NULL;
    enum adg_status status = adg_definition_open(arguments->import.dataset, &definition, error);
    for (uint32_t i = 0; i < arguments->tables.count && status == ADG_OK; i++) {
        const struct adg_dataset *dataset = NULL;
        status = adg_definition_find_table(definition, arguments->tables.items[i], &dataset, NULL, error);
    }
    if (status == ADG_OK) {
        status = adg_cli_is_database(arguments->data) ? migrate_database(arguments, definition, error)
                                                      : migrate_folder(arguments, definition, error);
    }
    adg_definition_free(definition);
    return status;
}

/* What options each of the two takes. */
static enum adg_status check(const struct arguments *arguments, const char *const *words, uint32_t count,
                             bool *is_tables, struct adg_error *error)
{
    *is_tables = count == 1 && strcmp(words[0], "tables") == 0;
    bool is_metadata = count == 2 && strcmp(words[0], "metadata") == 0;
    if (!*is_tables && !is_metadata) {
        return adg_fail(error, ADG_USAGE, "expected: metadata FILE, or tables");
    }
    if (*is_tables && (arguments->data == NULL || arguments->import.meta != NULL)) {
        return adg_fail(error, ADG_USAGE, "tables: expected --data, and no --meta");
    }
    if (is_metadata && (arguments->import.meta == NULL || arguments->data != NULL || arguments->tables.count > 0 ||
                        arguments->keep_backup)) {
        return adg_fail(error, ADG_USAGE, "metadata: expected --meta, and nothing that is for tables");
    }
    return ADG_OK;
}

static int run(int argc, char **argv)
{
    const char *words[2] = {NULL, NULL};
    struct arguments arguments = {.import = {.first_format = true, .sandbox = ADG_SANDBOX_AUTO}};
    uint32_t count = 0;
    bool help = false, is_tables = false;
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "dataset", .kind = ADG_OPTION_TEXT, .target = &arguments.import.dataset, .required = true},
        {.name = "meta", .kind = ADG_OPTION_TEXT, .target = &arguments.import.meta},
        {.name = "data", .kind = ADG_OPTION_TEXT, .target = &arguments.data},
        {.name = "table", .kind = ADG_OPTION_LIST, .target = &arguments.tables},
        {.name = "keep-backup", .kind = ADG_OPTION_FLAG, .target = &arguments.keep_backup},
        {.name = "sandbox",
         .kind = ADG_OPTION_CHOICE,
         .target = &arguments.import.sandbox,
         .choices = adg_cli_sandboxes},
    };
    enum { OPTIONS = sizeof options / sizeof options[0] };
    enum adg_status status = adg_cli_parse(argc, argv, options, OPTIONS, words, 2, &count, &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
        adg_cli_lists_free(options, OPTIONS);
        return 0;
    }
    if (status == ADG_OK) {
        status = check(&arguments, words, count, &is_tables, &error);
    }
    if (status == ADG_OK) {
        arguments.import.file = words[1];
        status = is_tables ? migrate_tables(&arguments, &error) : adg_cli_import_metadata(&arguments.import, &error);
    }
    adg_cli_lists_free(options, OPTIONS);
    return status == ADG_OK ? 0 : adg_cli_fail("migrate", status, &error);
}

const struct adg_command adg_command_migrate = {
    .name = "migrate", .summary = "convert what older versions left behind", .usage = usage, .run = run};
