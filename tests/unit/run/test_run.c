/*
 * A whole run, with a generator of this file's own: row r of a table holds the number r, in blocks of five rows. Which
 * tables there are, how many rows they have and which block fails is stated in `tables`.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/buffer.h"
#include "core/file.h"
#include "core/memory.h"
#include "core/stop.h"
#include "generate/plan.h"
#include "run/provenance.h"
#include "run/run.h"

/* ---- the generator ----------------------------------------------------------------------------------------------- */

enum { BLOCK_ROWS = 5 };

static const struct fake_table {
    const char *name;
    uint64_t rows;
    int64_t failing_block;
    bool plan_fails, second_plan_fails;
} tables[] = {
    {.name = "small", .rows = 1, .failing_block = -1},
    {.name = "empty", .rows = 0, .failing_block = -1},
    {.name = "big", .rows = 1002, .failing_block = -1},
    {.name = "bare", .rows = 7, .failing_block = -1},
    {.name = "broken", .rows = 100, .failing_block = 7},
    {.name = "unplannable", .rows = 1, .plan_fails = true},
    {.name = "e0", .rows = 0, .failing_block = -1},
    {.name = "e1", .rows = 0, .failing_block = -1},
    {.name = "e2", .rows = 0, .failing_block = -1},
    {.name = "e3", .rows = 0, .failing_block = -1},
    {.name = "e4", .rows = 0, .failing_block = -1},
    {.name = "e5", .rows = 0, .failing_block = -1},
    {.name = "small2", .rows = 2, .failing_block = -1},
    {.name = "bare2", .rows = 7, .failing_block = -1},
    {.name = "bare3", .rows = 8, .failing_block = -1},
    {.name = "second", .rows = 3, .failing_block = -1, .second_plan_fails = true},
};
enum { TABLES = sizeof tables / sizeof tables[0] };

struct adg_plan {
    const struct fake_table *table;
    uint64_t first_row, rows;
    bool whole; /* has its columns */
};

/* Plans that have their columns now, the most at a time while blocks are made, and how often columns were made again. */
static atomic_int whole_plans, most_whole_plans, made_again;
static size_t column_bytes = 1;

static const struct adg_field field = {.name = "ROW", .type = ADG_TYPE_INT64};
static const struct adg_layout_column layout_column = {.field = &field, .kind = ADG_COLUMN_PLAIN};
static const struct adg_layout layout = {.table = "t", .column_count = 1, .columns = &layout_column};

static const struct fake_table *find(const char *name)
{
    for (int t = 0; t < TABLES; t++) {
        if (strcmp(tables[t].name, name) == 0) {
            return &tables[t];
        }
    }
    return NULL;
}

bool adg_metadata_has_table(const struct adg_metadata *metadata, const char *table)
{
    (void)metadata;
    return strcmp(table, "bare") != 0;
}

enum adg_status adg_plan_new(const struct adg_definition *definition, const struct adg_metadata *metadata,
                             const char *table, const struct adg_plan_options *options, struct adg_plan **out,
                             struct adg_error *error)
{
    (void)definition;
    (void)metadata;
    const struct fake_table *found = find(table);
    if (found->plan_fails) {
        return adg_fail(error, ADG_BAD_INPUT, "no plan");
    }
    struct adg_plan *plan = adg_alloc_zero(1, sizeof *plan);
    if (plan == NULL) {
        return adg_fail_memory(error);
    }
    plan->table = found;
    plan->whole = true;
    whole_plans++;
    plan->first_row = found->rows * options->shard / options->shards;
    plan->rows = found->rows * (options->shard + 1) / options->shards - plan->first_row;
    *out = plan;
    return ADG_OK;
}

enum adg_status adg_population_new(const struct adg_definition *definition, const struct adg_metadata *metadata,
                                   struct adg_population **out, struct adg_error *error)
{
    (void)definition;
    (void)metadata;
    (void)error;
    *out = NULL;
    return ADG_OK;
}

void adg_population_free(struct adg_population *population)
{
    (void)population;
}

void adg_plan_drop_columns(struct adg_plan *plan)
{
    whole_plans -= plan->whole;
    plan->whole = false;
}

enum adg_status adg_plan_make_columns(struct adg_plan *plan, const struct adg_metadata *metadata,
                                      struct adg_error *error)
{
    (void)metadata;
    if (!plan->whole && plan->table->second_plan_fails) {
        return adg_fail(error, ADG_FAILED, "no second plan");
    }
    made_again += !plan->whole;
    whole_plans += !plan->whole;
    plan->whole = true;
    return ADG_OK;
}

