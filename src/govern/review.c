/*
 * A review: see review.h.
 */
#include "govern/review.h"

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "core/version.h"
#include "govern/internal.h"

enum { FORMAT = 1 };

const struct adg_check_text adg_check_texts[ADG_CHECKS] = {
    [ADG_CHECK_HASHES] = {"hashes", true, "Files match the hashes in the manifest",
                          "Scrape again: the folder was changed or damaged after the scrape."},
    [ADG_CHECK_FORMAT] = {"format", true, "Every row keeps the rules of the metadata table",
                          "Scrape again with this program; do not edit metadata by hand."},
    [ADG_CHECK_CONTROL] = {"control", true, "The metadata was scraped under full disclosure control",
                           "Scrape again without --control reference. Imported metadata is for comparisons only."},
    [ADG_CHECK_WEIGHTS] = {"weights", true,
                           "Weights reach the definition's threshold and are multiples of its rounding",
                           "Scrape again with at least the thresholds of the definition."},
    [ADG_CHECK_EXCLUDED_FIELDS] = {"excluded_fields", true, "No field that the definition excludes has rows",
                                   "Take the field out of the source or the definition, and scrape again."},
    [ADG_CHECK_IDENTIFIER_ROWS] = {"identifier_rows", true, "Identifiers have relationship rows only",
                                   "Scrape again with the definition of the dataset."},
    [ADG_CHECK_RELATIONSHIP] = {"relationship_groups", true, "Relationship groups reach the threshold",
                                "Scrape again with at least the thresholds of the definition."},
    [ADG_CHECK_DOMINANCE] = {"dominance", true, "No relationship group's mean gives one patient away",
                             "Scrape again with a higher --min-frequency, so that the group is pooled with others."},
    [ADG_CHECK_PERCENTILES] = {"percentiles", true, "Percentiles are no finer than the number of values allows",
                               "Scrape again without --control reference."},
    [ADG_CHECK_NHS_NUMBER] = {"nhs_number", true, "No value is a valid NHS number",
                              "Find out how it got into the field; exclude the field, or clean the source."},
    [ADG_CHECK_EMAIL] = {"email", true, "No value holds an e-mail address",
                         "Find out how it got into the field; exclude the field, or clean the source."},
    [ADG_CHECK_PHONE] = {"phone", true, "No value is a UK telephone number",
                         "Find out how it got into the field; exclude the field, or clean the source."},
    [ADG_CHECK_POSTCODE] =
        {"postcode", true, "No value is a UK postcode, organisation fields aside",
         "Exclude the field, or clean the source. If it holds codes of organisations, say so in the definition."},
    [ADG_CHECK_RATIO] = {"ratio", false, "Fields whose values are nearly all rare",
                         "Ask whether the field identifies: a key, a free text, a time stamp."},
    [ADG_CHECK_LENGTH] = {"length", false, "Rare values far longer or shorter than the field's median",
                          "Read them: are they codes of this field?"},
    [ADG_CHECK_LETTERS] = {"letters", false, "Rare values of six or more letters and nothing else",
                           "Read them: might they be names?"},
    [ADG_CHECK_WHITESPACE] = {"whitespace", false, "Rare values with blanks within",
                              "Read them: might they be names or notes?"},
    [ADG_CHECK_FREE_TEXT] = {"free_text", false, "Values of more than three words",
                             "Read them: has somebody written into a field of codes?"},
    [ADG_CHECK_IDENTICAL_FIELDS] = {"identical_fields", false, "Fields with the distribution of another field",
                                    "Ask why: one may be an identifier of the other in disguise."},
    [ADG_CHECK_DEFINITION] = {"definition", false, "The definition is another than the built-in one of its name",
                              "Compare the two: thresholds, excluded fields, checklist."},
};

