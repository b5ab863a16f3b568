/*
 * Converting tables in a database: see database.h.
 */
#include "migrate/database.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "load/ddl.h"
#include "migrate/catalog.h"
#include "migrate/pieces.h"

enum { NAME_BYTES = 63 }; /* that PostgreSQL keeps */

struct adg_migrate_database {
    const struct adg_target *target;
    const struct adg_migrate_options *options;
    enum adg_catalog catalog;
    struct adg_target reading;
    char spill[4096];
    struct adg_engine *out;   /* in whose transaction a table is replaced */
    struct adg_engine *in;    /* PostgreSQL: reads while `out` writes; else `out` */
    struct adg_engine *local; /* converts; DuckDB: `out` */
};

/* The table at hand. */
struct table {
    struct adg_migrate_database *database;
    const struct adg_dataset *dataset;
    struct adg_arena arena;
    const char *name, *fresh, *backup, *shown;
    struct adg_catalog_table old;
    struct adg_conversion conversion;
    const char *query; /* of the old rows; not of DuckDB */
    struct adg_digest digest;
};

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static enum adg_status open_engines(struct adg_migrate_database *database, struct adg_error *error)
{
    const struct adg_target *target = database->target;
    const bool is_duckdb = target->file != NULL;
    if (is_duckdb) {
        snprintf(database->spill, sizeof database->spill, "%s.tmp", target->file);
    } else { /* a piece is small: nothing is written */
        snprintf(database->spill, sizeof database->spill, "/nonexistent");
    }
    const struct adg_engine_options options = {
        .threads = 1, .memory_bytes = UINT64_C(512) << 20, .folder = database->spill};
    enum adg_status status = adg_engine_open_out(target, &options, &database->out, error);
    if (status != ADG_OK || is_duckdb) {
        database->in = database->local = database->out;
        return status;
    }
    status = adg_catalog_find(database->out, target->shown, &database->catalog, error);
    if (status == ADG_OK) {
        status = adg_engine_open(&options, &database->local, error);
    }
    if (status == ADG_OK && database->catalog == ADG_CATALOG_POSTGRESQL) {
        database->reading = *target;
        database->reading.dialect = adg_dialect_find("postgresql");
        status = adg_engine_open_target(&database->reading, &options, &database->in, error);
    } else if (status == ADG_OK) { /* views keep the name that they were written with */
        database->in = database->out;
        status = adg_engine_execute(database->out, "pragma legacy_alter_table = on", "configuring the connection",
                                    error);
    }
    return status;
}

enum adg_status adg_migrate_database_open(const struct adg_target *target, const struct adg_migrate_options *options,
                                          struct adg_migrate_database **out, struct adg_error *error)
{
    struct adg_migrate_database *database = adg_alloc_zero(1, sizeof *database);
    if (database == NULL) {
        return adg_fail_memory(error);
    }
    database->target = target;
    database->options = options;
    enum adg_status status = open_engines(database, error);
    if (status != ADG_OK) {
        adg_migrate_database_close(database);
        return status;
    }
    *out = database;
    return ADG_OK;
}

void adg_migrate_database_close(struct adg_migrate_database *database)
{
    if (database == NULL) {
        return;
    }
    if (database->in != database->out) {
        adg_engine_free(database->in);
    }
    if (database->local != database->out) {
        adg_engine_free(database->local);
    }
    adg_engine_free(database->out);
    adg_free(database);
}

/* ---- statements -------------------------------------------------------------------------------------------------- */

static bool is(const struct table *table, enum adg_catalog catalog)
{
    return table->database->catalog == catalog;
}

static struct adg_sql begin(struct table *table, struct adg_error *error)
{
    return (struct adg_sql){.dialect = adg_dialect_find("postgresql"), .arena = &table->arena, .error = error};
}

