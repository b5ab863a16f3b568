/*
 * adg import-metadata: the reference system's own metadata table into a metadata folder.
 */
#include <stdio.h>

#include "cli.h"
#include "confine.h"
#include "scrape/import.h"

static const char usage[] =
    "usage: adg import-metadata FILE --dataset D --meta DIR\n"
    "\n"
    "Reads a metadata table that the original Artificial Data Generator wrote (Parquet) into a metadata folder.\n"
    "\n"
    "  --dataset D   a built-in definition ('adg dataset list') or a definition file\n"
    "  --meta DIR    the metadata folder; replaced whole\n"
    "  --sandbox S   auto, required or off: whether the kernel confines the process to these places (default: auto)\n"
    "  --quiet       nothing but warnings and errors\n"
    "  --help        this text\n";

static enum adg_status confine(void *context, const struct adg_scrape_places *places, struct adg_error *error)
{
    return adg_cli_confine_scrape(*(const int *)context, places, error);
}

enum adg_status adg_cli_import_metadata(const struct adg_cli_import *wanted, struct adg_error *error)
{
    int sandbox = wanted->sandbox;
    struct adg_definition *definition = NULL;
    enum adg_status status = adg_definition_open(wanted->dataset, &definition, error);
    if (status == ADG_OK) {
        const struct adg_import_options options = {.file = wanted->file,
                                                   .first_format = wanted->first_format,
                                                   .definition = definition,
                                                   .meta_folder = wanted->meta,
                                                   .warn = adg_cli_warn_of,
                                                   .confine = confine,
                                                   .context = &sandbox};
        status = adg_import_metadata(&options, error);
    }
    adg_definition_free(definition);
    return status;
}

static int run(int argc, char **argv)
{
    struct adg_cli_import wanted = {.sandbox = ADG_SANDBOX_AUTO};
    uint32_t count = 0;
    bool help = false;
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "dataset", .kind = ADG_OPTION_TEXT, .target = &wanted.dataset, .required = true},
        {.name = "meta", .kind = ADG_OPTION_TEXT, .target = &wanted.meta, .required = true},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &wanted.sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, 3, &wanted.file, 1, &count, &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
        return 0;
    }
    if (status == ADG_OK && count != 1) {
        status = adg_fail(&error, ADG_USAGE, "expected the file of a metadata table");
    }
    if (status == ADG_OK) {
        status = adg_cli_import_metadata(&wanted, &error);
    }
    return status == ADG_OK ? 0 : adg_cli_fail("import-metadata", status, &error);
}

const struct adg_command adg_command_import_metadata = {
    .name = "import-metadata", .summary = "read a metadata table of the original system", .usage = usage, .run = run};
