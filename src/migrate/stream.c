/*
 * Arrow streams: see stream.h. nanoarrow reads them; assemble.c writes them.
 */
#include "migrate/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <nanoarrow/nanoarrow_ipc.h>
#include <stdio.h>
#include <unistd.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/stop.h"
#include "migrate/assemble.h"
#include "migrate/messages.h"
#include "migrate/pieces.h"

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct stream_source {
    struct adg_row_source base;
    const char *path;
    struct ArrowArrayStream stream;
    struct ArrowSchema stored; /* base.schema has no dictionaries */
    struct adg_entries *
        *entries; /* [columns] where only the texts of dictionaries are wanted, of those that are not NULL */
};

/* nanoarrow's words are of lengths and types, not of values. */
static enum adg_status refuse(struct stream_source *source, int code, struct adg_error *error)
{
    const char *why = source->stream.release != NULL ? source->stream.get_last_error(&source->stream) : NULL;
    if (code == ENOMEM) {
        return adg_fail_memory(error);
    }
    return adg_fail(error, code == EIO ? ADG_FAILED : ADG_BAD_INPUT, "%s: it cannot be read as an Arrow stream: %s",
                    source->path, why != NULL && why[0] != '\0' ? why : "it is none");
}

/* The engine (DuckDB 1.5.6) writes behind its memory when a batch of more than 2,048 rows has a dictionary and nulls: it gets texts. */
static enum adg_status plain_schema(struct stream_source *source, struct adg_error *error)
{
    if (ArrowSchemaDeepCopy(&source->stored, &source->base.schema) != NANOARROW_OK) {
        return adg_fail_memory(error);
    }
    for (int64_t i = 0; i < source->stored.n_children; i++) {
        struct ArrowSchema *column = source->base.schema.children[i], text;
        if (column->dictionary == NULL) {
            continue;
        }
        const char *format = column->dictionary->format;
        if (strcmp(format, "u") != 0 && strcmp(format, "U") != 0) {
            return adg_fail(error, ADG_BAD_INPUT, "%s: column %s: a dictionary of anything but texts is not read",
                            source->path, column->name != NULL ? column->name : "");
        }
        ArrowSchemaInit(&text);
        if (ArrowSchemaSetType(&text, NANOARROW_TYPE_STRING) != NANOARROW_OK ||
            ArrowSchemaSetName(&text, column->name) != NANOARROW_OK) {
            ArrowSchemaRelease(&text);
            return adg_fail_memory(error);
        }
        ArrowSchemaRelease(column);
        ArrowSchemaMove(&text, column);
    }
    return ADG_OK;
}

static int append(struct ArrowArray *texts, const struct ArrowArrayView *view, int64_t row)
{
    if (ArrowArrayViewIsNull(view, row)) {
        return ArrowArrayAppendNull(texts, 1);
    }
    const int64_t entry = ArrowArrayViewGetIntUnsafe(view, row);
    if (entry < 0 || entry >= view->dictionary->length) {
        return EINVAL;
    }
    return ArrowArrayViewIsNull(view->dictionary, entry)
               ? ArrowArrayAppendNull(texts, 1)
               : ArrowArrayAppendString(texts, ArrowArrayViewGetStringUnsafe(view->dictionary, entry));
}

/* A column of codes becomes one of texts. */
static int decode(struct ArrowArray *column, const struct ArrowSchema *stored)
{
    struct ArrowArrayView view;
    struct ArrowArray texts = {.release = NULL};
    int code = ArrowArrayViewInitFromSchema(&view, stored, NULL);
    code = code == NANOARROW_OK ? ArrowArrayViewSetArray(&view, column, NULL) : code;
    code = code == NANOARROW_OK ? ArrowArrayInitFromType(&texts, NANOARROW_TYPE_STRING) : code;
    code = code == NANOARROW_OK ? ArrowArrayStartAppending(&texts) : code;
    code = code == NANOARROW_OK ? ArrowArrayReserve(&texts, column->length) : code;
    for (int64_t i = 0; i < column->length && code == NANOARROW_OK; i++) {
        code = append(&texts, &view, i);
    }
    code = code == NANOARROW_OK ? ArrowArrayFinishBuildingDefault(&texts, NULL) : code;
    ArrowArrayViewReset(&view);
    if (code == NANOARROW_OK) {
        ArrowArrayRelease(column);
        ArrowArrayMove(&texts, column);
    } else if (texts.release != NULL) {
        ArrowArrayRelease(&texts);
    }
    return code;
}

