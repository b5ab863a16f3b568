/*
 * adg compose: distributions that somebody wrote into a metadata folder.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "confine.h"
#include "core/file.h"
#include "core/memory.h"
#include "metadata/compose.h"

static const char usage[] =
    "usage: adg compose FILE --dataset D --meta DIR [OPTION]...\n"
    "\n"
    "Makes a metadata folder from distributions that were written by hand or made from published figures, instead of\n"
    "from records: one JSON object per line, as docs/metadata.md describes. FILE is a file, or - for standard input.\n"
    "\n"
    "  --dataset D           a built-in definition ('adg dataset list') or a definition file\n"
    "  --meta DIR            the metadata folder; replaced whole\n"
    "  --min-frequency N     what a review holds the weights against (default: the definition's)\n"
    "  --rounding N          the same, of their rounding (default: the definition's)\n" ADG_SANDBOX_USAGE
    "  --quiet               nothing but warnings and errors\n"
    "  --help                this text\n";

/* Who made the folder, in its manifest: not the program's version, so that the same text gives the same bytes in the next one, too. */
static const char tool[] = "compose 1";

struct arguments {
    const char *file, *dataset, *meta;
    uint64_t min_frequency, rounding;
    int sandbox;
};

static enum adg_status confine(const struct arguments *arguments, const char *staging, struct adg_error *error)
{
    char parent[PATH_MAX];
    adg_cli_parent(arguments->meta, parent);
    const struct adg_place places[] = {
        {arguments->meta, ADG_MAY_WRITE}, {staging, ADG_MAY_WRITE}, {parent, ADG_MAY_ARRANGE}};
    return adg_cli_confine(arguments->sandbox, places, sizeof places / sizeof places[0], error);
}

/* From the open file to the folder. `definition` gives what the command line leaves open. */
static enum adg_status compose(const struct arguments *arguments, FILE *file, const struct adg_definition *definition,
                               struct adg_error *error)
{
    const struct adg_dataset *first = &definition->datasets[0];
    struct adg_metadata_rows rows = {0};
    struct adg_manifest manifest = {
        .definition_name = definition->name,
        .min_frequency = arguments->min_frequency > 0 ? (uint32_t)arguments->min_frequency : first->min_frequency,
        .rounding = arguments->rounding > 0 ? (uint32_t)arguments->rounding : first->rounding,
        .origin = ADG_ORIGIN_COMPOSED,
        .tool_version = tool};
    char *staging = NULL;
    enum adg_status status = adg_metadata_stage(arguments->meta, &staging, error);
    if (status == ADG_OK) {
        status = confine(arguments, staging, error);
    }
    if (status == ADG_OK) {
        status = adg_context(error, adg_metadata_compose(file, &rows, &manifest, error), "%s", arguments->file);
    }
    if (status == ADG_OK) {
        status = adg_context(error, adg_metadata_write(arguments->meta, staging, definition, &manifest, &rows, error),
                             "%s", arguments->file);
    } else if (staging != NULL) {
        enum adg_status removed = adg_folder_remove(staging, NULL); /* the failure is reported already */
        (void)removed;
    }
    adg_free(staging);
    adg_metadata_rows_fini(&rows);
    return status;
}

static enum adg_status open_and_compose(const struct arguments *arguments, struct adg_error *error)
{
    struct adg_definition *definition = NULL;
    bool standard_input = strcmp(arguments->file, "-") == 0;
    FILE *file = standard_input ? stdin : fopen(arguments->file, "re");
    struct adg_error file_error = {{0}};
    enum adg_status file_status = file != NULL
                                      ? ADG_OK
                                      : adg_fail_errno(&file_error, errno, "%s cannot be opened", arguments->file);
    enum adg_status status = adg_definition_open(arguments->dataset, &definition, error);
    adg_cli_collect(&status, error, file_status, &file_error);
    if (status == ADG_OK) {
        status = compose(arguments, file, definition, error);
    }
    if (file != NULL && !standard_input) {
        fclose(file);
    }
    adg_definition_free(definition);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {.sandbox = ADG_SANDBOX_AUTO};
    uint32_t count = 0;
    bool help = false;
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "dataset", .kind = ADG_OPTION_TEXT, .target = &arguments.dataset, .required = true},
        {.name = "meta", .kind = ADG_OPTION_TEXT, .target = &arguments.meta, .required = true},
        {.name = "min-frequency", .kind = ADG_OPTION_COUNT, .target = &arguments.min_frequency},
        {.name = "rounding", .kind = ADG_OPTION_COUNT, .target = &arguments.rounding},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &arguments.sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], &arguments.file, 1,
                                           &count, &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
        return 0;
    }
    if (status == ADG_OK && count != 1) {
        status = adg_fail(&error, ADG_USAGE, "expected the file of distributions, or -");
    }
    if (status == ADG_OK &&
        (arguments.min_frequency > ADG_LARGEST_CONTROL || arguments.rounding > ADG_LARGEST_CONTROL)) {
        status = adg_fail(&error, ADG_USAGE, "options --min-frequency and --rounding: at most %d", ADG_LARGEST_CONTROL);
    }
    if (status == ADG_OK) {
        status = open_and_compose(&arguments, &error);
    }
    return status == ADG_OK ? 0 : adg_cli_fail("compose", status, &error);
}

const struct adg_command adg_command_compose = {
    .name = "compose", .summary = "make metadata from distributions that were written", .usage = usage, .run = run};