size_t adg_plan_column_bytes(const struct adg_plan *plan)
{
    assert_true(plan->whole);
    return column_bytes;
}

void adg_plan_free(struct adg_plan *plan)
{
    if (plan != NULL) {
        adg_plan_drop_columns(plan);
    }
    adg_free(plan);
}

uint64_t adg_plan_rows(const struct adg_plan *plan)
{
    return plan->rows;
}

uint64_t adg_plan_blocks(const struct adg_plan *plan)
{
    return (plan->rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
}

const struct adg_layout *adg_plan_layout(const struct adg_plan *plan)
{
    (void)plan;
    return &layout;
}

uint32_t adg_plan_warning_count(const struct adg_plan *plan)
{
    return strcmp(plan->table->name, "small") == 0 ? 1 : 0;
}

const char *adg_plan_warning(const struct adg_plan *plan, uint32_t i)
{
    (void)plan;
    (void)i;
    return "table small: a warning";
}

struct fake_block {
    struct adg_block block;
    struct adg_block_column column;
    int64_t values[BLOCK_ROWS];
};

enum adg_status adg_block_new(const struct adg_plan *plan, struct adg_block **out, struct adg_error *error)
{
    struct fake_block *block = adg_alloc_zero(1, sizeof *block);
    assert_true(plan->whole);
    if (block == NULL) {
        return adg_fail_memory(error);
    }
    block->column.values.i64 = block->values;
    block->block = (struct adg_block){.layout = &layout, .columns = &block->column, .plan = plan};
    *out = &block->block;
    return ADG_OK;
}

enum adg_status adg_block_new_passing(const struct adg_plan *plan, const struct adg_column_taker *taker,
                                      struct adg_block **out, struct adg_error *error)
{
    assert_non_null(taker->take);
    return adg_block_new(plan, out, error); /* its column is not one to be handed over */
}

void adg_block_free(struct adg_block *block)
{
    adg_free(block);
}

enum adg_status adg_block_generate(struct adg_block *block, uint64_t number, struct adg_error *error)
{
    const struct adg_plan *plan = block->plan;
    struct fake_block *fake = (struct fake_block *)block;
    assert_true(plan->whole);
    int whole = whole_plans;
    most_whole_plans = whole > most_whole_plans ? whole : most_whole_plans;
    if (plan->table->failing_block == (int64_t)number) {
        return adg_fail(error, ADG_FAILED, "block cannot be made");
    }
    uint64_t left = plan->rows - number * BLOCK_ROWS;
    block->rows = left < BLOCK_ROWS ? (uint32_t)left : BLOCK_ROWS;
    for (uint32_t r = 0; r < block->rows; r++) {
        fake->values[r] = (int64_t)(plan->first_row + number * BLOCK_ROWS + r);
    }
    return ADG_OK;
}

uint32_t adg_block_rows(const struct adg_block *block)
{
    return block->rows;
}

/* ---- helpers ----------------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/adg-run-XXXXXX";
static char out_folder[64];
static char warnings[1024];
static uint64_t reported_done, reported_total;

static void report(void *context, const char *stage, const char *table, uint64_t rows_done, uint64_t rows_total)
{
    (void)context;
    assert_non_null(find(table));
    if (strcmp(stage, "planning") == 0) {
        assert_int_equal(reported_total, 0); /* before any row */
        return;
    }
    assert_string_equal(stage, "generating");
    assert_true(rows_done > reported_done || reported_done == reported_total);
    reported_done = rows_done;
    reported_total = rows_total;
}

static void warn(void *context, const char *message)
{
    (void)context;
    snprintf(warnings + strlen(warnings), sizeof warnings - strlen(warnings), "%s\n", message);
}

static enum adg_status run(const char *const *names, uint32_t count, struct adg_run_options options,
                           struct adg_run_result *result, struct adg_error *error)
{
    struct adg_table definition_tables[TABLES];
    for (uint32_t t = 0; t < TABLES; t++) {
        definition_tables[t] = (struct adg_table){.name = tables[t].name, .ordinal = t};
    }
    /* "every table" are the first four, of which the last has no metadata */
    const struct adg_dataset dataset = {
        .name = "fake", .tables = definition_tables, .table_count = names != NULL ? TABLES : 4};
    const struct adg_definition definition = {.name = "fake", .datasets = &dataset, .dataset_count = 1};
    warnings[0] = '\0';
    reported_done = reported_total = 0;
    options.definition = &definition;
    const struct adg_metadata metadata = {.manifest = {.metadata_sha256 = "m", .definition_sha256 = "d"}};
    options.metadata = &metadata;
    options.out_folder = options.out_folder != NULL ? options.out_folder : out_folder;
    options.tables = names;
    options.table_count = count;
    options.patients = 1;
    options.shards = options.shards > 0 ? options.shards : 1;
    options.progress = (struct adg_run_progress){.report = report, .warn = warn};
    return adg_run_generate(&options, result, error);
}

