/*
 * Reading a table and proposing its definition: see classify.h. First pass: every column's profile. Second pass, where it can tell anything: columns
 * together (relations.h).
 */
#include "classify/classify.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "classify/propose.h"
#include "classify/write.h"
#include "core/date.h"
#include "core/memory.h"
#include "core/stop.h"
#include "dataset/dataset.h"
#include "engine/engine.h"
#include "engine/spill.h"
#include "scrape/source.h"

enum { REPORT_EVERY_ROWS = 16384, NAME_BYTES = 100 };

struct run {
    const struct adg_classify_options *options;
    struct adg_arena arena;
    struct adg_source_files files;
    struct adg_engine *engine;
    char *spill;
    char dataset[NAME_BYTES + 1], table[NAME_BYTES + 1];
    struct adg_table_profile profile;
    struct adg_proposal proposal;
    struct adg_relations relations;
    bool all_rows;
};

/* ---- names ------------------------------------------------------------------------------------------------------- */

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool adg_classify_is_name(const char *name)
{
    size_t length = 0;
    while (length <= NAME_BYTES && is_name_character(name[length])) {
        length++;
    }
    return length > 0 && length <= NAME_BYTES && name[length] == '\0';
}

/* The file's name without its ending; what no name may hold becomes an underscore. */
static void name_of_file(const char *path, char out[NAME_BYTES + 1])
{
    static const char *const endings[] = {".csv.gz", ".csv", ".parquet"};
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') {
        length--;
    }
    size_t from = length;
    while (from > 0 && path[from - 1] != '/') {
        from--;
    }
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t tail = strlen(endings[i]);
        if (length - from > tail && strncasecmp(path + length - tail, endings[i], tail) == 0) {
            length -= tail;
            break;
        }
    }
    size_t size = 0;
    for (size_t i = from; i < length && size < NAME_BYTES; i++) {
        out[size++] = is_name_character(path[i]) ? path[i] : '_';
    }
    out[size] = '\0';
    if (size == 0 || strspn(out, "_") == size) {
        snprintf(out, NAME_BYTES + 1, "table");
    }
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static enum adg_status open_source(struct run *run, struct adg_source **out, struct adg_error *error)
{
    const struct adg_classify_options *options = run->options;
    if (options->target != NULL) { /* one row more tells whether there are more */
        uint64_t most = options->rows > 0 && options->rows < INT64_MAX ? options->rows + 1 : INT64_MAX;
        return adg_source_open_table(options->path, most, run->engine, out, error);
    }
    return adg_source_open(&run->files, run->engine, out, error);
}

/* Reads columns of all rows, or of as many as were asked for, batch by batch. */
static enum adg_status read_rows(struct run *run, struct adg_source *source, const char *stage,
                                 enum adg_status (*take)(struct run *run, struct adg_source *source, uint64_t first,
                                                         uint32_t rows, struct adg_error *error),
                                 struct adg_error *error)
{
    const struct adg_classify_options *options = run->options;
    uint64_t done = 0, most = options->rows > 0 ? options->rows : UINT64_MAX;
    uint32_t rows = 1;
    enum adg_status status = ADG_OK;
    run->all_rows = true;
    while (status == ADG_OK && rows > 0) {
        status = adg_stop_check(error);
        if (status == ADG_OK) {
            status = adg_source_next(source, &rows, error);
        }
        if (status == ADG_OK && done + rows > most) {
            rows = (uint32_t)(most - done);
            run->all_rows = false;
        }
        if (status == ADG_OK && rows > 0) {
            status = take(run, source, done, rows, error);
        }
        if ((done + rows) / REPORT_EVERY_ROWS > done / REPORT_EVERY_ROWS && options->report != NULL) {
            options->report(options->context, stage, run->table, done + rows, 0);
        }
        done += rows;
    }
    run->profile.rows = done;
    return status;
}

/* The text that a value has as a category, whatever it is stored as; false: it has none. */
static bool text_of(const struct adg_source_cells *cells, uint32_t row, struct adg_value *value)
{
    static const struct adg_field text = {.type = ADG_TYPE_STRING};
    const struct adg_source_value cell = adg_source_cell(cells, row);
    adg_value_read(&cell, &text, value);
    return !value->null;
}

