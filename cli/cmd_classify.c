/*
 * adg classify: a definition proposed for a table that nobody has described.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "classify/classify.h"
#include "cli.h"
#include "confine.h"
#include "core/file.h"
#include "core/memory.h"
#include "target.h"

static const char usage[] =
    "usage: adg classify FILE [OPTION]...\n"
    "       adg classify --source URI --table QUALIFIED [OPTION]...\n"
    "\n"
    "Proposes a definition for a table that nobody has described: types, value types, keys, identifiers, derived "
    "columns,\n"
    "personal data, each with what it rests on as a comment. FILE is a CSV file with a header (.csv, .csv.gz), a "
    "Parquet\n"
    "file, or a folder of Parquet parts; it is only read. The draft holds no value of it. Lines with DECIDE need a "
    "person.\n"
    "\n"
    "  --out FILE.yaml  where the draft goes (default: standard output)\n"
    "  --dataset NAME   the dataset's name: letters, digits, underscores (default: the table's)\n"
    "  --table NAME     the table's name (default: after the file)\n"
    "  --source URI     a database in place of FILE: duckdb:FILE, postgresql://..., sc://..., adbc:DRIVER?...; "
    "--table\n"
    "                   is then the table to look at (schema.table), and only read\n"
    "  --dialect D      for --source adbc:DRIVER: the SQL that its database speaks\n"
    "  --sample N       of a database: fetch at most N rows, whichever come first (default: 100000)\n"
    "  --rows N         look at the first N rows alone (default: all)\n" ADG_SANDBOX_USAGE
    "  --quiet          no progress, no summary\n"
    "  --help           this text\n";

struct arguments {
    const char *file, *out, *dataset, *table, *source, *dialect;
    uint64_t rows, sample;
    int sandbox;
};

static void report(void *context, const char *stage, const char *table, uint64_t done, uint64_t total)
{
    (void)context;
    adg_cli_progress(stage, table, done, total);
}

static enum adg_status confine(void *context, const struct adg_classify_places *places, struct adg_error *error)
{
    const struct arguments *arguments = context;
    enum { OWN = 3 };
    char folder[PATH_MAX], around[PATH_MAX];
    uint32_t count = 0;
    struct adg_place *all = adg_alloc_array(OWN + (size_t)places->readable_count, sizeof *all);
    if (all == NULL) {
        return adg_fail_memory(error);
    }
    if (arguments->out != NULL) {
        adg_cli_parent(arguments->out, folder);
        all[count++] = (struct adg_place){folder, ADG_MAY_WRITE};
    }
    if (places->spill != NULL) {
        adg_cli_parent(places->spill, around);
        all[count++] = (struct adg_place){places->spill, ADG_MAY_WRITE};
        all[count++] = (struct adg_place){around, ADG_MAY_ARRANGE}; /* to remove it at the end */
    }
    for (uint32_t i = 0; i < places->readable_count; i++) {
        all[count++] = (struct adg_place){places->readable[i], ADG_MAY_READ};
    }
    enum adg_status status = places->spill != NULL
                                 ? adg_cli_confine_engine(arguments->sandbox, all, count, places->target, error)
                                 : adg_cli_confine(arguments->sandbox, all, count, error);
    adg_free(all);
    return status;
}

