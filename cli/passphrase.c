/*
 * A passphrase: from the environment (ADG_PASSPHRASE), or from the terminal without showing it.
 */
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli.h"

/* One line from the terminal, which shows nothing of it. */
static bool ask(int terminal, const char *question, char *out, size_t size)
{
    struct termios before, silent;
    size_t length = 0;
    char c = 0;
    if (tcgetattr(terminal, &before) != 0) {
        return false;
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    if (write(terminal, question, strlen(question)) < 0 || tcsetattr(terminal, TCSAFLUSH, &silent) != 0) {
        return false;
    }
    bool good = true;
    while ((good = read(terminal, &c, 1) == 1) && c != '\n') {
        if (length + 1 < size) {
            out[length++] = c;
        }
    }
    out[length] = '\0';
    tcsetattr(terminal, TCSAFLUSH, &before);
    return write(terminal, "\n", 1) == 1 && good;
}

enum adg_status adg_cli_passphrase(bool twice, char out[ADG_PASSPHRASE_BYTES], struct adg_error *error)
{
    const char *environment = getenv("ADG_PASSPHRASE");
    char again[ADG_PASSPHRASE_BYTES];
    if (environment != NULL) {
        if (environment[0] == '\0' || strlen(environment) >= ADG_PASSPHRASE_BYTES) {
            return adg_fail(error, ADG_USAGE, "ADG_PASSPHRASE: expected 1 to %d bytes", ADG_PASSPHRASE_BYTES - 1);
        }
        snprintf(out, ADG_PASSPHRASE_BYTES, "%s", environment);
        return ADG_OK;
    }
    int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (terminal < 0) {
        return adg_fail(error, ADG_USAGE, "there is no terminal to ask for the passphrase: set ADG_PASSPHRASE");
    }
    enum adg_status status = ADG_OK;
    if (!ask(terminal, "Passphrase: ", out, ADG_PASSPHRASE_BYTES) ||
        (twice && !ask(terminal, "Once more: ", again, sizeof again))) {
        status = adg_fail(error, ADG_FAILED, "the terminal cannot be read");
    } else if (out[0] == '\0') {
        status = adg_fail(error, ADG_USAGE, "the passphrase is empty");
    } else if (twice && strcmp(out, again) != 0) {
        status = adg_fail(error, ADG_USAGE, "the two passphrases differ");
    }
    sodium_memzero(again, sizeof again);
    close(terminal);
    return status;
}
