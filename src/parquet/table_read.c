/*
 * Reads back what table_write.c writes: see table.h. Nothing in the bytes is believed before it is checked: positions against
 * the file, counts against the bytes that could hold them, pages against their checksums.
 */
#include <libdeflate.h>
#include <zstd.h>

#include "core/memory.h"
#include "parquet/chunk.h"
#include "parquet/footer.h"
#include "parquet/hybrid.h"
#include "parquet/table.h"
#include "parquet/thrift.h"

/* A file may not claim more rows, or more items of lists, than this many per byte, nor pages that grow more than a thousandfold:
 * memory stays within reason. */
enum { MAX_COLUMNS = 32, ROWS_PER_BYTE = 256, MAX_ROWS = 1 << 28, GROWTH_MAX = 1024, MAX_PAGE_BYTES = 1 << 30 };

/* One column while it grows, row group by row group. */
struct column {
    struct adg_parquet_column made;
    uint8_t *valid, *item_valid;
    uint32_t *list_offsets;
    void *values;
    uint64_t rows, items; /* read so far; items: entries of `values` */
    uint64_t item_capacity;
};

struct file {
    const uint8_t *data;
    size_t size, footer_start;
    struct adg_arena *arena;
    const struct adg_parquet_group *only; /* one row group alone; NULL: all */
    bool without_rows;                    /* none, only the list of them */
    struct column columns[MAX_COLUMNS];
    uint32_t column_count;
    struct adg_parquet_group *groups; /* all of them */
    uint32_t group_count;
    uint64_t rows;       /* that are read */
    uint64_t chunks_end; /* of those read so far, in the file */
    struct adg_error *error;
};

static enum adg_status damaged(const struct file *file, const char *what)
{
    return adg_fail(file->error, ADG_BAD_INPUT, "damaged or foreign Parquet: %s", what);
}

/* ---- schema ------------------------------------------------------------------------------------------------------ */

struct element {
    int64_t physical, repetition, children, converted;
    struct adg_span name;
};

static struct element read_element(struct adg_thrift_reader *reader)
{
    struct element element = {.physical = -1, .repetition = -1, .converted = -1};
    struct adg_thrift_field field;
    adg_thrift_enter(reader);
    while (adg_thrift_next(reader, &field)) {
        switch (field.id) {
        case 1:
            element.physical = adg_thrift_read_int(reader, field.type);
            break;
        case 3:
            element.repetition = adg_thrift_read_int(reader, field.type);
            break;
        case 4:
            element.name = adg_thrift_read_binary(reader, field.type);
            break;
        case 5:
            element.children = adg_thrift_read_int(reader, field.type);
            break;
        case 6:
            element.converted = adg_thrift_read_int(reader, field.type);
            break;
        default:
            adg_thrift_skip(reader, field.type);
        }
    }
    return element;
}

static bool leaf_type(const struct element *element, enum adg_type *type)
{
    enum { UTF8 = 0, DATE = 6 };
    if (element->physical == ADG_PHYSICAL_BYTE_ARRAY && element->converted == UTF8) {
        *type = ADG_TYPE_STRING;
    } else if (element->physical == ADG_PHYSICAL_INT32 && (element->converted == DATE || element->converted == -1)) {
        *type = element->converted == DATE ? ADG_TYPE_DATE : ADG_TYPE_INT32;
    } else if (element->physical == ADG_PHYSICAL_INT64 && element->converted == -1) {
        *type = ADG_TYPE_INT64;
    } else if (element->physical == ADG_PHYSICAL_DOUBLE && element->converted == -1) {
        *type = ADG_TYPE_DOUBLE;
    } else {
        return false;
    }
    return true;
}

