/*
 * Asking on the terminal. A passphrase comes from the environment (ADG_PASSPHRASE), or from the terminal without being shown.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli.h"
#include "core/stop.h"

/* Whether there is something to read; false: the process was told to stop. Reading alone would go on after a signal. */
static bool wait_for_input(int fd)
{
    enum { LOOK_MS = 200 };
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    int ready = 0;
    while (ready <= 0 && !adg_stop_requested()) {
        ready = poll(&wanted, 1, LOOK_MS);
        if (ready < 0 && errno != EINTR) {
            return false;
        }
    }
    return ready > 0 && !adg_stop_requested();
}

bool adg_cli_read_line(int fd, char *out, size_t size)
{
    size_t length = 0;
    char c = 0;
    bool good = true;
    while ((good = wait_for_input(fd) && read(fd, &c, 1) == 1) && c != '\n') {
        if (length + 1 < size) {
            out[length++] = c;
        }
    }
    out[length] = '\0';
    return good;
}

/* One line from the terminal, which shows nothing of it; one that is too long is cut to size - 1 bytes. */
static bool ask(int terminal, const char *question, char *out, size_t size)
{
    struct termios before, silent;
    if (tcgetattr(terminal, &before) != 0) {
        return false;
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(terminal, TCSAFLUSH, &silent) != 0) { /* before it asks: what is answered at once is neither shown nor lost */
        return false;
    }
    bool good = write(terminal, question, strlen(question)) > 0 && adg_cli_read_line(terminal, out, size);
    tcsetattr(terminal, TCSAFLUSH, &before);
    return write(terminal, "\n", 1) == 1 && good;
}

enum adg_status adg_cli_passphrase(bool twice, char out[ADG_PASSPHRASE_BYTES], struct adg_error *error)
{
    const char *environment = getenv("ADG_PASSPHRASE");
    char again[ADG_PASSPHRASE_BYTES];
    if (environment != NULL) {
        if (environment[0] == '\0' || strlen(environment) + 1 >= ADG_PASSPHRASE_BYTES) {
            return adg_fail(error, ADG_USAGE, "ADG_PASSPHRASE: expected 1 to %d bytes", ADG_PASSPHRASE_BYTES - 2);
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
    } else if (strlen(out) + 1 == ADG_PASSPHRASE_BYTES) {
        status = adg_fail(error, ADG_USAGE, "the passphrase: expected at most %d bytes", ADG_PASSPHRASE_BYTES - 2);
    } else if (out[0] == '\0') {
        status = adg_fail(error, ADG_USAGE, "the passphrase is empty");
    } else if (twice && strcmp(out, again) != 0) {
        status = adg_fail(error, ADG_USAGE, "the two passphrases differ");
    }
    sodium_memzero(again, sizeof again);
    close(terminal);
    return status;
}
