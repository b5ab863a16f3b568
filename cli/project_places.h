/*
 * What exporting and importing a project need to know of an environment.
 */
#ifndef ADG_CLI_PROJECT_PLACES_H
#define ADG_CLI_PROJECT_PLACES_H

#include "project/project.h"
#include "promote/promote.h"

struct adg_cli_promotion {
    const char *trust;              /* folder of public keys */
    struct adg_promotion promotion; /* without .trust */
};

/* ADG_USAGE: no such environment; ADG_BAD_INPUT: the project has not exactly one store. What is found lies in the project. */
ADG_MUST_CHECK enum adg_status adg_cli_find_promotion(const struct adg_project *project, const char *environment,
                                                      struct adg_cli_promotion *out, struct adg_error *error);

/* The definition files that jobs name, each once, without the names of built-in ones. ADG_BAD_INPUT: a file that does not end in .yaml
 * or .yml. In the arena and the project. */
ADG_MUST_CHECK enum adg_status adg_cli_find_definitions(const struct adg_project *project, struct adg_arena *arena,
                                                        const char ***out, uint32_t *count, struct adg_error *error);

#endif
