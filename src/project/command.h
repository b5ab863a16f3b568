/*
 * The command line of a job: its parameters' values, and the words that follow `adg`. A job is nothing but that command, confined to
 * what the project grants it.
 */
#ifndef ADG_PROJECT_COMMAND_H
#define ADG_PROJECT_COMMAND_H

#include "project/project.h"

enum { ADG_MAX_PARAMETERS = 32 };

/* The values of one start, in the order of adg_parameters: the file's, and over them what the start says. */
struct adg_job_values {
    struct {
        const char *const *texts; /* NULL: no value */
        uint32_t count;
        bool set; /* by the start */
    } of[ADG_MAX_PARAMETERS];
};

/* The defaults. */
void adg_job_values_init(struct adg_job_values *values, const struct adg_project_job *job);
/* "PARAMETER=VALUE"; of a list, values with commas between them. An empty value takes the default away. Memory is taken from the arena.
 * ADG_USAGE: the job has no such parameter, it is set twice, or the value is none. */
ADG_MUST_CHECK enum adg_status adg_job_values_set(struct adg_job_values *values, const struct adg_project_job *job,
                                                  const char *text, struct adg_arena *arena, struct adg_error *error);
/* The value of a parameter that is no list, by name; NULL: none. */
const char *adg_job_value(const struct adg_job_values *values, const char *name);

/* What a job touches besides its places: a definition file, and the trusted keys. NULL: it does not. */
struct adg_job_files {
    const char *definition, *trust;
};

struct adg_command_line {
    const char *const *words; /* without the program, NULL at the end */
    uint32_t count;
    uint32_t confirmation; /* index of the word that a person says anew each time; 0: none */
    struct adg_job_files files;
};

/* Memory is taken from the arena. ADG_USAGE: a parameter that the command needs has no value. */
ADG_MUST_CHECK enum adg_status adg_command_line_build(const struct adg_project *project,
                                                      const struct adg_project_environment *environment,
                                                      const struct adg_project_job *job,
                                                      const struct adg_job_values *values, struct adg_arena *arena,
                                                      struct adg_command_line *out, struct adg_error *error);

#endif
