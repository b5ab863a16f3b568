/*
 * A table in memory as a Parquet file: see table.h. Everything is PLAIN under zstd, a page per 65,536 rows, row groups as
 * asked for or of 1,048,576: what compresses well in sorted metadata is found by zstd, and the reader stays small.
 */
#include "core/memory.h"
#include "parquet/footer.h"
#include "parquet/hybrid.h"
#include "parquet/table.h"

enum { PAGE_ROWS = 65536, GROUP_ROWS = 16 * PAGE_ROWS };

/* The page in hand. */
struct page {
    struct adg_buffer body;
    uint32_t *definition, *repetition; /* levels, with room for the packing's padding */
    uint32_t levels, capacity, nulls;
    struct adg_span min, max;
};

static enum adg_status reserve_levels(struct page *page, uint32_t count, struct adg_error *error)
{
    if (count <= page->capacity) {
        return ADG_OK;
    }
    uint32_t *definition = adg_realloc_array(page->definition, (size_t)count + 8, sizeof *definition);
    if (definition != NULL) {
        page->definition = definition;
    }
    uint32_t *repetition = adg_realloc_array(page->repetition, (size_t)count + 8, sizeof *repetition);
    if (repetition != NULL) {
        page->repetition = repetition;
    }
    if (definition == NULL || repetition == NULL) {
        return adg_fail_memory(error);
    }
    page->capacity = count;
    return ADG_OK;
}

static void add_level(struct page *page, uint32_t repetition, uint32_t definition)
{
    page->repetition[page->levels] = repetition;
    page->definition[page->levels++] = definition;
}

static struct adg_span value_at(const struct adg_parquet_column *column, uint64_t i)
{
    switch (adg_parquet_physical_of(column->type)) {
    case ADG_PHYSICAL_INT32:
    case ADG_PHYSICAL_BOOLEAN:
        return (struct adg_span){(const uint8_t *)&column->values.i32[i], sizeof(int32_t)};
    case ADG_PHYSICAL_INT64:
        return (struct adg_span){(const uint8_t *)&column->values.i64[i], sizeof(int64_t)};
    case ADG_PHYSICAL_DOUBLE:
        return (struct adg_span){(const uint8_t *)&column->values.f64[i], sizeof(double)};
    case ADG_PHYSICAL_BYTE_ARRAY:
        break;
    }
    return column->values.text[i];
}

static enum adg_status put_levels(struct adg_buffer *body, uint32_t *levels, uint32_t count, unsigned width,
                                  struct adg_error *error)
{
    enum adg_status status = adg_buffer_reserve(body, sizeof(uint32_t) + adg_hybrid_bound(count, width), error);
    if (status == ADG_OK) {
        bool repeated = true;
        for (uint32_t i = 1; i < count && repeated; i++) {
            repeated = levels[i] == levels[0];
        }
        uint8_t *out = body->data + body->size + sizeof(uint32_t);
        uint32_t size = (uint32_t)(repeated ? adg_hybrid_put_repeated(out, levels[0], count, width)
                                            : adg_hybrid_put_packed(out, levels, count, width));
        memcpy(out - sizeof size, &size, sizeof size);
        body->size += sizeof size + size;
    }
    return status;
}

static enum adg_status put_value(struct page *page, const struct adg_parquet_column *column, uint64_t i,
                                 struct adg_error *error)
{
    struct adg_span value = value_at(column, i);
    enum adg_status status = ADG_OK;
    if (page->min.data == NULL || adg_parquet_compare(column->type, value, page->min) < 0) {
        page->min = value;
    }
    if (page->max.data == NULL || adg_parquet_compare(column->type, value, page->max) > 0) {
        page->max = value;
    }
    if (column->type == ADG_TYPE_STRING) {
        uint32_t length = (uint32_t)value.size;
        status = adg_buffer_append(&page->body, &length, sizeof length, error);
    }
    return status == ADG_OK ? adg_buffer_append(&page->body, value.data, value.size, error) : status;
}