/* The dictionary's texts that the column's rows have. */
static enum adg_status collect(const struct ArrowArray *column, const struct ArrowSchema *stored,
                               struct adg_entries *entries, struct adg_error *error)
{
    struct ArrowArrayView view;
    enum adg_status status = ADG_OK;
    const bool good = ArrowArrayViewInitFromSchema(&view, stored, NULL) == NANOARROW_OK &&
                      ArrowArrayViewSetArray(&view, column, NULL) == NANOARROW_OK;
    const int64_t count = good ? view.dictionary->length : 0;
    bool *used = adg_alloc_zero((size_t)count + 1, sizeof *used);
    if (!good || used == NULL) {
        status = adg_fail_memory(error);
    }
    for (int64_t i = 0; i < column->length && status == ADG_OK; i++) {
        const int64_t code = ArrowArrayViewIsNull(&view, i) ? -1 : ArrowArrayViewGetIntUnsafe(&view, i);
        if (code >= 0 && code < count) {
            used[code] = true;
        }
    }
    for (int64_t i = 0; i < count && status == ADG_OK; i++) {
        if (used[i] && !ArrowArrayViewIsNull(view.dictionary, i)) {
            const struct ArrowStringView text = ArrowArrayViewGetStringUnsafe(view.dictionary, i);
            status = adg_entries_add(entries, (struct adg_span){(const uint8_t *)text.data, (size_t)text.size_bytes},
                                     error);
        }
    }
    adg_free(used);
    ArrowArrayViewReset(&view);
    return status;
}

static enum adg_status collect_all(struct stream_source *source, const struct ArrowArray *batch,
                                   struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (int64_t i = 0; i < batch->n_children && status == ADG_OK; i++) {
        if (source->entries[i] != NULL) {
            status = collect(batch->children[i], source->stored.children[i], source->entries[i], error);
        }
    }
    return status;
}

static enum adg_status open_source(struct adg_row_source *base, struct adg_error *error)
{
    struct stream_source *source = (struct stream_source *)base;
    struct ArrowIpcInputStream input;
    FILE *file = fopen(source->path, "rbe");
    if (file == NULL) {
        return adg_fail_errno(error, errno, "%s cannot be opened", source->path);
    }
    enum adg_status status = adg_messages_check(file, source->path, error);
    if (status != ADG_OK || ArrowIpcInputStreamInitFile(&input, file, 1) != NANOARROW_OK) {
        fclose(file);
        return status != ADG_OK ? status : adg_fail_memory(error);
    }
    if (ArrowIpcArrayStreamReaderInit(&source->stream, &input, NULL) != NANOARROW_OK) {
        input.release(&input);
        return adg_fail_memory(error);
    }
    int code = source->stream.get_schema(&source->stream, &source->stored);
    return code == 0 ? plain_schema(source, error) : refuse(source, code, error);
}

static enum adg_status next_of_source(struct adg_row_source *base, struct ArrowArray *out, struct adg_error *error)
{
    struct stream_source *source = (struct stream_source *)base;
    int code = source->stream.get_next(&source->stream, out);
    if (code != 0) {
        return refuse(source, code, error);
    }
    if (source->entries != NULL) {
        return out->release != NULL ? collect_all(source, out, error) : ADG_OK;
    }
    for (int64_t i = 0; out->release != NULL && i < out->n_children && code == 0; i++) {
        code = source->stored.children[i]->dictionary != NULL ? decode(out->children[i], source->stored.children[i])
                                                              : 0;
    }
    if (code == 0) {
        return ADG_OK;
    }
    ArrowArrayRelease(out);
    return code == ENOMEM
               ? adg_fail_memory(error)
               : adg_fail(error, ADG_BAD_INPUT, "%s: a batch's codes do not go with its dictionary", source->path);
}

static void close_source(struct adg_row_source *base)
{
    struct stream_source *source = (struct stream_source *)base;
    if (base->schema.release != NULL) {
        base->schema.release(&base->schema);
    }
    if (source->stored.release != NULL) {
        source->stored.release(&source->stored);
    }
    if (source->stream.release != NULL) {
        source->stream.release(&source->stream);
    }
}