/* A statement of the table's transaction. */
static enum adg_status run(struct table *table, const struct adg_sql *sql, const char *text, const char *doing,
                           struct adg_error *error)
{
    return sql->status == ADG_OK ? adg_engine_execute(table->database->out, text, doing, error) : sql->status;
}

/* PostgreSQL: what was read is done with, and its locks are given up. */
static enum adg_status end_reading(struct table *table, struct adg_error *error)
{
    bool ignored = false;
    return is(table, ADG_CATALOG_POSTGRESQL) ? adg_engine_recover(table->database->in, &ignored, error) : ADG_OK;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

struct query_source {
    struct adg_row_source base;
    struct adg_engine *engine;
    const char *query;
    struct adg_engine_result *result;
};

static enum adg_status open_query(struct adg_row_source *base, struct adg_error *error)
{
    struct query_source *source = (struct query_source *)base;
    enum adg_status status = adg_engine_describe(source->engine, source->query, "reading the table", &source->result,
                                                 error);
    return status == ADG_OK ? adg_engine_schema(source->result, &base->schema, error) : status;
}

static enum adg_status next_of_query(struct adg_row_source *base, struct ArrowArray *out, struct adg_error *error)
{
    return adg_engine_next_array(((struct query_source *)base)->result, out, error);
}

static void close_query(struct adg_row_source *base)
{
    struct query_source *source = (struct query_source *)base;
    adg_engine_result_free(source->result);
    source->result = NULL;
    if (base->schema.release != NULL) {
        base->schema.release(&base->schema);
    }
}

static struct query_source source_of(struct adg_engine *engine, const char *query)
{
    return (struct query_source){
        .base = {.open = open_query, .next = next_of_query, .close = close_query}, .engine = engine, .query = query};
}

/* The converted rows, as the driver takes them. */
struct filling {
    struct adg_converted converted;
    enum adg_status status; /* of making them */
    struct adg_error error;
};

static int filling_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    return ArrowSchemaDeepCopy(&((struct filling *)stream->private_data)->converted.schema, out);
}

static int filling_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct filling *filling = stream->private_data;
    *out = (struct ArrowArray){.release = NULL};
    if (filling->status == ADG_OK) {
        filling->status = adg_converted_next(&filling->converted, out, &filling->error);
    }
    return filling->status == ADG_OK ? 0 : EIO;
}

static const char *filling_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "the rows cannot be converted";
}