/* The levels of rows first .. end-1, then their values. Definition of a list: 0 null, 1 empty, 2 null item, 3 item. */
static enum adg_status fill_page(struct page *page, const struct adg_parquet_column *column, uint64_t first,
                                 uint64_t end, struct adg_error *error)
{
    page->levels = page->nulls = 0;
    page->body.size = 0;
    page->min = page->max = (struct adg_span){0};
    uint64_t items = column->is_list ? column->list_offsets[end] - column->list_offsets[first] : 0;
    enum adg_status status = reserve_levels(page, (uint32_t)(end - first + items), error);
    for (uint64_t row = first; row < end && status == ADG_OK; row++) {
        bool valid = column->valid == NULL || column->valid[row] != 0;
        if (!column->is_list) {
            add_level(page, 0, valid);
        } else if (!valid || column->list_offsets[row] == column->list_offsets[row + 1]) {
            add_level(page, 0, valid);
        } else {
            for (uint32_t i = column->list_offsets[row]; i < column->list_offsets[row + 1]; i++) {
                bool item = column->item_valid == NULL || column->item_valid[i] != 0;
                add_level(page, i > column->list_offsets[row], item ? 3 : 2);
            }
        }
    }
    uint32_t full = column->is_list ? 3 : 1;
    for (uint32_t i = 0; i < page->levels && status == ADG_OK; i++) {
        page->nulls += page->definition[i] < full;
    }
    if (status == ADG_OK && column->is_list) {
        status = put_levels(&page->body, page->repetition, page->levels, 1, error);
    }
    if (status == ADG_OK) {
        status = put_levels(&page->body, page->definition, page->levels, column->is_list ? 2 : 1, error);
    }
    for (uint64_t row = first; row < end && status == ADG_OK; row++) {
        bool valid = column->valid == NULL || column->valid[row] != 0;
        if (valid && !column->is_list) {
            status = put_value(page, column, row, error);
        }
        for (uint32_t i = valid && column->is_list ? column->list_offsets[row] : UINT32_MAX;
             i != UINT32_MAX && i < column->list_offsets[row + 1] && status == ADG_OK; i++) {
            if (column->item_valid == NULL || column->item_valid[i] != 0) {
                status = put_value(page, column, i, error);
            }
        }
    }
    return status;
}

static enum adg_status write_chunk(struct adg_parquet_chunk *chunk, struct page *page,
                                   const struct adg_parquet_column *column, uint64_t first, uint64_t end,
                                   struct adg_parquet_compressor *compressor, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    adg_parquet_chunk_begin(chunk, column->type, ADG_EFFORT_REPETITIONS, compressor);
    for (uint64_t row = first; row < end && status == ADG_OK; row += PAGE_ROWS) {
        uint64_t stop = end - row < PAGE_ROWS ? end : row + PAGE_ROWS;
        status = fill_page(page, column, row, stop, error);
        if (status == ADG_OK) {
            const struct adg_parquet_bounds bounds = {page->min.data != NULL, page->min, page->max};
            status = adg_parquet_chunk_page(chunk, (struct adg_span){page->body.data, page->body.size}, page->levels,
                                            (uint32_t)(stop - row), page->nulls, ADG_ENCODING_PLAIN, &bounds, error);
        }
    }
    return status;
}

enum adg_status adg_parquet_table_write(const struct adg_parquet_table *table, struct adg_buffer *out,
                                        struct adg_error *error)
{
    struct adg_parquet_leaf *leaves = adg_alloc_zero(table->column_count, sizeof *leaves);
    struct adg_parquet_chunk *chunks = adg_alloc_zero(table->column_count, sizeof *chunks);
    struct adg_parquet_compressor compressor = {0};
    struct page page = {0};
    struct adg_buffer file = {0};
    struct adg_parquet_footer footer = {.leaves = leaves, .leaf_count = table->column_count};
    enum adg_status status = leaves == NULL || chunks == NULL ? adg_fail_memory(error)
                                                              : adg_parquet_compressor_init(&compressor, error);
    if (status == ADG_OK) {
        status = adg_buffer_append(&file, ADG_PARQUET_MAGIC, ADG_PARQUET_MAGIC_BYTES, error);
    }
    for (uint32_t i = 0; i < table->column_count && status == ADG_OK; i++) {
        leaves[i] = (struct adg_parquet_leaf){
            .name = table->columns[i].name, .type = table->columns[i].type, .is_list = table->columns[i].is_list};
    }
    uint64_t end = 0;
    for (uint32_t group = 0; end < table->rows && status == ADG_OK; group++) {
        uint64_t row = end, offset = file.size;
        end = table->group_ends != NULL        ? table->group_ends[group]
              : table->rows - row < GROUP_ROWS ? table->rows
                                               : row + GROUP_ROWS;
        for (uint32_t i = 0; i < table->column_count && status == ADG_OK; i++) {
            status = write_chunk(&chunks[i], &page, &table->columns[i], row, end, &compressor, error);
            if (status == ADG_OK) {
                status = adg_buffer_append(&file, chunks[i].bytes.data, chunks[i].bytes.size, error);
            }
        }
        if (status == ADG_OK) {
            status = adg_parquet_footer_add(&footer, chunks, end - row, offset, &file, error);
        }
    }
    if (status == ADG_OK) {
        status = adg_parquet_footer_finish(&footer, &file, error);
    }
    if (status == ADG_OK) {
        status = adg_buffer_append(out, file.data, file.size, error);
    }
    for (uint32_t i = 0; chunks != NULL && i < table->column_count; i++) {
        adg_parquet_chunk_fini(&chunks[i]);
    }
    adg_free(chunks);
    adg_free(leaves);
    adg_parquet_compressor_fini(&compressor);
    adg_free(page.definition);
    adg_free(page.repetition);
    adg_buffer_fini(&page.body);
    adg_buffer_fini(&file);
    adg_parquet_footer_fini(&footer);
    return status;
}
