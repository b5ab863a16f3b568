/*
 * Versions of a Delta table: what may be written to, and several writers of one table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/memory.h"
#include "delta/write.h"

static char folder[] = "/tmp/adg-delta-XXXXXX";
static char table[64];

static const struct adg_delta_column columns[] = {{"A", "string", ADG_DELTA_TEXT, 0},
                                                  {"B", "integer", ADG_DELTA_INTEGER, 0}};

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    snprintf(table, sizeof table, "%s/t", mkdtemp(folder));
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return adg_folder_remove(folder, NULL) != ADG_OK;
}

static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", table, name);
    assert_int_equal(adg_file_write(path, text, strlen(text), NULL), ADG_OK);
}

static void write_commit(int64_t version, const char *text)
{
    char name[ADG_DELTA_NAME_BYTES], path[64];
    adg_delta_commit_name(version, name);
    snprintf(path, sizeof path, ADG_DELTA_LOG_NAME "/%s", name);
    write_file(path, text);
}

static enum adg_status open_target(struct adg_delta_target *target, enum adg_delta_mode mode, struct adg_error *error)
{
    return adg_delta_target_open(target, table, mode, columns, 2, error);
}

/* A commit of one file of that name. */
static enum adg_status commit(const struct adg_delta_target *target, const char *name, bool *published,
                              int64_t *version, struct adg_error *error)
{
    json_t *provenance = json_pack("{s:s}", "said", name);
    const struct adg_delta_file file = {name, 7, 100, "{\"numRecords\":7}"};
    const struct adg_delta_commit what = {.files = &file,
                                          .file_count = 1,
                                          .time_ms = 1600000000000,
                                          .table_id = "an id",
                                          .engine = "adg/test",
                                          .provenance = provenance};
    if (provenance == NULL) {
        return adg_fail_memory(error);
    }
    assert_int_equal(adg_folder_create(table, NULL), ADG_OK);
    enum adg_status status = adg_delta_target_commit(target, &what, published, version, error);
    json_decref(provenance);
    return status;
}

static void write_version(enum adg_delta_mode mode, const char *name, int64_t expected)
{
    struct adg_delta_target target;
    bool published = false;
    int64_t version = -1;
    assert_int_equal(open_target(&target, mode, NULL), ADG_OK);
    assert_int_equal(commit(&target, name, &published, &version, NULL), ADG_OK);
    assert_true(published);
    assert_int_equal(version, expected);
    adg_delta_target_fini(&target);
}

/* Files, in order, each followed by a blank; what was said of them. */
static void assert_table(int64_t version, const char *files, const char *said)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct adg_delta_log log;
    char found[64] = "";
    assert_int_equal(adg_delta_log_open(&log, table, NULL), ADG_OK);
    assert_int_equal(log.version, version);
    assert_int_equal(adg_delta_log_replay(&log, 0, NULL), ADG_OK);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (json_object_get(log.live, names[i]) != NULL) {
            sprintf(found + strlen(found), "%s ", names[i]);
        }
    }
    assert_string_equal(found, files);
    found[0] = '\0';
    for (size_t i = 0; i < json_array_size(log.provenance); i++) {
        sprintf(found + strlen(found), "%s ",
                json_string_value(json_object_get(json_array_get(log.provenance, i), "said")));
    }
    assert_string_equal(found, said);
    adg_delta_log_fini(&log);
}

