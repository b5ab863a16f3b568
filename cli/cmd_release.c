/*
 * adg release: signed metadata into a release store.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "confine.h"
#include "core/date.h"
#include "govern/store.h"

static const char usage[] =
    "usage: adg release --meta DIR --to DIR --trust DIR --confirm-utc \"YYYY-MM-DD HH:MM\"\n"
    "\n"
    "Verifies hashes, review and both signatures, adds the metadata to a release store and a line per table to its "
    "log\n"
    "(releases.csv), whose replacement is the moment of release. Earlier releases stay. The result is the release's "
    "name on\n"
    "standard output: the hash of its manifest.\n"
    "\n"
    "  --meta DIR            the signed metadata folder\n"
    "  --to DIR              the release store; created when only its parent exists\n"
    "  --trust DIR           public keys: DIR/reviewer/*.pub and DIR/approver/*.pub\n"
    "  --confirm-utc TEXT    the time now in UTC, within 600 s of the clock\n" ADG_SANDBOX_USAGE
    "  --quiet               nothing but results and errors\n"
    "  --help                this text\n";

/* "YYYY-MM-DD HH:MM" as seconds since 1970. */
static bool parse_utc(const char *text, int64_t *seconds)
{
    int32_t days;
    bool shape = strlen(text) == 16 && text[10] == ' ' && text[13] == ':' && strspn(text + 11, "0123456789") == 2 &&
                 strspn(text + 14, "0123456789") == 2;
    if (!shape || !adg_date_parse(text, 10, &days)) {
        return false;
    }
    long hours = strtol(text + 11, NULL, 10), minutes = strtol(text + 14, NULL, 10);
    *seconds = (int64_t)days * 86400 + hours * 3600 + minutes * 60;
    return hours < 24 && minutes < 60;
}

static int run(int argc, char **argv)
{
    struct adg_release_options release = {0};
    const char *confirmed = NULL;
    char hash[65] = "";
    bool help = false, created = false;
    int sandbox = ADG_SANDBOX_AUTO;
    struct adg_error error = {{0}}, folder_error = {{0}};
    enum adg_status folder_status = ADG_OK;
    struct adg_option options[] = {
        {.name = "meta", .kind = ADG_OPTION_TEXT, .target = &release.meta_folder, .required = true},
        {.name = "to", .kind = ADG_OPTION_TEXT, .target = &release.store, .required = true},
        {.name = "trust", .kind = ADG_OPTION_TEXT, .target = &release.trust_folder, .required = true},
        {.name = "confirm-utc", .kind = ADG_OPTION_TEXT, .target = &confirmed, .required = true},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], NULL, 0, NULL,
                                           &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
        return 0;
    }
    if (status == ADG_OK && !parse_utc(confirmed, &release.confirmed_utc)) {
        status = adg_fail(&error, ADG_USAGE, "option --confirm-utc: expected \"YYYY-MM-DD HH:MM\", not '%s'",
                          confirmed);
    }
    if (status == ADG_OK) {
        release.now_utc = (int64_t)time(NULL);
        folder_status = adg_cli_create_folder(release.store, &created, &folder_error);
        char parent[PATH_MAX];
        adg_cli_parent(release.store, parent);
        const struct adg_place places[] = {{release.meta_folder, ADG_MAY_READ},
                                           {release.trust_folder, ADG_MAY_READ},
                                           {release.store, ADG_MAY_WRITE},
                                           {parent, ADG_MAY_ARRANGE}};
        status = adg_cli_confine(sandbox, places, created ? 4 : 3, &error);
    }
    if (status == ADG_OK) {
        status = adg_release(&release, hash, &error);
    }
    adg_cli_collect(&status, &error, folder_status, &folder_error);
    adg_cli_discard_folder(release.store, created, status);
    if (status == ADG_OK) {
        printf("%s\n", hash);
    }
    return status == ADG_OK ? 0 : adg_cli_fail("release", status, &error);
}

const struct adg_command adg_command_release = {
    .name = "release", .summary = "put signed metadata into a release store", .usage = usage, .run = run};