static enum adg_status read_schema(struct file *file, struct adg_thrift_reader *reader, struct adg_thrift_field field)
{
    enum { OPTIONAL = 1, REPEATED = 2, LIST = 3 };
    uint32_t elements = adg_thrift_read_list(reader, field.type, ADG_THRIFT_STRUCT);
    struct element root = elements > 0 ? read_element(reader) : (struct element){0};
    if (reader->bad || root.children < 1 || root.children > MAX_COLUMNS || file->column_count != 0) {
        return damaged(file, "its schema is not a flat table");
    }
    uint32_t used = 1;
    for (int64_t i = 0; i < root.children; i++) {
        struct element element = read_element(reader);
        struct column *column = &file->columns[file->column_count++];
        char *name = adg_arena_strndup(file->arena, (const char *)element.name.data, element.name.size);
        if (name == NULL) {
            return adg_fail_memory(file->error);
        }
        used++;
        column->made.name = name;
        if (element.physical == -1) {
            struct element middle = read_element(reader);
            column->made.is_list = true;
            used += 2;
            if (element.converted != LIST || element.children != 1 || middle.repetition != REPEATED ||
                middle.children != 1) {
                return damaged(file, "a column is neither flat nor a list");
            }
            if (element.repetition != OPTIONAL) {
                return damaged(file, "a column is not optional");
            }
            element = read_element(reader);
        }
        if (reader->bad || element.repetition != OPTIONAL || element.children != 0 ||
            !leaf_type(&element, &column->made.type)) {
            return damaged(file, "a column has a type that is not read here");
        }
    }
    return used == elements ? ADG_OK : damaged(file, "its schema has more elements than columns");
}

/* ---- pages ------------------------------------------------------------------------------------------------------- */

static size_t value_bytes(enum adg_type type)
{
    switch (type) {
    case ADG_TYPE_INT32:
    case ADG_TYPE_DATE:
        return sizeof(int32_t);
    case ADG_TYPE_STRING:
        return sizeof(struct adg_span);
    default:
        return sizeof(int64_t);
    }
}

/* Room for `more` values. The arena keeps the old copies: capacity doubles, so they are no more than the new one. */
static enum adg_status reserve_values(struct file *file, struct column *column, uint64_t more)
{
    uint64_t needed = column->items + more;
    if (needed <= column->item_capacity) {
        return ADG_OK;
    }
    uint64_t capacity = 2 * column->item_capacity > needed ? 2 * column->item_capacity : needed;
    size_t bytes = value_bytes(column->made.type);
    void *values = adg_arena_array(file->arena, capacity, bytes);
    uint8_t *valid = adg_arena_array(file->arena, capacity, 1);
    if (values == NULL || valid == NULL) {
        return adg_fail_memory(file->error);
    }
    if (column->items > 0) {
        memcpy(values, column->values, column->items * bytes);
        memcpy(valid, column->item_valid, column->items);
    }
    column->values = values;
    column->item_valid = valid;
    column->item_capacity = capacity;
    return ADG_OK;
}

/* One value in PLAIN encoding; the body stays in the arena, text points into it. */
static bool take_value(struct column *column, const uint8_t **next, const uint8_t *end)
{
    uint64_t i = column->items;
    if (column->made.type == ADG_TYPE_STRING) {
        uint32_t length;
        if ((size_t)(end - *next) < sizeof length) {
            return false;
        }
        memcpy(&length, *next, sizeof length);
        *next += sizeof length;
        if (length > (size_t)(end - *next)) {
            return false;
        }
        ((struct adg_span *)column->values)[i] = (struct adg_span){*next, length};
        *next += length;
    } else {
        size_t bytes = value_bytes(column->made.type);
        if ((size_t)(end - *next) < bytes) {
            return false;
        }
        memcpy((uint8_t *)column->values + i * bytes, *next, bytes);
        *next += bytes;
    }
    return true;
}

static bool take_levels(const uint8_t **next, const uint8_t *end, unsigned width, uint32_t count, uint32_t *levels)
{
    uint32_t size;
    if ((size_t)(end - *next) < sizeof size) {
        return false;
    }
    memcpy(&size, *next, sizeof size);
    *next += sizeof size;
    if (size > (size_t)(end - *next) || !adg_hybrid_decode(*next, size, width, count, levels)) {
        return false;
    }
    *next += size;
    return true;
}