static unsigned entries(const char *path)
{
    char command[256];
    unsigned count = 0;
    snprintf(command, sizeof command, "ls -A %s | wc -l", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%u", &count), 1);
    pclose(pipe);
    return count;
}

/* ---- versions ---------------------------------------------------------------------------------------------------- */

static void test_versions(void **state)
{
    (void)state;
    char log[128];
    struct adg_buffer text = {0};
    write_version(ADG_DELTA_CREATE, "a", 0);
    assert_table(0, "a ", "a ");
    write_version(ADG_DELTA_APPEND, "b", 1);
    assert_table(1, "a b ", "a b ");
    write_version(ADG_DELTA_OVERWRITE, "c", 2);
    assert_table(2, "c ", "c ");
    write_version(ADG_DELTA_APPEND, "d", 3);
    assert_table(3, "c d ", "c d ");
    snprintf(log, sizeof log, "%s/" ADG_DELTA_LOG_NAME, table);
    assert_int_equal(entries(log), 4); /* and no temporary file */

    snprintf(log, sizeof log, "%s/" ADG_DELTA_LOG_NAME "/00000000000000000000.json", table);
    assert_int_equal(adg_file_read(log, &text, NULL), ADG_OK);
    assert_string_equal(
        adg_buffer_text(&text),
        "{\"commitInfo\":{\"timestamp\":1600000000000,\"operation\":\"CREATE TABLE AS SELECT\",\"operationParameters\":"
        "{\"isManaged\":\"false\",\"partitionBy\":\"[]\"},\"isBlindAppend\":true,\"engineInfo\":\"adg/test\","
        "\"operationMetrics\":{\"numFiles\":\"1\",\"numOutputRows\":\"7\",\"numOutputBytes\":\"100\"},\"adg\":{"
        "\"said\":"
        "\"a\"}}}\n"
        "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
        "{\"metaData\":{\"id\":\"an id\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":"
        "\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"A\\\",\\\"type\\\":\\\"string\\\","
        "\\\"nullable\\\":true,\\\"metadata\\\":{}},{\\\"name\\\":\\\"B\\\",\\\"type\\\":\\\"integer\\\","
        "\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\",\"partitionColumns\":[],\"configuration\":{},\"createdTime\":"
        "1600000000000}}\n"
        "{\"add\":{\"path\":\"a\",\"partitionValues\":{},\"size\":100,\"modificationTime\":1600000000000,"
        "\"dataChange\":true,\"stats\":\"{\\\"numRecords\\\":7}\"}}\n");
    adg_buffer_fini(&text);
    text = (struct adg_buffer){0};
    snprintf(log, sizeof log, "%s/" ADG_DELTA_LOG_NAME "/00000000000000000002.json", table);
    assert_int_equal(adg_file_read(log, &text, NULL), ADG_OK);
    assert_null(strstr(adg_buffer_text(&text), "metaData")); /* the columns are the same */
    assert_non_null(
        strstr((char *)text.data, "\"operation\":\"WRITE\",\"operationParameters\":{\"mode\":\"Overwrite\""));
    assert_non_null(strstr((char *)text.data, "\"isBlindAppend\":false"));
    assert_non_null(strstr((char *)text.data, "\"readVersion\":1"));
    assert_non_null(strstr((char *)text.data,
                           "{\"remove\":{\"path\":\"b\",\"deletionTimestamp\":1600000000000,\"dataChange\":true,"
                           "\"extendedFileMetadata\":true,\"partitionValues\":{},\"size\":100}}"));
    adg_buffer_fini(&text);
}

static void test_a_table_that_is_there(void **state)
{
    (void)state;
    struct adg_delta_target target;
    struct adg_error error = {{0}};
    write_version(ADG_DELTA_CREATE, "a", 0);
    assert_int_equal(open_target(&target, ADG_DELTA_CREATE, &error), ADG_FAILED);
    assert_non_null(strstr(error.message, "is a Delta table already; --if-exists append"));
}

/* An overwrite may change the columns, and then says so. */
static void test_other_columns(void **state)
{
    (void)state;
    static const struct adg_delta_column others[] = {
        {"A", "string", ADG_DELTA_TEXT, 0}, {"B", "long", ADG_DELTA_INTEGER, 0}, {"C", "date", ADG_DELTA_DATE, 0}};
    struct adg_delta_target target;
    struct adg_error error = {{0}};
    bool published = false;
    int64_t version;
    write_version(ADG_DELTA_CREATE, "a", 0);
    assert_int_equal(adg_delta_target_open(&target, table, ADG_DELTA_APPEND, others, 3, &error), ADG_BAD_INPUT);
    assert_non_null(strstr(error.message, "expected B, long, that may be null, as column 2"));
    assert_int_equal(adg_delta_target_open(&target, table, ADG_DELTA_APPEND, columns, 1, &error), ADG_BAD_INPUT);
    assert_non_null(strstr(error.message, "has more columns than the definition"));
    assert_int_equal(adg_delta_target_open(&target, table, ADG_DELTA_OVERWRITE, others, 3, &error), ADG_OK);
    assert_int_equal(commit(&target, "b", &published, &version, &error), ADG_OK);
    adg_delta_target_fini(&target);
    assert_table(1, "b ", "b ");
    assert_int_equal(open_target(&target, ADG_DELTA_APPEND, &error), ADG_BAD_INPUT);
    assert_int_equal(adg_delta_target_open(&target, table, ADG_DELTA_APPEND, others, 3, &error), ADG_OK);
    assert_string_equal(json_string_value(json_object_get(target.log.metadata, "id")), "an id"); /* the same table */
    adg_delta_target_fini(&target);
}

static void test_timestamps(void **state)
{
    (void)state;
    static const struct adg_delta_column moment = {"T", "timestamp", ADG_DELTA_NONE, 0};
    struct adg_delta_target target;
    struct adg_error error = {{0}};
    assert_int_equal(adg_delta_target_open(&target, table, ADG_DELTA_CREATE, &moment, 1, &error), ADG_BAD_INPUT);
    assert_non_null(strstr(error.message, "column T is a timestamp without a zone"));
}

/* ---- several writers --------------------------------------------------------------------------------------------- */

static void test_appends_go_behind_each_other(void **state)
{
    (void)state;
    struct adg_delta_target first, second;
    bool published = false;
    int64_t version;
    write_version(ADG_DELTA_CREATE, "a", 0);
    assert_int_equal(open_target(&first, ADG_DELTA_APPEND, NULL), ADG_OK);
    assert_int_equal(open_target(&second, ADG_DELTA_APPEND, NULL), ADG_OK);
    assert_int_equal(commit(&second, "b", &published, &version, NULL), ADG_OK);
    assert_int_equal(version, 1);
    assert_int_equal(commit(&second, "c", &published, &version, NULL), ADG_OK); /* what it read is old by now */
    assert_int_equal(version, 2);
    assert_int_equal(commit(&first, "d", &published, &version, NULL), ADG_OK);
    assert_int_equal(version, 3);
    adg_delta_target_fini(&first);
    adg_delta_target_fini(&second);
    assert_table(3, "a b c d ", "a b c d ");
}

/* What another writer commits between looking and committing, and which modes that stops. */
static void test_a_table_that_moves_on(void **state)
{
    (void)state;
    static const struct {
        const char *commit;
        bool append;
    } cases[] = {
        {"{\"commitInfo\":{}}\n{\"add\":{\"path\":\"x\"}}\n", true},
        {"{\"txn\":{\"appId\":\"x\",\"version\":1}}\n\n", true},
        {"{\"remove\":{\"path\":\"a\"}}\n", false},
        {"{\"add\":{\"path\":\"x\"},\"remove\":null}\n", true},
        {"{\"metaData\":{\"schemaString\":\"{}\"}}\n", false},
        {"{\"protocol\":{\"minReaderVersion\":3}}\n", false},
        {"{\"domainMetadata\":{}}\n", false},
        {"{\"somethingNew\":{}}\n", false},
        {"{\"add\":", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int overwrite = 0; overwrite < 2; overwrite++) {
            struct adg_delta_target target;
            struct adg_error error = {{0}};
            bool published = false;
            int64_t version = -1;
            char log[128];
            write_version(ADG_DELTA_CREATE, "a", 0);
            assert_int_equal(open_target(&target, overwrite ? ADG_DELTA_OVERWRITE : ADG_DELTA_APPEND, NULL), ADG_OK);
            write_commit(1, cases[i].commit);
            enum adg_status status = commit(&target, "b", &published, &version, &error);
            snprintf(log, sizeof log, "%s/" ADG_DELTA_LOG_NAME, table);
            if (cases[i].append && !overwrite) {
                assert_int_equal(status, ADG_OK);
                assert_int_equal(version, 2);
                assert_int_equal(entries(log), 3);
            } else {
                assert_int_equal(status, i == 8 && !overwrite ? ADG_BAD_INPUT : ADG_FAILED);
                assert_false(published);
                assert_int_equal(entries(log), 2);
                assert_non_null(strstr(error.message, i == 8 && !overwrite ? "expected actions of a Delta log"
                                                                           : "nothing was committed, run again"));
            }
            adg_delta_target_fini(&target);
            assert_int_equal(adg_folder_remove(table, NULL), ADG_OK);
        }
    }
}

static void test_two_create(void **state)
{
    (void)state;
    static const enum adg_delta_mode modes[] = {ADG_DELTA_CREATE, ADG_DELTA_APPEND, ADG_DELTA_OVERWRITE};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct adg_delta_target target;
        struct adg_error error = {{0}};
        bool published = false;
        int64_t version;
        assert_int_equal(open_target(&target, modes[i], NULL), ADG_OK);
        write_version(ADG_DELTA_CREATE, "a", 0);
        assert_int_equal(commit(&target, "b", &published, &version, &error), ADG_FAILED);
        assert_false(published);
        assert_non_null(strstr(error.message, "another writer has committed"));
        assert_table(0, "a ", "a ");
        adg_delta_target_fini(&target);
        assert_int_equal(adg_folder_remove(table, NULL), ADG_OK);
    }
}