static void filling_release(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

static enum adg_status fill_from_pieces(struct table *table, struct adg_error *error)
{
    struct query_source source = source_of(table->database->in, table->query);
    struct filling filling = {.status = ADG_OK};
    struct ArrowArrayStream stream = {.get_schema = filling_schema,
                                      .get_next = filling_next,
                                      .get_last_error = filling_error,
                                      .release = filling_release,
                                      .private_data = &filling};
    enum adg_status status = adg_converted_begin(&filling.converted, &table->conversion, &source.base, error);
    if (status == ADG_OK) {
        status = adg_engine_ingest(table->database->out, table->fresh, ADG_INGEST_APPEND, &stream, "filling the table",
                                   error);
    }
    if (filling.status != ADG_OK) { /* in better words than the driver's */
        *error = filling.error;
        status = filling.status;
    }
    adg_converted_end(&filling.converted);
    return status;
}

/* ---- the steps: finding, checking -------------------------------------------------------------------------------- */

static enum adg_status set_names(struct table *table, const char *name, struct adg_error *error)
{
    struct adg_sql sql = begin(table, error);
    table->name = ADG_SQL(&sql, "artificial_$1", name);
    table->fresh = ADG_SQL(&sql, "$1_new", table->name);
    table->backup = ADG_SQL(&sql, "$1" ADG_MIGRATE_TABLE_BACKUP, table->name);
    if (sql.status == ADG_OK && strlen(table->backup) + strlen("_pkey") > NAME_BYTES) {
        return adg_fail(error, ADG_BAD_INPUT, "the name %s is too long for a backup beside it", table->name);
    }
    return sql.status;
}

/* PostgreSQL: what is written in this transaction means the same on every server. */
static enum adg_status settle(struct table *table, struct adg_error *error)
{
    static const char *const settings[] = {"set local client_encoding to 'UTF8'",
                                           "set local standard_conforming_strings to on",
                                           "set local timezone to 'UTC'"};
    enum adg_status status = ADG_OK;
    for (size_t i = 0;
         is(table, ADG_CATALOG_POSTGRESQL) && i < sizeof settings / sizeof settings[0] && status == ADG_OK; i++) {
        status = adg_engine_execute(table->database->out, settings[i], "configuring the connection", error);
    }
    return status;
}

/* What is there, and what is to be read of it. */
static enum adg_status look(struct table *table, struct adg_error *error)
{
    struct adg_migrate_database *database = table->database;
    struct adg_catalog_table *old = &table->old;
    struct adg_sql sql = begin(table, error);
    enum adg_status status = adg_catalog_look(database->out, database->catalog, table->name, table->fresh,
                                              table->backup, &table->arena, old, error);
    if (status != ADG_OK) {
        return status;
    }
    if (old->schema == NULL) {
        return adg_fail(error, ADG_FAILED,
                        "the database has no schema for tables: its search_path names none that is there");
    }
    table->shown = is(table, ADG_CATALOG_POSTGRESQL) ? ADG_SQL(&sql, "$1.$2", old->schema, table->name) : table->name;
    if (old->exists && !old->is_table) {
        return adg_fail(error, ADG_FAILED, "%s is there, and is no plain table", table->shown);
    }
    table->conversion = (struct adg_conversion){.dataset = table->dataset,
                                                .engine = database->local,
                                                .arena = &table->arena,
                                                .file = table->shown,
                                                .unordered = true,
                                                .warn = database->options->warn,
                                                .context = database->options->context};
    if (is(table, ADG_CATALOG_DUCKDB)) {
        table->conversion.relation = adg_sql_name(&sql, table->name);
    } else if (old->exists && sql.status == ADG_OK) {
        status = adg_catalog_columns(database->out, database->catalog, table->name, &table->arena, old, error);
        status = status == ADG_OK ? adg_catalog_query(database->catalog, old, table->name, table->dataset, &sql,
                                                      &table->query, &table->conversion.relation)
                                  : status;
    }
    return status == ADG_OK ? sql.status : status;
}

static enum adg_status describe(struct table *table, struct adg_error *error)
{
    if (is(table, ADG_CATALOG_DUCKDB)) {
        return adg_conversion_describe(&table->conversion, error);
    }
    struct query_source source = source_of(table->database->in, table->query);
    enum adg_status status = adg_pieces_describe(&table->conversion, &source.base, error);
    return status == ADG_OK ? adg_catalog_is_current(&table->old, table->dataset, &table->conversion.current, error)
                            : status;
}

/* PostgreSQL: nobody writes to the table from here on, no other run of adg is at it, and the rows that are read are those of now. */
static enum adg_status hold(struct table *table, struct adg_error *error)
{
    struct adg_sql sql = begin(table, error);
    struct adg_engine_result *result = NULL;
    bool has_row = false;
    if (!is(table, ADG_CATALOG_POSTGRESQL)) {
        return ADG_OK;
    }
    if (!table->old.mine) { /* who could not even lock it */
        return adg_fail(error, ADG_FAILED, "%s belongs to another user, who has to convert it", table->shown);
    }
    const char *text = ADG_SQL(&sql, "select cast(pg_try_advisory_xact_lock(" ADG_LOAD_LOCK_KEY("$1") ") as integer)",
                               adg_sql_quote(&sql, table->name));
    enum adg_status status = sql.status == ADG_OK ? adg_engine_query(table->database->out, text,
                                                                     "taking the table's lock", &result, error)
                                                  : sql.status;
    status = status == ADG_OK ? adg_engine_next(result, &has_row, error) : status;
    if (status == ADG_OK && (!has_row || adg_engine_int(result, 0) == 0)) {
        status = adg_fail(error, ADG_FAILED, "another adg run is writing to %s", table->shown);
    }
    adg_engine_result_free(result);
    text = ADG_SQL(&sql, "lock table $1 in share mode", adg_sql_name(&sql, table->name));
    status = status == ADG_OK ? run(table, &sql, text, "taking the table's lock", error) : status;
    return status == ADG_OK ? end_reading(table, error) : status;
}

/* Every value fits; adds the old rows up. */
static enum adg_status check(struct table *table, struct adg_error *error)
{
    struct adg_conversion *conversion = &table->conversion;
    const char *list = NULL;
    if (!is(table, ADG_CATALOG_DUCKDB)) {
        struct query_source source = source_of(table->database->in, table->query);
        return adg_pieces_check(conversion, &source.base, &table->digest, error);
    }
    enum adg_status status = adg_conversion_check(conversion, error);
    status = status == ADG_OK ? adg_conversion_columns(conversion, &list, error) : status;
    return status == ADG_OK ? adg_conversion_add(conversion, list, conversion->relation, &table->digest, error)
                            : status;
}

static enum adg_status check_ways(struct table *table, struct adg_error *error)
{
    const struct adg_catalog_table *old = &table->old;
    if (!old->creates) {
        return adg_fail(error, ADG_FAILED, "the user has no right to create tables in the schema %s", old->schema);
    }
    if (old->rests) {
        return adg_fail(error, ADG_FAILED, "something else in the database, such as a view, rests on %s", table->shown);
    }
    if (old->fresh_taken || (old->backup_taken && table->database->options->keep_backup)) {
        return adg_fail(error, ADG_FAILED, "%s is in the way: give it another name",
                        old->fresh_taken ? table->fresh : table->backup);
    }
    return ADG_OK;
}

/* ---- the steps: the new table ------------------------------------------------------------------------------------ */

/* The old table's primary key is that of the definition, alone. */
static bool has_key(const struct table *table)
{
    const char *source = table->conversion.sources[table->dataset->primary_key];
    return table->old.key != NULL && source != NULL && strcmp(table->old.key, source) == 0;
}

static enum adg_status create(struct table *table, struct adg_error *error)
{
    const struct adg_dataset *dataset = table->dataset;
    struct adg_sql sql = begin(table, error);
    struct adg_buffer type = {0};
    const char *columns = "";
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < dataset->field_count && status == ADG_OK; i++) {
        type.size = 0;
        status = adg_ddl_type(&type, &dataset->fields[i], error);
        const char *text = status == ADG_OK ? adg_buffer_text(&type) : NULL;
        status = status == ADG_OK && text == NULL ? adg_fail_memory(error) : status;
        if (status == ADG_OK) {
            columns = ADG_SQL(&sql, i > 0 ? "$1, $2 $3" : "$2 $3", columns, adg_sql_name(&sql, dataset->fields[i].name),
                              text);
        }
    }
    adg_buffer_fini(&type);
    if (has_key(table) && !is(table, ADG_CATALOG_POSTGRESQL)) { /* there it is added when the rows are */
        columns = ADG_SQL(&sql, "$1, primary key ($2)", columns,
                          adg_sql_name(&sql, dataset->fields[dataset->primary_key].name));
    }
    const char *text = ADG_SQL(&sql, "create table $1 ($2)", adg_sql_name(&sql, table->fresh), columns);
    return status == ADG_OK ? run(table, &sql, text, "creating the table", error) : status;
}

