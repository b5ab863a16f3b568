/*
 * Parameters of jobs: see parameter.h.
 */
#include "project/parameter.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "core/date.h"

const char *const adg_job_command_names[ADG_JOB_COMMANDS + 1] = {
    [ADG_JOB_SCRAPE] = "scrape",     [ADG_JOB_REVIEW] = "review", [ADG_JOB_RELEASE] = "release",
    [ADG_JOB_GENERATE] = "generate", [ADG_JOB_QA] = "qa",         [ADG_JOB_PUBLISH] = "publish",
    [ADG_JOB_MIGRATE] = "migrate",
};

#define FOR(command) (UINT32_C(1) << ADG_JOB_##command)

static const char *const formats[] = {"parquet", "csv", "arrow", NULL};
static const char *const compressions[] = {"auto", "zstd", "none", NULL};
static const char *const dialects[] = {"duckdb", "postgresql", "spark", NULL};
static const char *const profiles[] = {"coherent", "reference", NULL};

const struct adg_parameter adg_parameters[] = {
    {"dataset", ADG_PARAMETER_TEXT, FOR(SCRAPE) | FOR(GENERATE) | FOR(QA) | FOR(MIGRATE), NULL, false},
    {"include", ADG_PARAMETER_NAMES, FOR(SCRAPE) | FOR(GENERATE) | FOR(PUBLISH) | FOR(MIGRATE), NULL, false},
    {"exclude", ADG_PARAMETER_NAMES, FOR(SCRAPE) | FOR(GENERATE) | FOR(PUBLISH), NULL, false},
    {"min_frequency", ADG_PARAMETER_COUNT, FOR(SCRAPE), NULL, false},
    {"rounding", ADG_PARAMETER_COUNT, FOR(SCRAPE), NULL, false},
    {"population", ADG_PARAMETER_COUNT, FOR(SCRAPE), NULL, false},
    {"strict", ADG_PARAMETER_FLAG, FOR(SCRAPE), NULL, false},
    {"skip_unknown", ADG_PARAMETER_FLAG, FOR(SCRAPE), NULL, false},
    {"dialect", ADG_PARAMETER_CHOICE, FOR(SCRAPE), dialects, false},
    {"memory_mb", ADG_PARAMETER_COUNT, FOR(SCRAPE), NULL, false},
    {"patients", ADG_PARAMETER_COUNT, FOR(GENERATE), NULL, false},
    {"rows", ADG_PARAMETER_COUNT, FOR(GENERATE), NULL, false},
    {"seed", ADG_PARAMETER_UINT64, FOR(GENERATE), NULL, false},
    {"profile", ADG_PARAMETER_CHOICE, FOR(GENERATE), profiles, false},
    {"format", ADG_PARAMETER_CHOICE, FOR(GENERATE), formats, false},
    {"compression", ADG_PARAMETER_CHOICE, FOR(GENERATE), compressions, false},
    {"release", ADG_PARAMETER_HASH, FOR(GENERATE) | FOR(QA), NULL, false},
    {"threads", ADG_PARAMETER_COUNT, FOR(SCRAPE) | FOR(GENERATE) | FOR(QA), NULL, false},
    {"keep_backup", ADG_PARAMETER_FLAG, FOR(MIGRATE), NULL, false},
    {"confirm_utc", ADG_PARAMETER_TIME, FOR(RELEASE), NULL, true},
    {NULL, ADG_PARAMETER_TEXT, 0, NULL, false},
};

const struct adg_parameter *adg_parameter_find(enum adg_job_command command, const char *name)
{
    for (const struct adg_parameter *parameter = adg_parameters; parameter->name != NULL; parameter++) {
        if ((parameter->commands >> command & 1) != 0 && strcmp(parameter->name, name) == 0) {
            return parameter;
        }
    }
    return NULL;
}

/* Digits only, from 1 or 0 to `max`. */
static bool is_number(const char *text, uint64_t min, uint64_t max)
{
    uint64_t value = 0;
    bool good = *text != '\0';
    for (; *text != '\0' && good; text++) {
        good = *text >= '0' && *text <= '9' && !__builtin_mul_overflow(value, UINT64_C(10), &value) &&
               !__builtin_add_overflow(value, (uint64_t)(*text - '0'), &value);
    }
    return good && value >= min && value <= max;
}

static bool is_name(const char *text)
{
    return *text != '\0' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(text);
}

static bool is_line(const char *text)
{
    const char *at = text;
    while ((unsigned char)*at >= 0x20 && *at != 0x7f) {
        at++;
    }
    return at > text && *at == '\0' && text[0] != '-'; /* no option of the command */
}

static bool is_time(const char *text)
{
    int32_t days;
    return strlen(text) == 16 && text[10] == ' ' && text[13] == ':' && strspn(text + 11, "0123456789") == 2 &&
           strspn(text + 14, "0123456789") == 2 && adg_date_parse(text, 10, &days);
}

static enum adg_status expect_choice(const struct adg_parameter *parameter, const char *value, struct adg_error *error)
{
    char list[128] = "";
    size_t used = 0;
    for (int i = 0; parameter->choices[i] != NULL; i++) {
        if (strcmp(parameter->choices[i], value) == 0) {
            return ADG_OK;
        }
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", parameter->choices[i]);
    }
    return adg_fail(error, ADG_USAGE, "expected %s as one of %s", parameter->name, list);
}

enum adg_status adg_parameter_check(const struct adg_parameter *parameter, const char *value, struct adg_error *error)
{
    const char *expected = "";
    bool good = false;
    switch (parameter->type) {
    case ADG_PARAMETER_TEXT:
        good = is_line(value);
        expected = "one line of text that begins with no dash";
        break;
    case ADG_PARAMETER_COUNT:
        good = is_number(value, 1, INT64_MAX);
        expected = "a whole number from 1";
        break;
    case ADG_PARAMETER_UINT64:
        good = is_number(value, 0, UINT64_MAX);
        expected = "a whole number from 0 to 2^64 - 1";
        break;
    case ADG_PARAMETER_FLAG:
        good = strcmp(value, "true") == 0 || strcmp(value, "false") == 0;
        expected = "true or false";
        break;
    case ADG_PARAMETER_HASH:
        good = strlen(value) == 64 && strspn(value, "0123456789abcdef") == 64;
        expected = "the name of a release, 64 hexadecimal digits";
        break;
    case ADG_PARAMETER_TIME:
        good = is_time(value);
        expected = "\"YYYY-MM-DD HH:MM\"";
        break;
    case ADG_PARAMETER_NAMES:
        good = is_name(value);
        expected = "names of tables";
        break;
    case ADG_PARAMETER_CHOICE:
        return expect_choice(parameter, value, error);
    }
    return good ? ADG_OK : adg_fail(error, ADG_USAGE, "expected %s as %s", parameter->name, expected);
}