/* With a checkpoint, numbers of commits may be free again. */
static void test_a_checkpoint_comes(void **state)
{
    (void)state;
    struct adg_delta_target target;
    struct adg_error error = {{0}};
    bool published = false;
    int64_t version;
    write_version(ADG_DELTA_CREATE, "a", 0);
    assert_int_equal(open_target(&target, ADG_DELTA_APPEND, NULL), ADG_OK);
    write_file(ADG_DELTA_LOG_NAME "/00000000000000000004.checkpoint.parquet", "");
    assert_int_equal(commit(&target, "b", &published, &version, &error), ADG_BAD_INPUT);
    assert_non_null(strstr(error.message, "has a checkpoint"));
    assert_false(published);
    adg_delta_target_fini(&target);
}

/* ---- converting -------------------------------------------------------------------------------------------------- */

static const struct adg_delta_column other_columns[] = {{"B", "long", ADG_DELTA_INTEGER, 0}};

/* As a caller does who has read the table. */
static enum adg_status open_conversion(struct adg_delta_target *target, struct adg_error *error)
{
    struct adg_delta_log log;
    assert_int_equal(adg_delta_log_open(&log, table, NULL), ADG_OK);
    assert_int_equal(adg_delta_log_replay(&log, 0, NULL), ADG_OK);
    enum adg_status status = adg_delta_target_convert(target, &log, other_columns, 1, error);
    assert_int_equal(log.version, status == ADG_OK ? -1 : 1); /* taken over, or not */
    adg_delta_log_fini(&log);
    return status;
}

