/*
 * Metadata without memory: whichever allocation fails, writing, reading, loading, adding and composing say so, and nothing leaks
 * (the sanitizer looks).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/memory.h"
#include "metadata/compose.h"
#include "metadata/internal.h"

static const char definition_text[] = "dataset: d\nid: 1\nprimary_key: K\npatient_key: P\ntables: [t, u]\nfields:\n"
                                      "  - {name: K, type: long, pattern: '\\d{6}'}\n"
                                      "  - {name: P, type: long, pattern: '\\d{6}'}\n"
                                      "  - {name: A, type: string, values: CATEGORICAL}\n"
                                      "  - {name: B, type: double, values: CONTINUOUS}\n"
                                      "  - {name: C, type: string, values: DEMOGRAPHIC_CATEGORICAL}\n";
static const char composed_text[] =
    "{\"table\": \"t\", \"population\": 100}\n"
    "{\"table\": \"t\", \"field\": \"A\", \"type\": \"CATEGORICAL\", \"values\": [\"a\", \"b\", null], \"weights\": "
    "[5, "
    "10, 5]}\n"
    "{\"table\": \"t\", \"field\": \"B\", \"type\": \"CONTINUOUS\", \"percentiles\": [1, 2, 5], \"completeness\": [1, "
    "9]}\n"
    "{\"table\": \"t\", \"field\": \"C\", \"type\": \"DEMOGRAPHIC_CATEGORICAL\", \"patterns\": [{\"values\": [null, "
    "\"B\"], \"shares\": [0.7, 0.3], \"weight\": 20}]}\n"
    "{\"table\": \"u\", \"field\": \"K\", \"type\": \"RELATIONSHIP\", \"key\": \"P\", \"values\": [2], \"weights\": "
    "[60]}\n";
static char folder[] = "/tmp/adg_test_XXXXXX", meta[64];

static enum adg_status compose(struct adg_metadata_rows *rows, struct adg_manifest *manifest)
{
    FILE *file = fmemopen((void *)(uintptr_t)composed_text, strlen(composed_text), "r");
    assert_non_null(file);
    enum adg_status status = adg_metadata_compose(file, rows, manifest, NULL);
    fclose(file);
    return status;
}

/* Composes the rows and writes them, with names of columns in the manifest. */
static enum adg_status write_folder(const struct adg_definition *definition)
{
    static const char *const missing[] = {"A", "B"}, *const skipped[] = {"X", "Y", "Z"};
    struct adg_metadata_rows rows = {0};
    struct adg_manifest manifest = {
        .definition_name = "d", .min_frequency = 5, .rounding = 5, .origin = ADG_ORIGIN_COMPOSED};
    struct adg_manifest_table tables[2];
    char *staging = NULL;
    enum adg_status status = compose(&rows, &manifest);
    if (status == ADG_OK) {
        memcpy(tables, manifest.tables, sizeof tables);
        tables[0].missing_columns = missing;
        tables[0].missing_column_count = 2;
        tables[1].skipped_columns = skipped;
        tables[1].skipped_column_count = 3;
        manifest.tables = tables;
        status = adg_metadata_stage(meta, &staging, NULL);
    }
    if (status == ADG_OK) {
        status = adg_metadata_write(meta, staging, definition, &manifest, &rows, NULL);
    }
    adg_free(staging);
    adg_metadata_rows_fini(&rows);
    return status;
}

static enum adg_status read_folder(const struct adg_definition *definition)
{
    struct adg_metadata *metadata = NULL;
    enum adg_status status = adg_metadata_read(meta, definition, &metadata, NULL);
    if (status == ADG_OK) {
        status = adg_metadata_load(metadata, "t", NULL, NULL);
    }
    if (status == ADG_OK) {
        assert_int_equal(adg_metadata_find(metadata, "t", "A", ADG_VALUE_CATEGORICAL).count, 3);
        assert_int_equal(metadata->manifest.tables[1].skipped_column_count, 3);
        assert_string_equal(metadata->manifest.tables[0].missing_columns[1], "B");
    }
    adg_metadata_free(metadata);
    return status;
}

static enum adg_status load_for_adding(const struct adg_definition *definition)
{
    static const char *const replaced[] = {"u"};
    struct adg_metadata_rows rows = {0};
    struct adg_manifest manifest = {.min_frequency = 5, .rounding = 5, .origin = ADG_ORIGIN_COMPOSED};
    enum adg_status status = adg_metadata_load_for_adding(meta, definition, replaced, 1, &manifest, &rows, NULL);
    if (status == ADG_OK) {
        assert_int_equal(manifest.table_count, 1);
        assert_int_equal(rows.count, 6);
    }
    adg_metadata_rows_fini(&rows);
    return status;
}

static void test_without_memory(void **state)
{
    (void)state;
    static enum adg_status (*const works[])(const struct adg_definition *) = {write_folder, read_folder,
                                                                              load_for_adding};
    struct adg_definition *definition = NULL;
    assert_int_equal(adg_definition_parse("d.yaml", definition_text, strlen(definition_text), &definition, NULL),
                     ADG_OK);
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        enum adg_status status = ADG_FAILED;
        unsigned failures = 0;
        for (uint64_t n = 1; status != ADG_OK; n++) {
            adg_memory_fail_at(n);
            status = works[i](definition);
            adg_memory_fail_at(0);
            assert_true(status == ADG_OK || status == ADG_FAILED);
            failures += status == ADG_FAILED;
        }
        assert_true(failures > 10);
    }
    adg_definition_free(definition);
}

/* What is no list of names is refused, not taken for an empty one. */
static void test_manifest_of_other_shape(void **state)
{
    (void)state;
    static const char text[] =
        "{\"definition\": \"d\", \"format\": 1, \"origin\": \"scraped\", \"parameters\": {\"control\": \"full\", "
        "\"min_frequency\": 5, \"rounding\": 5}, \"sha256\": {\"definition.yaml\": \"%064d\", \"metadata.parquet\": "
        "\"%064d\"}, \"tables\": [{\"missing_columns\": %s, \"name\": \"t\", \"skipped_columns\": [], "
        "\"threshold_counts\": \"records\"}], \"tool\": \"x\"}";
    static const struct {
        const char *columns;
        enum adg_status status;
    } cases[] = {{"[]", ADG_OK},        {"[\"A\"]", ADG_OK},    {"5", ADG_BAD_INPUT},
                 {"{}", ADG_BAD_INPUT}, {"[5]", ADG_BAD_INPUT}, {"null", ADG_BAD_INPUT}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[1024];
        struct adg_arena arena = {0};
        struct adg_manifest manifest;
        int size = snprintf(json, sizeof json, text, 0, 0, cases[i].columns);
        assert_int_equal(
            adg_manifest_read((struct adg_span){(const uint8_t *)json, (size_t)size}, &arena, &manifest, NULL),
            cases[i].status);
        adg_arena_fini(&arena);
    }
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(meta, sizeof meta, "%s/meta", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return adg_folder_remove(folder, NULL) == ADG_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_memory),
        cmocka_unit_test(test_manifest_of_other_shape),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
