/*
 * Reports: one self-contained HTML file each, with its data as JSON inside, drawn by a script of its own. No network, no
 * external resource; values reach the page as text only.
 */
#ifndef ADG_REPORT_REPORT_H
#define ADG_REPORT_REPORT_H

#include "govern/review.h"
#include "project/project.h"
#include "qa/qa.h"

/* Appends the report of a review. It shows released values, at most 200 bytes of each: for the reviewer, not for release. */
ADG_MUST_CHECK enum adg_status adg_report_review(const struct adg_review *review, struct adg_buffer *out,
                                                 struct adg_error *error);

/* Appends the report of quality checks, with the distributions that were expected and found. */
ADG_MUST_CHECK enum adg_status adg_report_qa(const struct adg_qa *qa, struct adg_buffer *out, struct adg_error *error);

/* Appends the page of a project that has been proved isolated: its graph, jobs and places. */
ADG_MUST_CHECK enum adg_status adg_report_project(const struct adg_project *project, struct adg_buffer *out,
                                                  struct adg_error *error);

#endif
