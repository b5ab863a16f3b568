/*
 * CSV reader: see csv.h. A record is split in place in the buffer; when the buffer ends within it, more is read and the
 * record is taken up again from its start.
 */
#include "scrape/csv.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "core/memory.h"

enum { FIRST_BUFFER_BYTES = 1 << 20, MAX_RECORD_BYTES = 1 << 30 };

struct adg_csv {
    const char *path;
    gzFile file; /* reads plain files as they are */
    uint8_t *data;
    size_t start, end, capacity; /* what is read and not yet used */
    bool at_end;
    uint64_t line, next_line;
    char **columns;
    uint32_t column_count;
    struct adg_span *fields; /* of the batch */
    size_t field_capacity, field_count;
    uint64_t *lines; /* of the batch's records */
    uint32_t line_capacity;
};

static enum adg_status bad(const struct adg_csv *csv, struct adg_error *error, const char *what)
{
    return adg_fail(error, ADG_BAD_INPUT, "%s: line %llu: %s", csv->path, (unsigned long long)csv->line, what);
}

/* Reads more behind what is there. */
static enum adg_status refill(struct adg_csv *csv, struct adg_error *error)
{
    if (csv->start > 0) {
        memmove(csv->data, csv->data + csv->start, csv->end - csv->start);
        csv->end -= csv->start;
        csv->start = 0;
    }
    if (csv->end == csv->capacity) {
        if (csv->capacity >= MAX_RECORD_BYTES) {
            return bad(csv, error, "a record of more than 1 GiB: is a quote missing?");
        }
        uint8_t *data = adg_realloc_array(csv->data, 2 * csv->capacity, 1);
        if (data == NULL) {
            return adg_fail_memory(error);
        }
        csv->data = data;
        csv->capacity *= 2;
    }
    int got = gzread(csv->file, csv->data + csv->end, (unsigned)(csv->capacity - csv->end));
    int code = Z_OK;
    if (got <= 0) {
        gzerror(csv->file, &code);
    }
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
        return code == Z_ERRNO
                   ? adg_fail_errno(error, errno, "%s cannot be read", csv->path)
                   : adg_fail(error, ADG_BAD_INPUT, "%s: the compressed data is damaged or cut off", csv->path);
    }
    csv->end += (size_t)got;
    csv->at_end = got == 0;
    return ADG_OK;
}

/* Unicode 15, table 3-7: well-formed byte sequences. */
bool adg_is_utf8(const uint8_t *text, size_t size)
{
    size_t i = 0;
    while (i < size) {
        uint64_t word;
        if (size - i >= sizeof word) {
            memcpy(&word, text + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof word;
                continue;
            }
        }
        uint8_t lead = text[i];
        size_t more = lead < 0x80                    ? 0
                      : lead >= 0xC2 && lead <= 0xDF ? 1
                      : (lead & 0xF0) == 0xE0        ? 2
                      : lead >= 0xF0 && lead <= 0xF4 ? 3
                                                     : 4;
        if (more == 4 || more > size - i - 1) {
            return false;
        }
        for (size_t k = 1; k <= more; k++) {
            if ((text[i + k] & 0xC0) != 0x80) {
                return false;
            }
        }
        uint8_t second = more > 0 ? text[i + 1] : 0;
        if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) ||
            (lead == 0xF4 && second > 0x8F)) {
            return false;
        }
        i += 1 + more;
    }
    return true;
}

static inline enum adg_status add_field(struct adg_csv *csv, const uint8_t *data, size_t size, struct adg_error *error)
{
    if (csv->field_count == csv->field_capacity) {
        struct adg_span *fields = adg_grow_array(csv->fields, &csv->field_capacity, 256, sizeof *fields);
        if (fields == NULL) {
            return adg_fail_memory(error);
        }
        csv->fields = fields;
    }
    csv->fields[csv->field_count++] = (struct adg_span){data, size};
    return ADG_OK;
}

/* Where a field and its record go on; `complete` is false when the buffer ends first. */
struct cursor {
    const uint8_t *next, *end;
    bool complete;
};

/* The end of a quoted field that begins behind its quote; *length without the quotes, still doubled inside. */
static enum adg_status skip_quoted(struct adg_csv *csv, struct cursor *cursor, size_t *length, struct adg_error *error)
{
    const uint8_t *from = cursor->next;
    for (;;) {
        const uint8_t *quote = memchr(cursor->next, '"', (size_t)(cursor->end - cursor->next));
        if (quote == NULL || (quote + 1 == cursor->end && !csv->at_end)) {
            cursor->complete = false;
            return quote == NULL && csv->at_end ? bad(csv, error, "a quote that does not close") : ADG_OK;
        }
        if (quote + 1 < cursor->end && quote[1] == '"') {
            cursor->next = quote + 2;
            continue;
        }
        *length = (size_t)(quote - from);
        cursor->next = quote + 1;
        if (cursor->next < cursor->end && strchr(",\r\n", *cursor->next) == NULL) {
            return bad(csv, error, "text behind a closing quote");
        }
        return ADG_OK;
    }
}