enum adg_status adg_review_find(struct adg_review *review, enum adg_check check, const char *table, const char *field,
                                size_t row, const char *format, ...)
{
    size_t same = 0;
    review->counts[check]++;
    for (size_t i = review->finding_count; i > 0 && same < ADG_FINDINGS_LISTED; i--) {
        const struct adg_finding *other = &review->findings[i - 1];
        bool here = other->table == table || (other->table != NULL && table != NULL &&
                                              strcmp(other->table, table) == 0 && strcmp(other->field, field) == 0);
        if (!here) {
            break; /* findings of a field come one after the other */
        }
        same += other->check == check;
    }
    if (same >= ADG_FINDINGS_LISTED) {
        return ADG_OK;
    }
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (review->finding_count == review->finding_capacity) {
        struct adg_finding *findings = adg_grow_array(review->findings, &review->finding_capacity, 64,
                                                      sizeof *findings);
        if (findings == NULL) {
            return adg_fail_memory(NULL);
        }
        review->findings = findings;
    }
    struct adg_finding *finding = &review->findings[review->finding_count];
    *finding = (struct adg_finding){.check = check, .row = row, .text = adg_arena_strdup(&review->arena, text)};
    finding->table = table != NULL ? adg_arena_strdup(&review->arena, table) : NULL;
    finding->field = field != NULL ? adg_arena_strdup(&review->arena, field) : NULL;
    if (finding->text == NULL || (table != NULL && finding->table == NULL) ||
        (field != NULL && finding->field == NULL)) {
        return adg_fail_memory(NULL);
    }
    review->finding_count++;
    return ADG_OK;
}

/* Each question of the datasets once, copied. */
static enum adg_status collect_checklist(struct adg_review *review, const struct adg_definition *definition)
{
    uint32_t most = 0;
    for (uint32_t d = 0; d < definition->dataset_count; d++) {
        most += definition->datasets[d].review.checklist_count;
    }
    const char **questions = adg_arena_array(&review->arena, most + 1, sizeof *questions);
    for (uint32_t d = 0; d < definition->dataset_count && questions != NULL; d++) {
        const struct adg_review_rules *rules = &definition->datasets[d].review;
        for (uint32_t i = 0; i < rules->checklist_count; i++) {
            bool known = false;
            for (uint32_t k = 0; k < review->checklist_count && !known; k++) {
                known = strcmp(questions[k], rules->checklist[i]) == 0;
            }
            if (!known) {
                questions[review->checklist_count] = adg_arena_strdup(&review->arena, rules->checklist[i]);
                if (questions[review->checklist_count++] == NULL) {
                    return adg_fail_memory(NULL);
                }
            }
        }
    }
    review->checklist = questions;
    return questions == NULL ? adg_fail_memory(NULL) : ADG_OK;
}

/* A dataset that has a built-in one's name and not its text. */
static enum adg_status check_definition(struct adg_review *review, const struct adg_definition *definition)
{
    enum adg_status status = ADG_OK;
    for (uint32_t d = 0; d < definition->dataset_count && status == ADG_OK; d++) {
        const struct adg_dataset *dataset = &definition->datasets[d];
        for (const char *const *name = adg_definition_builtin_names(); *name != NULL && status == ADG_OK; name++) {
            struct adg_definition *builtin = NULL;
            if (strcmp(*name, dataset->name) != 0) {
                continue;
            }
            status = adg_definition_open(*name, &builtin, NULL);
            if (status == ADG_OK &&
                (builtin->datasets[0].source_text_bytes != dataset->source_text_bytes ||
                 memcmp(builtin->datasets[0].source_text, dataset->source_text, dataset->source_text_bytes) != 0)) {
                status = adg_review_find(review, ADG_CHECK_DEFINITION, NULL, NULL, 0,
                                         "the definition of dataset %s is not the built-in one", dataset->name);
            }
            adg_definition_free(builtin);
        }
    }
    return status;
}

