/*
 * Page indexes and footer: see footer.h. Numbers of fields are those of parquet.thrift.
 */
#include "parquet/footer.h"

#include "core/version.h"

static const char created_by[] = "adg version " ADG_TOOL_VERSION " (build 1)";

static void write_column_index(struct adg_thrift_writer *writer, const struct adg_parquet_chunk *chunk)
{
    bool ascending = true, descending = true;
    const struct adg_parquet_page *last = NULL;
    for (uint32_t i = 0; i < chunk->page_count; i++) {
        const struct adg_parquet_page *page = &chunk->pages[i];
        if (!page->bounds.known) {
            continue;
        }
        if (last != NULL) {
            int min = adg_parquet_compare(chunk->type, last->bounds.min, page->bounds.min);
            int max = adg_parquet_compare(chunk->type, last->bounds.max, page->bounds.max);
            ascending = ascending && min <= 0 && max <= 0;
            descending = descending && min >= 0 && max >= 0;
        }
        last = page;
    }
    adg_thrift_begin(writer);
    adg_thrift_list_field(writer, 1, ADG_THRIFT_TRUE, chunk->page_count);
    for (uint32_t i = 0; i < chunk->page_count; i++) {
        adg_thrift_item_bool(writer, !chunk->pages[i].bounds.known);
    }
    adg_thrift_list_field(writer, 2, ADG_THRIFT_BINARY, chunk->page_count);
    for (uint32_t i = 0; i < chunk->page_count; i++) {
        adg_thrift_item_binary(writer, chunk->pages[i].bounds.min.data, chunk->pages[i].bounds.min.size);
    }
    adg_thrift_list_field(writer, 3, ADG_THRIFT_BINARY, chunk->page_count);
    for (uint32_t i = 0; i < chunk->page_count; i++) {
        adg_thrift_item_binary(writer, chunk->pages[i].bounds.max.data, chunk->pages[i].bounds.max.size);
    }
    adg_thrift_i32(writer, 4, ascending ? 1 : descending ? 2 : 0);
    adg_thrift_list_field(writer, 5, ADG_THRIFT_I64, chunk->page_count);
    for (uint32_t i = 0; i < chunk->page_count; i++) {
        adg_thrift_item_i64(writer, chunk->pages[i].nulls);
    }
    adg_thrift_end(writer);
}

static void write_offset_index(struct adg_thrift_writer *writer, const struct adg_parquet_chunk *chunk, uint64_t offset)
{
    uint64_t row = 0;
    adg_thrift_begin(writer);
    adg_thrift_list_field(writer, 1, ADG_THRIFT_STRUCT, chunk->page_count);
    for (uint32_t i = 0; i < chunk->page_count; i++) {
        const struct adg_parquet_page *page = &chunk->pages[i];
        adg_thrift_begin(writer);
        adg_thrift_i64(writer, 1, (int64_t)(offset + page->offset));
        adg_thrift_i32(writer, 2, (int32_t)page->bytes);
        adg_thrift_i64(writer, 3, (int64_t)row);
        adg_thrift_end(writer);
        row += page->rows;
    }
    adg_thrift_end(writer);
}

static void write_statistics(struct adg_thrift_writer *writer, const struct adg_parquet_chunk *chunk)
{
    adg_thrift_begin(writer);
    adg_thrift_i64(writer, 3, (int64_t)chunk->nulls);
    if (chunk->bounds.known && chunk->bounds_complete) {
        adg_thrift_binary(writer, 5, chunk->bounds.max.data, chunk->bounds.max.size);
        adg_thrift_binary(writer, 6, chunk->bounds.min.data, chunk->bounds.min.size);
        adg_thrift_bool(writer, 7, true);
        adg_thrift_bool(writer, 8, true);
    }
    adg_thrift_end(writer);
}

