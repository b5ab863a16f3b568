/*
 * Tables into a PostgreSQL database: see postgresql.h.
 */
#include "load/postgresql.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/arena.h"
#include "core/memory.h"
#include "load/connection.h"
#include "load/ddl.h"
#include "load/lanes.h"
#include "run/provenance.h"

enum { NAME_BYTES = 63, HEADROOM = sizeof "artificial_" };

struct place {
    const char *schema, *name, *staging; /* not quoted */
    const char *shown;                   /* schema.name, for people */
    char *comment;                       /* of a table that rows are appended to: NULL, where it has none */
    bool exists;                         /* and is a table */
    bool mine;                           /* its owner is somebody whose rights this user has */
    bool keyed;                          /* it has the primary key that is asked for */
};

struct postgresql {
    struct adg_destination base;
    const struct adg_run_options *run;
    struct adg_load_options options;
    struct adg_arena arena;
    struct adg_connection *main;
    struct adg_connection **others; /* [connections]; with one connection it is `main` itself, and there are none */
    struct place *places;           /* by number of the table */
    uint32_t place_count;
    struct adg_lanes *lanes; /* of the table that is being loaded */
    bool staged;             /* there is a committed table under another name: */
    uint32_t staged_table;
    pthread_mutex_t lock; /* a table is begun when the one before is committed: they share connections */
    pthread_cond_t changed;
    bool busy;
};

static struct postgresql *of(struct adg_destination *destination)
{
    return (struct postgresql *)destination;
}

static bool appends(const struct postgresql *pg, const struct place *place)
{
    return place->exists && pg->run->if_exists == ADG_IF_EXISTS_APPEND;
}

/* Runs a statement made by adg_ddl_format. */
static enum adg_status run(struct postgresql *pg, struct adg_buffer *sql, const char *doing, struct adg_error *error)
{
    const char *text = adg_buffer_text(sql);
    enum adg_status status = text == NULL ? adg_fail_memory(error) : adg_connection_run(pg->main, text, doing, error);
    sql->size = 0;
    return status;
}

static enum adg_status query(struct postgresql *pg, struct adg_buffer *sql, int columns, const char *doing,
                             struct adg_rows *rows, struct adg_error *error)
{
    const char *text = adg_buffer_text(sql);
    enum adg_status status = text == NULL
                                 ? adg_fail_memory(error)
                                 : adg_connection_query(pg->main, text, columns, doing, &pg->arena, rows, error);
    sql->size = 0;
    return status;
}

/* ---- before anything is written ---------------------------------------------------------------------------------- */

static enum adg_status postgresql_open(struct adg_destination *destination, struct adg_error *error)
{
    struct postgresql *pg = of(destination);
    enum adg_status status = adg_connection_open(pg->options.uri, &pg->main, error);
    for (unsigned i = 0; pg->options.connections > 1 && i < pg->options.connections && status == ADG_OK; i++) {
        status = adg_connection_open(pg->options.uri, &pg->others[i], error);
    }
    return adg_context(error, status, "PostgreSQL");
}

/* Names that PostgreSQL would cut off would be other names. */
static enum adg_status check_names(const struct adg_destination_table *table, struct adg_error *error)
{
    const struct adg_layout *layout = adg_plan_layout(table->plan);
    if (strlen(table->name) + HEADROOM - 1 + sizeof "_pkey" - 1 > NAME_BYTES) {
        return adg_fail(error, ADG_BAD_INPUT, "the name artificial_%s is too long for PostgreSQL", table->name);
    }
    for (uint32_t c = 0; c < layout->column_count; c++) {
        if (strlen(layout->columns[c].field->name) > NAME_BYTES) {
            return adg_fail(error, ADG_BAD_INPUT, "field %s: the name is too long for PostgreSQL",
                            layout->columns[c].field->name);
        }
    }
    return ADG_OK;
}

static const char primary_key[] =
    "(select string_agg(a.attname, ' ') from pg_catalog.pg_index i join pg_catalog.pg_attribute a "
    "on a.attrelid = i.indrelid and a.attnum = any (i.indkey) where i.indrelid = c.oid and i.indisprimary)";

