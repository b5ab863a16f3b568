/*
 * What a job made, table by table: read from the lines that its command printed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/memory.h"
#include "job.h"

enum { MOST_WORDS = 3 };

/* A line's words between tabs, in place; how many. */
static int split(char *line, char *words[MOST_WORDS])
{
    int count = 0;
    for (char *at = line; at != NULL && count < MOST_WORDS;) {
        char *tab = strchr(at, '\t');
        if (tab != NULL) {
            *tab++ = '\0';
        }
        words[count++] = at;
        at = tab;
    }
    return count;
}

static void set_number(json_t *child, const char *key, const char *text)
{
    json_object_set_new(child, key, json_integer((json_int_t)strtoll(text, NULL, 10)));
}

/* A file's hash, size, and when it was complete; a folder of parts has none of its own. */
static void describe_file(json_t *child, const char *path, double started)
{
    struct stat info;
    char sha256[65];
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode)) {
        return;
    }
    double seconds = (double)info.st_mtim.tv_sec + (double)info.st_mtim.tv_nsec / 1e9 - started;
    json_object_set_new(child, "bytes", json_integer((json_int_t)info.st_size));
    json_object_set_new(child, "seconds", json_real(seconds > 0 ? (double)(int64_t)(seconds * 1000) / 1000 : 0));
    if (adg_file_sha256(path, sha256, NULL) == ADG_OK) {
        json_object_set_new(child, "sha256", json_string(sha256));
    }
}

/* artificial_<table>.<format>, or a folder of that name, as the table's. */
static json_t *generated(const char *path)
{
    static const char prefix[] = "artificial_";
    const char *name = adg_path_name(path);
    name += strncmp(name, prefix, strlen(prefix)) == 0 ? strlen(prefix) : 0;
    return json_stringn(name, strcspn(name, "."));
}

static const char *folder_of(const struct adg_job_start *start, enum adg_grant_kind grant, enum adg_place_kind kind)
{
    const struct adg_project_place *place = adg_project_place_of(start->project, start->job, grant, kind);
    return place != NULL ? adg_project_address(start->project, start->environment, place)->value : "";
}

/* What qa.json says of a table's files. */
static void describe_checked(json_t *child, json_t *qa, const char *table)
{
    json_t *entry, *file;
    size_t i, k;
    json_array_foreach(json_object_get(qa, "tables"), i, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "table"));
        json_t *files = json_object_get(entry, "files");
        if (name == NULL || strcmp(name, table) != 0) {
            continue;
        }
        json_array_foreach(files, k, file)
        {
            if (json_array_size(files) == 1) {
                json_object_set(child, "sha256", json_object_get(file, "sha256"));
            }
        }
    }
}

/* `written`: qa.json, or provenance.json of what was published. */
static json_t *describe(const struct adg_job_start *start, char *words[MOST_WORDS], int count, json_t *written,
                        double started)
{
    json_t *child = json_object();
    char *path;
    switch (start->job->command) {
    case ADG_JOB_GENERATE: /* path, rows, bytes */
        json_object_set_new(child, "table", generated(words[0]));
        if (count > 1) {
            set_number(child, "rows", words[1]);
        }
        describe_file(child, words[0], started);
        break;
    case ADG_JOB_QA: /* table, result, rows */
        json_object_set_new(child, "table", json_string(words[0]));
        if (count > 2) {
            json_object_set_new(child, "result", json_string(words[1]));
            set_number(child, "rows", words[2]);
        }
        describe_checked(child, written, words[0]);
        break;
    case ADG_JOB_PUBLISH: /* table, file */
        json_object_set_new(child, "table", json_string(words[0]));
        path = count > 1 ? adg_path_join(folder_of(start, ADG_GRANT_WRITES, ADG_PLACE_PUBLISHED), words[1]) : NULL;
        if (path != NULL) {
            describe_file(child, path, started);
        }
        adg_free(path);
        if (count > 1) {
            json_t *file = json_object_get(json_object_get(written, "files"), words[1]),
                   *rows = json_object_get(file, "rows");
            json_object_set(child, "rows", rows != NULL ? rows : json_null());
        }
        break;
    case ADG_JOB_REVIEW: /* check, result, findings */
        json_object_set_new(child, "check", json_string(words[0]));
        if (count > 1) {
            json_object_set_new(child, "result", json_string(words[1]));
        }
        break;
    case ADG_JOB_RELEASE: /* the release's name */
        json_object_set_new(child, "release", json_string(words[0]));
        break;
    case ADG_JOB_SCRAPE:
    case ADG_JOB_MIGRATE:
    case ADG_JOB_COMMANDS: /* table */
        json_object_set_new(child, "table", json_string(words[0]));
        break;
    }
    return child;
}

json_t *adg_job_children(const struct adg_job_start *start, const char *output, double started)
{
    json_t *children = json_array(), *written = NULL;
    char *copy = adg_strdup(output), *rest = copy;
    bool qa = start->job->command == ADG_JOB_QA, publish = start->job->command == ADG_JOB_PUBLISH;
    if (qa || publish) {
        char *path = adg_path_join(qa ? folder_of(start, ADG_GRANT_AMENDS, ADG_PLACE_ARTIFICIAL)
                                      : folder_of(start, ADG_GRANT_WRITES, ADG_PLACE_PUBLISHED),
                                   qa ? "qa.json" : "provenance.json");
        written = path != NULL ? json_load_file(path, 0, NULL) : NULL;
        adg_free(path);
    }
    while (copy != NULL && children != NULL && *rest != '\0') {
        char *words[MOST_WORDS], *line = rest;
        size_t length = strcspn(rest, "\n");
        rest += length + (rest[length] == '\n');
        line[length] = '\0';
        if (length > 0) {
            json_array_append_new(children, describe(start, words, split(line, words), written, started));
        }
    }
    adg_free(copy);
    json_decref(written);
    return children;
}