/* ColumnMetaData */
static void write_column(struct adg_thrift_writer *writer, const struct adg_parquet_leaf *leaf,
                         const struct adg_parquet_chunk *chunk, uint64_t offset)
{
    bool dictionary = chunk->dictionary_bytes > 0;
    adg_thrift_begin(writer);
    adg_thrift_i32(writer, 1, (int32_t)adg_parquet_physical_of(leaf->type));
    adg_thrift_list_field(writer, 2, ADG_THRIFT_I32, (uint32_t)__builtin_popcount(chunk->encodings));
    for (uint32_t encoding = 0; encoding < 32; encoding++) {
        if ((chunk->encodings >> encoding & 1) != 0) {
            adg_thrift_item_i32(writer, (int32_t)encoding);
        }
    }
    adg_thrift_list_field(writer, 3, ADG_THRIFT_BINARY, leaf->is_list ? 3 : 1);
    adg_thrift_item_binary(writer, leaf->name, strlen(leaf->name));
    if (leaf->is_list) {
        adg_thrift_item_binary(writer, "list", 4);
        adg_thrift_item_binary(writer, "element", 7);
    }
    adg_thrift_i32(writer, 4, chunk->effort == ADG_EFFORT_NONE ? ADG_CODEC_UNCOMPRESSED : ADG_CODEC_ZSTD);
    adg_thrift_i64(writer, 5, (int64_t)chunk->values);
    adg_thrift_i64(writer, 6, (int64_t)chunk->uncompressed_bytes);
    adg_thrift_i64(writer, 7, (int64_t)chunk->stored_bytes);
    adg_thrift_i64(writer, 9, (int64_t)(offset + (uint64_t)chunk->dictionary_bytes));
    if (dictionary) {
        adg_thrift_i64(writer, 11, (int64_t)offset);
    }
    adg_thrift_struct_field(writer, 12);
    write_statistics(writer, chunk);
    adg_thrift_end(writer);
}

enum adg_status adg_parquet_footer_add(struct adg_parquet_footer *footer, const struct adg_parquet_chunk *chunks,
                                       uint64_t rows, uint64_t offset, struct adg_buffer *out, struct adg_error *error)
{
    struct adg_thrift_writer group = {.out = &footer->row_groups}, index = {.out = out};
    uint64_t stored = 0, uncompressed = 0;
    for (uint32_t i = 0; i < footer->leaf_count; i++) {
        stored += chunks[i].stored_bytes;
        uncompressed += chunks[i].uncompressed_bytes;
    }
    uint64_t index_offset = offset + stored, index_start = out->size, chunk_offset = offset;
    adg_thrift_begin(&group);
    adg_thrift_list_field(&group, 1, ADG_THRIFT_STRUCT, footer->leaf_count);
    for (uint32_t i = 0; i < footer->leaf_count; i++) {
        const struct adg_parquet_chunk *chunk = &chunks[i];
        uint64_t column_index = out->size - index_start;
        if (chunk->bounds_complete) {
            write_column_index(&index, chunk);
        }
        uint64_t offset_index = out->size - index_start;
        write_offset_index(&index, chunk, chunk_offset);
        uint64_t end = out->size - index_start;

        adg_thrift_begin(&group);
        adg_thrift_i64(&group, 2, 0);
        adg_thrift_struct_field(&group, 3);
        write_column(&group, &footer->leaves[i], chunk, chunk_offset);
        adg_thrift_i64(&group, 4, (int64_t)(index_offset + offset_index));
        adg_thrift_i32(&group, 5, (int32_t)(end - offset_index));
        if (chunk->bounds_complete) {
            adg_thrift_i64(&group, 6, (int64_t)(index_offset + column_index));
            adg_thrift_i32(&group, 7, (int32_t)(offset_index - column_index));
        }
        adg_thrift_end(&group);
        chunk_offset += chunk->stored_bytes;
    }
    adg_thrift_i64(&group, 2, (int64_t)uncompressed);
    adg_thrift_i64(&group, 3, (int64_t)rows);
    adg_thrift_i64(&group, 5, (int64_t)offset);
    adg_thrift_i64(&group, 6, (int64_t)stored);
    adg_thrift_end(&group);
    if (group.status != ADG_OK || index.status != ADG_OK) {
        return adg_fail_memory(error);
    }
    footer->row_group_count++;
    footer->rows += rows;
    return ADG_OK;
}