static enum adg_status profile_rows(struct run *run, struct adg_source *source, uint64_t first, uint32_t rows,
                                    struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t c = 0; c < run->profile.column_count && status == ADG_OK; c++) {
        struct adg_column_profile *column = &run->profile.columns[c];
        struct adg_source_cells cells;
        adg_source_read(source, c, &cells);
        column->kind = cells.kind;
        for (uint32_t r = 0; r < rows && cells.filled > 0 && status == ADG_OK; r++) {
            struct adg_value value;
            if (text_of(&cells, r, &value)) {
                status = adg_profile_add(column, first + r, value.text, error);
                adg_joins_add(&run->profile.joins, c, r, value.text);
            }
        }
    }
    adg_joins_end_batch(&run->profile.joins, first, rows);
    return status;
}

static enum adg_status first_pass(struct run *run, struct adg_source *source, struct adg_error *error)
{
    uint32_t count = adg_source_column_count(source);
    const char **names = adg_arena_array(&run->arena, count, sizeof *names);
    uint32_t *selected = adg_arena_array(&run->arena, count, sizeof *selected);
    if (names == NULL || selected == NULL) {
        return adg_fail_memory(error);
    }
    for (uint32_t c = 0; c < count; c++) {
        selected[c] = c;
        names[c] = adg_arena_strdup(&run->arena, adg_source_column(source, c));
        if (names[c] == NULL) {
            return adg_fail_memory(error);
        }
    }
    enum adg_status status = adg_table_profile_init(&run->profile, names, count, ADG_SOURCE_ROWS, error);
    if (status == ADG_OK) {
        status = adg_source_select(source, selected, count, error);
    }
    if (status == ADG_OK) {
        status = read_rows(run, source, "counting", profile_rows, error);
    }
    for (uint32_t c = 0; c < run->profile.column_count; c++) {
        run->profile.typed = run->profile.typed || run->profile.columns[c].kind != ADG_SOURCE_TEXT;
    }
    if (status == ADG_OK && run->profile.rows == 0) {
        status = adg_fail(error, ADG_BAD_INPUT, "%s: expected rows, found a header alone", adg_source_name(source));
    }
    return status;
}

/* ---- the header -------------------------------------------------------------------------------------------------- */

/* A first line of values would put them into the draft, as names. Numbers, dates and personal data are no names of columns; and a line whose words occur as
 * values of their columns is none of names. */
static enum adg_status check_header(const struct run *run, const char *name, struct adg_error *error)
{
    uint32_t values = 0;
    bool number = false, often = false;
    enum { OFTEN = 200 }; /* one value in so many: more than the first lines of files that were put together */
    for (uint32_t c = 0; c < run->profile.column_count; c++) {
        const struct adg_column_profile *column = &run->profile.columns[c];
        struct adg_span text = {(const uint8_t *)column->name, strlen(column->name)};
        int32_t day;
        double parsed;
        number = number || text.size == 0 || adg_double_parse(column->name, text.size, &parsed) ||
                 adg_date_parse(column->name, text.size < 10 ? text.size : 10, &day) ||
                 (adg_personal_value(text) != ADG_PERSONAL_NONE && adg_personal_value(text) != ADG_PERSONAL_PROSE);
        int64_t slot = adg_sketch_find(&column->sketch, adg_profile_hash(text));
        values += slot >= 0;
        often = often || (slot >= 0 && column->sketch.entries[slot].count * OFTEN >= column->filled);
    }
    if (run->profile.column_count == 1 && strpbrk(run->profile.columns[0].name, ";\t|") != NULL) {
        return adg_fail(error, ADG_BAD_INPUT,
                        "%s: expected columns between commas, found a single one: has it another delimiter?", name);
    }
    if (number || often || 3 * values > run->profile.column_count) {
        return adg_fail(
            error, ADG_BAD_INPUT,
            "%s: expected a first line with the names of the columns, found one that looks like values%s", name,
            number ? " (numbers, dates, codes of places, or nothing)" : ", which occur again in their columns");
    }
    return ADG_OK;
}

/* ---- the second pass --------------------------------------------------------------------------------------------- */

/* The rows of a batch, column by column as they are read, for going through them row by row. */
struct batch {
    uint64_t patients[ADG_SOURCE_ROWS];
    uint64_t *tracked; /* [row][tracked_count] */
    int64_t *dates, *wholes;
};