/* A checkpoint that was there is no obstacle; what was said of the rows can be said again. */
static void test_a_conversion(void **state)
{
    (void)state;
    struct adg_delta_target target;
    bool published = false;
    int64_t version;
    write_version(ADG_DELTA_CREATE, "a", 0);
    write_version(ADG_DELTA_APPEND, "b", 1);
    write_file(ADG_DELTA_LOG_NAME "/00000000000000000001.checkpoint.parquet", "");
    assert_int_equal(open_conversion(&target, NULL), ADG_OK);
    assert_true(target.new_schema);
    const struct adg_delta_file file = {"c", 14, 100, "{\"numRecords\":14}"};
    json_t *said = json_pack("{s:{s:s}, s:O}", "migrated", "tool", "t", "runs", target.log.provenance);
    const struct adg_delta_commit what = {
        .files = &file, .file_count = 1, .time_ms = 1600000000000, .engine = "adg/test", .provenance = said};
    assert_int_equal(adg_delta_target_commit(&target, &what, &published, &version, NULL), ADG_OK);
    assert_int_equal(version, 2);
    json_decref(said);
    adg_delta_target_fini(&target);
    assert_table(2, "c ", "a b ");
}

static void test_a_conversion_that_is_overtaken(void **state)
{
    (void)state;
    static const char *const names[] = {ADG_DELTA_LOG_NAME "/00000000000000000002.json",
                                        ADG_DELTA_LOG_NAME "/00000000000000000003.checkpoint.parquet"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct adg_delta_target target;
        struct adg_error error = {{0}};
        bool published = false;
        int64_t version;
        write_version(ADG_DELTA_CREATE, "a", 0);
        write_version(ADG_DELTA_APPEND, "b", 1);
        assert_int_equal(open_conversion(&target, NULL), ADG_OK);
        write_file(names[i], "{\"add\":{\"path\":\"x\"}}\n");
        assert_int_equal(commit(&target, "c", &published, &version, &error), ADG_FAILED);
        assert_non_null(strstr(error.message, "another writer has committed to the table meanwhile"));
        assert_false(published);
        adg_delta_target_fini(&target);
        assert_int_equal(adg_folder_remove(table, NULL), ADG_OK);
    }
}

static void test_what_is_not_converted(void **state)
{
    (void)state;
    struct adg_delta_target target;
    struct adg_error error = {{0}};
    write_version(ADG_DELTA_CREATE, "a", 0);
    write_commit(1, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":4}}\n");
    assert_int_equal(open_conversion(&target, &error), ADG_BAD_INPUT);
    assert_non_null(strstr(error.message, "has a newer protocol, and is not converted here: convert it with Spark"));
}