/* ConvertedType and LogicalType of a leaf: fields 6 to 8 and 10 of SchemaElement. */
static void write_logical_type(struct adg_thrift_writer *writer, const struct adg_parquet_leaf *leaf)
{
    enum { CONVERTED_UTF8 = 0, CONVERTED_DECIMAL = 5, CONVERTED_DATE = 6, CONVERTED_NONE = -1 };
    enum { LOGICAL_STRING = 1, LOGICAL_DECIMAL = 5, LOGICAL_DATE = 6, LOGICAL_TIMESTAMP = 8 };
    int32_t converted;
    int16_t logical;
    switch (leaf->type) {
    case ADG_TYPE_STRING:
        converted = CONVERTED_UTF8;
        logical = LOGICAL_STRING;
        break;
    case ADG_TYPE_DECIMAL:
        converted = CONVERTED_DECIMAL;
        logical = LOGICAL_DECIMAL;
        break;
    case ADG_TYPE_DATE:
        converted = CONVERTED_DATE;
        logical = LOGICAL_DATE;
        break;
    case ADG_TYPE_TIMESTAMP:
        converted = CONVERTED_NONE; /* the one for timestamps says UTC */
        logical = LOGICAL_TIMESTAMP;
        break;
    case ADG_TYPE_INT32:
    case ADG_TYPE_INT64:
    case ADG_TYPE_DOUBLE:
    case ADG_TYPE_BOOLEAN:
    default:
        return;
    }
    if (converted != CONVERTED_NONE) {
        adg_thrift_i32(writer, 6, converted);
    }
    if (leaf->type == ADG_TYPE_DECIMAL) {
        adg_thrift_i32(writer, 7, leaf->scale);
        adg_thrift_i32(writer, 8, leaf->precision);
    }
    adg_thrift_struct_field(writer, 10);
    adg_thrift_begin(writer);
    adg_thrift_struct_field(writer, logical);
    adg_thrift_begin(writer);
    if (leaf->type == ADG_TYPE_DECIMAL) {
        adg_thrift_i32(writer, 1, leaf->scale);
        adg_thrift_i32(writer, 2, leaf->precision);
    } else if (leaf->type == ADG_TYPE_TIMESTAMP) {
        adg_thrift_bool(writer, 1, false); /* no zone: not adjusted to UTC */
        adg_thrift_struct_field(writer, 2);
        adg_thrift_begin(writer);
        adg_thrift_struct_field(writer, 2); /* MICROS */
        adg_thrift_begin(writer);
        adg_thrift_end(writer);
        adg_thrift_end(writer);
    }
    adg_thrift_end(writer);
    adg_thrift_end(writer);
}

static void write_leaf(struct adg_thrift_writer *writer, const struct adg_parquet_leaf *leaf, const char *name)
{
    enum { OPTIONAL = 1 };
    adg_thrift_begin(writer);
    adg_thrift_i32(writer, 1, (int32_t)adg_parquet_physical_of(leaf->type));
    adg_thrift_i32(writer, 3, OPTIONAL);
    adg_thrift_text(writer, 4, name);
    write_logical_type(writer, leaf);
    adg_thrift_end(writer);
}