/* Doubled quotes become one, in place. */
static size_t undouble(uint8_t *text, size_t size)
{
    size_t out = 0;
    for (size_t i = 0; i < size; i++) {
        text[out++] = text[i];
        i += text[i] == '"';
    }
    return out;
}

/* One attempt at the record that begins at csv->start, whose fields go behind those of the batch. */
static enum adg_status split_record(struct adg_csv *csv, bool *complete, struct adg_error *error)
{
    struct cursor cursor = {csv->data + csv->start, csv->data + csv->end, true};
    *complete = false;
    for (;;) {
        const uint8_t *field = cursor.next;
        size_t length = 0;
        if (cursor.next < cursor.end && *cursor.next == '"') {
            field = ++cursor.next;
            enum adg_status status = skip_quoted(csv, &cursor, &length, error);
            if (status != ADG_OK || !cursor.complete) {
                return status;
            }
        } else {
            while (cursor.next < cursor.end && *cursor.next != ',' && *cursor.next != '\n') {
                cursor.next++;
            }
            length = (size_t)(cursor.next - field);
            if (cursor.next < cursor.end && *cursor.next == '\n' && length > 0 && field[length - 1] == '\r') {
                length--;
            }
        }
        if (cursor.next < cursor.end && *cursor.next == '\r') {
            cursor.next++; /* behind a closing quote */
        }
        if (cursor.next == cursor.end && !csv->at_end) {
            return ADG_OK;
        }
        enum adg_status status = add_field(csv, field, length, error);
        if (status != ADG_OK) {
            return status;
        }
        if (cursor.next == cursor.end || *cursor.next == '\n') {
            csv->start = (size_t)(cursor.next - csv->data) + (cursor.next < cursor.end);
            *complete = true;
            return ADG_OK;
        }
        if (*cursor.next != ',') {
            return bad(csv, error, "text behind a closing quote");
        }
        cursor.next++;
    }
}

/* What all of a complete record is asked. Doubled quotes go only now that it is not read again. */
static enum adg_status check_record(struct adg_csv *csv, size_t start, size_t first_field, struct adg_error *error)
{
    const uint8_t *record = csv->data + start;
    size_t size = csv->start - start;
    if (memchr(record, '\0', size) != NULL) {
        return bad(csv, error, "a NUL byte; expected text");
    }
    if (!adg_is_utf8(record, size)) {
        return bad(csv, error, "bytes that are no UTF-8; expected text in UTF-8");
    }
    size_t fields = csv->field_count - first_field;
    bool empty = fields == 1 && csv->fields[first_field].size == 0;
    if (csv->columns != NULL && fields != csv->column_count && !empty) {
        return adg_fail(error, ADG_BAD_INPUT, "%s: line %llu: expected %u fields as in the header, found %zu",
                        csv->path, (unsigned long long)csv->line, csv->column_count, fields);
    }
    for (const uint8_t *at = record; (at = memchr(at, '\n', (size_t)(record + size - at))) != NULL; at++) {
        csv->next_line++;
    }
    if (memchr(record, '"', size) == NULL) {
        return ADG_OK;
    }
    for (size_t i = first_field; i < csv->field_count; i++) {
        uint8_t *field = csv->data + (csv->fields[i].data - csv->data);
        if (field > csv->data + start && field[-1] == '"') {
            csv->fields[i].size = undouble(field, csv->fields[i].size);
        }
    }
    return ADG_OK;
}

/* The next record's fields behind those of the batch; *found is false at the end, and where more would have to be read but
 * may not. On failure the record is still the next one. */
static enum adg_status next_record(struct adg_csv *csv, bool may_refill, bool *found, struct adg_error *error)
{
    size_t first_field = csv->field_count;
    uint64_t line = csv->next_line;
    *found = false;
    csv->line = line;
    for (;;) {
        if (csv->start == csv->end && csv->at_end) {
            return ADG_OK;
        }
        size_t start = csv->start;
        bool complete = false;
        enum adg_status status = csv->start < csv->end ? split_record(csv, &complete, error) : ADG_OK;
        if (status == ADG_OK && complete) {
            status = check_record(csv, start, first_field, error);
            *found = status == ADG_OK;
        }
        if (status != ADG_OK) {
            csv->start = start;
            csv->next_line = line;
        }
        if (!*found) {
            csv->field_count = first_field;
        }
        if (status != ADG_OK || *found || !may_refill) {
            return status;
        }
        status = refill(csv, error);
        if (status != ADG_OK) {
            return status;
        }
    }
}