static const struct adg_run_options csv = {.format = ADG_FORMAT_CSV, .threads = 2, .tool = "adg"};

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    snprintf(out_folder, sizeof out_folder, "%s/out", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return adg_folder_remove(folder, NULL) != ADG_OK;
}

/* Names of what lies in a folder below `folder`, in order, each followed by a blank. */
static void assert_entries(const char *name, const char *expected)
{
    char command[256], found[1024];
    snprintf(command, sizeof command, "LC_ALL=C ls -A %s/%s | tr '\\n' ' '", folder, name);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    found[fread(found, 1, sizeof found - 1, pipe)] = '\0';
    pclose(pipe);
    assert_string_equal(found, expected);
}

/* The file holds the header and the numbers first .. end - 1. */
static void assert_rows(const char *name, uint64_t first, uint64_t end)
{
    char path[256];
    struct adg_buffer expected = {0}, found = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(adg_buffer_append_text(&expected, "ROW\n", NULL), ADG_OK);
    for (uint64_t r = first; r < end; r++) {
        assert_int_equal(adg_buffer_printf(&expected, NULL, "%llu\n", (unsigned long long)r), ADG_OK);
    }
    assert_int_equal(adg_file_read(path, &found, NULL), ADG_OK);
    assert_int_equal(found.size, expected.size);
    assert_memory_equal(found.data, expected.data, expected.size);
    adg_buffer_fini(&expected);
    adg_buffer_fini(&found);
}

/* What provenance.json says of the rows of an entry; -1: nothing. */
static json_int_t rows_told(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/out/provenance.json", folder);
    json_t *root = json_load_file(path, 0, NULL), *entry = json_object_get(json_object_get(root, "files"), name);
    assert_non_null(entry);
    json_t *rows = json_object_get(entry, "rows");
    json_int_t told = rows != NULL ? json_integer_value(rows) : -1;
    json_decref(root);
    return told;
}

/* ---- tests ------------------------------------------------------------------------------------------------------- */

static void test_every_table_for_any_threads(void **state)
{
    (void)state;
    static const unsigned threads[] = {1, 2, 5, 500};
    for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++) {
        struct adg_run_result result = {0};
        struct adg_run_options options = csv;
        options.threads = threads[i];
        assert_int_equal(run(NULL, 0, options, &result, NULL), ADG_OK);
        assert_int_equal(result.table_count, 3);
        assert_string_equal(result.tables[2].table, "big");
        assert_int_equal(result.tables[2].rows, 1002);
        /* header 4, ten numbers of 1 digit, 90 of 2, 900 of 3, two of 4, each with its line end */
        assert_int_equal(result.tables[2].bytes, 4 + 10 * 2 + 90 * 3 + 900 * 4 + 2 * 5);
        assert_int_equal(result.tables[1].bytes, 4);
        assert_non_null(strstr(result.tables[2].path, "/out/artificial_big.csv"));
        adg_run_result_fini(&result);
        assert_entries("out", "artificial_big.csv artificial_empty.csv artificial_small.csv provenance.json ");
        assert_rows("out/artificial_big.csv", 0, 1002);
        assert_rows("out/artificial_empty.csv", 0, 0);
        assert_rows("out/artificial_small.csv", 0, 1);
        assert_int_equal(rows_told("artificial_big.csv"), 1002);
        assert_int_equal(rows_told("artificial_empty.csv"), 0);
        assert_string_equal(warnings,
                            "no metadata for these tables, which are left out: bare\ntable small: a warning\n");
        assert_int_equal(reported_done, 1003);
        assert_int_equal(reported_total, 1003);
    }
}