static void write_schema(struct adg_thrift_writer *writer, const struct adg_parquet_footer *footer)
{
    enum { OPTIONAL = 1, REPEATED = 2, CONVERTED_LIST = 3, LOGICAL_LIST = 3 };
    uint32_t elements = 1;
    for (uint32_t i = 0; i < footer->leaf_count; i++) {
        elements += footer->leaves[i].is_list ? 3 : 1;
    }
    adg_thrift_list_field(writer, 2, ADG_THRIFT_STRUCT, elements);
    adg_thrift_begin(writer);
    adg_thrift_text(writer, 4, "schema");
    adg_thrift_i32(writer, 5, (int32_t)footer->leaf_count);
    adg_thrift_end(writer);
    for (uint32_t i = 0; i < footer->leaf_count; i++) {
        const struct adg_parquet_leaf *leaf = &footer->leaves[i];
        if (!leaf->is_list) {
            write_leaf(writer, leaf, leaf->name);
            continue;
        }
        adg_thrift_begin(writer);
        adg_thrift_i32(writer, 3, OPTIONAL);
        adg_thrift_text(writer, 4, leaf->name);
        adg_thrift_i32(writer, 5, 1);
        adg_thrift_i32(writer, 6, CONVERTED_LIST);
        adg_thrift_struct_field(writer, 10);
        adg_thrift_begin(writer);
        adg_thrift_struct_field(writer, LOGICAL_LIST);
        adg_thrift_begin(writer);
        adg_thrift_end(writer);
        adg_thrift_end(writer);
        adg_thrift_end(writer);

        adg_thrift_begin(writer);
        adg_thrift_i32(writer, 3, REPEATED);
        adg_thrift_text(writer, 4, "list");
        adg_thrift_i32(writer, 5, 1);
        adg_thrift_end(writer);
        write_leaf(writer, leaf, "element");
    }
}

/* The footer is built around the row groups in their own memory, which is large: no second copy. */
enum adg_status adg_parquet_footer_finish(struct adg_parquet_footer *footer, struct adg_buffer *out,
                                          struct adg_error *error)
{
    struct adg_buffer *groups = &footer->row_groups, head = {0};
    struct adg_thrift_writer writer = {.out = &head};
    adg_thrift_begin(&writer);
    adg_thrift_i32(&writer, 1, 1);
    write_schema(&writer, footer);
    adg_thrift_i64(&writer, 3, (int64_t)footer->rows);
    adg_thrift_list_field(&writer, 4, ADG_THRIFT_STRUCT, footer->row_group_count);
    enum adg_status status = writer.status == ADG_OK ? adg_buffer_reserve(groups, head.size, error)
                                                     : adg_fail_memory(error);
    if (status == ADG_OK) {
        memmove(groups->data + head.size, groups->data, groups->size);
        memcpy(groups->data, head.data, head.size);
        groups->size += head.size;
    }
    adg_buffer_fini(&head);
    if (status != ADG_OK) {
        return status;
    }
    writer.out = groups;
    adg_thrift_text(&writer, 6, created_by);
    adg_thrift_list_field(&writer, 7, ADG_THRIFT_STRUCT, footer->leaf_count); /* column_orders: the order of the type */
    for (uint32_t i = 0; i < footer->leaf_count; i++) {
        adg_thrift_begin(&writer);
        adg_thrift_struct_field(&writer, 1);
        adg_thrift_begin(&writer);
        adg_thrift_end(&writer);
        adg_thrift_end(&writer);
    }
    adg_thrift_end(&writer);
    uint32_t length = (uint32_t)groups->size;
    adg_thrift_raw(&writer, &length, sizeof length);
    adg_thrift_raw(&writer, ADG_PARQUET_MAGIC, ADG_PARQUET_MAGIC_BYTES);
    if (writer.status != ADG_OK) {
        return adg_fail_memory(error);
    }
    if (out->size > 0) {
        return adg_buffer_append(out, groups->data, groups->size, error);
    }
    adg_buffer_fini(out);
    *out = *groups;
    *groups = (struct adg_buffer){0};
    return ADG_OK;
}

void adg_parquet_footer_fini(struct adg_parquet_footer *footer)
{
    adg_buffer_fini(&footer->row_groups);
}
