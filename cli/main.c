/*
 * adg: the table of commands, --help and --version.
 *
 * To add a command: write cmd_<name>.c, declare its struct adg_command in cli.h, add it to `commands`.
 */
#include <jansson.h>
#include <libdeflate.h>
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>
#include <zlib.h>
#include <zstd.h>

#include "adg_version.h"
#include "cli.h"
#include "core/cpu.h"
#include "core/stop.h"

#ifndef ADG_WITHOUT_ENGINE
/* The one that third_party/fetch pins. It is not linked: asking itself would load it. */
static const char engine_version[] = "1.5.6";
#endif

static const struct adg_command *const commands[] = {
    &adg_command_dataset,
#ifndef ADG_WITHOUT_ENGINE
    &adg_command_classify, &adg_command_scrape,   &adg_command_import_metadata,
#endif
    &adg_command_review,   &adg_command_keygen,   &adg_command_sign,
    &adg_command_release,  &adg_command_releases, &adg_command_generate,
#ifndef ADG_WITHOUT_ENGINE
    &adg_command_qa,       &adg_command_migrate,
#endif
    &adg_command_publish,  &adg_command_compose,
#ifndef ADG_WITHOUT_ENGINE
    &adg_command_project,  &adg_command_job,
#endif
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_help(void)
{
    fputs("usage: adg COMMAND [OPTION]...\n"
          "       adg --help | --version\n"
          "\n"
          "Scrapes disclosure-controlled metadata from tables and generates artificial tables from it.\n"
          "\n"
          "commands:\n",
          stdout);
    for (int i = 0; i < COMMAND_COUNT; i++) {
        printf("  %-16s %s\n", commands[i]->name, commands[i]->summary);
    }
    fputs("\n'adg COMMAND --help' describes a command.\n", stdout);
}

static void print_version(void)
{
    printf("adg %s (commit %s)\n", ADG_VERSION, ADG_COMMIT);
    printf("zstd %s\n", ZSTD_versionString());
    printf("libsodium %s\n", sodium_version_string());
    printf("libyaml %s\n", yaml_get_version_string());
    printf("libdeflate %s\n", LIBDEFLATE_VERSION_STRING);
#ifndef ADG_WITHOUT_ENGINE
    printf("zlib %s\n", zlibVersion());
#endif
    printf("jansson %s\n", jansson_version_str());
#ifdef ADG_WITHOUT_ENGINE
    puts("no engine: classify, scrape, import-metadata, migrate and qa are in the program that is not linked "
         "statically");
#else
    printf("engine DuckDB %s, loaded by the commands that need it\n", engine_version);
#endif
}

static int usage_error(const char *what, const char *word)
{
    fprintf(stderr, "adg: %s%s\nTry 'adg --help'.\n", what, word);
    return ADG_USAGE;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        return usage_error("a command is missing", "");
    }
    if (!adg_cpu_is_known()) {
        return usage_error("the environment variable ADG_CPU: expected ", adg_cpu_words);
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "--version") == 0) {
        if (argc > 2) {
            return usage_error("unexpected word ", argv[2]);
        }
        if (strcmp(word, "--help") == 0) {
            print_help();
        } else {
            print_version();
        }
        return ADG_OK;
    }
    for (int i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(word, commands[i]->name) == 0) {
            return commands[i]->run(argc - 1, argv + 1);
        }
    }
    return usage_error(word[0] == '-' ? "unknown option " : "unknown command ", word);
}

/* Parts differ in size, and glibc keeps what large ones leave in its heaps: memory would creep up with the number of rows. Large
 * pieces are mapped and returned instead; setting the threshold also stops glibc from raising it. */
static void return_large_memory(void)
{
    enum { LARGE_BYTES = 512 * 1024 };
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

int main(int argc, char **argv)
{
    return_large_memory();
    adg_stop_install();
    int code = run(argc, argv);
    adg_cli_progress_end();
    /* A result that did not arrive, on a full disk or a closed pipe, is a failure. */
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && code == ADG_OK) {
        fputs("adg: the result cannot be written to standard output\n", stderr);
        code = ADG_FAILED;
    }
    return code;
}