static enum adg_status classify(struct arguments *arguments, struct adg_error *error)
{
    struct adg_classify_result result = {0};
    struct adg_target target = {0};
    struct adg_arena arena = {0};
    bool is_target = arguments->source != NULL;
    struct stat in, out;
    if (!is_target && arguments->out != NULL && stat(arguments->file, &in) == 0 && stat(arguments->out, &out) == 0 &&
        in.st_dev == out.st_dev && in.st_ino == out.st_ino) {
        return adg_fail(error, ADG_USAGE, "option --out: expected another file than the one that is looked at");
    }
    const char *temporary = getenv("TMPDIR");
    char *beside = arguments->out != NULL
                       ? adg_strdup(arguments->out)
                       : adg_path_join(temporary != NULL && *temporary != '\0' ? temporary : "/tmp", "adg");
    const struct adg_classify_options options = {.path = is_target ? arguments->table : arguments->file,
                                                 .target = is_target ? &target : NULL,
                                                 .dataset = arguments->dataset,
                                                 .table = is_target ? NULL : arguments->table,
                                                 .beside = beside,
                                                 .rows = is_target ? arguments->sample : arguments->rows,
                                                 .report = report,
                                                 .confine = confine,
                                                 .context = arguments};
    enum adg_status status = beside == NULL ? adg_fail_memory(error) : ADG_OK;
    if (status == ADG_OK && is_target) {
        status = adg_cli_find_target(arguments->source, arguments->dialect, &options.path, 1, &arena, &target, error);
    }
    if (status == ADG_OK) {
        status = adg_classify(&options, &result, error);
    }
    adg_cli_progress_end();
    if (status == ADG_OK && arguments->out != NULL) {
        status = adg_file_write(arguments->out, result.text.data, result.text.size, error);
    } else if (status == ADG_OK) {
        fwrite(result.text.data, 1, result.text.size, stdout);
    }
    if (status == ADG_OK) {
        adg_cli_say("%u fields; %u need a decision%s", result.fields, result.decisions,
                    result.has_patients ? "" : "; no column looks like the key of a person");
    }
    adg_classify_result_fini(&result);
    adg_arena_fini(&arena);
    adg_free(beside);
    return status;
}

/* What options there may be beside each other. */
static enum adg_status check(const struct arguments *arguments, uint32_t files, struct adg_error *error)
{
    bool is_target = arguments->source != NULL;
    if (is_target ? files > 0 : files == 0) {
        return adg_fail(error, ADG_USAGE, "expected the file to look at, or --source with --table");
    }
    if (is_target && !adg_target_is(arguments->source)) {
        return adg_fail(error, ADG_USAGE, "option --source: expected a database; a file goes without the option");
    }
    if (is_target && (arguments->table == NULL || arguments->rows > 0)) {
        return adg_fail(error, ADG_USAGE, "option --source: expected --table, and --sample in place of --rows");
    }
    if (!is_target && (arguments->sample > 0 || arguments->dialect != NULL)) {
        return adg_fail(error, ADG_USAGE, "options --sample and --dialect are for --source");
    }
    if ((arguments->dataset != NULL && !adg_classify_is_name(arguments->dataset)) ||
        (!is_target && arguments->table != NULL && !adg_classify_is_name(arguments->table))) {
        return adg_fail(error, ADG_USAGE,
                        "options --dataset and --table: expected letters, digits and underscores, at most 100");
    }
    return ADG_OK;
}

static int run(int argc, char **argv)
{
    enum { SAMPLE = 100000 };
    struct arguments arguments = {0};
    struct adg_error error = {{0}};
    bool help = false;
    uint32_t files = 0;
    struct adg_option options[] = {
        {.name = "out", .kind = ADG_OPTION_TEXT, .target = &arguments.out},
        {.name = "dataset", .kind = ADG_OPTION_TEXT, .target = &arguments.dataset},
        {.name = "table", .kind = ADG_OPTION_TEXT, .target = &arguments.table},
        {.name = "source", .kind = ADG_OPTION_TEXT, .target = &arguments.source},
        {.name = "dialect", .kind = ADG_OPTION_TEXT, .target = &arguments.dialect},
        {.name = "sample", .kind = ADG_OPTION_COUNT, .target = &arguments.sample},
        {.name = "rows", .kind = ADG_OPTION_COUNT, .target = &arguments.rows},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &arguments.sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], &arguments.file, 1,
                                           &files, &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
        return 0;
    }
    if (status == ADG_OK) {
        status = check(&arguments, files, &error);
    }
    arguments.sample = arguments.sample > 0 ? arguments.sample : SAMPLE;
    if (status == ADG_OK) {
        status = classify(&arguments, &error);
    }
    return status == ADG_OK ? 0 : adg_cli_fail("classify", status, &error);
}

const struct adg_command adg_command_classify = {
    .name = "classify", .summary = "propose a definition for an unknown table", .usage = usage, .run = run};
