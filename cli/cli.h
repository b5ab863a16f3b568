/*
 * The command line: one file per command, one table that lists them (main.c).
 *
 * To add a command: write cmd_<name>.c with its `const struct adg_command adg_command_<name>` and add it to the table in
 * main.c. A command parses its own options with adg_cli_parse(), prints results to stdout and everything else to stderr
 * through adg_cli_say() (silent under --quiet) and adg_cli_fail(). Only cli/ prints or exits.
 */
#ifndef ADG_CLI_CLI_H
#define ADG_CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

struct adg_command {
    const char *name;
    const char *summary;               /* one line, for `adg --help` */
    const char *usage;                 /* the whole text of `adg <name> --help` */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit code */
};

enum adg_option_kind {
    ADG_OPTION_FLAG,
    ADG_OPTION_TEXT,
    ADG_OPTION_LIST,
    ADG_OPTION_COUNT,
    ADG_OPTION_UINT64,
    ADG_OPTION_CHOICE
};

/* One option. `target` is a bool, const char *, struct adg_option_list, uint64_t (COUNT: 1 or more) or int (CHOICE: the
 * index). Every option may be given once, but LIST. --help and --quiet are there for all commands. */
struct adg_option {
    const char *name; /* "meta" for --meta */
    enum adg_option_kind kind;
    void *target;
    bool required;
    const char *const *choices; /* CHOICE: NULL at the end */
    bool given;                 /* out */
};
struct adg_option_list {
    const char **items; /* the strings of argv */
    uint32_t count;
};

/* Parses argv[1..]. `positional` takes at most `positional_max` other words. ADG_USAGE when anything is amiss (message
 * names the option and what was expected). `*help` is set by --help: print usage to stdout and return 0. */
ADG_MUST_CHECK enum adg_status adg_cli_parse(int argc, char **argv, struct adg_option *options, uint32_t option_count,
                                             const char **positional, uint32_t positional_max,
                                             uint32_t *positional_count, bool *help, struct adg_error *error);
void adg_cli_lists_free(struct adg_option *options, uint32_t option_count);

/* "T,T", the value of an option, apart. Zeroed is empty and may be finished; `text` NULL gives an empty list. ADG_USAGE: a name is
 * empty. */
struct adg_cli_names {
    char *copy; /* with NULs for commas */
    const char **names;
    uint32_t count;
};
ADG_MUST_CHECK enum adg_status adg_cli_split_names(const char *text, const char *option, struct adg_cli_names *names,
                                                   struct adg_error *error);
void adg_cli_names_fini(struct adg_cli_names *names);

/* The largest --min-frequency and --rounding. */
enum { ADG_LARGEST_CONTROL = 1000000 };

bool adg_cli_quiet(void);
ADG_PRINTF(1, 2) void adg_cli_say(const char *format, ...);  /* a line to stderr unless --quiet */
ADG_PRINTF(1, 2) void adg_cli_warn(const char *format, ...); /* "adg: warning: ..." to stderr, always */
void adg_cli_warn_of(void *context, const char *message);    /* the same as a callback; `context` is not looked at */
int adg_cli_fail(const char *command, enum adg_status status,
                 const struct adg_error *error); /* prints; returns the exit code */

/* Keeps the failure that comes first where several apply: 2, then 3, 4, 1 (see docs/commands.md); ADG_OK changes nothing. */
void adg_cli_collect(enum adg_status *kept, struct adg_error *kept_error, enum adg_status status,
                     const struct adg_error *error);

/* The progress line on a terminal: nothing when stderr is none, or under --quiet. Rewrites itself at most ten times a second. */
void adg_cli_progress(const char *stage, const char *table, uint64_t done, uint64_t total);
void adg_cli_progress_end(void);

/* One line, without its end, cut to size - 1 bytes. false: the end of the input, or the process was told to stop. */
bool adg_cli_read_line(int fd, char *out, size_t size);
/* A passphrase from ADG_PASSPHRASE, else from the terminal (`twice`: a new one). The caller wipes it. */
#define ADG_PASSPHRASE_BYTES 1024
ADG_MUST_CHECK enum adg_status adg_cli_passphrase(bool twice, char out[ADG_PASSPHRASE_BYTES], struct adg_error *error);

/* What import-metadata and migrate do: a metadata table of the original system into a folder (scrape/import.h). */
struct adg_cli_import {
    const char *file, *dataset, *meta;
    bool first_format;
    int sandbox;
};
ADG_MUST_CHECK enum adg_status adg_cli_import_metadata(const struct adg_cli_import *wanted, struct adg_error *error);

extern const struct adg_command adg_command_dataset, adg_command_classify, adg_command_scrape,
    adg_command_import_metadata, adg_command_review, adg_command_keygen, adg_command_sign, adg_command_release,
    adg_command_releases, adg_command_generate, adg_command_qa, adg_command_publish, adg_command_compose,
    adg_command_migrate, adg_command_project, adg_command_job;

#endif
