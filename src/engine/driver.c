/*
 * Finding an ADBC driver, by the rules of its driver manager (arrow-adbc/adbc_driver_manager.h, AdbcFindLoadDriver). Of a manifest,
 * which is TOML, these lines are read:
 *
 *     [Driver]
 *     entrypoint = "SYMBOL"
 *     shared = "PATH"                    or      [Driver.shared]
 *                                                linux_amd64 = "PATH"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "engine/target.h"

enum { PATH_BYTES = 4096 };

#if defined(__x86_64__)
static const char architecture[] = "linux_amd64";
#elif defined(__aarch64__)
static const char architecture[] = "linux_arm64";
#else
static const char architecture[] = "linux";
#endif

/* The text in quotes behind key =; false: the line is another one. */
static bool read_line(const char *line, size_t size, const char *key, struct adg_span *value)
{
    size_t at = 0, length = strlen(key);
    while (at < size && (line[at] == ' ' || line[at] == '\t')) {
        at++;
    }
    if (size - at < length || memcmp(line + at, key, length) != 0) {
        return false;
    }
    for (at += length; at < size && (line[at] == ' ' || line[at] == '\t'); at++) {
    }
    if (at == size || line[at] != '=') {
        return false;
    }
    for (at++; at < size && (line[at] == ' ' || line[at] == '\t'); at++) {
    }
    if (at == size || (line[at] != '"' && line[at] != '\'')) {
        return false;
    }
    const char *end = memchr(line + at + 1, line[at], size - at - 1);
    *value = (struct adg_span){(const uint8_t *)line + at + 1, end != NULL ? (size_t)(end - line) - at - 1 : 0};
    return end != NULL;
}

static bool is_section(const char *line, size_t size, const char *name)
{
    return size >= strlen(name) && memcmp(line, name, strlen(name)) == 0;
}

static enum adg_status read_manifest(struct adg_target *target, const char *path, struct adg_arena *arena,
                                     struct adg_error *error)
{
    struct adg_buffer text = {0};
    struct adg_span library = {NULL, 0}, entry = {NULL, 0};
    enum { OTHER, DRIVER, SHARED } section = OTHER;
    enum adg_status status = adg_file_read(path, &text, error);
    for (size_t at = 0, end; status == ADG_OK && at < text.size; at = end + 1) {
        const char *line = (const char *)text.data + at;
        const char *stop = memchr(line, '\n', text.size - at);
        end = stop != NULL ? (size_t)(stop - (const char *)text.data) : text.size;
        size_t size = end - at;
        struct adg_span value;
        if (size > 0 && line[0] == '[') {
            section = is_section(line, size, "[Driver]")          ? DRIVER
                      : is_section(line, size, "[Driver.shared]") ? SHARED
                                                                  : OTHER;
        } else if (section == DRIVER && read_line(line, size, "entrypoint", &value)) {
            entry = value;
        } else if ((section == DRIVER && read_line(line, size, "shared", &value)) ||
                   (section == SHARED && read_line(line, size, architecture, &value))) {
            library = value;
        }
    }
    if (status == ADG_OK && library.size == 0) {
        status = adg_fail(error, ADG_FAILED, "%s: expected the library of the driver for %s under [Driver]", path,
                          architecture);
    }
    if (status == ADG_OK) {
        target->library = adg_arena_strndup(arena, (const char *)library.data, library.size);
        target->entry = entry.size > 0 ? adg_arena_strndup(arena, (const char *)entry.data, entry.size) : target->entry;
        status = target->library == NULL || (entry.size > 0 && target->entry == NULL) ? adg_fail_memory(error) : ADG_OK;
    }
    adg_buffer_fini(&text);
    return status;
}

static enum adg_status take_library(struct adg_target *target, const char *path, struct adg_arena *arena,
                                    struct adg_error *error)
{
    target->library = adg_arena_strdup(arena, path);
    return target->library == NULL ? adg_fail_memory(error) : ADG_OK;
}

/* In one folder: a manifest, else a library. */
static enum adg_status look_into(struct adg_target *target, const char *folder, size_t folder_size,
                                 struct adg_arena *arena, struct adg_error *error)
{
    static const struct {
        const char *before, *after;
        bool manifest;
    } forms[] = {{"", ".toml", true},
                 {"adbc_driver_", ".toml", true},
                 {"", ".so", false},
                 {"lib", ".so", false},
                 {"libadbc_driver_", ".so", false}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0] && folder_size > 0; i++) {
        char path[PATH_BYTES];
        int length = snprintf(path, sizeof path, "%.*s/%s%s%s", (int)folder_size, folder, forms[i].before, target->name,
                              forms[i].after);
        if (length > 0 && length < PATH_BYTES && access(path, R_OK) == 0) {
            return forms[i].manifest ? read_manifest(target, path, arena, error)
                                     : take_library(target, path, arena, error);
        }
    }
    return ADG_OK;
}

