/*
 * adg releases: the log of a release store, verified.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "confine.h"
#include "govern/store.h"

static const char usage[] =
    "usage: adg releases --store DIR [--trust DIR]\n"
    "\n"
    "Prints the log of a release store on standard output, as it is, after verifying it: the chain of its lines, the "
    "hashes\n"
    "of every release, that there is no other file, and, with --trust, both signatures of every release. What does "
    "not match\n"
    "ends with exit code 3.\n"
    "\n"
    "  --store DIR   the release store\n"
    "  --trust DIR   public keys: DIR/reviewer/*.pub and DIR/approver/*.pub\n"
    "  --sandbox S   auto, required or off: whether the kernel confines the process to these places (default: auto)\n"
    "  --quiet       nothing but results and errors\n"
    "  --help        this text\n";

static int run(int argc, char **argv)
{
    const char *store = NULL, *trust_folder = NULL;
    struct adg_log log = {0};
    struct adg_trust trust = {{NULL}, {0}};
    bool help = false;
    int sandbox = ADG_SANDBOX_AUTO;
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "store", .kind = ADG_OPTION_TEXT, .target = &store, .required = true},
        {.name = "trust", .kind = ADG_OPTION_TEXT, .target = &trust_folder},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], NULL, 0, NULL,
                                           &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
        return 0;
    }
    if (status == ADG_OK) {
        const struct adg_place places[] = {{store, ADG_MAY_READ}, {trust_folder, ADG_MAY_READ}};
        status = adg_cli_confine(sandbox, places, trust_folder != NULL ? 2 : 1, &error);
    }
    if (status == ADG_OK) {
        status = adg_log_read(store, &log, &error);
    }
    if (status == ADG_OK && trust_folder != NULL) {
        status = adg_trust_read(trust_folder, &trust, &error);
    }
    if (status == ADG_OK) {
        status = adg_store_verify(store, &log, trust_folder != NULL ? &trust : NULL, (int32_t)(time(NULL) / 86400),
                                  &error);
    }
    if (status == ADG_OK) {
        fwrite(log.text.data, 1, log.text.size, stdout);
        if (trust_folder == NULL) {
            adg_cli_say("signatures were not verified: that needs --trust");
        }
    }
    adg_trust_fini(&trust);
    adg_log_fini(&log);
    return status == ADG_OK ? 0 : adg_cli_fail("releases", status, &error);
}

const struct adg_command adg_command_releases = {
    .name = "releases", .summary = "show and verify the log of a release store", .usage = usage, .run = run};
