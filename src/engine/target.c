/*
 * Naming a database: see target.h.
 */
#include "engine/target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/strings.h"

bool adg_target_is(const char *source)
{
    static const char *const schemes[] = {"duckdb:", "postgresql://", "postgres://", "sc://", "adbc:"};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strncmp(source, schemes[i], strlen(schemes[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- secrets ----------------------------------------------------------------------------------------------------- */

static enum adg_status refuse_secret(const char *instead, struct adg_error *error)
{
    return adg_fail(error, ADG_USAGE, "a secret does not belong on a command line, where others see it: %s", instead);
}

static bool is_secret(const char *key)
{
    static const char *const words[] = {"password",   "passwd",        "pwd",     "token",  "secret",    "private_key",
                                        "credential", "authorization", "api_key", "apikey", "access_key"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasestr(key, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* %41 is A. */
static char *decode(const char *text, size_t size, struct adg_arena *arena)
{
    char *out = adg_arena_alloc(arena, size + 1);
    if (out != NULL) {
        out[adg_percent_decode(text, size, out)] = '\0';
    }
    return out;
}

/* key=value pairs behind `at`, separated by `separator`: none may be a secret. */
static enum adg_status check_pairs(const char *at, char separator, const char *instead, struct adg_arena *arena,
                                   struct adg_error *error)
{
    const char stops[] = {separator, '\0'};
    while (*at != '\0') {
        size_t length = strcspn(at, stops), key = 0;
        while (key < length && at[key] != '=') {
            key++;
        }
        const char *name = decode(at, key, arena);
        if (name == NULL) {
            return adg_fail_memory(error);
        }
        if (is_secret(name) && strcasecmp(name, "passfile") != 0) {
            return refuse_secret(instead, error);
        }
        at += length + (at[length] != '\0');
    }
    return ADG_OK;
}

/* Whether a value, perhaps a URI or a list of settings, holds word=... with the name of a secret. */
static bool holds_secret(const char *value)
{
    enum { LONGEST = 64 };
    for (const char *equals = strchr(value, '='); equals != NULL; equals = strchr(equals + 1, '=')) {
        char word[LONGEST];
        const char *start = equals;
        while (start > value && start[-1] == ' ') { /* password = ... */
            start--;
        }
        size_t length = 0;
        while (start > value && length + 1 < LONGEST && strchr("?&; \t\n,\"'{", start[-1]) == NULL) {
            start--;
            length++;
        }
        memcpy(word, start, length);
        word[length] = '\0';
        if (is_secret(word) && strcasecmp(word, "passfile") != 0) {
            return true;
        }
    }
    return false;
}

/* user:password@ between // and the next slash */
static bool has_password(const char *uri)
{
    const char *authority = strstr(uri, "//") + 2;
    size_t length = strcspn(authority, "/?;");
    const char *at = NULL;
    for (size_t i = 0; i < length; i++) {
        at = authority[i] == '@' ? authority + i : at;
    }
    return at != NULL && memchr(authority, ':', (size_t)(at - authority)) != NULL;
}

/* ---- each kind --------------------------------------------------------------------------------------------------- */

static enum adg_status set_options(struct adg_target *target, const struct adg_target_option *options, uint32_t count,
                                   struct adg_arena *arena, struct adg_error *error)
{
    struct adg_target_option *copy = adg_arena_array(arena, count + (size_t)1, sizeof *copy);
    if (copy == NULL) {
        return adg_fail_memory(error);
    }
    if (count > 0) {
        memcpy(copy, options, count * sizeof *copy);
    }
    target->options = copy;
    target->option_count = count;
    return ADG_OK;
}

static enum adg_status set_duckdb(struct adg_target *target, const char *file, const char *access,
                                  struct adg_arena *arena, struct adg_error *error)
{
    *target = (struct adg_target){.name = "duckdb",
                                  .shown = "DuckDB",
                                  .dialect = adg_dialect_find("duckdb"),
                                  .file = file,
                                  .entry = "duckdb_adbc_init"};
    const struct adg_target_option options[] = {{"path", file}, {"access_mode", access}};
    return file == NULL ? adg_fail_memory(error) : set_options(target, options, 2, arena, error);
}

static enum adg_status parse_duckdb(const char *file, struct adg_arena *arena, struct adg_target *target,
                                    struct adg_error *error)
{
    char *resolved = *file != '\0' ? realpath(file, NULL) : NULL;
    if (resolved == NULL) {
        return *file == '\0' ? adg_fail(error, ADG_USAGE, "expected duckdb:FILE")
                             : adg_fail(error, ADG_BAD_INPUT, "%s: there is no such file", file);
    }
    const char *copy = adg_arena_strdup(arena, resolved);
    free(resolved); /* the C library's own memory */
    return set_duckdb(target, copy, "READ_ONLY", arena, error);
}

/* A file that may still have to be made. */
static enum adg_status parse_duckdb_out(const char *file, struct adg_arena *arena, struct adg_target *target,
                                        struct adg_error *error)
{
    const char *slash = strrchr(file, '/'), *name = slash != NULL ? slash + 1 : file;
    const char *folder = slash == NULL   ? "."
                         : slash == file ? "/"
                                         : adg_arena_strndup(arena, file, (size_t)(slash - file));
    if (*name == '\0') {
        return adg_fail(error, ADG_USAGE, "expected duckdb:FILE");
    }
    char *resolved = access(file, F_OK) == 0 ? realpath(file, NULL) : NULL;
    char *parent = resolved == NULL && folder != NULL ? realpath(folder, NULL) : NULL;
    const char *copy = NULL;
    if (resolved != NULL) {
        copy = adg_arena_strdup(arena, resolved);
    } else if (folder != NULL) {
        const char *base = parent != NULL ? parent : folder; /* where it is not there, who opens the file will say so */
        size_t size = strlen(base) + strlen(name) + 2;
        char *path = adg_arena_alloc(arena, size);
        if (path != NULL) {
            snprintf(path, size, "%s/%s", base, name);
        }
        copy = path;
    }
    free(resolved); /* the C library's own memory, both */
    free(parent);
    return set_duckdb(target, copy, "READ_WRITE", arena, error);
}

static enum adg_status parse_postgresql(const char *uri, struct adg_arena *arena, struct adg_target *target,
                                        struct adg_error *error)
{
    static const char instead[] = "set PGPASSWORD, or use a password file or a service (docs/engines.md)";
    const char *query = strchr(uri, '?');
    enum adg_status status = has_password(uri) ? refuse_secret(instead, error)
                             : query != NULL   ? check_pairs(query + 1, '&', instead, arena, error)
                                               : ADG_OK;
    if (status != ADG_OK) {
        return status;
    }
    const char *value = uri;
    if (strstr(uri, "connect_timeout") == NULL && getenv("PGCONNECT_TIMEOUT") == NULL) { /* nobody waits for minutes */
        const char *more = query == NULL ? "?connect_timeout=15" : "&connect_timeout=15";
        size_t size = strlen(uri) + strlen(more) + 1;
        char *longer = adg_arena_alloc(arena, size);
        if (longer == NULL) {
            return adg_fail_memory(error);
        }
        snprintf(longer, size, "%s%s", uri, more);
        value = longer;
    }
    const struct adg_target_option option = {"uri", value};
    *target = (struct adg_target){
        .name = "postgresql",
        .shown = "PostgreSQL",
        .package = "adbc-driver-postgresql of PyPI, libadbc-driver-postgresql of Apache Arrow's "
                   "Debian repository",
        .dialect = adg_dialect_find("postgresql")};
    return set_options(target, &option, 1, arena, error);
}

static enum adg_status parse_spark(const char *uri, struct adg_arena *arena, struct adg_target *target,
                                   struct adg_error *error)
{
    static const char instead[] = "set ADG_SPARK_TOKEN (or, for Databricks, DATABRICKS_TOKEN)";
    const char *pairs = strchr(uri, ';');
    enum adg_status status = has_password(uri) ? refuse_secret(instead, error)
                             : pairs != NULL   ? check_pairs(pairs + 1, ';', instead, arena, error)
                                               : ADG_OK;
    if (status != ADG_OK) {
        return status;
    }
    const char *token = getenv("ADG_SPARK_TOKEN");
    token = token != NULL ? token : getenv("DATABRICKS_TOKEN");
    const struct adg_target_option options[] = {{"uri", uri}, {"adbc.spark.token", token}};
    *target = (struct adg_target){.name = "spark",
                                  .shown = "Spark",
                                  .package = "adbc-driver-spark of PyPI",
                                  .dialect = adg_dialect_find("spark")};
    return set_options(target, options, token != NULL ? 2 : 1, arena, error);
}

/* option=value, where the value may be env:NAME; a secret must. */
static enum adg_status parse_option(const char *text, size_t size, struct adg_target_option *option,
                                    struct adg_arena *arena, struct adg_error *error)
{
    const char *equals = memchr(text, '=', size);
    if (equals == NULL || equals == text) {
        return adg_fail(error, ADG_USAGE, "expected adbc:DRIVER?option=value&option=value");
    }
    size_t key = (size_t)(equals - text);
    option->key = decode(text, key, arena);
    option->value = decode(equals + 1, size - key - 1, arena);
    if (option->key == NULL || option->value == NULL) {
        return adg_fail_memory(error);
    }
    if (strncmp(option->value, "env:", 4) == 0) {
        const char *name = option->value + 4, *value = getenv(name);
        if (value == NULL) {
            return adg_fail(error, ADG_USAGE, "%s is not set in the environment", name);
        }
        option->value = value;
        return ADG_OK;
    }
    const char *authority = strstr(option->value, "//");
    return is_secret(option->key) || (authority != NULL && has_password(option->value)) || holds_secret(option->value)
               ? refuse_secret("write option=env:NAME, and it is taken from the variable NAME", error)
               : ADG_OK;
}

static enum adg_status parse_adbc(const char *text, const char *dialect, struct adg_arena *arena,
                                  struct adg_target *target, struct adg_error *error)
{
    enum { MOST_OPTIONS = 64 };
    struct adg_target_option options[MOST_OPTIONS];
    uint32_t count = 0;
    size_t length = strcspn(text, "?");
    enum adg_status status = ADG_OK;
    *target = (struct adg_target){.name = adg_arena_strndup(arena, text, length),
                                  .dialect = dialect != NULL ? adg_dialect_find(dialect) : NULL};
    target->shown = target->name;
    if (target->name == NULL) {
        return adg_fail_memory(error);
    }
    if (length == 0) {
        return adg_fail(error, ADG_USAGE, "expected adbc:DRIVER?option=value&option=value");
    }
    for (const char *at = text + length + (text[length] != '\0'); *at != '\0' && status == ADG_OK;) {
        size_t size = strcspn(at, "&");
        status = count == MOST_OPTIONS ? adg_fail(error, ADG_USAGE, "at most %d options", MOST_OPTIONS)
                                       : parse_option(at, size, &options[count], arena, error);
        count++;
        at += size + (at[size] != '\0');
    }
    return status == ADG_OK ? set_options(target, options, count, arena, error) : status;
}

static bool begins(const char *text, const char *scheme)
{
    return strncmp(text, scheme, strlen(scheme)) == 0;
}

enum adg_status adg_target_parse(const char *source, const char *dialect, struct adg_arena *arena,
                                 struct adg_target *out, struct adg_error *error)
{
    const bool adbc = begins(source, "adbc:");
    if (adbc && dialect == NULL) {
        return adg_fail(error, ADG_USAGE, "option --source: adbc:DRIVER needs --dialect: %s", adg_dialect_names());
    }
    if (!adbc && dialect != NULL) {
        return adg_fail(error, ADG_USAGE, "option --dialect is for --source adbc:DRIVER");
    }
    if (adbc && adg_dialect_find(dialect) == NULL) {
        return adg_fail(error, ADG_USAGE, "option --dialect: expected %s", adg_dialect_names());
    }
    enum adg_status status = adbc                        ? parse_adbc(source + 5, dialect, arena, out, error)
                             : begins(source, "duckdb:") ? parse_duckdb(source + 7, arena, out, error)
                             : begins(source, "sc://")   ? parse_spark(source, arena, out, error)
                                                         : parse_postgresql(source, arena, out, error);
    return status == ADG_USAGE ? adg_context(error, status, "option --source") : status;
}

enum adg_status adg_target_parse_out(const char *text, const char *option, struct adg_arena *arena,
                                     struct adg_target *out, struct adg_error *error)
{
    enum adg_status status = begins(text, "adbc:")     ? parse_adbc(text + 5, NULL, arena, out, error)
                             : begins(text, "duckdb:") ? parse_duckdb_out(text + 7, arena, out, error)
                             : begins(text, "sc://")
                                 ? adg_fail(error, ADG_USAGE, "Spark takes tables from its own tasks (docs/spark.md)")
                                 : parse_postgresql(text, arena, out, error);
    return status == ADG_USAGE ? adg_context(error, status, "option %s", option) : status;
}

enum adg_status adg_target_files(const struct adg_target *target, struct adg_arena *arena, const char *out[2],
                                 uint32_t *count, struct adg_error *error)
{
    *count = 0;
    if (target == NULL || target->file == NULL) {
        return ADG_OK;
    }
    size_t size = strlen(target->file) + sizeof ".wal";
    char *log = adg_arena_alloc(arena, size);
    if (log == NULL) {
        return adg_fail_memory(error);
    }
    snprintf(log, size, "%s.wal", target->file);
    out[(*count)++] = target->file;
    out[(*count)++] = log;
    return ADG_OK;
}
