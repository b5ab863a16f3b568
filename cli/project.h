/*
 * Parts of `adg project` and `adg job` with a file of their own. argv[0] is the word behind the command; the exit code is returned.
 */
#ifndef ADG_CLI_PROJECT_H
#define ADG_CLI_PROJECT_H

int adg_cli_project_export(int argc, char **argv);
int adg_cli_project_import(int argc, char **argv);
int adg_cli_project_releases(int argc, char **argv);
int adg_cli_job_schedule(int argc, char **argv);

#endif