/* Where the table goes, what is there, and whether this run has it to itself. */
static enum adg_status look(struct postgresql *pg, const char *table, struct place *place, const char **kind,
                            const char **key, struct adg_error *error)
{
    enum { SCHEMA, LOCKED, STAGING, CREATES, KIND, MINE, KEY, COMMENT, COLUMNS };
    char name[NAME_BYTES + 1];
    struct adg_buffer sql = {0};
    struct adg_rows rows = {0};
    snprintf(name, sizeof name, ADG_LOAD_NAME, table);
    enum adg_status status = adg_ddl_format(
        &sql, error,
        "with place as materialized (select current_schema() as schema, " ADG_LOAD_LOCK_KEY(
            "%l") " as hash) "
                  "select p.schema, pg_try_advisory_lock(p.hash), 'adg_loading_' || to_hex(p.hash), "
                  "has_schema_privilege(p.schema, 'CREATE'), c.relkind, pg_has_role(c.relowner, 'USAGE'), %s, "
                  "obj_description(c.oid, 'pg_class') from place p left join pg_catalog.pg_namespace n on n.nspname = "
                  "p.schema "
                  "left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = %l",
        name, primary_key, name);
    if (status == ADG_OK) {
        status = query(pg, &sql, COLUMNS, "looking for the table", &rows, error);
    }
    adg_buffer_fini(&sql);
    if (status != ADG_OK) {
        return status;
    }
    const char **values = rows.values;
    if (values[SCHEMA] == NULL) {
        return adg_fail(error, ADG_FAILED,
                        "the database has no schema for new tables: its search_path names none that is there");
    }
    if (strncmp(values[SCHEMA], "pg_temp", strlen("pg_temp")) == 0) {
        return adg_fail(error, ADG_FAILED,
                        "the schema for new tables is a temporary one, which goes with the connection: its search_path "
                        "is to name another first");
    }
    if (values[LOCKED] == NULL || strcmp(values[LOCKED], "t") != 0) {
        return adg_fail(error, ADG_FAILED, "another adg run is writing to %s.%s", values[SCHEMA], name);
    }
    if (strcmp(values[CREATES], "t") != 0 && (values[KIND] == NULL || pg->run->if_exists == ADG_IF_EXISTS_OVERWRITE)) {
        return adg_fail(error, ADG_FAILED, "the user has no right to create tables in the schema %s", values[SCHEMA]);
    }
    *kind = values[KIND];
    *key = values[KEY];
    *place = (struct place){.schema = values[SCHEMA],
                            .name = adg_arena_strdup(&pg->arena, name),
                            .staging = values[STAGING],
                            .comment = (char *)(uintptr_t)values[COMMENT],
                            .exists = values[KIND] != NULL,
                            .mine = values[MINE] != NULL && strcmp(values[MINE], "t") == 0};
    return ADG_OK;
}

/* What rows are appended to has the definition's columns, in any order, and no others. */
static enum adg_status check_columns(struct postgresql *pg, const struct place *place, const struct adg_layout *layout,
                                     struct adg_error *error)
{
    struct adg_buffer sql = {0};
    struct adg_rows rows = {0};
    enum adg_status status = adg_ddl_format(
        &sql, error,
        "select a.attname, format_type(a.atttypid, a.atttypmod) from pg_catalog.pg_attribute a "
        "join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = %l and c.relname = %l and a.attnum > 0 and not a.attisdropped",
        place->schema, place->name);
    if (status == ADG_OK) {
        status = query(pg, &sql, 2, "looking at the table's columns", &rows, error);
    }
    if (status == ADG_OK && rows.count != (int)layout->column_count) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s has other columns than the definition: nothing can be appended",
                          place->shown);
    }
    for (uint32_t c = 0; c < layout->column_count && status == ADG_OK; c++) {
        const struct adg_field *field = layout->columns[c].field;
        const char *type = NULL;
        for (int r = 0; r < rows.count && type == NULL; r++) {
            type = strcmp(rows.values[2 * r], field->name) == 0 ? rows.values[2 * r + 1] : NULL;
        }
        sql.size = 0;
        status = adg_ddl_type(&sql, field, error);
        const char *expected = status == ADG_OK ? adg_buffer_text(&sql) : NULL;
        if (status == ADG_OK && expected == NULL) {
            status = adg_fail_memory(error);
        } else if (status == ADG_OK && (type == NULL || strcmp(type, expected) != 0)) {
            status = adg_fail(error, ADG_BAD_INPUT, "%s: expected a column %s of type %s, found %s", place->shown,
                              field->name, expected, type != NULL ? type : "none");
        }
    }
    adg_buffer_fini(&sql);
    return status;
}