/* Columns that are too large to be kept are there for the tables that are being written, and no others; the files are the same. */
static void test_columns_come_and_go(void **state)
{
    (void)state;
    static const char *const names[] = {"small", "big", "e0", "e1", "bare2", "empty", "small2", "e2", "bare3"};
    enum { COUNT = sizeof names / sizeof names[0] };
    for (int large = 0; large < 2; large++) {
        for (unsigned threads = 1; threads <= 4; threads++) {
            struct adg_run_result result = {0};
            struct adg_run_options options = csv;
            options.threads = threads;
            column_bytes = large ? (size_t)1 << 30 : 1;
            most_whole_plans = made_again = 0;
            assert_int_equal(run(names, COUNT, options, &result, NULL), ADG_OK);
            assert_int_equal(result.table_count, COUNT);
            adg_run_result_fini(&result);
            assert_rows("out/artificial_big.csv", 0, 1002);
            assert_rows("out/artificial_small2.csv", 0, 2);
            assert_rows("out/artificial_bare3.csv", 0, 8);
            assert_int_equal(whole_plans, 0);
            assert_int_equal(made_again, large ? COUNT - 1 : 0); /* but for the first table, once */
            /* open ones are those from the table being written on, and a thread may stay with an earlier one */
            assert_true(large ? most_whole_plans <= (int)(2 * threads + 1) : most_whole_plans == COUNT);
        }
    }
    column_bytes = 1;
}

/* What fails when it is planned again fails the run, as a block does. */
static void test_second_plan_fails(void **state)
{
    (void)state;
    static const char *const names[] = {"small", "second", "big"};
    struct adg_error error = {{0}};
    struct adg_run_result result = {0};
    column_bytes = (size_t)1 << 30;
    for (unsigned threads = 1; threads <= 3; threads++) {
        struct adg_run_options options = csv;
        options.threads = threads;
        assert_int_equal(run(names, 3, options, &result, &error), ADG_FAILED);
        assert_string_equal(error.message, "table second: no second plan");
        assert_entries("out", "artificial_small.csv provenance.json ");
        assert_int_equal(whole_plans, 0);
    }
    column_bytes = 1;
}

