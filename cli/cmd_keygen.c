/*
 * adg keygen: a key pair for signing metadata.
 */
#include <limits.h>
#include <sodium.h>
#include <stdio.h>

#include "cli.h"
#include "confine.h"
#include "govern/minisign.h"

static const char usage[] =
    "usage: adg keygen --key FILE\n"
    "\n"
    "Makes a pair of keys in the format of minisign: FILE, the secret one, encrypted under a passphrase, and FILE.pub, "
    "which\n"
    "goes into the folder of trusted keys. Nothing is overwritten. The passphrase is asked for on the terminal, or "
    "taken from\n"
    "ADG_PASSPHRASE. The result is the path of the public key on standard output.\n"
    "\n"
    "  --key FILE   where the secret key goes\n"
    "  --sandbox S  auto, required or off: whether the kernel confines the process to the key's folder (default: "
    "auto)\n"
    "  --quiet      nothing but results and errors\n"
    "  --help       this text\n";

static int run(int argc, char **argv)
{
    const char *path = NULL;
    bool help = false;
    char passphrase[ADG_PASSPHRASE_BYTES] = "";
    struct adg_error error = {{0}};
    int sandbox = ADG_SANDBOX_AUTO;
    struct adg_option options[] = {
        {.name = "key", .kind = ADG_OPTION_TEXT, .target = &path, .required = true},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], NULL, 0, NULL,
                                           &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
        return 0;
    }
    if (status == ADG_OK) {
        status = adg_cli_passphrase(true, passphrase, &error);
    }
    if (status == ADG_OK) {
        char folder[PATH_MAX];
        adg_cli_parent(path, folder);
        const struct adg_place places[] = {{folder, ADG_MAY_WRITE}};
        status = adg_cli_confine(sandbox, places, 1, &error);
    }
    if (status == ADG_OK) {
        status = adg_key_generate(path, passphrase, &error);
    }
    if (status == ADG_OK) {
        printf("%s.pub\n", path);
    }
    sodium_memzero(passphrase, sizeof passphrase);
    return status == ADG_OK ? 0 : adg_cli_fail("keygen", status, &error);
}

const struct adg_command adg_command_keygen = {
    .name = "keygen", .summary = "make a pair of keys for signing", .usage = usage, .run = run};