/* The rows of one page; `row_limit` is where the row group ends. */
static enum adg_status read_values(struct file *file, struct column *column, struct adg_span body, uint32_t count,
                                   uint64_t row_limit)
{
    const uint8_t *next = body.data, *end = body.data + body.size;
    bool list = column->made.is_list;
    uint32_t full = list ? 3 : 1;
    uint32_t *levels = adg_alloc_array(2 * (size_t)count, sizeof *levels);
    if (levels == NULL) {
        return adg_fail_memory(file->error);
    }
    if (count > UINT32_MAX - column->items) { /* offsets of lists are 32 bits */
        adg_free(levels);
        return damaged(file, "number of values");
    }
    uint32_t *definition = levels, *repetition = levels + count;
    enum adg_status status = reserve_values(file, column, count);
    if (status != ADG_OK) {
        goto done;
    }
    memset(repetition, 0, count * sizeof *repetition);
    if ((list && !take_levels(&next, end, 1, count, repetition)) ||
        !take_levels(&next, end, list ? 2 : 1, count, definition) || (count > 0 && repetition[0] != 0)) {
        status = damaged(file, "levels of a page");
        goto done;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool starts_row = repetition[i] == 0, is_item = !list || definition[i] >= 2, present = definition[i] == full;
        if ((starts_row && column->rows == row_limit) || (!starts_row && definition[i] < 2)) {
            status = damaged(file, "rows of a page");
            goto done;
        }
        if (starts_row) {
            column->valid[column->rows] = definition[i] > 0;
            if (list) {
                column->list_offsets[column->rows] = (uint32_t)column->items;
            }
            column->rows++;
        }
        if (is_item) {
            column->item_valid[column->items] = present;
            if (present && !take_value(column, &next, end)) {
                status = damaged(file, "values of a page");
                goto done;
            }
            column->items++;
        }
        if (list) {
            column->list_offsets[column->rows] = (uint32_t)column->items;
        }
    }
    if (next != end) {
        status = damaged(file, "a page has bytes left over");
    }
done:
    adg_free(levels);
    return status;
}

struct page_header {
    int64_t type, uncompressed, stored, crc, values, encoding, definition_encoding, repetition_encoding;
};

static void read_page_header(struct adg_thrift_reader *reader, struct page_header *header)
{
    struct adg_thrift_field field;
    *header = (struct page_header){
        .type = -1, .uncompressed = -1, .stored = -1, .crc = INT64_MAX, .values = -1, .encoding = -1};
    adg_thrift_enter(reader);
    while (adg_thrift_next(reader, &field)) {
        int64_t *plain[] = {NULL, &header->type, &header->uncompressed, &header->stored, &header->crc};
        if (field.id >= 1 && field.id <= 4) {
            *plain[field.id] = adg_thrift_read_int(reader, field.type);
        } else if (field.id == 5 && field.type == ADG_THRIFT_STRUCT) {
            int64_t *data[] = {NULL, &header->values, &header->encoding, &header->definition_encoding,
                               &header->repetition_encoding};
            struct adg_thrift_field inner;
            adg_thrift_enter(reader);
            while (adg_thrift_next(reader, &inner)) {
                if (inner.id >= 1 && inner.id <= 4) {
                    *data[inner.id] = adg_thrift_read_int(reader, inner.type);
                } else {
                    adg_thrift_skip(reader, inner.type);
                }
            }
        } else {
            adg_thrift_skip(reader, field.type);
        }
    }
}

/* One page from `next`; moves it behind. */
static enum adg_status read_page(struct file *file, struct column *column, int64_t codec, const uint8_t **next,
                                 const uint8_t *end, uint64_t row_limit, uint64_t *values_left)
{
    struct adg_thrift_reader reader = {.next = *next, .end = end};
    struct page_header header;
    read_page_header(&reader, &header);
    if (reader.bad || header.type != ADG_PAGE_DATA || header.encoding != ADG_ENCODING_PLAIN ||
        header.definition_encoding != ADG_ENCODING_RLE || header.repetition_encoding != ADG_ENCODING_RLE ||
        header.stored < 0 || header.stored > end - reader.next || header.uncompressed < 0 ||
        header.uncompressed > MAX_PAGE_BYTES || header.uncompressed > GROWTH_MAX * (header.stored + GROWTH_MAX) ||
        header.values < 1 || (uint64_t)header.values > *values_left) {
        return damaged(file, "header of a page");
    }
    struct adg_span stored = {reader.next, (size_t)header.stored};
    if ((uint32_t)(int32_t)header.crc != (uint32_t)libdeflate_crc32(0, stored.data, stored.size) ||
        header.crc == INT64_MAX) {
        return damaged(file, "checksum of a page");
    }
    struct adg_span body = stored;
    if (codec == ADG_CODEC_ZSTD) {
        if (ZSTD_getFrameContentSize(stored.data, stored.size) != (unsigned long long)header.uncompressed) {
            return damaged(file, "size of a page");
        }
        uint8_t *data = adg_arena_alloc(file->arena, (size_t)header.uncompressed);
        if (data == NULL) {
            return adg_fail_memory(file->error);
        }
        if (ZSTD_decompress(data, (size_t)header.uncompressed, stored.data, stored.size) !=
            (size_t)header.uncompressed) {
            return damaged(file, "compressed bytes of a page");
        }
        body = (struct adg_span){data, (size_t)header.uncompressed};
    } else if (header.uncompressed != header.stored) {
        return damaged(file, "size of a page");
    }
    *next = stored.data + stored.size;
    *values_left -= (uint64_t)header.values;
    return read_values(file, column, body, (uint32_t)header.values, row_limit);
}