static void test_refused_before_anything_is_written(void **state)
{
    (void)state;
    static const struct {
        const char *names[2];
        const char *message;
    } refused[] = {
        {{"small", "bare"}, "table bare: the metadata has nothing about it"},
        {{"small", "nosuch"}, "nosuch"},
        {{"small", "unplannable"}, "no plan"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct adg_error error = {{0}};
        struct adg_run_result result = {0};
        assert_int_equal(run(refused[i].names, 2, csv, &result, &error), ADG_BAD_INPUT);
        assert_non_null(strstr(error.message, refused[i].message));
        assert_int_equal(access(out_folder, F_OK), -1);
    }
}

static void test_failure_leaves_complete_tables_only(void **state)
{
    (void)state;
    static const char *const names[] = {"small", "broken", "big"};
    for (unsigned threads = 1; threads <= 5; threads += 2) {
        struct adg_error error = {{0}};
        struct adg_run_result result = {0};
        struct adg_run_options options = csv;
        options.threads = threads;
        assert_int_equal(run(names, 3, options, &result, &error), ADG_FAILED);
        assert_string_equal(error.message, "table broken: block cannot be made");
        assert_null(result.tables);
        assert_entries("out", "artificial_small.csv provenance.json ");
    }
}

static void test_folders(void **state)
{
    (void)state;
    static const char *const names[] = {"small"};
    struct adg_error error = {{0}};
    struct adg_run_result result = {0};
    struct adg_run_options options = csv;
    char path[128];
    options.out_folder = path;
    snprintf(path, sizeof path, "%s/missing/out", folder);
    assert_int_equal(run(names, 1, options, &result, &error), ADG_FAILED);
    assert_non_null(strstr(error.message, "missing/out"));
    snprintf(path, sizeof path, "%s/file", folder);
    assert_int_equal(adg_file_write(path, "x", 1, NULL), ADG_OK);
    assert_int_equal(run(names, 1, options, &result, &error), ADG_FAILED);
    assert_entries("", "file ");
    options.out_folder = NULL;
    assert_int_equal(adg_folder_create(out_folder, NULL), ADG_OK);
    snprintf(path, sizeof path, "%s/artificial_small.csv", out_folder);
    assert_int_equal(adg_folder_create(path, NULL), ADG_OK);
    assert_int_equal(run(names, 1, options, &result, &error), ADG_FAILED);
    assert_non_null(strstr(error.message, "is a folder"));
}

static void test_one_run_at_a_time(void **state)
{
    (void)state;
    static const char *const names[] = {"small"};
    struct adg_error error = {{0}};
    struct adg_run_result result = {0};
    struct adg_folder_lock lock;
    assert_int_equal(adg_folder_create(out_folder, NULL), ADG_OK);
    assert_int_equal(adg_folder_lock(&lock, out_folder, NULL), ADG_OK);
    assert_int_equal(run(names, 1, csv, &result, &error), ADG_FAILED);
    assert_non_null(strstr(error.message, "another adg run"));
    adg_folder_unlock(&lock);
    assert_int_equal(run(names, 1, csv, &result, &error), ADG_OK);
    adg_run_result_fini(&result);
}

/* The bytes of a file below `folder`, or what is asked of them. */
static bool file_says(const char *name, const char *text)
{
    char path[256];
    struct adg_buffer found = {0};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(adg_file_read(path, &found, NULL), ADG_OK);
    assert_int_equal(adg_buffer_append(&found, "", 1, NULL), ADG_OK);
    bool says = strstr((char *)found.data, text) != NULL;
    adg_buffer_fini(&found);
    return says;
}

/* More tables without rows, whose parts take no memory, than parts are in flight. */
static void test_many_empty_tables(void **state)
{
    (void)state;
    static const char *const names[] = {"e0", "e1", "e2", "e3", "e4", "e5", "small"};
    struct adg_run_result result = {0};
    struct adg_run_options options = csv;
    options.threads = 1;
    assert_int_equal(run(names, 7, options, &result, NULL), ADG_OK);
    assert_int_equal(result.table_count, 7);
    adg_run_result_fini(&result);
    assert_rows("out/artificial_e5.csv", 0, 0);
    assert_rows("out/artificial_small.csv", 0, 1);
}

static void test_if_exists(void **state)
{
    (void)state;
    static const char *const names[] = {"empty", "small", "big"};
    struct adg_error error = {{0}};
    struct adg_run_result result = {0};
    struct adg_run_options options = csv;
    char path[256];
    assert_int_equal(run(names, 1, options, &result, NULL), ADG_OK);
    adg_run_result_fini(&result);
    snprintf(path, sizeof path, "%s/artificial_empty.csv", out_folder);
    assert_int_equal(adg_file_write(path, "mine", 4, NULL), ADG_OK);

    options.if_exists = ADG_IF_EXISTS_ERROR;
    assert_int_equal(run(names, 3, options, &result, &error), ADG_FAILED);
    assert_non_null(strstr(error.message, "artificial_empty.csv is there"));
    assert_entries("out", "artificial_empty.csv provenance.json ");

    options.if_exists = ADG_IF_EXISTS_IGNORE;
    assert_int_equal(run(names, 3, options, &result, NULL), ADG_OK);
    assert_int_equal(result.table_count, 2);
    assert_string_equal(result.tables[0].table, "small");
    adg_run_result_fini(&result);
    assert_true(file_says("out/artificial_empty.csv", "mine"));
    assert_rows("out/artificial_big.csv", 0, 1002);
    assert_int_equal(run(names, 3, options, &result, NULL), ADG_OK); /* nothing is left to do */
    assert_int_equal(result.table_count, 0);
    adg_run_result_fini(&result);

    options.if_exists = ADG_IF_EXISTS_APPEND;
    assert_int_equal(run(names, 3, options, &result, NULL), ADG_USAGE);
    options.if_exists = ADG_IF_EXISTS_OVERWRITE;
    assert_int_equal(run(names, 3, options, &result, NULL), ADG_OK);
    assert_int_equal(result.table_count, 3);
    adg_run_result_fini(&result);
    assert_rows("out/artificial_empty.csv", 0, 0);
}

/* What a table says of itself goes before its file does: whoever is killed between the two leaves a file that nothing
 * vouches for. A run that fails before it replaces a file leaves file and entry. */
static void test_provenance_forgets_what_is_replaced(void **state)
{
    (void)state;
    static const char *const names[] = {"small", "big"};
    struct adg_run_result result = {0};
    struct adg_run_options options = csv;
    assert_int_equal(run(names, 2, options, &result, NULL), ADG_OK);
    adg_run_result_fini(&result);
    options.seed = 77;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = 2000, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(run(names, 2, options, &result, NULL), ADG_FAILED);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_true(file_says("out/provenance.json", "\"seed\": \"77\"")); /* of small, which is complete */
    assert_true(file_says("out/provenance.json", "\"seed\": \"0\""));  /* of big, whose file is the first run's */
    assert_int_equal(adg_provenance_forget(out_folder, "artificial_big.csv", NULL), ADG_OK);
    assert_false(file_says("out/provenance.json", "artificial_big"));
    assert_true(file_says("out/provenance.json", "artificial_small"));
    assert_int_equal(adg_provenance_forget(out_folder, "artificial_big.csv", NULL), ADG_OK);
    assert_int_equal(adg_provenance_forget(folder, "artificial_big.csv", NULL), ADG_OK); /* which has no such file */
    assert_entries("", "out ");
}

/* A shard that is refused because another one is being written leaves alone what that one has begun. */
static void test_refused_shard_removes_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"big"};
    struct adg_run_result result = {0};
    struct adg_run_options options = csv;
    struct adg_folder_lock lock;
    char path[256];
    options.sharded = true;
    options.shards = 3;
    assert_int_equal(adg_folder_create(out_folder, NULL), ADG_OK);
    assert_int_equal(adg_folder_lock(&lock, out_folder, NULL), ADG_OK);
    snprintf(path, sizeof path, "%s/artificial_big", out_folder);
    assert_int_equal(adg_folder_create(path, NULL), ADG_OK);
    snprintf(path, sizeof path, "%s/artificial_big/.adg-run", out_folder);
    assert_int_equal(adg_file_write(path, "x", 1, NULL), ADG_OK);
    assert_int_equal(run(names, 1, options, &result, NULL), ADG_FAILED);
    assert_entries("out/artificial_big", ".adg-run ");
    adg_folder_unlock(&lock);
}

