/*
 * adg review: every automated check of a metadata folder.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "confine.h"
#include "core/file.h"
#include "core/memory.h"
#include "govern/review.h"
#include "report/report.h"

static const char usage[] =
    "usage: adg review --meta DIR [--report FILE.html] [--json FILE]\n"
    "\n"
    "Runs every check on the metadata and writes review.json into its folder. The result is one line per check on "
    "standard\n"
    "output: its name, whether it fails the review, the number of findings. A review that fails ends with exit code "
    "3.\n"
    "\n"
    "  --meta DIR    the metadata folder\n"
    "  --report F    write a page for the reviewer there: findings, every field's distribution, checklist; one HTML "
    "file\n"
    "  --json FILE   write the same review there too\n"
    "  --sandbox S   auto, required or off: whether the kernel confines the process to these places (default: auto)\n"
    "  --quiet       no list of findings\n"
    "  --help        this text\n";

struct arguments {
    const char *meta, *json, *report;
    int sandbox;
};

static void show(const struct adg_review *review)
{
    for (int i = 0; i < ADG_CHECKS; i++) {
        const struct adg_check_text *check = &adg_check_texts[i];
        printf("%s\t%s\t%zu\n", check->id,
               review->counts[i] == 0 ? "ok"
               : check->fails         ? "fails"
                                      : "shown",
               review->counts[i]);
    }
    for (size_t i = 0; i < review->finding_count; i++) {
        const struct adg_finding *finding = &review->findings[i];
        const struct adg_check_text *check = &adg_check_texts[finding->check];
        if (!check->fails) {
            continue;
        }
        if (finding->table != NULL) {
            adg_cli_say("%s: table %s, field %s, row %zu: %s. %s", check->id, finding->table, finding->field,
                        finding->row, finding->text, check->advice);
        } else {
            adg_cli_say("%s: %s. %s", check->id, finding->text, check->advice);
        }
    }
}

static enum adg_status write_json(const struct arguments *arguments, const struct adg_buffer *text,
                                  struct adg_error *error)
{
    char *path = adg_path_join(arguments->meta, ADG_REVIEW_FILE);
    enum adg_status status = path == NULL ? adg_fail_memory(error)
                                          : adg_file_write(path, text->data, text->size, error);
    if (status == ADG_OK && arguments->json != NULL) {
        status = adg_file_write(arguments->json, text->data, text->size, error);
    }
    adg_free(path);
    return status;
}

static enum adg_status review(const struct arguments *arguments, struct adg_error *error)
{
    struct adg_metadata_folder folder = {0};
    struct adg_metadata *metadata = NULL;
    struct adg_review made = {0};
    struct adg_buffer text = {0};
    char json_folder[PATH_MAX] = "", report_folder[PATH_MAX] = "";
    struct adg_place places[3] = {{arguments->meta, ADG_MAY_WRITE}};
    uint32_t count = 1;
    if (arguments->json != NULL) {
        adg_cli_parent(arguments->json, json_folder);
        places[count++] = (struct adg_place){json_folder, ADG_MAY_WRITE};
    }
    if (arguments->report != NULL) {
        adg_cli_parent(arguments->report, report_folder);
        places[count++] = (struct adg_place){report_folder, ADG_MAY_WRITE};
    }
    enum adg_status status = adg_cli_confine(arguments->sandbox, places, count, error);
    if (status == ADG_OK) {
        status = adg_metadata_folder_read(arguments->meta, &folder, error);
    }
    if (status == ADG_OK) {
        status = adg_review_make(&folder, &made, &metadata, error);
    }
    if (status == ADG_OK) {
        status = adg_review_write(&made, &text, error);
    }
    if (status == ADG_OK) {
        status = write_json(arguments, &text, error);
    }
    if (status == ADG_OK && arguments->report != NULL) {
        text.size = 0;
        status = adg_report_review(&made, &text, error);
        if (status == ADG_OK) {
            status = adg_file_write(arguments->report, text.data, text.size, error);
        }
    }
    if (status == ADG_OK) {
        show(&made);
        if (!made.passed) {
            status = adg_fail(error, ADG_REFUSED, "the review of %s has not passed: see %s", arguments->meta,
                              ADG_REVIEW_FILE);
        }
    }
    adg_review_fini(&made);
    adg_metadata_free(metadata);
    adg_metadata_folder_fini(&folder);
    adg_buffer_fini(&text);
    return status;
}

static int run(int argc, char **argv)
{
    struct arguments arguments = {0};
    bool help = false;
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "meta", .kind = ADG_OPTION_TEXT, .target = &arguments.meta, .required = true},
        {.name = "json", .kind = ADG_OPTION_TEXT, .target = &arguments.json},
        {.name = "report", .kind = ADG_OPTION_TEXT, .target = &arguments.report},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &arguments.sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], NULL, 0, NULL,
                                           &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
    } else if (status == ADG_OK) {
        status = review(&arguments, &error);
    }
    return status == ADG_OK ? 0 : adg_cli_fail("review", status, &error);
}

const struct adg_command adg_command_review = {
    .name = "review", .summary = "check metadata before people sign it", .usage = usage, .run = run};