static void read_numbers(struct adg_source *source, uint32_t first_column, uint32_t columns, enum adg_type type,
                         uint32_t rows, int64_t *out)
{
    const struct adg_field field = {.type = type};
    for (uint32_t i = 0; i < columns; i++) {
        struct adg_source_cells cells;
        adg_source_read(source, first_column + i, &cells);
        for (uint32_t r = 0; r < rows; r++) {
            const struct adg_source_value cell = adg_source_cell(&cells, r);
            struct adg_value value;
            adg_value_read(&cell, &field, &value);
            out[(size_t)r * columns + i] = value.null ? ADG_RELATIONS_NONE : value.integer;
        }
    }
}

static void read_hashes(struct adg_source *source, uint32_t first_column, uint32_t columns, uint32_t rows,
                        uint64_t *out)
{
    for (uint32_t i = 0; i < columns; i++) {
        struct adg_source_cells cells;
        adg_source_read(source, first_column + i, &cells);
        for (uint32_t r = 0; r < rows; r++) {
            struct adg_value value;
            out[(size_t)r * columns + i] = text_of(&cells, r, &value) ? adg_profile_hash(value.text) : 0;
        }
    }
}

static enum adg_status relate_rows(struct run *run, struct adg_source *source, uint64_t first, uint32_t rows,
                                   struct adg_error *error)
{
    (void)first;
    struct adg_relations *relations = &run->relations;
    uint32_t tracked = relations->tracked_count, dates = relations->date_count, wholes = relations->whole_count,
             keys = relations->patients != NULL;
    struct batch *batch = adg_alloc_zero(1, sizeof *batch);
    if (batch == NULL) {
        return adg_fail_memory(error);
    }
    batch->tracked = adg_alloc_array((size_t)rows * tracked, sizeof *batch->tracked);
    batch->dates = adg_alloc_array((size_t)rows * dates, sizeof *batch->dates);
    batch->wholes = adg_alloc_array((size_t)rows * wholes, sizeof *batch->wholes);
    enum adg_status status = batch->tracked == NULL || batch->dates == NULL || batch->wholes == NULL
                                 ? adg_fail_memory(error)
                                 : ADG_OK;
    if (status == ADG_OK) {
        read_hashes(source, 0, keys, rows, batch->patients);
        read_hashes(source, keys, tracked, rows, batch->tracked);
        read_numbers(source, keys + tracked, dates, ADG_TYPE_DATE, rows, batch->dates);
        read_numbers(source, keys + tracked + dates, wholes, ADG_TYPE_INT64, rows, batch->wholes);
        for (uint32_t r = 0; r < rows; r++) {
            adg_relations_add(relations, batch->patients[r], batch->tracked + (size_t)r * tracked,
                              batch->dates + (size_t)r * dates, batch->wholes + (size_t)r * wholes);
        }
    }
    adg_free(batch->tracked);
    adg_free(batch->dates);
    adg_free(batch->wholes);
    adg_free(batch);
    return status;
}