static enum adg_status look_everywhere(struct adg_target *target, struct adg_arena *arena, struct adg_error *error)
{
    const char *paths = getenv("ADBC_DRIVER_PATH"), *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char user[PATH_BYTES] = "";
    enum adg_status status = ADG_OK;
    if (config != NULL && *config != '\0') {
        snprintf(user, sizeof user, "%s/adbc/drivers", config);
    } else if (home != NULL) {
        snprintf(user, sizeof user, "%s/.config/adbc/drivers", home);
    }
    while (status == ADG_OK && target->library == NULL && paths != NULL && *paths != '\0') {
        size_t length = strcspn(paths, ":");
        status = look_into(target, paths, length, arena, error);
        paths += length + (paths[length] != '\0');
    }
    if (status == ADG_OK && target->library == NULL) {
        status = look_into(target, user, strlen(user), arena, error);
    }
    if (status == ADG_OK && target->library == NULL) {
        static const char system[] = "/etc/adbc/drivers";
        status = look_into(target, system, sizeof system - 1, arena, error);
    }
    return status;
}

/* What the driver maps and reads: its folder; for the network names, certificates, and its own files of passwords and services. */
static enum adg_status note_places(struct adg_target *target, struct adg_arena *arena, struct adg_error *error)
{
    static const char *const network[] = {"/etc/resolv.conf",
                                          "/etc/hosts",
                                          "/etc/nsswitch.conf",
                                          "/etc/host.conf",
                                          "/etc/gai.conf",
                                          "/etc/services",
                                          "/etc/passwd",
                                          "/etc/ssl",
                                          "/usr/share/ca-certificates",
                                          "/etc/localtime",
                                          "/usr/share/zoneinfo",
                                          "/dev/urandom",
                                          "/dev/null"};
    static const char *const own[] = {".pgpass", ".pg_service.conf", ".postgresql"};
    static const char *const variables[] = {"PGPASSFILE", "PGSERVICEFILE", "PGSYSCONFDIR", "PGSSLROOTCERT",
                                            "PGSSLCERT",  "PGSSLKEY",      "SSL_CERT_FILE"};
    enum {
        NETWORK = sizeof network / sizeof *network,
        OWN = sizeof own / sizeof *own,
        VARIABLES = sizeof variables / sizeof *variables
    };
    const char **places = adg_arena_array(arena, NETWORK + OWN + VARIABLES + 2, sizeof *places);
    const char *home = getenv("HOME"), *slash = strrchr(target->library, '/');
    uint32_t count = 0;
    if (places == NULL) {
        return adg_fail_memory(error);
    }
    if (slash != NULL) {
        places[count++] = adg_arena_strndup(arena, target->library, (size_t)(slash - target->library));
    }
    for (int i = 0; i < NETWORK; i++) {
        places[count++] = network[i];
    }
    for (int i = 0; i < OWN && home != NULL; i++) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s/%s", home, own[i]);
        places[count++] = adg_arena_strdup(arena, path);
    }
    for (int i = 0; i < VARIABLES; i++) {
        if (getenv(variables[i]) != NULL) {
            places[count++] = getenv(variables[i]);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        if (places[i] == NULL) {
            return adg_fail_memory(error);
        }
    }
    target->places = places;
    return ADG_OK;
}

enum adg_status adg_target_find_driver(struct adg_target *target, struct adg_arena *arena, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    if (target->file != NULL) { /* the engine that comes with the program */
        return ADG_OK;
    }
    if (strchr(target->name, '/') != NULL) {
        const char *end = strrchr(target->name, '.');
        status = end != NULL && strcmp(end, ".toml") == 0 ? read_manifest(target, target->name, arena, error)
                                                          : take_library(target, target->name, arena, error);
    } else {
        status = look_everywhere(target, arena, error);
    }
    if (status == ADG_OK && target->library == NULL) {
        char name[256];
        snprintf(name, sizeof name, "libadbc_driver_%s.so", target->name);
        status = take_library(target, name, arena, error);
    }
    return status == ADG_OK ? note_places(target, arena, error) : status;
}

enum adg_status adg_target_find_libpq(struct adg_target *target, struct adg_arena *arena, struct adg_error *error)
{
    target->library = "libpq.so.5"; /* where the loader looks */
    return note_places(target, arena, error);
}
