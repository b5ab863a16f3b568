/* (merged with the other words of the command) */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "project.h"

static const char usage[] = "usage: adg job WORD [OPTION]...\n";

static int run(int argc, char **argv)
{
    struct adg_error error = {{0}};
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "schedule") == 0) {
        return adg_cli_job_schedule(argc - 1, argv + 1);
    }
    enum adg_status status = adg_fail(&error, ADG_USAGE, "expected another word");
    return adg_cli_fail("job", status, &error);
}

const struct adg_command adg_command_job = {.name = "job", .summary = "job", .usage = usage, .run = run};