/* ---- row groups -------------------------------------------------------------------------------------------------- */

/* Arrays with room for all rows that are read. */
static enum adg_status reserve_rows(struct file *file)
{
    for (uint32_t i = 0; i < file->column_count; i++) {
        struct column *column = &file->columns[i];
        column->valid = adg_arena_array(file->arena, file->rows, 1);
        column->list_offsets = column->made.is_list ? adg_arena_array(file->arena, file->rows + 1, sizeof(uint32_t))
                                                    : NULL;
        if (column->valid == NULL || (column->made.is_list && column->list_offsets == NULL)) {
            return adg_fail_memory(file->error);
        }
        enum adg_status status = column->made.is_list ? ADG_OK : reserve_values(file, column, file->rows);
        if (status != ADG_OK) {
            return status;
        }
    }
    return ADG_OK;
}

static enum adg_status read_chunk(struct file *file, struct adg_thrift_reader *reader, struct column *column,
                                  uint64_t row_limit)
{
    int64_t codec = -1, values = -1, stored = -1, offset = -1, dictionary = -1;
    struct adg_thrift_field field, inner;
    adg_thrift_enter(reader);
    while (adg_thrift_next(reader, &field)) {
        if (field.id != 3 || field.type != ADG_THRIFT_STRUCT) {
            adg_thrift_skip(reader, field.type);
            continue;
        }
        adg_thrift_enter(reader);
        while (adg_thrift_next(reader, &inner)) {
            int64_t *target = inner.id == 4    ? &codec
                              : inner.id == 5  ? &values
                              : inner.id == 7  ? &stored
                              : inner.id == 9  ? &offset
                              : inner.id == 11 ? &dictionary
                                               : NULL;
            if (target != NULL) {
                *target = adg_thrift_read_int(reader, inner.type);
            } else {
                adg_thrift_skip(reader, inner.type);
            }
        }
    }
    if (reader->bad || (codec != ADG_CODEC_ZSTD && codec != ADG_CODEC_UNCOMPRESSED) || dictionary != -1 || values < 0 ||
        values > MAX_ROWS || (uint64_t)values > file->size * ROWS_PER_BYTE || offset < ADG_PARQUET_MAGIC_BYTES ||
        stored < 0 || (uint64_t)offset > file->footer_start ||
        (uint64_t)stored > file->footer_start - (uint64_t)offset || (uint64_t)offset < file->chunks_end) {
        return damaged(file, "description of a column");
    }
    file->chunks_end = (uint64_t)offset + (uint64_t)stored; /* chunks that shared bytes would have no bound of memory */
    const uint8_t *next = file->data + offset, *end = next + stored;
    uint64_t left = (uint64_t)values;
    enum adg_status status = ADG_OK;
    while (left > 0 && status == ADG_OK) {
        status = read_page(file, column, codec, &next, end, row_limit, &left);
    }
    if (status == ADG_OK && (next != end || column->rows != row_limit)) {
        status = damaged(file, "rows of a column");
    }
    return status;
}

/* Statistics: min_value and max_value. */
static void scan_statistics(struct adg_thrift_reader *reader, struct adg_span *min, struct adg_span *max)
{
    struct adg_thrift_field field;
    adg_thrift_enter(reader);
    while (adg_thrift_next(reader, &field)) {
        if (field.id == 5 || field.id == 6) {
            *(field.id == 5 ? max : min) = adg_thrift_read_binary(reader, field.type);
        } else {
            adg_thrift_skip(reader, field.type);
        }
    }
}

/* ColumnChunk, for its statistics. */
static void scan_chunk(struct adg_thrift_reader *reader, struct adg_span *min, struct adg_span *max)
{
    struct adg_thrift_field field, inner;
    adg_thrift_enter(reader);
    while (adg_thrift_next(reader, &field)) {
        if (field.id != 3 || field.type != ADG_THRIFT_STRUCT) {
            adg_thrift_skip(reader, field.type);
            continue;
        }
        adg_thrift_enter(reader);
        while (adg_thrift_next(reader, &inner)) {
            if (inner.id == 12 && inner.type == ADG_THRIFT_STRUCT) {
                scan_statistics(reader, min, max);
            } else {
                adg_thrift_skip(reader, inner.type);
            }
        }
    }
}

