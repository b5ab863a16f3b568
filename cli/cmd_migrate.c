/*
 * adg migrate: what older versions left behind, as the present one has it.
 */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "confine.h"

static const char usage[] =
    "usage: adg migrate metadata FILE --dataset D --meta DIR\n"
    "\n"
    "Converts a metadata table in the original Artificial Data Generator's first format (Parquet) into a metadata "
    "folder.\n"
    "FILE is only read, and stays as the backup. The folder needs review and release like any other.\n"
    "\n"
    "  --dataset D   a built-in definition ('adg dataset list') or a definition file\n"
    "  --meta DIR    the metadata folder; replaced whole\n" ADG_SANDBOX_USAGE
    "  --quiet       nothing but warnings and errors\n"
    "  --help        this text\n";

static int run(int argc, char **argv)
{
    const char *words[2] = {NULL, NULL};
    struct adg_cli_import wanted = {.first_format = true, .sandbox = ADG_SANDBOX_AUTO};
    uint32_t count = 0;
    bool help = false;
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "dataset", .kind = ADG_OPTION_TEXT, .target = &wanted.dataset, .required = true},
        {.name = "meta", .kind = ADG_OPTION_TEXT, .target = &wanted.meta, .required = true},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &wanted.sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, 3, words, 2, &count, &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
        return 0;
    }
    if (status == ADG_OK && (count != 2 || strcmp(words[0], "metadata") != 0)) {
        status = adg_fail(&error, ADG_USAGE, "expected: metadata FILE");
    }
    if (status == ADG_OK) {
        wanted.file = words[1];
        status = adg_cli_import_metadata(&wanted, &error);
    }
    return status == ADG_OK ? 0 : adg_cli_fail("migrate", status, &error);
}

const struct adg_command adg_command_migrate = {
    .name = "migrate", .summary = "convert what older versions left behind", .usage = usage, .run = run};
