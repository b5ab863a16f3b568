/*
 * The example: what is read of it, its command lines, and memory that runs out at every allocation.
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
#include "project/command.h"
#include "project/example.h"
#include "project/graph.h"

static char folder[] = "/tmp/adg_test_project_XXXXXX";

static int set_up(void **state)
{
    (void)state;
    static const char *const marks[] = {"@PROJECT@", "@DATASET@"}, *const texts[] = {"test", "hes"};
    struct adg_buffer text = {0};
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    for (const char *at = adg_project_examples[0].text; *at != '\0';) {
        int mark = strncmp(at, marks[0], strlen(marks[0])) == 0   ? 0
                   : strncmp(at, marks[1], strlen(marks[1])) == 0 ? 1
                                                                  : -1;
        const char *piece = mark < 0 ? at : texts[mark];
        assert_int_equal(adg_buffer_append(&text, piece, mark < 0 ? 1 : strlen(piece), NULL), ADG_OK);
        at += mark < 0 ? 1 : strlen(marks[mark]);
    }
    char *path = adg_path_join(folder, ADG_PROJECT_FILE);
    assert_int_equal(adg_file_write(path, text.data, text.size, NULL), ADG_OK);
    adg_free(path);
    adg_buffer_fini(&text);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return adg_folder_remove(folder, NULL) == ADG_OK ? 0 : -1;
}

static struct adg_project *open_project(void)
{
    struct adg_project *project = NULL;
    struct adg_error error = {{0}};
    if (adg_project_open(folder, &project, &error) != ADG_OK || adg_project_prove(project, &error) != ADG_OK) {
        fail_msg("%s", error.message);
    }
    return project;
}

static void test_reading(void **state)
{
    (void)state;
    struct adg_project *project = open_project();
    const struct adg_project_environment *staging = NULL;
    const struct adg_project_job *job = NULL;
    struct adg_error error = {{0}};
    assert_string_equal(project->name, "test");
    assert_int_equal(project->place_count, 5);
    assert_int_equal(project->environment_count, 3);
    assert_int_equal(project->job_count, 7);
    assert_int_equal(adg_project_find_environment(project, "staging", &staging, NULL), ADG_OK);
    assert_int_equal(adg_project_find_job(project, "generate", &job, NULL), ADG_OK);
    assert_int_equal(job->command, ADG_JOB_GENERATE);
    assert_int_equal(job->concurrency, 1);
    assert_int_equal(job->schedule.days, 1 << 8);
    const struct adg_project_place *store = adg_project_place_of(project, job, ADG_GRANT_READS, ADG_PLACE_STORE);
    assert_non_null(store);
    assert_string_equal(adg_project_address(project, staging, store)->text, "staging/store");
    assert_null(adg_project_place_of(project, job, ADG_GRANT_READS, ADG_PLACE_SOURCE));
    assert_int_equal(adg_project_find_job(project, "sign", &job, &error), ADG_USAGE);
    assert_non_null(strstr(error.message, "it has scrape, review, release, generate, migrate, qa, publish"));
    adg_project_free(project);
}

/* The words of a job with values set, with spaces between them and the folder as F. */
static void expect_words(const struct adg_project *project, const char *name, const char *const *sets,
                         const char *expected)
{
    const struct adg_project_job *job = NULL;
    struct adg_job_values values;
    struct adg_arena arena = {0};
    struct adg_command_line line = {0};
    struct adg_buffer text = {0};
    struct adg_error error = {{0}};
    assert_int_equal(adg_project_find_job(project, name, &job, NULL), ADG_OK);
    adg_job_values_init(&values, job);
    for (; *sets != NULL; sets++) {
        assert_int_equal(adg_job_values_set(&values, job, *sets, &arena, &error), ADG_OK);
    }
    enum adg_status status = adg_command_line_build(project, &project->environments[0], job, &values, &arena, &line,
                                                    &error);
    for (uint32_t i = 0; status == ADG_OK && i < line.count; i++) {
        const char *word = line.words[i];
        bool within = strncmp(word, folder, strlen(folder)) == 0;
        assert_int_equal(adg_buffer_printf(&text, NULL, "%s%s%s", i > 0 ? " " : "", within ? "F" : "",
                                           within ? word + strlen(folder) : word),
                         ADG_OK);
    }
    assert_string_equal(status == ADG_OK ? adg_buffer_text(&text) : error.message, expected);
    adg_buffer_fini(&text);
    adg_arena_fini(&arena);
}

static void test_command_lines(void **state)
{
    (void)state;
    struct adg_project *project = open_project();
    expect_words(project, "scrape", (const char *const[]){NULL},
                 "scrape --dataset hes --source F/source/dev --meta F/dev/metadata/scraped");
    expect_words(project, "scrape",
                 (const char *const[]){"dataset=hes_ae", "exclude=a,b", "strict=true", "skip_unknown=false",
                                       "min_frequency=8", NULL},
                 "scrape --dataset hes_ae --source F/source/dev --meta F/dev/metadata/scraped --exclude a,b "
                 "--min-frequency 8 --strict");
    expect_words(project, "scrape", (const char *const[]){"include=a,b,a,c", "exclude=b", NULL},
                 "scrape --dataset hes --source F/source/dev --meta F/dev/metadata/scraped --table a --table c");
    expect_words(project, "review", (const char *const[]){NULL},
                 "review --meta F/dev/metadata/scraped --report F/dev/metadata/review.html");
    expect_words(project, "release", (const char *const[]){"confirm_utc=2026-01-01 10:00", NULL},
                 "release --meta F/dev/metadata/scraped --to F/dev/store --trust F/trust/dev --confirm-utc 2026-01-01 "
                 "10:00");
    expect_words(project, "release", (const char *const[]){NULL}, "job release needs a value: --set confirm_utc=...");
    expect_words(
        project, "generate", (const char *const[]){"rows=5", "seed=7", "profile=", NULL},
        "generate --dataset hes --meta F/dev/store --trust F/trust/dev --out F/dev/artificial --rows 5 --seed 7");
    expect_words(project, "qa", (const char *const[]){NULL},
                 "qa --dataset hes --meta F/dev/store --data F/dev/artificial --report F/dev/artificial/qa.html");
    expect_words(project, "publish", (const char *const[]){"include=a,b", "exclude=b", NULL},
                 "publish --data F/dev/artificial --to F/dev/published --include a");
    expect_words(project, "migrate", (const char *const[]){"keep_backup=true", NULL},
                 "migrate tables --dataset hes --data F/dev/artificial --keep-backup");
    adg_project_free(project);
}

static void test_memory_runs_out(void **state)
{
    (void)state;
    enum adg_status status = ADG_FAILED;
    for (uint64_t n = 1; status != ADG_OK; n++) {
        struct adg_project *project = NULL;
        struct adg_error error = {{0}};
        assert_true(n < 10000);
        adg_memory_fail_at(n);
        status = adg_project_open(folder, &project, &error);
        if (status == ADG_OK) {
            status = adg_project_prove(project, &error);
        }
        adg_memory_fail_at(0);
        assert_true(status == ADG_OK || (status == ADG_FAILED && error.message[0] != '\0'));
        adg_project_free(project);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reading), cmocka_unit_test(test_command_lines),
                                       cmocka_unit_test(test_memory_runs_out)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