/* A RowGroup without its pages. */
static enum adg_status scan_row_group(struct file *file, struct adg_thrift_reader *reader,
                                      struct adg_parquet_group *group)
{
    struct adg_thrift_field field;
    const uint8_t *start = reader->next;
    struct adg_span *bounds = adg_arena_array(file->arena, 2 * (size_t)file->column_count, sizeof *bounds);
    int64_t rows = -1;
    if (bounds == NULL) {
        return adg_fail_memory(file->error);
    }
    adg_thrift_enter(reader);
    while (adg_thrift_next(reader, &field)) {
        if (field.id == 3) {
            rows = adg_thrift_read_int(reader, field.type);
        } else if (field.id == 1) {
            uint32_t count = adg_thrift_read_list(reader, field.type, ADG_THRIFT_STRUCT);
            if (reader->bad || count != file->column_count) {
                return damaged(file, "columns of a row group");
            }
            for (uint32_t i = 0; i < count; i++) {
                scan_chunk(reader, &bounds[i], &bounds[file->column_count + i]);
            }
        } else {
            adg_thrift_skip(reader, field.type);
        }
    }
    if (reader->bad || rows < 1 || rows > MAX_ROWS) {
        return damaged(file, "rows of a row group");
    }
    *group = (struct adg_parquet_group){
        (uint64_t)rows, bounds, bounds + file->column_count, {start, (size_t)(reader->next - start)}};
    return ADG_OK;
}

/* The chunks of a row group; `row_limit` is how many rows there are with it. */
static enum adg_status read_row_group(struct file *file, struct adg_thrift_reader *reader, uint64_t row_limit)
{
    struct adg_thrift_field field;
    enum adg_status status = ADG_OK;
    uint32_t lists = 0;
    adg_thrift_enter(reader);
    while (status == ADG_OK && adg_thrift_next(reader, &field)) {
        if (field.id != 1 || lists++ > 0) {
            adg_thrift_skip(reader, field.type);
            continue;
        }
        uint32_t count = adg_thrift_read_list(reader, field.type, ADG_THRIFT_STRUCT);
        if (reader->bad || count != file->column_count) {
            return damaged(file, "columns of a row group");
        }
        for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
            status = adg_context(file->error, read_chunk(file, reader, &file->columns[i], row_limit), "column %s",
                                 file->columns[i].made.name);
        }
    }
    if (status == ADG_OK && lists != 1) {
        status = damaged(file, "columns of a row group");
    }
    return status;
}

/* All row groups are looked at, then read. */
static enum adg_status read_row_groups(struct file *file, struct adg_thrift_reader *reader, uint8_t type,
                                       uint64_t total_rows)
{
    uint32_t count = adg_thrift_read_list(reader, type, ADG_THRIFT_STRUCT);
    if (reader->bad || count > total_rows) {
        return damaged(file, "number of row groups");
    }
    file->groups = adg_arena_array(file->arena, count, sizeof *file->groups);
    if (file->groups == NULL) {
        return adg_fail_memory(file->error);
    }
    struct adg_thrift_reader again = *reader;
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        status = scan_row_group(file, reader, &file->groups[i]);
        file->rows += status == ADG_OK ? file->groups[i].rows : 0;
    }
    file->group_count = count;
    if (status == ADG_OK && file->rows != total_rows) {
        status = damaged(file, "rows of the row groups");
    }
    if (status == ADG_OK && !file->without_rows) {
        status = reserve_rows(file);
    }
    uint64_t row_limit = 0;
    for (uint32_t i = 0; i < count && status == ADG_OK && !file->without_rows; i++) {
        row_limit += file->groups[i].rows;
        status = read_row_group(file, &again, row_limit);
    }
    return status;
}

/* The one that was asked for: the schema has been read, and where it stands is known. */
static enum adg_status read_only_group(struct file *file)
{
    struct adg_thrift_reader reader = {.next = file->only->footer.data,
                                       .end = file->only->footer.data + file->only->footer.size};
    file->rows = file->only->rows;
    enum adg_status status = reserve_rows(file);
    return status == ADG_OK ? read_row_group(file, &reader, file->rows) : status;
}

