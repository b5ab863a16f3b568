/*
 * adg sign: a reviewer or an approver signs reviewed metadata.
 */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "confine.h"
#include "core/date.h"
#include "govern/signoff.h"

static const char usage[] =
    "usage: adg sign --meta DIR --role reviewer|approver --key FILE --name TEXT --email TEXT [OPTION]...\n"
    "\n"
    "Signs metadata whose review has passed for exactly these bytes: first its reviewer, then its approver, who must "
    "be\n"
    "another person with another key. The checklist of the definition is asked question by question on the terminal. "
    "The\n"
    "signature lies beside the metadata (reviewer.minisig, approver.minisig); the standard minisign program verifies "
    "it.\n"
    "The result is its name on standard output.\n"
    "\n"
    "  --meta DIR              the metadata folder\n"
    "  --role R                reviewer or approver\n"
    "  --key FILE              the secret key (adg keygen); its passphrase is asked for, or taken from ADG_PASSPHRASE\n"
    "  --name TEXT             who signs\n"
    "  --email TEXT            and how to reach them\n"
    "  --date YYYY-MM-DD       the day of the signature, not in the future (default: today, UTC)\n"
    "  --checklist-confirmed   every question of the checklist is answered with yes; needed without a terminal\n"
    "  --sandbox S             auto, required or off: whether the kernel confines the process (default: auto)\n"
    "  --quiet                 nothing but results and errors\n"
    "  --help                  this text\n";

struct arguments {
    const char *meta, *key, *name, *email, *date;
    int role, sandbox;
    bool confirmed;
};

static bool confirmed_by_option(void *context, const char *question, uint32_t number, uint32_t count)
{
    (void)context;
    (void)question;
    (void)number;
    (void)count;
    return true;
}

/* Only the word yes counts. */
static bool ask(void *context, const char *question, uint32_t number, uint32_t count)
{
    char answer[16];
    (void)context;
    fprintf(stderr, "%u of %u. %s (yes/no) ", number, count, question);
    fflush(stderr);
    return adg_cli_read_line(STDIN_FILENO, answer, sizeof answer) && strcmp(answer, "yes") == 0;
}

static enum adg_status sign(const struct arguments *arguments, struct adg_error *error)
{
    char passphrase[ADG_PASSPHRASE_BYTES] = "";
    bool terminal = isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
    struct adg_sign_options options = {.meta_folder = arguments->meta,
                                       .role = (enum adg_role_of_signer)arguments->role,
                                       .key_path = arguments->key,
                                       .name = arguments->name,
                                       .email = arguments->email,
                                       .today = (int32_t)(time(NULL) / 86400),
                                       .confirm = arguments->confirmed ? confirmed_by_option : ask,
                                       .on_terminal = !arguments->confirmed};
    options.date = options.today;
    if (arguments->date != NULL && !adg_date_parse(arguments->date, strlen(arguments->date), &options.date)) {
        return adg_fail(error, ADG_USAGE, "option --date: expected YYYY-MM-DD, not '%s'", arguments->date);
    }
    if (!arguments->confirmed && !terminal) {
        return adg_fail(error, ADG_USAGE,
                        "there is no terminal to ask the checklist on: read it in review.json, then say "
                        "--checklist-confirmed");
    }
    enum adg_status status = adg_cli_passphrase(false, passphrase, error);
    if (status == ADG_OK) {
        const struct adg_place places[] = {{arguments->meta, ADG_MAY_WRITE}, {arguments->key, ADG_MAY_READ}};
        status = adg_cli_confine(arguments->sandbox, places, 2, error);
    }
    if (status == ADG_OK) {
        options.passphrase = passphrase;
        status = adg_sign(&options, error);
    }
    if (status == ADG_OK) {
        printf("%s\n", adg_signature_files[options.role]);
    }
    sodium_memzero(passphrase, sizeof passphrase);
    return status;
}

static int run(int argc, char **argv)
{
    static const char *const roles[] = {[ADG_REVIEWER] = "reviewer", [ADG_APPROVER] = "approver", NULL};
    struct arguments arguments = {0};
    bool help = false;
    struct adg_error error = {{0}};
    struct adg_option options[] = {
        {.name = "meta", .kind = ADG_OPTION_TEXT, .target = &arguments.meta, .required = true},
        {.name = "role", .kind = ADG_OPTION_CHOICE, .target = &arguments.role, .choices = roles, .required = true},
        {.name = "key", .kind = ADG_OPTION_TEXT, .target = &arguments.key, .required = true},
        {.name = "name", .kind = ADG_OPTION_TEXT, .target = &arguments.name, .required = true},
        {.name = "email", .kind = ADG_OPTION_TEXT, .target = &arguments.email, .required = true},
        {.name = "date", .kind = ADG_OPTION_TEXT, .target = &arguments.date},
        {.name = "checklist-confirmed", .kind = ADG_OPTION_FLAG, .target = &arguments.confirmed},
        {.name = "sandbox", .kind = ADG_OPTION_CHOICE, .target = &arguments.sandbox, .choices = adg_cli_sandboxes},
    };
    enum adg_status status = adg_cli_parse(argc, argv, options, sizeof options / sizeof options[0], NULL, 0, NULL,
                                           &help, &error);
    if (status == ADG_OK && help) {
        fputs(usage, stdout);
    } else if (status == ADG_OK) {
        status = sign(&arguments, &error);
    }
    return status == ADG_OK ? 0 : adg_cli_fail("sign", status, &error);
}

const struct adg_command adg_command_sign = {
    .name = "sign", .summary = "sign reviewed metadata, as reviewer or approver", .usage = usage, .run = run};