/* ---- what is not written to -------------------------------------------------------------------------------------- */

#define PROTOCOL "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
#define SCHEMA(more)                                                                                                   \
    "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"A\\\",\\\"type\\\":"            \
    "\\\"string\\\",\\\"nullable\\\":true,\\\"metadata\\\":{" more "}},{\\\"name\\\":\\\"B\\\",\\\"type\\\":"          \
    "\\\"integer\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\""
#define METADATA "{\"metaData\":{" SCHEMA("") ",\"partitionColumns\":[],\"configuration\":{}}}\n"

static void test_what_is_not_written_to(void **state)
{
    (void)state;
    static const struct {
        const char *commit, *message; /* NULL: it is written to */
        bool overwrite_alone;
    } cases[] = {
        {PROTOCOL METADATA, NULL, false},
        {PROTOCOL "{\"metaData\":{" SCHEMA("\\\"comment\\\":\\\"x\\\"") "}}\n", NULL, false},
        {PROTOCOL "{\"metaData\":{" SCHEMA("\\\"delta.invariants\\\":\\\"x\\\"") "}}\n", "has columns with rules",
         false},
        {PROTOCOL "{\"metaData\":{" SCHEMA("") ",\"partitionColumns\":[\"B\"]}}\n", "has partition columns", false},
        {PROTOCOL "{\"metaData\":{" SCHEMA("") ",\"configuration\":{\"delta.appendOnly\":\"true\"}}}\n",
         "is for appending only", true},
        {PROTOCOL "{\"metaData\":{" SCHEMA("") ",\"configuration\":{\"delta.appendOnly\":\"TRUE\"}}}\n",
         "is for appending only", true},
        {PROTOCOL "{\"metaData\":{" SCHEMA("") ",\"configuration\":{\"delta.appendOnly\":\"false\"}}}\n", NULL, false},
        {PROTOCOL "{\"metaData\":{" SCHEMA("") ",\"configuration\":{\"delta.constraints.x\":\"B > 0\"}}}\n",
         "has check constraints", false},
        {"{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":3}}\n" METADATA, "has a newer protocol", false},
        {"{\"protocol\":{\"minReaderVersion\":2,\"minWriterVersion\":2}}\n" METADATA, "has a newer protocol", false},
        {"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"writerFeatures\":[\"x\"]}}\n" METADATA,
         "has the feature x, and is not written to here: append", false},
        {"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"x\"]}}\n" METADATA,
         "has the feature x", false},
        {"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"timestampNtz\"],"
         "\"writerFeatures\":[\"timestampNtz\",\"appendOnly\",\"invariants\"]}}\n" METADATA,
         NULL, false},
        {"{\"protocol\":{\"minReaderVersion\":4,\"minWriterVersion\":7}}\n" METADATA, "has a newer protocol", false},
        {"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":8}}\n" METADATA, "has a newer protocol", false},
        {METADATA, "it says nothing of the table", false},
        {PROTOCOL, "it says nothing of the table", false},
        {PROTOCOL "{\"metaData\":{\"schemaString\":\"{\"}}\n", "expected a schema", false},
        {PROTOCOL "{\"metaData\":{}}\n", "expected a schema", false},
        {"no JSON\n", "expected actions of a Delta log", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int overwrite = 0; overwrite < 2; overwrite++) {
            struct adg_delta_target target = {0};
            struct adg_error error = {{0}};
            char log[128];
            snprintf(log, sizeof log, "%s/" ADG_DELTA_LOG_NAME, table);
            assert_int_equal(adg_folder_create(table, NULL), ADG_OK);
            assert_int_equal(adg_folder_create(log, NULL), ADG_OK);
            write_commit(0, cases[i].commit);
            enum adg_status status = open_target(&target, overwrite ? ADG_DELTA_OVERWRITE : ADG_DELTA_APPEND, &error);
            if (cases[i].message == NULL || (cases[i].overwrite_alone && !overwrite)) {
                assert_int_equal(status, ADG_OK);
                adg_delta_target_fini(&target);
            } else {
                assert_int_equal(status, ADG_BAD_INPUT);
                assert_non_null(strstr(error.message, cases[i].message));
            }
            assert_int_equal(adg_folder_remove(table, NULL), ADG_OK);
        }
    }
}

