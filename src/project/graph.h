/*
 * The graph of jobs and places of a project, and what has to hold in it (docs/projects.md):
 *
 *   - no two places overlap, but sources; no place holds the project file, the state folder or trusted keys;
 *   - no two jobs write to one place, in whatever environments, and no job writes to a source;
 *   - there is no cycle;
 *   - no way leads from a source to artificial or published data but through a job that releases;
 *   - no job reads a source and writes where a generating job reads;
 *   - no definition file lies in a place;
 *   - every job may do what its command does.
 *
 * Places of different environments that have one address are one place. Addresses are followed through links for that.
 */
#ifndef ADG_PROJECT_GRAPH_H
#define ADG_PROJECT_GRAPH_H

#include "project/project.h"

/* ADG_OK: all of it holds. Else "FILE:LINE:COLUMN: " and the way or the places that were found: ADG_REFUSED where the source is not
 * isolated, ADG_BAD_INPUT for the rest. ADG_FAILED: no memory, or an address that cannot be followed. */
ADG_MUST_CHECK enum adg_status adg_project_prove(const struct adg_project *project, struct adg_error *error);

/* An absolute path without links, "." and ".."; what does not exist yet is taken as it is written. `out` has PATH_MAX bytes. */
ADG_MUST_CHECK enum adg_status adg_project_resolve(const char *path, char *out, struct adg_error *error);

/* Whether one absolute, resolved path is the other or lies in it. */
bool adg_project_overlap(const char *a, const char *b);

#endif