static enum adg_status read_header(struct adg_csv *csv, struct adg_error *error)
{
    bool found = false;
    enum adg_status status = refill(csv, error);
    if (status != ADG_OK) {
        return status;
    }
    while (csv->end < 3 && !csv->at_end && status == ADG_OK) {
        status = refill(csv, error);
    }
    if (csv->end >= 3 && memcmp(csv->data, "\xEF\xBB\xBF", 3) == 0) {
        csv->start = 3;
    }
    if (status == ADG_OK) {
        status = next_record(csv, true, &found, error);
    }
    uint32_t count = (uint32_t)csv->field_count;
    if (status == ADG_OK && (!found || (count == 1 && csv->fields[0].size == 0))) {
        status = adg_fail(error, ADG_BAD_INPUT,
                          "%s: line 1: expected a header with the names of the columns, the file is empty", csv->path);
    }
    if (status != ADG_OK) {
        return status;
    }
    csv->columns = adg_alloc_zero(count, sizeof *csv->columns);
    if (csv->columns == NULL) {
        return adg_fail_memory(error);
    }
    csv->column_count = count;
    for (uint32_t i = 0; i < count; i++) {
        csv->columns[i] = adg_strndup((const char *)csv->fields[i].data, csv->fields[i].size);
        if (csv->columns[i] == NULL) {
            return adg_fail_memory(error);
        }
    }
    return ADG_OK;
}

enum adg_status adg_csv_open(const char *path, struct adg_csv **out, struct adg_error *error)
{
    struct adg_csv *csv = adg_alloc_zero(1, sizeof *csv);
    if (csv == NULL) {
        return adg_fail_memory(error);
    }
    csv->path = path;
    csv->next_line = 1;
    csv->capacity = FIRST_BUFFER_BYTES;
    csv->data = adg_alloc(csv->capacity);
    errno = 0;
    csv->file = csv->data != NULL ? gzopen(path, "rbe") : NULL;
    enum adg_status status = csv->data == NULL   ? adg_fail_memory(error)
                             : csv->file == NULL ? adg_fail_errno(error, errno, "%s cannot be opened", path)
                                                 : read_header(csv, error);
    if (status != ADG_OK) {
        adg_csv_free(csv);
        return status;
    }
    *out = csv;
    return ADG_OK;
}

void adg_csv_free(struct adg_csv *csv)
{
    if (csv == NULL) {
        return;
    }
    if (csv->file != NULL) {
        gzclose(csv->file);
    }
    for (uint32_t i = 0; csv->columns != NULL && i < csv->column_count; i++) {
        adg_free(csv->columns[i]);
    }
    adg_free(csv->columns);
    adg_free(csv->fields);
    adg_free(csv->lines);
    adg_free(csv->data);
    adg_free(csv);
}

uint32_t adg_csv_column_count(const struct adg_csv *csv)
{
    return csv->column_count;
}

const char *adg_csv_column(const struct adg_csv *csv, uint32_t column)
{
    return csv->columns[column];
}

uint64_t adg_csv_line(const struct adg_csv *csv, uint32_t record)
{
    return csv->lines[record];
}

enum adg_status adg_csv_next(struct adg_csv *csv, uint32_t most, const struct adg_span **fields, uint32_t *count,
                             struct adg_error *error)
{
    uint32_t records = 0;
    bool found = true;
    enum adg_status status = ADG_OK;
    csv->field_count = 0;
    if (csv->line_capacity < most) {
        uint64_t *lines = adg_realloc_array(csv->lines, most, sizeof *lines);
        if (lines == NULL) {
            return adg_fail_memory(error);
        }
        csv->lines = lines;
        csv->line_capacity = most;
    }
    while (records < most && found && status == ADG_OK) {
        size_t before = csv->field_count;
        uint64_t line = csv->next_line;
        status = next_record(csv, records == 0, &found, records == 0 ? error : NULL);
        if (status == ADG_OK && found && csv->field_count - before == csv->column_count) {
            csv->lines[records++] = line;
        } else {
            csv->field_count = before; /* an empty line */
        }
    }
    *fields = csv->fields;
    *count = records;
    return records > 0 ? ADG_OK : status;
}
