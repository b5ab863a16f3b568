/*
 * What lies in a place: whether a job's inputs and results are what they were. Small files are known by their content, so that one that was
 * written again as it was is the same; large ones by size and time of change. Names that begin with a dot (locks, files not yet complete)
 * do not count.
 */
#ifndef ADG_PROJECT_LISTING_H
#define ADG_PROJECT_LISTING_H

#include "core/buffer.h"

/* Appends a line for each file in the folder, or for the file, sorted by path: "SIZE SHA256|TIME PATH". `name` stands for the folder in paths.
 * Links are followed. What is missing gives no line. ADG_FAILED: it cannot be read. */
ADG_MUST_CHECK enum adg_status adg_listing_append(const char *path, const char *name, struct adg_buffer *out,
                                                  struct adg_error *error);

/* Whether every line of `listing` is one of `whole`; both as adg_listing_append made them. */
bool adg_listing_within(struct adg_span listing, struct adg_span whole);

#endif