static enum adg_status fill(struct table *table, struct adg_error *error)
{
    struct adg_sql sql = begin(table, error);
    const char *list = NULL;
    if (!is(table, ADG_CATALOG_DUCKDB)) {
        return fill_from_pieces(table, error);
    }
    enum adg_status status = adg_conversion_columns(&table->conversion, &list, error);
    const char *text = ADG_SQL(&sql, "insert into $1 select $2 from $3", adg_sql_name(&sql, table->fresh),
                               status == ADG_OK ? list : "", table->conversion.relation);
    return status == ADG_OK ? run(table, &sql, text, "filling the table", error) : status;
}

/* The new rows added up, read again from the database. */
static enum adg_status add_up(struct table *table, struct adg_digest *digest, struct adg_error *error)
{
    struct adg_migrate_database *database = table->database;
    struct adg_conversion again = table->conversion;
    struct adg_catalog_table fresh = {.column_count = 0};
    struct adg_sql sql = begin(table, error);
    const char *query = NULL;
    if (is(table, ADG_CATALOG_DUCKDB)) {
        const char *relation = adg_sql_name(&sql, table->fresh);
        return sql.status == ADG_OK ? adg_conversion_add(&table->conversion, "*", relation, digest, error) : sql.status;
    }
    again.columns = NULL;
    enum adg_status status = adg_catalog_columns(database->out, database->catalog, table->fresh, &table->arena, &fresh,
                                                 error);
    status = status == ADG_OK ? adg_catalog_query(database->catalog, &fresh, table->fresh, table->dataset, &sql, &query,
                                                  &again.relation)
                              : status;
    struct query_source source = source_of(database->out, query);
    status = status == ADG_OK ? adg_pieces_describe(&again, &source.base, error) : status;
    return status == ADG_OK ? adg_pieces_digest(&again, &source.base, digest, error) : status;
}