/* What a run that was killed has left of a file is gone after the next one. */
static void test_sweeps(void **state)
{
    (void)state;
    static const char *const names[] = {"small"};
    struct adg_run_result result = {0};
    char path[256];
    assert_int_equal(adg_folder_create(out_folder, NULL), ADG_OK);
    snprintf(path, sizeof path, "%s/.artificial_small.csv.0123456789ab.tmp", out_folder);
    assert_int_equal(adg_file_write(path, "x", 1, NULL), ADG_OK);
    assert_int_equal(run(names, 1, csv, &result, NULL), ADG_OK);
    adg_run_result_fini(&result);
    assert_entries("out", "artificial_small.csv provenance.json ");
}

static void run_shard(uint64_t shard, uint64_t shards, uint64_t seed, enum adg_status expected)
{
    static const char *const names[] = {"big"};
    struct adg_run_result result = {0};
    struct adg_run_options options = csv;
    options.sharded = true;
    options.shard = shard;
    options.shards = shards;
    options.seed = seed;
    assert_int_equal(run(names, 1, options, &result, NULL), expected);
    adg_run_result_fini(&result);
}

static void test_shards(void **state)
{
    (void)state;
    for (uint64_t shard = 0; shard < 3; shard++) {
        run_shard(shard, 3, 1, ADG_OK);
    }
    run_shard(1, 3, 1, ADG_OK); /* its own part is replaced */
    assert_entries("out/artificial_big",
                   ".adg-run part-00000-of-00003.csv part-00001-of-00003.csv part-00002-of-00003.csv ");
    assert_rows("out/artificial_big/part-00000-of-00003.csv", 0, 334);
    assert_rows("out/artificial_big/part-00001-of-00003.csv", 334, 668);
    assert_rows("out/artificial_big/part-00002-of-00003.csv", 668, 1002);
    run_shard(0, 4, 1, ADG_FAILED);
    run_shard(0, 1, 1, ADG_FAILED);
    run_shard(1, 3, 2, ADG_FAILED); /* of another seed, which no name tells */
    assert_entries("out/artificial_big",
                   ".adg-run part-00000-of-00003.csv part-00001-of-00003.csv part-00002-of-00003.csv ");
    assert_entries("out", "artificial_big provenance.json ");
    assert_int_equal(rows_told("artificial_big"), -1);
}

static void test_failed_shard_leaves_no_folder(void **state)
{
    (void)state;
    static const char *const names[] = {"broken"};
    struct adg_run_result result = {0};
    struct adg_run_options options = csv;
    options.sharded = true;
    assert_int_equal(run(names, 1, options, &result, NULL), ADG_FAILED);
    assert_entries("out", "");
}

static void test_too_many_shards(void **state)
{
    (void)state;
    static const char *const names[] = {"big"};
    struct adg_run_result result = {0};
    struct adg_run_options options = csv;
    options.sharded = true;
    options.shards = 100000;
    assert_int_equal(run(names, 1, options, &result, NULL), ADG_USAGE);
}

/* A write that fails half-way, as on a full disk: here for a limit on the size of files. */
static void test_write_fails(void **state)
{
    (void)state;
    static const char *const names[] = {"small", "big"};
    struct adg_error error = {{0}};
    struct adg_run_result result = {0};
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = 2000, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    enum adg_status status = run(names, 2, csv, &result, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, ADG_FAILED);
    assert_non_null(strstr(error.message, "artificial_big.csv cannot be written"));
    assert_entries("out", "artificial_small.csv provenance.json ");
}