/* What would keep the old table from being dropped when the new one is there, hours later. Somebody who reads it would not. */
static enum adg_status try_to_drop(struct postgresql *pg, const struct place *place, struct adg_error *error)
{
    struct adg_buffer sql = {0};
    enum adg_status status = adg_ddl_format(&sql, error, "begin; set local lock_timeout = '1s'; drop table %n.%n",
                                            place->schema, place->name);
    if (status == ADG_OK) {
        status = run(pg, &sql, "replacing the table", error);
        if (status != ADG_OK && strcmp(adg_connection_state(pg->main), "55P03") == 0) {
            status = ADG_OK;
        }
    }
    if (status == ADG_OK) {
        status = adg_connection_run(pg->main, "rollback", "replacing the table", error);
    }
    adg_buffer_fini(&sql);
    return status;
}

static enum adg_status check_existing(struct postgresql *pg, struct place *place,
                                      const struct adg_destination_table *table, const char *kind, const char *key,
                                      bool *skip, struct adg_error *error)
{
    char message[512];
    const struct adg_dataset *dataset = NULL;
    enum adg_status status = ADG_OK;
    if (strchr("rp", kind[0]) == NULL && pg->run->if_exists != ADG_IF_EXISTS_IGNORE) {
        return adg_fail(error, ADG_FAILED, "%s is there, and is no table", place->shown);
    }
    switch (pg->run->if_exists) {
    case ADG_IF_EXISTS_DEFAULT:
    case ADG_IF_EXISTS_ERROR:
        return adg_fail(error, ADG_FAILED,
                        "%s is there; --if-exists append, overwrite or ignore says what becomes of it", place->shown);
    case ADG_IF_EXISTS_IGNORE:
        snprintf(message, sizeof message, "%s is there, and is left as it is", place->shown);
        pg->run->progress.warn(pg->run->progress.context, message);
        *skip = true;
        return ADG_OK;
    case ADG_IF_EXISTS_OVERWRITE:
        return try_to_drop(pg, place, error);
    case ADG_IF_EXISTS_APPEND:
        break;
    }
    const struct adg_layout *layout = adg_plan_layout(table->plan);
    status = adg_definition_find_table(pg->run->definition, table->name, &dataset, NULL, error);
    if (status == ADG_OK) {
        status = check_columns(pg, place, layout, error);
    }
    if (status == ADG_OK && pg->options.primary_key && key != NULL) {
        const char *wanted = dataset->fields[dataset->primary_key].name;
        place->keyed = strcmp(key, wanted) == 0;
        if (!place->keyed) {
            status = adg_fail(error, ADG_BAD_INPUT, "%s has another primary key than %s", place->shown, wanted);
        }
    }
    if (status == ADG_OK && pg->options.primary_key && !place->keyed && !place->mine) {
        status = adg_fail(error, ADG_FAILED, "%s belongs to another user, who has to declare its primary key",
                          place->shown);
    }
    if (status == ADG_OK && !place->mine) {
        snprintf(message, sizeof message,
                 "%s belongs to another user: its comment, which says what it was made from, stays as it is",
                 place->shown);
        pg->run->progress.warn(pg->run->progress.context, message);
    }
    return status;
}

static enum adg_status add_place(struct postgresql *pg, uint32_t number, struct adg_error *error)
{
    if (number >= pg->place_count) { /* tables come in their order, so this is seldom */
        uint32_t count = 2 * number + 8;
        struct place *places = adg_realloc_array(pg->places, count, sizeof *places);
        if (places == NULL) {
            return adg_fail_memory(error);
        }
        memset(places + pg->place_count, 0, (count - pg->place_count) * sizeof *places);
        pg->places = places;
        pg->place_count = count;
    }
    return ADG_OK;
}