static enum adg_status verify(struct table *table, struct adg_error *error)
{
    struct adg_digest fresh = {0};
    enum adg_status status = add_up(table, &fresh, error);
    return status == ADG_OK ? adg_conversion_compare(&table->digest, &fresh, table->shown, error)
                            : adg_context(error, ADG_FAILED, "%s", table->shown);
}

/* ---- the steps: into place --------------------------------------------------------------------------------------- */

/* What a table of PostgreSQL has beside rows. */
static enum adg_status dress(struct table *table, struct adg_error *error)
{
    const struct adg_catalog_table *old = &table->old;
    const char **grants = NULL, *doing = "giving the table its owner and privileges", *text;
    struct adg_sql sql = begin(table, error);
    uint32_t count = 0;
    enum adg_status status = adg_catalog_grants(table->database->out, table->name, table->fresh, &table->arena, &grants,
                                                &count, error);
    if (status == ADG_OK && has_key(table)) {
        text = ADG_SQL(&sql, "alter table $1 add constraint $2 primary key ($3)", adg_sql_name(&sql, table->fresh),
                       adg_sql_name(&sql, ADG_SQL(&sql, "$1_pkey", table->fresh)),
                       adg_sql_name(&sql, table->dataset->fields[table->dataset->primary_key].name));
        status = run(table, &sql, text, "declaring the primary key", error);
    }
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = adg_engine_execute(table->database->out, grants[i], doing, error);
    }
    if (status == ADG_OK && old->owner != NULL) { /* takes the privileges along */
        text = ADG_SQL(&sql, "alter table $1 owner to $2", adg_sql_name(&sql, table->fresh),
                       adg_sql_name(&sql, old->owner));
        status = run(table, &sql, text, doing, error);
    }
    return status;
}

/* PostgreSQL: keys have names of their own, which no two have at once. */
static enum adg_status rename_keys(struct table *table, struct adg_error *error)
{
    struct adg_sql sql = begin(table, error);
    const char *rename = "alter table $1 rename constraint $2 to $3", *doing = "putting the table into place";
    enum adg_status status = ADG_OK;
    if (table->database->options->keep_backup) {
        const char *text = ADG_SQL(&sql, rename, adg_sql_name(&sql, table->backup),
                                   adg_sql_name(&sql, table->old.key_name),
                                   adg_sql_name(&sql, ADG_SQL(&sql, "$1_pkey", table->backup)));
        status = run(table, &sql, text, doing, error);
    }
    const char *text = ADG_SQL(&sql, rename, adg_sql_name(&sql, table->name),
                               adg_sql_name(&sql, ADG_SQL(&sql, "$1_pkey", table->fresh)),
                               adg_sql_name(&sql, table->old.key_name));
    return status == ADG_OK ? run(table, &sql, text, doing, error) : status;
}