/* Also of files that cannot be read otherwise. */
static enum adg_status check_hashes(struct adg_review *review, const struct adg_metadata_folder *folder)
{
    struct adg_manifest manifest;
    struct adg_error reason = {{0}};
    enum adg_status status = adg_metadata_folder_manifest(folder, &review->arena, &manifest, &reason);
    if (status == ADG_OK) {
        status = adg_metadata_folder_check_hashes(folder, &manifest, &reason);
    }
    return status == ADG_BAD_INPUT ? adg_review_find(review, ADG_CHECK_HASHES, NULL, NULL, 0, "%s", reason.message)
                                   : status;
}

static enum adg_status check_all(struct adg_review *review, const struct adg_metadata *metadata,
                                 const struct adg_definition *definition, struct adg_error *error)
{
    struct adg_error reason = {{0}};
    enum adg_status status = ADG_OK;
    if (adg_metadata_check_rules(metadata, definition, &reason) != ADG_OK) {
        status = adg_review_find(review, ADG_CHECK_FORMAT, NULL, NULL, 0, "%s", reason.message);
    }
    if (status == ADG_OK && metadata->manifest.origin == ADG_ORIGIN_IMPORTED) {
        status = adg_review_find(review, ADG_CHECK_CONTROL, NULL, NULL, 0,
                                 "the metadata was imported: nothing is known of its disclosure control");
    } else if (status == ADG_OK && metadata->manifest.control_reference) {
        status = adg_review_find(review, ADG_CHECK_CONTROL, NULL, NULL, 0,
                                 "the metadata was scraped with --control reference");
    }
    const struct adg_checker checker = {review, definition, metadata, error};
    if (status == ADG_OK) {
        status = adg_check_numbers(&checker);
    }
    if (status == ADG_OK) {
        status = adg_check_texts_of_values(&checker);
    }
    if (status == ADG_OK) {
        status = check_definition(review, definition);
    }
    return status == ADG_OK ? collect_checklist(review, definition) : status;
}

enum adg_status adg_review_make(const struct adg_metadata_folder *folder, struct adg_review *out,
                                struct adg_metadata **out_metadata, struct adg_error *error)
{
    struct adg_review review = {.passed = true};
    struct adg_metadata *metadata = NULL;
    struct adg_definition *definition = NULL;
    struct adg_error reason = {{0}};
    memcpy(review.manifest_sha256, folder->manifest_sha256, sizeof review.manifest_sha256);
    enum adg_status status = check_hashes(&review, folder);
    if (status == ADG_OK) {
        status = adg_metadata_parse_unchecked(folder, &metadata, &definition, &reason);
        if (status == ADG_BAD_INPUT) { /* what cannot even be read cannot pass */
            status = adg_review_find(&review, ADG_CHECK_FORMAT, NULL, NULL, 0, "%s", reason.message);
        } else if (status == ADG_OK) {
            status = check_all(&review, metadata, definition, error);
        }
    }
    adg_definition_free(definition);
    if (status != ADG_OK) {
        adg_metadata_free(metadata);
        adg_review_fini(&review);
        return adg_fail_memory(error);
    }
    for (int i = 0; i < ADG_CHECKS; i++) {
        review.passed = review.passed && !(adg_check_texts[i].fails && review.counts[i] > 0);
    }
    review.metadata = metadata;
    *out = review;
    *out_metadata = metadata;
    return ADG_OK;
}

void adg_review_fini(struct adg_review *review)
{
    adg_arena_fini(&review->arena);
    adg_free(review->findings);
    adg_free(review->fields);
}

/* ---- review.json ------------------------------------------------------------------------------------------------- */

static json_t *checks_json(const struct adg_review *review)
{
    json_t *checks = json_array();
    for (int i = 0; i < ADG_CHECKS; i++) {
        json_array_append_new(checks, json_pack("{s:s, s:s, s:b, s:I}", "id", adg_check_texts[i].id, "title",
                                                adg_check_texts[i].title, "fails", (int)adg_check_texts[i].fails,
                                                "findings", (json_int_t)review->counts[i]));
    }
    return checks;
}