static enum adg_status postgresql_check(struct adg_destination *destination, const struct adg_destination_table *table,
                                        bool *skip, struct adg_error *error)
{
    struct postgresql *pg = of(destination);
    const char *kind = NULL, *key = NULL;
    enum adg_status status = check_names(table, error);
    if (status == ADG_OK) {
        status = add_place(pg, table->number, error);
    }
    struct place *place = status == ADG_OK ? &pg->places[table->number] : NULL;
    if (status == ADG_OK) {
        status = look(pg, table->name, place, &kind, &key, error);
    }
    if (status == ADG_OK) {
        size_t size = strlen(place->schema) + NAME_BYTES + 2;
        char *shown = adg_arena_alloc(&pg->arena, size);
        if (shown == NULL || place->name == NULL) {
            status = adg_fail_memory(error);
        } else {
            snprintf(shown, size, "%s.%s", place->schema, place->name);
            place->shown = shown;
        }
    }
    return status == ADG_OK && place->exists ? check_existing(pg, place, table, kind, key, skip, error) : status;
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

/* The statements before the rows, and what takes them. */
static enum adg_status make_table(struct postgresql *pg, const struct place *place, const struct adg_layout *layout,
                                  struct adg_error *error)
{
    struct adg_buffer sql = {0};
    enum adg_status status;
    if (appends(pg, place)) {
        status = adg_buffer_append_text(&sql, "begin", error);
    } else {
        status = adg_ddl_format(&sql, error, "begin; drop table if exists %n.%n; create table %n.%n ", place->schema,
                                place->staging, place->schema, place->staging);
        if (status == ADG_OK) {
            status = adg_ddl_columns(&sql, layout, true, error);
        }
        if (status == ADG_OK && pg->options.connections > 1) {
            status = adg_ddl_format(&sql, error, "; comment on table %n.%n is %l; commit", place->schema,
                                    place->staging,
                                    "What an adg run has loaded so far, for a table of another name. A run that was "
                                    "killed has left it; the next one that loads the table removes it.");
        }
    }
    if (status == ADG_OK) {
        status = run(pg, &sql, "creating the table", error);
    }
    adg_buffer_fini(&sql);
    return status;
}

static enum adg_status start_copy(struct postgresql *pg, const struct place *place, const struct adg_layout *layout,
                                  struct adg_error *error)
{
    const bool append = appends(pg, place), alone = append || pg->options.connections == 1;
    struct adg_buffer sql = {0};
    enum adg_status status = adg_ddl_format(&sql, error, "copy %n.%n ", place->schema,
                                            append ? place->name : place->staging);
    if (status == ADG_OK) {
        status = adg_ddl_columns(&sql, layout, false, error);
    }
    if (status == ADG_OK) { /* rows of a table that nobody else can see need not be looked at again when others can */
        status = adg_ddl_format(&sql, error, " from stdin with (format csv%s)", alone && !append ? ", freeze" : "");
    }
    const char *text = status == ADG_OK ? adg_buffer_text(&sql) : NULL;
    if (status == ADG_OK) {
        status = text == NULL ? adg_fail_memory(error)
                              : adg_lanes_open(alone ? &pg->main : pg->others, alone ? 1 : pg->options.connections,
                                               text, "sending rows", &pg->lanes, error);
    }
    adg_buffer_fini(&sql);
    return status;
}

static enum adg_status postgresql_begin(struct adg_destination *destination, const struct adg_destination_table *table,
                                        struct adg_destination_file *file, struct adg_error *error)
{
    struct postgresql *pg = of(destination);
    const struct place *place = &pg->places[table->number];
    const struct adg_layout *layout = adg_plan_layout(table->plan);
    (void)file;
    pthread_mutex_lock(&pg->lock);
    while (pg->busy) {
        pthread_cond_wait(&pg->changed, &pg->lock);
    }
    pg->busy = true;
    pthread_mutex_unlock(&pg->lock);
    enum adg_status status = make_table(pg, place, layout, error);
    if (status == ADG_OK && !appends(pg, place) && pg->options.connections > 1) {
        pg->staged = true;
        pg->staged_table = table->number;
    }
    return status == ADG_OK ? start_copy(pg, place, layout, error) : status;
}

static enum adg_status postgresql_take(struct adg_destination *destination, const struct adg_destination_table *table,
                                       struct adg_sink_part *part, uint64_t *bytes, struct adg_error *error)
{
    (void)table;
    *bytes = part->bytes.size;
    return adg_lanes_put(of(destination)->lanes, &part->bytes, error);
}

/* ---- making it count --------------------------------------------------------------------------------------------- */

/* The table's primary key, under the name that PostgreSQL would give it. */
static enum adg_status add_key(struct adg_buffer *sql, const struct place *place, const char *name, const char *field,
                               const char *constraint, struct adg_error *error)
{
    return adg_ddl_format(sql, error, "alter table %n.%n add constraint %n primary key (%n); ", place->schema, name,
                          constraint, field);
}

static enum adg_status add_comment(struct postgresql *pg, struct adg_buffer *sql, const struct place *place,
                                   const struct adg_destination_table *table, struct adg_error *error)
{
    const struct adg_provenance provenance = adg_provenance_of(pg->run);
    const struct adg_provenance_entry entry = {
        .table = table->name, .is_part = pg->run->sharded, .rows = adg_plan_rows(table->plan)};
    struct adg_buffer comment = {0};
    enum adg_status status = ADG_OK;
    if (appends(pg, place) && place->comment != NULL) {
        status = adg_buffer_printf(&comment, error, "%s\n", place->comment);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append_text(&comment, ADG_LOAD_COMMENT, error);
    }
    if (status == ADG_OK) {
        status = adg_provenance_line(&comment, &provenance, &entry, error);
    }
    if (status == ADG_OK) {
        comment.size--; /* its line end */
        const char *text = adg_buffer_text(&comment);
        status = text == NULL
                     ? adg_fail_memory(error)
                     : adg_ddl_format(sql, error, "comment on table %n.%n is %l; ", place->schema, place->name, text);
    }
    adg_buffer_fini(&comment);
    return status;
}

/* The statements behind the rows but the last one. */
static enum adg_status finish_sql(struct postgresql *pg, struct adg_buffer *sql, const struct place *place,
                                  const struct adg_destination_table *table, struct adg_error *error)
{
    const struct adg_dataset *dataset = NULL;
    char loading[NAME_BYTES + 1], key[NAME_BYTES + 1];
    const bool append = appends(pg, place), with_key = pg->options.primary_key && !place->keyed;
    snprintf(loading, sizeof loading, "%s_pkey", place->staging);
    snprintf(key, sizeof key, "%s_pkey", place->name);
    enum adg_status status = adg_definition_find_table(pg->run->definition, table->name, &dataset, NULL, error);
    if (status == ADG_OK && !append && pg->options.connections > 1) {
        status = adg_buffer_append_text(sql, "begin; ", error);
    }
    if (status == ADG_OK && with_key) { /* before the old table is dropped, which its readers do without from then on */
        status = add_key(sql, place, append ? place->name : place->staging, dataset->fields[dataset->primary_key].name,
                         append ? key : loading, error);
    }
    if (status == ADG_OK && !append && place->exists) {
        status = adg_ddl_format(sql, error, "drop table if exists %n.%n; ", place->schema, place->name);
    }
    if (status == ADG_OK && !append) {
        status = adg_ddl_format(sql, error, "alter table %n.%n rename to %n; ", place->schema, place->staging,
                                place->name);
    }
    if (status == ADG_OK && !append && with_key) {
        status = adg_ddl_format(sql, error, "alter table %n.%n rename constraint %n to %n; ", place->schema,
                                place->name, loading, key);
    }
    if (status == ADG_OK && (!append || place->mine)) {
        status = add_comment(pg, sql, place, table, error);
    }
    return status;
}

static enum adg_status commit(struct postgresql *pg, struct adg_error *error)
{
    enum adg_status status = adg_connection_run(pg->main, "commit", "committing", error);
    if (status != ADG_OK && adg_connection_state(pg->main)[0] == '\0') {
        status = adg_fail(
            error, ADG_FAILED,
            "the connection was lost while the table was being committed: it is there as a whole or not at "
            "all, and which of them is for you to look");
    }
    return status;
}

static enum adg_status postgresql_commit(struct adg_destination *destination, const struct adg_destination_table *table,
                                         struct adg_error *error)
{
    struct postgresql *pg = of(destination);
    const struct place *place = &pg->places[table->number];
    struct adg_buffer sql = {0};
    enum adg_status status = adg_lanes_end(pg->lanes, error);
    if (status == ADG_OK) {
        status = finish_sql(pg, &sql, place, table, error);
    }
    if (status == ADG_OK && sql.size > 0) {
        status = run(pg, &sql,
                     pg->options.primary_key ? "putting the table into place, with its primary key"
                                             : "putting the table into place",
                     error);
    }
    if (status == ADG_OK) {
        status = commit(pg, error);
    }
    adg_buffer_fini(&sql);
    if (status == ADG_OK) {
        adg_lanes_free(pg->lanes);
        pg->lanes = NULL;
        pg->staged = false;
    }
    pthread_mutex_lock(&pg->lock);
    pg->busy = false;
    pthread_cond_broadcast(&pg->changed);
    pthread_mutex_unlock(&pg->lock);
    return status;
}

static const char *postgresql_place(const struct adg_destination *destination, uint32_t table)
{
    return ((const struct postgresql *)destination)->places[table].shown;
}

/* The table that several connections have loaded, and that is not to be. */
static void drop_staged(struct postgresql *pg)
{
    const struct place *place = &pg->places[pg->staged_table];
    struct adg_buffer sql = {0};
    struct adg_error ignored;
    adg_connection_outlive_stop(pg->main);
    enum adg_status status = adg_connection_run(pg->main, "rollback", "giving up", &ignored);
    if (status == ADG_OK) {
        status = adg_ddl_format(&sql, &ignored, "set lock_timeout = '10s'; drop table if exists %n.%n", place->schema,
                                place->staging);
    }
    if (status == ADG_OK) {
        status = run(pg, &sql, "giving up", &ignored);
    }
    adg_buffer_fini(&sql); /* what could not be dropped, the next run drops */
}

static void postgresql_close(struct adg_destination *destination)
{
    struct postgresql *pg = of(destination);
    adg_lanes_free(pg->lanes);
    for (unsigned i = 0; i < pg->options.connections; i++) {
        adg_connection_free(pg->others[i]);
    }
    if (pg->staged) {
        drop_staged(pg);
    }
    adg_connection_free(pg->main);
    pthread_cond_destroy(&pg->changed);
    pthread_mutex_destroy(&pg->lock);
    adg_arena_fini(&pg->arena);
    adg_free(pg->others);
    adg_free(pg->places);
    adg_free(pg);
}

enum adg_status adg_destination_postgresql_new(const struct adg_run_options *run_options,
                                               const struct adg_load_options *options, struct adg_destination **out,
                                               struct adg_error *error)
{
    static const struct adg_destination_operations operations = {.open = postgresql_open,
                                                                 .check = postgresql_check,
                                                                 .begin = postgresql_begin,
                                                                 .take = postgresql_take,
                                                                 .commit = postgresql_commit,
                                                                 .place = postgresql_place,
                                                                 .close = postgresql_close};
    struct postgresql *pg = adg_alloc_zero(1, sizeof *pg);
    struct adg_connection **others = adg_alloc_zero(options->connections, sizeof(struct adg_connection *));
    if (pg == NULL || others == NULL) {
        adg_free(pg);
        adg_free(others);
        return adg_fail_memory(error);
    }
    *pg = (struct postgresql){.base.operations = &operations,
                              .run = run_options,
                              .options = *options,
                              .others = others,
                              .lock = PTHREAD_MUTEX_INITIALIZER,
                              .changed = PTHREAD_COND_INITIALIZER};
    *out = &pg->base;
    return ADG_OK;
}
