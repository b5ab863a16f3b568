/*
 * Reviewing metadata: the checks, and review.json, which holds their result.
 *
 * A review is a pure function of the bytes of a metadata folder: the same bytes give the same review.json, so that whoever
 * signs or releases makes it again and compares. What the checks look for is in the dataset definition; nothing is taken
 * from the manifest but what it states about the scrape.
 *
 * Findings name table, field and row of metadata.parquet (from 1), never a value. Failing ones fail the review; the others are
 * shown to the reviewer.
 */
#ifndef ADG_GOVERN_REVIEW_H
#define ADG_GOVERN_REVIEW_H

#include "metadata/folder.h"
#include "metadata/json.h"

enum adg_check {
    ADG_CHECK_HASHES,
    ADG_CHECK_FORMAT,
    ADG_CHECK_CONTROL,
    ADG_CHECK_WEIGHTS,
    ADG_CHECK_EXCLUDED_FIELDS,
    ADG_CHECK_IDENTIFIER_ROWS,
    ADG_CHECK_RELATIONSHIP,
    ADG_CHECK_DOMINANCE,
    ADG_CHECK_PERCENTILES,
    ADG_CHECK_NHS_NUMBER,
    ADG_CHECK_EMAIL,
    ADG_CHECK_PHONE,
    ADG_CHECK_POSTCODE,
    ADG_CHECK_RATIO,
    ADG_CHECK_LENGTH,
    ADG_CHECK_LETTERS,
    ADG_CHECK_WHITESPACE,
    ADG_CHECK_FREE_TEXT,
    ADG_CHECK_IDENTICAL_FIELDS,
    ADG_CHECK_DEFINITION,
    ADG_CHECKS,
};

struct adg_check_text {
    const char *id;     /* "nhs_number" */
    bool fails;         /* a finding fails the review; else it is shown */
    const char *title;  /* what is looked at */
    const char *advice; /* what to do about a finding */
};
extern const struct adg_check_text adg_check_texts[ADG_CHECKS];

struct adg_finding {
    enum adg_check check;
    const char *table, *field; /* NULL: of the whole */
    size_t row;                /* of metadata.parquet, from 1; 0: of no single row */
    const char *text;          /* what was found; no value */
};

/* One field of one table, as the records-to-values ratio has it. */
struct adg_field_summary {
    const char *table, *field;
    enum adg_value_type value_type;
    size_t first_row, rows; /* of metadata->rows */
    double records;         /* sum of the released weights */
    double ratio;           /* records per row; 1 is as identifying as a key */
};

struct adg_review {
    struct adg_arena arena;
    const struct adg_metadata *metadata; /* borrowed by the caller's report; NULL when it could not be read */
    char manifest_sha256[65];
    struct adg_finding
        *findings; /* in the order of the checks, then rows; at most MAX of each check and field are listed */
    size_t finding_count, finding_capacity;
    size_t counts[ADG_CHECKS];        /* all of them */
    struct adg_field_summary *fields; /* lowest ratio first */
    size_t field_count, field_capacity;
    const char *const *checklist; /* of all datasets, each question once */
    uint32_t checklist_count;
    bool passed;
};

/* Makes the review of a folder that was read. *out_metadata is what was parsed (NULL when it cannot be), to be freed after the
 * review. Fails only without memory. */
ADG_MUST_CHECK enum adg_status adg_review_make(const struct adg_metadata_folder *folder, struct adg_review *out,
                                               struct adg_metadata **out_metadata, struct adg_error *error);
void adg_review_fini(struct adg_review *review);

/* A finding as review.json has it, a new reference; NULL without memory. */
json_t *adg_finding_json(const struct adg_finding *finding);
/* Appends review.json. */
ADG_MUST_CHECK enum adg_status adg_review_write(const struct adg_review *review, struct adg_buffer *out,
                                                struct adg_error *error);

/* That review.json is what the checks give for these very bytes, and that they pass. ADG_REFUSED otherwise. The checklist is
 * copied into the arena. */
ADG_MUST_CHECK enum adg_status adg_review_confirm(const struct adg_metadata_folder *folder, struct adg_arena *arena,
                                                  const char *const **checklist, uint32_t *checklist_count,
                                                  struct adg_error *error);

#endif