json_t *adg_finding_json(const struct adg_finding *finding)
{
    json_t *object = json_pack("{s:s, s:b, s:s}", "check", adg_check_texts[finding->check].id, "fails",
                               (int)adg_check_texts[finding->check].fails, "found", finding->text);
    if (finding->table != NULL) {
        json_object_set_new(object, "table", json_string(finding->table));
        json_object_set_new(object, "field", json_string(finding->field));
    }
    if (finding->row > 0) {
        json_object_set_new(object, "row", json_integer((json_int_t)finding->row));
    }
    return object;
}

static json_t *findings_json(const struct adg_review *review)
{
    json_t *findings = json_array();
    for (size_t i = 0; i < review->finding_count; i++) {
        json_array_append_new(findings, adg_finding_json(&review->findings[i]));
    }
    return findings;
}

static json_t *fields_json(const struct adg_review *review)
{
    json_t *fields = json_array();
    for (size_t i = 0; i < review->field_count; i++) {
        const struct adg_field_summary *field = &review->fields[i];
        json_array_append_new(fields, json_pack("{s:s, s:s, s:s, s:I, s:f}", "table", field->table, "field",
                                                field->field, "value_type", adg_value_type_name(field->value_type),
                                                "values", (json_int_t)field->rows, "records_per_value", field->ratio));
    }
    return fields;
}

enum adg_status adg_review_write(const struct adg_review *review, struct adg_buffer *out, struct adg_error *error)
{
    json_t *checklist = json_array();
    for (uint32_t i = 0; i < review->checklist_count; i++) {
        json_array_append_new(checklist, json_string(review->checklist[i]));
    }
    json_t *root = json_pack("{s:i, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "format", FORMAT, "tool", ADG_TOOL_VERSION,
                             "manifest_sha256", review->manifest_sha256, "result", review->passed ? "pass" : "fail",
                             "checks", checks_json(review), "findings", findings_json(review), "fields",
                             fields_json(review), "checklist", checklist);
    enum adg_status status = adg_json_append(out, root, JSON_INDENT(1) | JSON_REAL_PRECISION(6), error);
    json_decref(root);
    return status;
}

enum adg_status adg_review_confirm(const struct adg_metadata_folder *folder, struct adg_arena *arena,
                                   const char *const **checklist, uint32_t *checklist_count, struct adg_error *error)
{
    struct adg_review review = {0};
    struct adg_metadata *metadata = NULL;
    struct adg_buffer text = {0};
    if (folder->review.size == 0) {
        return adg_fail(error, ADG_REFUSED, "there is no %s: adg review makes it", ADG_REVIEW_FILE);
    }
    enum adg_status status = adg_review_make(folder, &review, &metadata, error);
    if (status != ADG_OK) {
        return status;
    }
    status = adg_review_write(&review, &text, error);
    if (status == ADG_OK &&
        (text.size != folder->review.size || memcmp(text.data, folder->review.data, text.size) != 0)) {
        status = adg_fail(error, ADG_REFUSED, "%s is not what the checks give for these files: review them again",
                          ADG_REVIEW_FILE);
    } else if (status == ADG_OK && !review.passed) {
        status = adg_fail(error, ADG_REFUSED, "%s: the review has not passed", ADG_REVIEW_FILE);
    }
    const char **questions = status == ADG_OK ? adg_arena_array(arena, review.checklist_count + 1, sizeof *questions)
                                              : NULL;
    if (status == ADG_OK && questions == NULL) {
        status = adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < review.checklist_count && status == ADG_OK; i++) {
        questions[i] = adg_arena_strdup(arena, review.checklist[i]);
        status = questions[i] == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    if (status == ADG_OK) {
        *checklist = questions;
        *checklist_count = review.checklist_count;
    }
    adg_buffer_fini(&text);
    adg_review_fini(&review);
    adg_metadata_free(metadata);
    return status;
}