static enum adg_status replace(struct table *table, struct adg_error *error)
{
    static const char doing[] = "putting the table into place";
    struct adg_sql sql = begin(table, error);
    const char *name = adg_sql_name(&sql, table->name), *fresh = adg_sql_name(&sql, table->fresh), *text;
    const bool postgresql = is(table, ADG_CATALOG_POSTGRESQL);
    enum adg_status status = postgresql ? dress(table, error) : ADG_OK;
    if (status == ADG_OK && table->old.comment != NULL) {
        text = ADG_SQL(&sql, "comment on table $1 is $2", fresh, adg_sql_quote(&sql, table->old.comment));
        status = run(table, &sql, text, doing, error);
    }
    status = status == ADG_OK ? end_reading(table, error) : status;
    if (status == ADG_OK) {
        text = table->database->options->keep_backup
                   ? ADG_SQL(&sql, "alter table $1 rename to $2", name, adg_sql_name(&sql, table->backup))
                   : ADG_SQL(&sql, "drop table $1", name);
        status = run(table, &sql, text, doing, error);
    }
    if (status == ADG_OK) {
        text = ADG_SQL(&sql, "alter table $1 rename to $2", fresh, name);
        status = run(table, &sql, text, doing, error);
    }
    if (status == ADG_OK && postgresql && has_key(table)) {
        status = rename_keys(table, error);
    }
    return status == ADG_OK ? adg_engine_commit(table->database->out, error) : status;
}

static enum adg_status convert(struct table *table, enum adg_migration *out, struct adg_error *error)
{
    enum adg_status status = settle(table, error);
    status = status == ADG_OK ? look(table, error) : status;
    if (status != ADG_OK || !table->old.exists) {
        *out = ADG_MIGRATION_NONE;
        return status;
    }
    status = describe(table, error);
    if (status != ADG_OK || table->conversion.current) {
        *out = ADG_MIGRATION_CURRENT;
        return status;
    }
    static enum adg_status (*const steps[])(struct table * table, struct adg_error * error) = {
        hold, check, check_ways, create, fill, verify, replace};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == ADG_OK; i++) {
        status = steps[i](table, error);
    }
    *out = ADG_MIGRATION_DONE;
    return status;
}

enum adg_status adg_migrate_database_table(struct adg_migrate_database *database, const struct adg_dataset *dataset,
                                           const char *name, enum adg_migration *out, struct adg_error *error)
{
    struct table table = {.database = database, .dataset = dataset};
    enum adg_migration done = ADG_MIGRATION_NONE;
    struct adg_error ignored;
    enum adg_status status = set_names(&table, name, error);
    status = status == ADG_OK ? convert(&table, &done, error) : status;
    if (status != ADG_OK && table.shown != NULL && strstr(error->message, table.shown) == NULL) {
        adg_context(error, status, "%s", table.shown);
    }
    if (status != ADG_OK || done != ADG_MIGRATION_DONE) { /* what was not committed, and locks */
        enum adg_status ended = end_reading(&table, status == ADG_OK ? error : &ignored);
        enum adg_status back = adg_engine_rollback(database->out,
                                                   status == ADG_OK && ended == ADG_OK ? error : &ignored);
        status = status != ADG_OK ? status : ended != ADG_OK ? ended : back;
    }
    if (status == ADG_OK) {
        *out = done;
    }
    adg_arena_fini(&table.arena);
    return status;
}
