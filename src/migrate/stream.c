/*
 * Arrow streams: see stream.h. nanoarrow reads messages, and writes record batches that have no dictionaries.
 */
#include "migrate/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <nanoarrow/nanoarrow_ipc.h>
#include <stdio.h>
#include <unistd.h>

#include "core/file.h"
#include "core/stop.h"
#include "migrate/messages.h"
#include "migrate/pieces.h"

/* ---- reading ----------------------------------------------------------------------------------------------------- */

struct stream_source {
    struct adg_row_source base;
    const char *path;
    struct ArrowArrayStream stream;
    struct ArrowSchema stored; /* base.schema has no dictionaries */
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
    struct ArrowIpcEncoder encoder;
    struct ArrowArrayView view;
    struct ArrowBuffer header, body;
};

/* The message that was encoded last, with the body that goes with it. */
static enum adg_status put_message(struct writer *writer, struct adg_error *error)
{
    writer->header.size_bytes = 0;
    if (ArrowIpcEncoderFinalizeBuffer(&writer->encoder, 1, &writer->header) != NANOARROW_OK) {
        return adg_fail_memory(error);
    }
    enum adg_status status = adg_descriptor_write(writer->descriptor, writer->path, writer->header.data,
                                                  (size_t)writer->header.size_bytes, error);
    return status == ADG_OK ? adg_descriptor_write(writer->descriptor, writer->path, writer->body.data,
                                                   (size_t)writer->body.size_bytes, error)
                            : status;
}

static enum adg_status put_batch(struct writer *writer, const struct ArrowArray *batch, struct adg_error *error)
{
    struct ArrowError why = {{0}};
    writer->body.size_bytes = 0;
    if (ArrowArrayViewSetArray(&writer->view, batch, &why) != NANOARROW_OK ||
        ArrowIpcEncoderEncodeSimpleRecordBatch(&writer->encoder, &writer->view, &writer->body, &why) != NANOARROW_OK) {
        return adg_fail(error, ADG_FAILED, "Arrow: %s", ArrowErrorMessage(&why));
    }
    return put_message(writer, error);
}

static enum adg_status begin_stream(struct writer *writer, const struct ArrowSchema *schema, struct adg_error *error)
{
    struct ArrowError why = {{0}};
    if (ArrowIpcEncoderInit(&writer->encoder) != NANOARROW_OK ||
        ArrowArrayViewInitFromSchema(&writer->view, schema, &why) != NANOARROW_OK ||
        ArrowIpcEncoderEncodeSchema(&writer->encoder, schema, &why) != NANOARROW_OK) {
        return adg_fail(error, ADG_FAILED, "Arrow: %s", ArrowErrorMessage(&why));
    }
    return put_message(writer, error);
}

static enum adg_status end_stream(const struct writer *writer, struct adg_error *error)
{
    static const int32_t marker[2] = {-1, 0};
    return adg_descriptor_write(writer->descriptor, writer->path, marker, sizeof marker, error);
}

static enum adg_status write_all(struct writer *writer, struct adg_conversion *conversion,
                                 struct adg_row_source *source, struct adg_error *error)
{
    struct adg_converted converted;
    struct ArrowArray batch;
    enum adg_status status = adg_converted_begin(&converted, conversion, source, error);
    if (status == ADG_OK) {
        status = begin_stream(writer, &converted.schema, error);
    }
    while (status == ADG_OK) {
        status = adg_converted_next(&converted, &batch, error);
        if (status != ADG_OK || batch.release == NULL) {
            break;
        }
        status = batch.length > 0 ? put_batch(writer, &batch, error) : ADG_OK;
        batch.release(&batch);
    }
    adg_converted_end(&converted);
    return status == ADG_OK ? end_stream(writer, error) : status;
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
    struct stream_source source = source_of(conversion->file);
    struct writer writer = {.path = conversion->fresh};
    writer.descriptor = open(conversion->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (writer.descriptor < 0) {
        return adg_fail_errno(error, errno, "%s cannot be created", conversion->fresh);
    }
    ArrowBufferInit(&writer.header);
    ArrowBufferInit(&writer.body);
    enum adg_status status = write_all(&writer, conversion, &source.base, error);
    if (close(writer.descriptor) != 0 && status == ADG_OK) {
        status = adg_fail_errno(error, errno, "%s cannot be written", conversion->fresh);
    }
    ArrowBufferReset(&writer.header);
    ArrowBufferReset(&writer.body);
    ArrowArrayViewReset(&writer.view);
    if (writer.encoder.private_data != NULL) {
        ArrowIpcEncoderReset(&writer.encoder);
    }
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
