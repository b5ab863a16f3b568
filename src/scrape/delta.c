/*
 * Which files a Delta table is: see delta.h. Actions of a checkpoint, which is Parquet, come from the engine as the same JSON that commits
 * hold, so that one piece of code takes both.
 */
#include "scrape/delta.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"

static enum adg_status take_rows(struct adg_delta_log *log, struct adg_engine *engine, const char *sql,
                                 const char *name, struct adg_error *error)
{
    static const char *const keys[] = {"add", "metaData", "protocol"};
    struct adg_engine_result *result = NULL;
    bool has_row = true;
    enum adg_status status = adg_engine_query(engine, sql, name, &result, error);
    while (status == ADG_OK) {
        status = adg_engine_next(result, &has_row, error);
        if (status != ADG_OK || !has_row) {
            break;
        }
        for (uint32_t k = 0; k < 3 && status == ADG_OK; k++) {
            if (adg_engine_is_null(result, k)) {
                continue;
            }
            struct adg_span text = adg_engine_text(result, k);
            json_t *action = json_object(),
                   *value = json_loadb((const char *)text.data, text.size, JSON_DECODE_ANY, NULL);
            if (value == NULL || json_object_set_new(action, keys[k], value) != 0) {
                status = adg_fail(error, ADG_BAD_INPUT, "%s: expected actions of a Delta log", name);
            } else {
                status = adg_delta_log_take(log, action, name, error);
            }
            json_decref(action);
        }
    }
    adg_engine_result_free(result);
    return status;
}

static enum adg_status read_checkpoint(struct adg_delta_log *log, const char *spill, struct adg_arena *arena,
                                       struct adg_error *error)
{
    uint32_t count = log->checkpoint_parts > 0 ? log->checkpoint_parts : 1;
    const char **paths = adg_arena_array(arena, count, sizeof *paths);
    struct adg_buffer sql = {0};
    struct adg_engine *engine = NULL;
    char name[80] = "";
    enum adg_status status = paths == NULL ? adg_fail_memory(error) : ADG_OK;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        snprintf(name, sizeof name, "%0*" PRId64 ".checkpoint", ADG_DELTA_VERSION_DIGITS, log->checkpoint);
        size_t length = strlen(name);
        if (log->checkpoint_parts > 0) {
            snprintf(name + length, sizeof name - length, ".%010" PRIu32 ".%010" PRIu32 ".parquet", i + 1, count);
        } else {
            snprintf(name + length, sizeof name - length, ".parquet");
        }
        char *path = adg_path_join(log->path, name);
        paths[i] = path != NULL ? adg_arena_strdup(arena, path) : NULL;
        adg_free(path);
        status = paths[i] == NULL ? adg_fail_memory(error) : ADG_OK;
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&sql,
                                        "select cast(to_json(add) as varchar), cast(to_json(metaData) as varchar), "
                                        "cast(to_json(protocol) as varchar) from read_parquet(",
                                        error);
    }
    if (status == ADG_OK) {
        status = adg_sql_list(&sql, paths, count, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(
            &sql, ", hive_partitioning=false) where add is not null or metaData is not null or protocol is not null",
            error);
    }
    const char *text = status == ADG_OK ? adg_buffer_text(&sql) : NULL;
    if (status == ADG_OK && text == NULL) {
        status = adg_fail_memory(error);
    }
    if (status == ADG_OK) {
        const struct adg_engine_options options = {
            .threads = 1, .folder = spill, .readable = paths, .readable_count = count};
        status = adg_engine_open(&options, &engine, error);
    }
    if (status == ADG_OK) {
        status = take_rows(log, engine, text, name, error);
        adg_context(error, status, "%s", log->path);
    }
    adg_engine_free(engine);
    adg_buffer_fini(&sql);
    return status;
}

enum adg_status adg_delta_read_log(const char *folder, const char *spill, struct adg_arena *arena,
                                   struct adg_delta_log *out, struct adg_error *error)
{
    struct adg_delta_log log;
    enum adg_status status = adg_delta_log_open(&log, folder, error);
    if (status != ADG_OK) {
        return status;
    }
    if (log.checkpoint >= 0) {
        status = read_checkpoint(&log, spill, arena, error);
    }
    if (status == ADG_OK) {
        status = adg_delta_log_replay(&log, log.checkpoint + 1, error);
    }
    if (status == ADG_OK) {
        *out = log;
    } else {
        adg_delta_log_fini(&log);
    }
    return status;
}

enum adg_status adg_delta_resolve(const char *folder, const char *spill, struct adg_arena *arena,
                                  struct adg_source_files *out, struct adg_error *error)
{
    struct adg_delta_log log;
    const char **paths;
    uint32_t count;
    enum adg_status status = adg_delta_read_log(folder, spill, arena, &log, error);
    if (status != ADG_OK) {
        return status;
    }
    if (log.version < 0) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s: expected a Delta table, its log has no version", folder);
    }
    if (status == ADG_OK) {
        status = adg_delta_log_files(&log, arena, &paths, &count, error);
    }
    if (status == ADG_OK) {
        *out = (struct adg_source_files){ADG_SOURCE_PARQUET, paths, count};
    }
    adg_delta_log_fini(&log);
    return status;
}