static enum adg_status read_footer(struct file *file, struct adg_thrift_reader *reader)
{
    struct adg_thrift_field field;
    enum adg_status status = ADG_OK;
    int64_t rows = -1;
    bool have_groups = false;
    adg_thrift_enter(reader);
    while (status == ADG_OK && adg_thrift_next(reader, &field)) {
        if (field.id == 2) {
            status = read_schema(file, reader, field);
        } else if (field.id == 3) {
            rows = adg_thrift_read_int(reader, field.type);
            if (rows < 0 || rows > MAX_ROWS || (uint64_t)rows > file->size * ROWS_PER_BYTE) {
                return damaged(file, "number of rows");
            }
        } else if (field.id == 4 && file->column_count > 0 && file->only != NULL) {
            return read_only_group(file);
        } else if (field.id == 4 && rows >= 0 && file->column_count > 0 && !have_groups) {
            have_groups = true;
            status = read_row_groups(file, reader, field.type, (uint64_t)rows);
        } else {
            adg_thrift_skip(reader, field.type);
        }
    }
    if (status == ADG_OK && (reader->bad || !have_groups)) {
        status = damaged(file, "footer");
    }
    return status;
}

/* From the first byte to the last: what `file` asks for. */
static enum adg_status read_file(struct file *file)
{
    const uint8_t *bytes = file->data;
    size_t size = file->size;
    uint32_t length = 0;
    if (size < 3 * ADG_PARQUET_MAGIC_BYTES || memcmp(bytes, ADG_PARQUET_MAGIC, ADG_PARQUET_MAGIC_BYTES) != 0 ||
        memcmp(bytes + size - ADG_PARQUET_MAGIC_BYTES, ADG_PARQUET_MAGIC, ADG_PARQUET_MAGIC_BYTES) != 0) {
        return damaged(file, "it does not begin and end as a Parquet file");
    }
    memcpy(&length, bytes + size - 2 * ADG_PARQUET_MAGIC_BYTES, sizeof length);
    if (length > size - 3 * ADG_PARQUET_MAGIC_BYTES) {
        return damaged(file, "length of the footer");
    }
    file->footer_start = size - 2 * ADG_PARQUET_MAGIC_BYTES - length;
    struct adg_thrift_reader reader = {.next = bytes + file->footer_start, .end = bytes + file->footer_start + length};
    return read_footer(file, &reader);
}

enum adg_status adg_parquet_table_groups(const void *data, size_t size, struct adg_arena *arena,
                                         const struct adg_parquet_group **out, uint32_t *count, struct adg_error *error)
{
    struct file *file = adg_alloc_zero(1, sizeof *file);
    if (file == NULL) {
        return adg_fail_memory(error);
    }
    *file = (struct file){.data = data, .size = size, .arena = arena, .error = error, .without_rows = true};
    enum adg_status status = read_file(file);
    if (status == ADG_OK) {
        *out = file->groups;
        *count = file->group_count;
    }
    adg_free(file);
    return status;
}

static enum adg_status read_table(const void *data, size_t size, const struct adg_parquet_group *only,
                                  struct adg_arena *arena, struct adg_parquet_table *out, struct adg_error *error)
{
    struct file *file = adg_alloc_zero(1, sizeof *file);
    if (file == NULL) {
        return adg_fail_memory(error);
    }
    *file = (struct file){.data = data, .size = size, .arena = arena, .error = error, .only = only};
    enum adg_status status = read_file(file);
    struct adg_parquet_column *columns = status == ADG_OK ? adg_arena_array(arena, file->column_count, sizeof *columns)
                                                          : NULL;
    if (status == ADG_OK && columns == NULL) {
        status = adg_fail_memory(error);
    }
    for (uint32_t i = 0; i < file->column_count && status == ADG_OK; i++) {
        struct column *column = &file->columns[i];
        columns[i] = column->made;
        columns[i].valid = column->valid;
        columns[i].list_offsets = column->list_offsets;
        columns[i].item_valid = column->made.is_list ? column->item_valid : NULL;
        columns[i].values.text = column->values;
    }
    if (status == ADG_OK) {
        *out = (struct adg_parquet_table){.rows = file->rows, .column_count = file->column_count, .columns = columns};
    }
    adg_free(file);
    return status;
}

enum adg_status adg_parquet_table_read_group(const void *data, size_t size, const struct adg_parquet_group *group,
                                             struct adg_arena *arena, struct adg_parquet_table *out,
                                             struct adg_error *error)
{
    return read_table(data, size, group, arena, out, error);
}

enum adg_status adg_parquet_table_read(const void *data, size_t size, struct adg_arena *arena,
                                       struct adg_parquet_table *out, struct adg_error *error)
{
    return read_table(data, size, NULL, arena, out, error);
}