/* Whichever allocation fails: the status says so, complete tables only, nothing leaks (the sanitizer looks). */
static void test_without_memory(void **state)
{
    (void)state;
    static const char *const names[] = {"small", "empty"};
    enum adg_status status = ADG_FAILED;
    unsigned failures = 0;
    for (uint64_t n = 1; status != ADG_OK; n++) {
        struct adg_run_result result = {0};
        struct adg_run_options options = csv;
        options.threads = 1;
        adg_memory_fail_at(n);
        status = run(names, 2, options, &result, NULL);
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || status == ADG_FAILED);
        failures += status == ADG_FAILED;
        adg_run_result_fini(&result);
    }
    assert_true(failures > 10);
    assert_entries("out", "artificial_empty.csv artificial_small.csv provenance.json ");
}

/* ---- Delta ------------------------------------------------------------------------------------------------------- */

static const struct adg_run_options delta = {.format = ADG_FORMAT_DELTA, .threads = 3, .tool = "adg"};

/* The actions of a version that are of this kind. */
static json_t *actions(const char *table, int version, const char *kind)
{
    char path[256];
    json_t *found = json_array(), *action;
    snprintf(path, sizeof path, "%s/out/artificial_%s/_delta_log/%020d.json", folder, table, version);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while ((action = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)) != NULL) {
        if (json_object_get(action, kind) != NULL) {
            json_array_append(found, json_object_get(action, kind));
        }
        json_decref(action);
    }
    fclose(file);
    return found;
}

static void assert_parquet(const char *table, const char *name)
{
    char path[256];
    struct adg_buffer found = {0};
    snprintf(path, sizeof path, "%s/out/artificial_%s/%s", folder, table, name);
    assert_int_equal(adg_file_read(path, &found, NULL), ADG_OK);
    assert_memory_equal(found.data, "PAR1", 4);
    assert_memory_equal(found.data + found.size - 4, "PAR1", 4);
    adg_buffer_fini(&found);
}

/* 1002 rows are 201 blocks and 26 parts: files of 10, 10 and 6 parts of 40 rows. */
static void test_delta(void **state)
{
    (void)state;
    static const char *const names[] = {"big", "empty"};
    static const int64_t ends[] = {0, 400, 800, 1002};
    struct adg_run_result result = {0};
    struct adg_run_options options = delta;
    options.file_parts = 10;
    assert_int_equal(run(names, 2, options, &result, NULL), ADG_OK);
    assert_int_equal(result.table_count, 2);
    assert_non_null(strstr(result.tables[0].path, "/out/artificial_big"));
    assert_int_equal(result.tables[0].rows, 1002);
    json_t *added = actions("big", 0, "add"), *info = actions("big", 0, "commitInfo");
    assert_int_equal(json_array_size(added), 3);
    uint64_t bytes = 0;
    for (size_t i = 0; i < 3; i++) {
        const json_t *add = json_array_get(added, i);
        const char *name = json_string_value(json_object_get(add, "path"));
        char expected[256], start[16];
        snprintf(expected, sizeof expected,
                 "{\"numRecords\":%d,\"minValues\":{\"ROW\":%d},\"maxValues\":{\"ROW\":%d},\"nullCount\":{\"ROW\":"
                 "0}}",
                 (int)(ends[i + 1] - ends[i]), (int)ends[i], (int)ends[i + 1] - 1);
        assert_string_equal(json_string_value(json_object_get(add, "stats")), expected);
        snprintf(start, sizeof start, "part-0000%zu-", i);
        assert_memory_equal(name, start, strlen(start));
        assert_parquet("big", name);
        bytes += (uint64_t)json_integer_value(json_object_get(add, "size"));
    }
    assert_int_equal(result.tables[0].bytes, bytes);
    const json_t *said = json_object_get(json_array_get(info, 0), "adg");
    assert_string_equal(json_string_value(json_object_get(said, "table")), "big");
    assert_string_equal(json_string_value(json_object_get(said, "metadata_sha256")), "m");
    assert_int_equal(json_integer_value(json_object_get(said, "rows")), 1002);
    json_decref(added);
    json_decref(info);
    added = actions("empty", 0, "add"); /* a table without rows has its columns in a file */
    assert_int_equal(json_array_size(added), 1);
    assert_memory_equal(json_string_value(json_object_get(json_array_get(added, 0), "stats")), "{\"numRecords\":0,",
                        16);
    json_decref(added);
    adg_run_result_fini(&result);
    assert_entries("out", "artificial_big artificial_empty "); /* provenance.json is for files */
}