static enum adg_status second_pass(struct run *run, struct adg_error *error)
{
    struct adg_relations *relations = &run->relations;
    enum adg_status status = adg_propose_relations(&run->proposal, relations, error);
    if (status != ADG_OK ||
        ((relations->patients == NULL || relations->tracked_count == 0) && relations->date_count < 2)) {
        return status;
    }
    struct adg_source *source = NULL;
    uint32_t count = 0;
    uint32_t *selected = adg_arena_array(&run->arena, 1 + 2 * (size_t)run->profile.column_count, sizeof *selected);
    status = selected == NULL ? adg_fail_memory(error) : adg_relations_begin(relations, error);
    if (status == ADG_OK) {
        status = open_source(run, &source, error);
    }
    if (status == ADG_OK) {
        if (relations->patients != NULL) {
            selected[count++] = (uint32_t)run->proposal.patient_key;
        }
        memcpy(selected + count, relations->tracked, relations->tracked_count * sizeof *selected);
        count += relations->tracked_count;
        memcpy(selected + count, relations->dates, relations->date_count * sizeof *selected);
        count += relations->date_count;
        memcpy(selected + count, relations->wholes, relations->whole_count * sizeof *selected);
        count += relations->whole_count;
        status = adg_source_select(source, selected, count, error);
    }
    if (status == ADG_OK) {
        status = read_rows(run, source, "relating", relate_rows, error);
    }
    if (status == ADG_OK) {
        adg_relations_end(relations);
    }
    adg_source_free(source);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static enum adg_status prepare(struct run *run, struct adg_error *error)
{
    const struct adg_classify_options *options = run->options;
    bool found = false;
    name_of_file(options->path, run->table);
    if (options->table != NULL) {
        snprintf(run->table, sizeof run->table, "%s", options->table);
    }
    snprintf(run->dataset, sizeof run->dataset, "%s", options->dataset != NULL ? options->dataset : run->table);
    const char *database[2];
    uint32_t database_files = 0;
    bool is_target = options->target != NULL;
    enum adg_status status = is_target
                                 ? adg_target_files(options->target, &run->arena, database, &database_files, error)
                                 : adg_source_find("", "", options->path, &run->arena, &run->files, &found, error);
    bool needs_engine = is_target || run->files.format == ADG_SOURCE_PARQUET;
    if (status == ADG_OK && needs_engine) {
        status = adg_spill_create(options->beside, &run->spill, error);
    }
    if (status == ADG_OK && options->confine != NULL) {
        const struct adg_classify_places places = {is_target ? database : run->files.paths,
                                                   is_target ? database_files : run->files.count, run->spill,
                                                   options->target};
        status = options->confine(options->context, &places, error);
    }
    if (status == ADG_OK && needs_engine) {
        const struct adg_engine_options engine = {.threads = 1,
                                                  .memory_bytes = UINT64_C(512) << 20,
                                                  .folder = run->spill,
                                                  .readable = run->files.paths,
                                                  .readable_count = run->files.count};
        status = is_target ? adg_engine_open_target(options->target, &engine, &run->engine, error)
                           : adg_engine_open(&engine, &run->engine, error);
    }
    return status;
}

static enum adg_status propose(struct run *run, struct adg_error *error)
{
    struct adg_source *source = NULL;
    enum adg_status status = open_source(run, &source, error);
    if (status == ADG_OK) {
        status = first_pass(run, source, error);
    }
    if (status == ADG_OK && run->options->target == NULL && run->files.format == ADG_SOURCE_CSV) {
        status = check_header(run, adg_source_name(source), error);
    }
    adg_source_free(source);
    if (status == ADG_OK) {
        status = adg_propose_keys(&run->profile, &run->proposal, error);
        adg_context(error, status, "%s", run->options->path);
    }
    if (status == ADG_OK) {
        status = second_pass(run, error);
    }
    return status == ADG_OK ? adg_propose_fields(&run->proposal, &run->relations, error) : status;
}

/* What a draft is for is to be read: one that is not is a fault of ours, and found here. */
static enum adg_status check_draft(const struct adg_buffer *text, struct adg_error *error)
{
    struct adg_definition *definition = NULL;
    enum adg_status status = adg_definition_parse("the draft", (const char *)text->data, text->size, &definition,
                                                  error);
    adg_definition_free(definition);
    return status;
}

enum adg_status adg_classify(const struct adg_classify_options *options, struct adg_classify_result *out,
                             struct adg_error *error)
{
    struct run run = {.options = options};
    struct adg_classify_result result = {0};
    enum adg_status status = prepare(&run, error);
    if (status == ADG_OK) {
        status = propose(&run, error);
    }
    if (status == ADG_OK) {
        status = adg_proposal_write(&run.proposal, run.dataset, run.table, run.all_rows, &result.text, error);
    }
    if (status == ADG_OK) {
        status = check_draft(&result.text, error);
    }
    if (status == ADG_OK) {
        result.fields = run.profile.column_count;
        result.has_patients = run.proposal.patient_key >= 0;
        for (uint32_t c = 0; c < run.profile.column_count; c++) {
            result.decisions += run.proposal.fields[c].decision != NULL;
        }
    }
    adg_relations_fini(&run.relations);
    adg_proposal_fini(&run.proposal);
    adg_table_profile_fini(&run.profile);
    adg_engine_free(run.engine);
    status = adg_spill_remove(run.spill, status, error);
    adg_arena_fini(&run.arena);
    if (status == ADG_OK) {
        *out = result;
    } else {
        adg_classify_result_fini(&result);
    }
    return status;
}

void adg_classify_result_fini(struct adg_classify_result *result)
{
    adg_buffer_fini(&result->text);
}