static struct stream_source source_of(const char *path)
{
    return (struct stream_source){.base = {.open = open_source, .next = next_of_source, .close = close_source},
                                  .path = path};
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

struct writer {
    int descriptor;
    const char *path;
    struct adg_entries **entries; /* per field; NULL: no dictionary */
    struct adg_assembler *assembler;
    struct adg_buffer bytes; /* that are complete */
};

/* Fields that keep the dictionary that their old column has: not identifiers, whose values are as many as rows. */
static bool keeps_dictionary(const struct adg_conversion *conversion, uint32_t field, const struct ArrowSchema *column)
{
    const struct adg_field *of = &conversion->dataset->fields[field];
    return column->dictionary != NULL && of->type == ADG_TYPE_STRING && of->role != ADG_ROLE_ID &&
           conversion->sources[field] != NULL && column->name != NULL &&
           strcmp(column->name, conversion->sources[field]) == 0;
}

/* Reads the old stream for the texts of its dictionaries, which a stream begins with. */
static enum adg_status collect_entries(struct writer *writer, const struct adg_conversion *conversion,
                                       struct stream_source *source, struct adg_error *error)
{
    const struct ArrowSchema *stored = &source->stored;
    bool any = false;
    enum adg_status status = open_source(&source->base, error);
    struct adg_entries **entries =
        status == ADG_OK ? adg_arena_array(conversion->arena, (size_t)stored->n_children + 1, sizeof(void *)) : NULL;
    status = status == ADG_OK && entries == NULL ? adg_fail_memory(error) : status;
    for (uint32_t f = 0; f < conversion->dataset->field_count && status == ADG_OK; f++) {
        for (int64_t c = 0; c < stored->n_children && status == ADG_OK; c++) {
            if (keeps_dictionary(conversion, f, stored->children[c])) {
                status = adg_entries_new(&writer->entries[f], error);
                entries[c] = writer->entries[f];
                any = true;
            }
        }
    }
    source->entries = entries;
    for (bool more = any; status == ADG_OK && more;) {
        struct ArrowArray batch = {.release = NULL};
        status = adg_stop_check(error);
        status = status == ADG_OK ? next_of_source(&source->base, &batch, error) : status;
        more = batch.release != NULL;
        if (more) {
            batch.release(&batch);
        }
    }
    source->entries = NULL;
    close_source(&source->base);
    for (uint32_t f = 0; f < conversion->dataset->field_count && status == ADG_OK; f++) {
        status = writer->entries[f] != NULL ? adg_entries_sort(writer->entries[f], error) : ADG_OK;
    }
    return status;
}

static enum adg_status put(struct writer *writer, enum adg_status status, struct adg_error *error)
{
    if (status == ADG_OK && writer->bytes.size > 0) {
        status = adg_descriptor_write(writer->descriptor, writer->path, writer->bytes.data, writer->bytes.size, error);
    }
    writer->bytes.size = 0;
    return status;
}

static enum adg_status write_all(struct writer *writer, struct adg_conversion *conversion,
                                 struct adg_row_source *source, struct adg_error *error)
{
    struct adg_converted converted;
    struct ArrowArray batch;
    enum adg_status status = adg_converted_begin(&converted, conversion, source, error);
    if (status == ADG_OK) {
        status = adg_assembler_new(&converted.schema, writer->entries, &writer->assembler, error);
    }
    if (status == ADG_OK) {
        status = put(writer, adg_assembler_begin(writer->assembler, &writer->bytes, error), error);
    }
    while (status == ADG_OK) {
        status = adg_converted_next(&converted, &batch, error);
        if (status != ADG_OK || batch.release == NULL) {
            break;
        }
        status = put(writer, adg_assembler_add(writer->assembler, &batch, &writer->bytes, error), error);
        batch.release(&batch);
    }
    if (status == ADG_OK) {
        status = put(writer, adg_assembler_end(writer->assembler, &writer->bytes, error), error);
    }
    adg_assembler_free(writer->assembler);
    adg_converted_end(&converted);
    return status;
}

/* ---- the steps --------------------------------------------------------------------------------------------------- */

enum adg_status adg_stream_conversion_open(struct adg_conversion *conversion, struct adg_error *error)
{
    struct stream_source source = source_of(conversion->file);
    return adg_pieces_describe(conversion, &source.base, error);
}

enum adg_status adg_stream_conversion_check(struct adg_conversion *conversion, struct adg_error *error)
{
    struct stream_source source = source_of(conversion->file);
    return adg_pieces_check(conversion, &source.base, NULL, error);
}

enum adg_status adg_stream_conversion_write(struct adg_conversion *conversion, struct adg_error *error)
{
    const uint32_t fields = conversion->dataset->field_count;
    struct stream_source source = source_of(conversion->file);
    struct writer writer = {.path = conversion->fresh,
                            .entries = adg_arena_array(conversion->arena, fields, sizeof(void *))};
    if (writer.entries == NULL) {
        return adg_fail_memory(error);
    }
    writer.descriptor = open(conversion->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (writer.descriptor < 0) {
        return adg_fail_errno(error, errno, "%s cannot be created", conversion->fresh);
    }
    enum adg_status status = collect_entries(&writer, conversion, &source, error);
    status = status == ADG_OK ? write_all(&writer, conversion, &source.base, error) : status;
    if (close(writer.descriptor) != 0 && status == ADG_OK) {
        status = adg_fail_errno(error, errno, "%s cannot be written", conversion->fresh);
    }
    for (uint32_t f = 0; f < fields; f++) {
        adg_entries_free(writer.entries[f]);
    }
    adg_buffer_fini(&writer.bytes);
    return status;
}

enum adg_status adg_stream_conversion_verify(struct adg_conversion *conversion, struct adg_error *error)
{
    struct stream_source old = source_of(conversion->file), fresh = source_of(conversion->fresh);
    struct adg_conversion again = *conversion; /* of the new one, whose columns are the definition's */
    struct adg_digest before = {0}, after = {0};
    again.columns = NULL;
    enum adg_status status = adg_pieces_digest(conversion, &old.base, &before, error);
    if (status == ADG_OK && (adg_pieces_describe(&again, &fresh.base, error) != ADG_OK || !again.current ||
                             adg_pieces_digest(&again, &fresh.base, &after, error) != ADG_OK)) {
        status = adg_fail(error, ADG_FAILED, "%s: what was written cannot be read again; nothing is replaced",
                          conversion->file);
    }
    return status == ADG_OK ? adg_conversion_compare(&before, &after, conversion->file, error) : status;
}