static void test_delta_if_exists(void **state)
{
    (void)state;
    static const char *const names[] = {"small"};
    struct adg_run_result result = {0};
    struct adg_error error = {{0}};
    struct adg_run_options options = delta;
    assert_int_equal(run(names, 1, options, &result, &error), ADG_OK);
    adg_run_result_fini(&result);
    assert_int_equal(run(names, 1, options, &result, &error), ADG_FAILED); /* the default */
    options.if_exists = ADG_IF_EXISTS_ERROR;
    assert_int_equal(run(names, 1, options, &result, &error), ADG_FAILED);
    options.if_exists = ADG_IF_EXISTS_IGNORE;
    assert_int_equal(run(names, 1, options, &result, &error), ADG_OK);
    assert_int_equal(result.table_count, 0);
    adg_run_result_fini(&result);
    assert_entries("out/artificial_small/_delta_log", "00000000000000000000.json ");
    options.if_exists = ADG_IF_EXISTS_APPEND;
    assert_int_equal(run(names, 1, options, &result, &error), ADG_OK);
    adg_run_result_fini(&result);
    options.if_exists = ADG_IF_EXISTS_OVERWRITE;
    assert_int_equal(run(names, 1, options, &result, &error), ADG_OK);
    adg_run_result_fini(&result);
    assert_entries("out/artificial_small/_delta_log",
                   "00000000000000000000.json 00000000000000000001.json 00000000000000000002.json ");
    json_t *gone = actions("small", 2, "remove");
    assert_int_equal(json_array_size(gone), 2);
    json_decref(gone);
    options.sharded = true;
    assert_int_equal(run(names, 1, options, &result, &error), ADG_USAGE);
    struct adg_run_options parts = csv; /* and the other way round */
    parts.sharded = true;
    assert_int_equal(run(names, 1, parts, &result, &error), ADG_FAILED);
    assert_non_null(strstr(error.message, "is a Delta table; parts do not go into one"));
}

/* A run that fails takes its data files with it, and the table stays as it was. */
static void test_delta_fails(void **state)
{
    (void)state;
    static const char *const names[] = {"small", "broken"};
    struct adg_run_result result = {0};
    struct adg_error error = {{0}};
    struct adg_run_options options = delta;
    options.file_parts = 1; /* the first file is finished when the second one fails */
    options.threads = 1;
    options.if_exists = ADG_IF_EXISTS_APPEND;
    for (int version = 0; version < 2; version++) {
        assert_int_equal(run(names, 2, options, &result, &error), ADG_FAILED);
        assert_string_equal(error.message, "table broken: block cannot be made");
        assert_entries("out", "artificial_small "); /* of the other nothing is left */
    }
    assert_entries("out/artificial_small/_delta_log", "00000000000000000000.json 00000000000000000001.json ");
}

static void test_delta_without_memory(void **state)
{
    (void)state;
    static const char *const names[] = {"small"};
    struct adg_run_options options = delta;
    options.threads = 1;
    int failures = 0;
    for (uint64_t n = 1;; n++) {
        struct adg_run_result result = {0};
        struct adg_error error = {{0}};
        adg_memory_fail_at(n);
        enum adg_status status = run(names, 1, options, &result, &error);
        adg_memory_fail_at(0);
        if (status == ADG_OK) {
            adg_run_result_fini(&result);
            break;
        }
        failures++;
        if (access(out_folder, F_OK) == 0 && adg_folder_remove(out_folder, NULL) != ADG_OK) {
            fail();
        }
    }
    assert_true(failures > 20);
}

/* Last: the flag stays up. */
static void test_stop(void **state)
{
    (void)state;
    struct adg_error error = {{0}};
    struct adg_run_result result = {0};
    static const char *const names[] = {"small", "empty"};
    adg_stop_request();
    assert_int_equal(run(names, 2, csv, &result, &error), ADG_FAILED);
    assert_non_null(strstr(error.message, "stopped"));
    assert_int_equal(access(out_folder, F_OK), -1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_every_table_for_any_threads),
        TEST(test_columns_come_and_go),
        TEST(test_second_plan_fails),
        TEST(test_refused_before_anything_is_written),
        TEST(test_failure_leaves_complete_tables_only),
        TEST(test_folders),
        TEST(test_one_run_at_a_time),
        TEST(test_many_empty_tables),
        TEST(test_if_exists),
        TEST(test_provenance_forgets_what_is_replaced),
        TEST(test_refused_shard_removes_nothing),
        TEST(test_sweeps),
        TEST(test_shards),
        TEST(test_failed_shard_leaves_no_folder),
        TEST(test_too_many_shards),
        TEST(test_write_fails),
        TEST(test_without_memory),
        TEST(test_delta),
        TEST(test_delta_if_exists),
        TEST(test_delta_fails),
        TEST(test_delta_without_memory),
        TEST(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