static void test_checkpoints(void **state)
{
    (void)state;
    static const char *const names[] = {
        ADG_DELTA_LOG_NAME "/00000000000000000000.checkpoint.parquet",
        ADG_DELTA_LOG_NAME "/00000000000000000000.checkpoint.0000000001.0000000001.parquet",
        ADG_DELTA_LOG_NAME "/00000000000000000000.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct adg_delta_target target;
        struct adg_error error = {{0}};
        write_version(ADG_DELTA_CREATE, "a", 0);
        write_file(names[i], "");
        assert_int_equal(open_target(&target, ADG_DELTA_APPEND, &error), ADG_BAD_INPUT);
        assert_non_null(strstr(error.message, "has a checkpoint, and is not written to here: append to it with Spark"));
        assert_int_equal(adg_folder_remove(table, NULL), ADG_OK);
    }
}

/* A folder that is no table may hold an empty log and data files that no commit names, and nothing else. */
static void test_folders(void **state)
{
    (void)state;
    struct adg_delta_target target;
    struct adg_error error = {{0}};
    char log[128];
    assert_true(adg_delta_is_data_name("part-00000-0123456789abcdef0123456789abcdef.parquet"));
    static const char *const others[] = {
        "part-0000-0123456789abcdef0123456789abcdef.parquet",
        "part-00000-0123456789abcdef0123456789abcdeg.parquet",
        "part-00000-0123456789abcdef0123456789abcdef.csv",
        "part-00000-of-00001.parquet",
        ".adg-run",
        "part-00000-0123456789abcdef0123456789abcdef.parquet2",
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(adg_delta_is_data_name(others[i]));
        assert_int_equal(adg_folder_create(table, NULL), ADG_OK);
        write_file(others[i], "x");
        assert_int_equal(open_target(&target, ADG_DELTA_CREATE, &error), ADG_FAILED);
        assert_non_null(strstr(error.message, "holds other files and is no Delta table"));
        assert_int_equal(adg_folder_remove(table, NULL), ADG_OK);
    }
    assert_int_equal(adg_folder_create(table, NULL), ADG_OK);
    write_file("part-00000-0123456789abcdef0123456789abcdef.parquet", "half of i");
    snprintf(log, sizeof log, "%s/" ADG_DELTA_LOG_NAME, table);
    assert_int_equal(adg_folder_create(log, NULL), ADG_OK);
    write_file(ADG_DELTA_LOG_NAME "/.00000000000000000000.json.0123456789ab.tmp", "half of i");
    write_version(ADG_DELTA_CREATE, "a", 0);
    assert_table(0, "a ", "a ");
    assert_int_equal(adg_folder_remove(table, NULL), ADG_OK);
    assert_int_equal(adg_file_write(table, "x", 1, NULL), ADG_OK);
    assert_int_equal(open_target(&target, ADG_DELTA_CREATE, &error), ADG_FAILED);
}

static void test_without_memory(void **state)
{
    (void)state;
    write_version(ADG_DELTA_CREATE, "a", 0);
    int failures = 0;
    for (uint64_t n = 1;; n++) {
        struct adg_delta_target target;
        struct adg_error error = {{0}};
        bool published = false;
        int64_t version = -1;
        adg_memory_fail_at(n);
        enum adg_status status = open_target(&target, ADG_DELTA_APPEND, &error);
        if (status == ADG_OK) {
            status = commit(&target, "b", &published, &version, &error);
            adg_memory_fail_at(0);
            adg_delta_target_fini(&target);
        }
        adg_memory_fail_at(0);
        if (status == ADG_OK) {
            break;
        }
        failures++;
        assert_int_equal(status, ADG_FAILED);
        assert_false(published);
    }
    assert_true(failures > 10);
    assert_table(1, "a b ", "a b ");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(test_versions),
        TEST(test_a_table_that_is_there),
        TEST(test_other_columns),
        TEST(test_timestamps),
        TEST(test_appends_go_behind_each_other),
        TEST(test_a_table_that_moves_on),
        TEST(test_two_create),
        TEST(test_a_checkpoint_comes),
        TEST(test_a_conversion),
        TEST(test_a_conversion_that_is_overtaken),
        TEST(test_what_is_not_converted),
        TEST(test_what_is_not_written_to),
        TEST(test_checkpoints),
        TEST(test_folders),
        TEST(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
