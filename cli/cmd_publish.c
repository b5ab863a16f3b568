/*
 * adg publish: generated tables to the users' folder.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "confine.h"
#include "govern/publish.h"

static const char usage[] =
    "usage: adg publish --data DIR --to DIR [OPTION]...\n"
    "\n"
    "Copies complete tables from a data folder to the users' one, verifies them before and after, and leaves them "
    "read-only,\n"
    "with provenance.json and a notice for users (NOTICE.md, NOTICE.html) beside them. A table that adg qa has not "
    "passed for\n"
    "these very bytes is refused. The result is one line per table on standard output: table, file or folder.\n"
    "\n"
    "  --data DIR            the data folder, with provenance.json and qa.json\n"
    "  --to DIR              where users read; created when only its parent exists\n"
    "  --include T,T         only these tables\n"
    "  --exclude T,T         not these tables\n"
    "  --allow-unchecked     also tables that adg qa has not passed\n" ADG_SANDBOX_USAGE
    "  --quiet               nothing but results, warnings and errors\n"
    "  --help                this text\n";

static void published(void *context, const char *table, const char *name)
{
    (void)context;
    printf("%s\t%s\n", table, name);
}

static enum adg_status publish(struct adg_publish_options *options, int sandbox, struct adg_error *error)
{
    bool created = false;
    char parent[PATH_MAX];
    struct adg_error folder_error = {{0}};
    enum adg_status folder_status = adg_cli_create_folder(options->to_folder, &created, &folder_error);
    adg_cli_parent(options->to_folder, parent);
    const struct adg_place places[] = {
        {options->data_folder, ADG_MAY_READ}, {options->to_folder, ADG_MAY_WRITE}, {parent, ADG_MAY_ARRANGE}};
    enum adg_status status = adg_cli_confine(sandbox, places, created ? 3 : 2, error);
    options->warn = adg_cli_warn_of;
    options->published = published;
    if (status == ADG_OK && folder_status == ADG_OK) {
        status = adg_publish(options, error);
    }
    adg_cli_collect(&status, error, folder_status, &folder_error);
    adg_cli_discard_folder(options->to_folder, created, status);
    return status;
}

static int run(int argc, char **argv)
{
    struct adg_publish_options publication = {0};
    const char *include = NULL, *exclude = NULL;
    struct adg_cli_names included = {0}, excluded = {0};
    int sandbox = ADG_SANDBOX_AUTO;
    bool help = false;
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "data", .kind = ADG_OPTION_TEXT, .target = &publication.data_folder, .required = true},
        {.name = "to", .kind = ADG_OPTION_TEXT, .target = &publication.to_folder, .required = true},
        {.name = "include", .kind = ADG_OPTION_TEXT, .target = &include},
        {.name = "exclude", .kind = ADG_OPTION_TEXT, .target = &exclude},
        {.name = "allow-unchecked", .kind = ADG_OPTION_FLAG, .target = &publication.allow_unchecked},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], NULL, 0, NULL,
                                           &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
        return 0;
    }
    if (status == ADG_OK) {
        status = adg_cli_split_names(include, "include", &included, &error);
    }
    if (status == ADG_OK) {
        status = adg_cli_split_names(exclude, "exclude", &excluded, &error);
    }
    if (status == ADG_OK) {
        publication.include = included.names;
        publication.include_count = included.count;
        publication.exclude = excluded.names;
        publication.exclude_count = excluded.count;
        status = publish(&publication, sandbox, &error);
    }
    adg_cli_names_fini(&included);
    adg_cli_names_fini(&excluded);
    return status == ADG_OK ? 0 : adg_cli_fail("publish", status, &error);
}

const struct adg_command adg_command_publish = {
    .name = "publish", .summary = "copy checked tables to the users' folder", .usage = usage, .run = run};
