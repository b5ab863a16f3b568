/*
 * CSV: header in upper case, comma, '\n', quotes where a value holds comma, quote, CR or LF (RFC 4180 otherwise), empty for
 * null. A null row of a table with one column is an empty line.
 *
 * Two sinks write it. That of files takes an empty text for null, and puts the names of the columns in front. The one for
 * COPY ... FROM STDIN (FORMAT csv) of PostgreSQL has no names, puts an empty text in quotes, which is how COPY tells it from null, and
 * also the text \., which alone on a line would end the data.
 *
 * A row is a sequence of steps. Every step writes text that ends with its separator, so a row is nothing but copies:
 *
 *     LITERAL     a run of NULL and CONSTANT columns, the same in every row
 *     CELLS       a run of DICTIONARY columns: an entry per code, escaped once when the sink is opened; the last is null
 *     LONG_CELLS  the same with entries that do not fit their cells
 *     PLAIN       one column: formatted and escaped per row
 *     TEXTS       one column: its cells are escaped once per block
 *
 * An entry of at most 15 bytes lies in a cell of 16: copied as a whole, and the cursor moves by its length, so that no
 * copy has a variable length; a few columns at a time, so that a cursor is fetched and put back once for them. Longer ones are found
 * through the cell. A few rows are written side by side, step by step, each at a
 * cursor of its own: so their copies do not wait for one another, and the codes of a column are read in a run. Then the rows are
 * put one behind the other.
 */
#include <stdbool.h>
#include <string.h>

#include "block/text.h"
#include "core/memory.h"
#include "sink/escape.h"
#include "sink/sink.h"

enum { CELL_TEXT_BYTES = 15, LONG_ENTRY = 255 };
/* Literals up to a size, and pieces of texts, are copied as a whole. */
enum { CACHE_LINE = 64, SHORT_LITERAL = 32, TEXT_PIECE = 32 };
enum { CELL_GROUP = 4 }; /* columns whose cells are copied together; with eight it is no faster than with one */
enum { TILE_ROWS = CACHE_LINE / sizeof(uint32_t) }; /* rows that are written together: a cache line of codes */

struct cell {
    char text[CELL_TEXT_BYTES]; /* or the long entry's offset in long_text and size */
    uint8_t length;             /* or LONG_ENTRY */
};
_Static_assert(sizeof(struct cell) == 16, "a cell is copied as one register");
_Static_assert((int)TEXT_PIECE <= (int)SHORT_LITERAL && (int)ADG_TEXT_SLACK <= (int)SHORT_LITERAL,
               "room for the widest copy");
_Static_assert(sizeof(uint64_t) + sizeof(uint32_t) <= CELL_TEXT_BYTES, "a long entry's place fits its cell");

enum step_kind { STEP_LITERAL, STEP_CELLS, STEP_LONG_CELLS, STEP_PLAIN, STEP_TEXTS };

struct step {
    enum step_kind kind;
    uint32_t cell_count;       /* CELLS, LONG_CELLS */
    uint32_t column;           /* PLAIN, TEXTS */
    char separator;            /* PLAIN, TEXTS */
    struct adg_buffer literal; /* LITERAL */
};

struct cell_column {
    uint32_t column;
    struct cell *cells; /* [count + 1] */
};

struct adg_sink {
    const struct adg_layout *layout;
    bool copy; /* for COPY */
    struct step *steps;
    struct cell_column *cell_columns; /* in their order */
    uint32_t *text_columns;           /* those that are PLAIN text */
    uint32_t *escaped_columns;        /* those that are TEXTS */
    uint32_t step_count, cell_column_count, text_column_count, escaped_column_count;
    struct adg_buffer long_text;
    size_t row_bytes; /* no row is longer, its texts aside; with room for what the last copy writes beyond its end */
};

/* A TEXTS column's cells, escaped, with the separator; behind the last one TEXT_PIECE bytes may be read. */
struct escaped_column {
    struct adg_buffer bytes;
    uint32_t *offsets; /* [ADG_BLOCK_ROWS + 1] */
};

struct adg_sink_encoder {
    const struct adg_sink *sink;
    struct adg_buffer tile;         /* TILE_ROWS rows */
    struct escaped_column *escaped; /* [sink->escaped_column_count] of the block */
    struct adg_buffer bytes;
    uint64_t rows;
};

static enum adg_status append_entry(struct adg_buffer *out, const struct adg_layout_column *column, uint32_t entry,
                                    char separator, bool copy, struct adg_error *error)
{
    char scratch[ADG_VALUE_TEXT_BYTES];
    const char *text;
    size_t size = adg_dictionary_text(column->dictionary, column->field->scale, entry, scratch, &text);
    return adg_append_bare(out, text, size, separator, copy, error);
}

/* Adds a column of cells; `*longest` becomes the size of its longest entry, and `*kind` the step that writes them. */
static enum adg_status open_dictionary(struct adg_sink *sink, uint32_t c, char separator, size_t *longest,
                                       enum step_kind *kind, struct adg_error *error)
{
    const struct adg_layout_column *column = &sink->layout->columns[c];
    uint32_t count = column->dictionary->count;
    struct adg_buffer entry = {0};
    enum adg_status status = ADG_OK;
    struct cell *cells = adg_alloc_zero((size_t)count + 1, sizeof *cells);
    if (cells == NULL) {
        return adg_fail_memory(error);
    }
    sink->cell_columns[sink->cell_column_count++] = (struct cell_column){.column = c, .cells = cells};
    cells[count] = (struct cell){.text = {separator}, .length = 1};
    *longest = 1;
    *kind = STEP_CELLS;
    for (uint32_t i = 0; i < count && status == ADG_OK; i++) {
        entry.size = 0;
        status = append_entry(&entry, column, i, separator, sink->copy, error);
        if (status == ADG_OK && entry.size <= CELL_TEXT_BYTES) {
            memcpy(cells[i].text, entry.data, entry.size);
            cells[i].length = (uint8_t)entry.size;
        } else if (status == ADG_OK) {
            uint64_t offset = sink->long_text.size;
            uint32_t size = (uint32_t)entry.size; /* the texts of a dictionary are below 4 GiB together */
            memcpy(cells[i].text, &offset, sizeof offset);
            memcpy(cells[i].text + sizeof offset, &size, sizeof size);
            cells[i].length = LONG_ENTRY;
            *kind = STEP_LONG_CELLS;
            status = adg_buffer_append(&sink->long_text, entry.data, entry.size, error);
        }
        *longest = entry.size > *longest ? entry.size : *longest;
    }
    adg_buffer_fini(&entry);
    return status;
}

/* The last step when it is of this kind, or a new one. */
static struct step *step_of_kind(struct adg_sink *sink, enum step_kind kind)
{
    if (sink->step_count == 0 || sink->steps[sink->step_count - 1].kind != kind || kind == STEP_PLAIN ||
        kind == STEP_TEXTS) {
        sink->steps[sink->step_count++] = (struct step){.kind = kind};
    }
    return &sink->steps[sink->step_count - 1];
}

static enum adg_status open_column(struct adg_sink *sink, uint32_t c, struct adg_error *error)
{
    const struct adg_layout_column *column = &sink->layout->columns[c];
    char separator = c + 1 < sink->layout->column_count ? ',' : '\n';
    struct step *step;
    enum step_kind kind = STEP_CELLS;
    size_t longest = 0;
    enum adg_status status = ADG_OK;
    switch (column->kind) {
    case ADG_COLUMN_NULL:
    case ADG_COLUMN_CONSTANT:
        step = step_of_kind(sink, STEP_LITERAL);
        sink->row_bytes -= step->literal.size;
        status = column->kind == ADG_COLUMN_NULL
                     ? adg_buffer_append(&step->literal, &separator, 1, error)
                     : append_entry(&step->literal, column, 0, separator, sink->copy, error);
        longest = step->literal.size;
        break;
    case ADG_COLUMN_DICTIONARY:
        status = open_dictionary(sink, c, separator, &longest, &kind, error);
        step_of_kind(sink, kind)->cell_count++;
        break;
    case ADG_COLUMN_PLAIN:
        step = step_of_kind(sink, STEP_PLAIN);
        step->column = c;
        step->separator = separator;
        if (column->field->type == ADG_TYPE_STRING) {
            sink->text_columns[sink->text_column_count++] = c;
        }
        longest = ADG_VALUE_TEXT_BYTES + 1;
        break;
    case ADG_COLUMN_TEXTS:
        step = step_of_kind(sink, STEP_TEXTS);
        step->column = c;
        step->separator = separator;
        sink->escaped_columns[sink->escaped_column_count++] = c;
        longest = 1;
        break;
    }
    sink->row_bytes += longest;
    return status;
}

static void csv_free(struct adg_sink *sink)
{
    if (sink == NULL) {
        return;
    }
    for (uint32_t s = 0; s < sink->step_count; s++) {
        adg_buffer_fini(&sink->steps[s].literal);
    }
    for (uint32_t c = 0; c < sink->cell_column_count; c++) {
        adg_free(sink->cell_columns[c].cells);
    }
    adg_buffer_fini(&sink->long_text);
    adg_free(sink->steps);
    adg_free(sink->cell_columns);
    adg_free(sink->text_columns);
    adg_free(sink->escaped_columns);
    adg_free(sink);
}

static enum adg_status open_as(const struct adg_layout *layout, bool copy, enum adg_compression compression,
                               struct adg_sink **out, struct adg_error *error)
{
    if (compression == ADG_COMPRESSION_ZSTD) {
        return adg_fail(error, ADG_USAGE, "CSV is not compressed; leave the compression out");
    }
    struct adg_sink *sink = adg_alloc_zero(1, sizeof *sink);
    if (sink == NULL) {
        return adg_fail_memory(error);
    }
    enum adg_status status = ADG_OK;
    sink->layout = layout;
    sink->copy = copy;
    sink->row_bytes = SHORT_LITERAL;
    sink->steps = adg_alloc_array(layout->column_count, sizeof *sink->steps);
    sink->cell_columns = adg_alloc_array(layout->column_count, sizeof *sink->cell_columns);
    sink->text_columns = adg_alloc_array(layout->column_count, sizeof *sink->text_columns);
    sink->escaped_columns = adg_alloc_array(layout->column_count, sizeof *sink->escaped_columns);
    if (sink->steps == NULL || sink->cell_columns == NULL || sink->text_columns == NULL ||
        sink->escaped_columns == NULL) {
        status = adg_fail_memory(error);
    }
    for (uint32_t c = 0; c < layout->column_count && status == ADG_OK; c++) {
        status = open_column(sink, c, error);
    }
    for (uint32_t i = 0; i < sink->step_count && status == ADG_OK; i++) {
        status = adg_buffer_reserve(&sink->steps[i].literal, SHORT_LITERAL, error);
    }
    if (status != ADG_OK) {
        csv_free(sink);
        return status;
    }
    *out = sink;
    return ADG_OK;
}

static enum adg_status csv_open(const struct adg_layout *layout, enum adg_compression compression,
                                struct adg_sink **out, struct adg_error *error)
{
    return open_as(layout, false, compression, out, error);
}

static enum adg_status copy_open(const struct adg_layout *layout, enum adg_compression compression,
                                 struct adg_sink **out, struct adg_error *error)
{
    return open_as(layout, true, compression, out, error);
}

static enum adg_status csv_begin(struct adg_sink *sink, struct adg_buffer *out, struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    const struct adg_layout *layout = sink->layout;
    for (uint32_t c = 0; c < layout->column_count && status == ADG_OK && !sink->copy; c++) {
        const char *name = layout->columns[c].field->name;
        status = adg_append_bare(out, name, strlen(name), c + 1 < layout->column_count ? ',' : '\n', false, error);
    }
    return status;
}

static void csv_encoder_free(struct adg_sink_encoder *encoder)
{
    if (encoder != NULL) {
        adg_buffer_fini(&encoder->bytes);
        adg_buffer_fini(&encoder->tile);
        for (uint32_t i = 0; encoder->escaped != NULL && i < encoder->sink->escaped_column_count; i++) {
            adg_buffer_fini(&encoder->escaped[i].bytes);
            adg_free(encoder->escaped[i].offsets);
        }
        adg_free(encoder->escaped);
        adg_free(encoder);
    }
}

static enum adg_status csv_encoder_new(const struct adg_sink *sink, struct adg_sink_encoder **out,
                                       struct adg_error *error)
{
    struct adg_sink_encoder *encoder = adg_alloc_zero(1, sizeof *encoder);
    if (encoder == NULL) {
        return adg_fail_memory(error);
    }
    encoder->sink = sink;
    encoder->escaped = adg_alloc_zero(sink->escaped_column_count + (size_t)1, sizeof *encoder->escaped);
    bool good = encoder->escaped != NULL;
    for (uint32_t i = 0; good && i < sink->escaped_column_count; i++) {
        encoder->escaped[i].offsets = adg_alloc_array(ADG_BLOCK_ROWS + 1, sizeof(uint32_t));
        good = encoder->escaped[i].offsets != NULL;
    }
    if (!good) {
        csv_encoder_free(encoder);
        return adg_fail_memory(error);
    }
    *out = encoder;
    return ADG_OK;
}

static char *put_long(char *next, const struct adg_sink *sink, const struct cell *cell)
{
    uint64_t offset;
    uint32_t size;
    memcpy(&offset, cell->text, sizeof offset);
    memcpy(&size, cell->text + sizeof offset, sizeof size);
    memcpy(next, sink->long_text.data + offset, size);
    return next + size;
}

/* Cells of a few columns, each at its row's cursor. */
static inline __attribute__((always_inline)) void copy_cells(const struct adg_block *block,
                                                             const struct cell_column *columns, uint32_t count,
                                                             uint32_t first_row, uint32_t rows, char **next)
{
    const struct cell *cells[CELL_GROUP];
    const uint32_t *codes[CELL_GROUP];
    for (uint32_t c = 0; c < count; c++) {
        cells[c] = columns[c].cells;
        codes[c] = block->columns[columns[c].column].codes + first_row;
        /* for the next tile: of so many columns the processor foresees none */
        __builtin_prefetch(codes[c] + TILE_ROWS);
    }
    for (uint32_t r = 0; r < rows; r++) {
        char *at = next[r];
        for (uint32_t c = 0; c < count; c++) {
            const struct cell *cell = &cells[c][codes[c][r]];
            memcpy(at, cell, sizeof *cell);
            at += cell->length;
        }
        next[r] = at;
    }
}

/* Both numbers are constants but for the last tile, so that there are no loops. */
static void put_cells(const struct adg_block *block, const struct cell_column *columns, uint32_t count,
                      uint32_t first_row, uint32_t rows, char **next)
{
    switch (rows == TILE_ROWS ? count : 0) {
    case 1:
        copy_cells(block, columns, 1, first_row, TILE_ROWS, next);
        break;
    case 2:
        copy_cells(block, columns, 2, first_row, TILE_ROWS, next);
        break;
    case 3:
        copy_cells(block, columns, 3, first_row, TILE_ROWS, next);
        break;
    case CELL_GROUP:
        copy_cells(block, columns, CELL_GROUP, first_row, TILE_ROWS, next);
        break;
    default:
        copy_cells(block, columns, count, first_row, rows, next);
        break;
    }
}

static void put_long_cells(const struct adg_sink *sink, const struct cell_column *column, const uint32_t *codes,
                           uint32_t rows, char **next)
{
    __builtin_prefetch(codes + TILE_ROWS);
    for (uint32_t r = 0; r < rows; r++) {
        const struct cell *cell = &column->cells[codes[r]];
        if (cell->length == LONG_ENTRY) {
            next[r] = put_long(next[r], sink, cell);
        } else {
            memcpy(next[r], cell, sizeof *cell);
            next[r] += cell->length;
        }
    }
}

/* Numbers, dates and the like: their text never needs quotes. */
static char *put_plain_number(char *next, const struct adg_field *field, const struct adg_block_column *column,
                              uint32_t row)
{
    switch (field->type) {
    case ADG_TYPE_DOUBLE:
        return next + adg_double_format(column->values.f64[row], next);
    case ADG_TYPE_INT64:
    case ADG_TYPE_DECIMAL:
    case ADG_TYPE_TIMESTAMP:
        return next + adg_int_text(field->type, field->scale, column->values.i64[row], next);
    default:
        return next + adg_int_text(field->type, field->scale, column->values.i32[row], next);
    }
}

/* Escapes the cells of TEXTS columns. */
static enum adg_status escape_cells(struct adg_sink_encoder *encoder, const struct adg_block *block,
                                    struct adg_error *error)
{
    enum adg_status status = ADG_OK;
    for (uint32_t i = 0; i < encoder->sink->escaped_column_count && status == ADG_OK; i++) {
        uint32_t number = encoder->sink->escaped_columns[i];
        const struct adg_block_column *column = &block->columns[number];
        char separator = number + 1 < encoder->sink->layout->column_count ? ',' : '\n';
        struct escaped_column *escaped = &encoder->escaped[i];
        escaped->bytes.size = escaped->offsets[0] = 0;
        for (uint32_t c = 0; c < column->cells && status == ADG_OK; c++) {
            uint32_t size = 0;
            const char *text = adg_block_cell(column, c, &size);
            status = adg_append_escaped(&escaped->bytes, text, size, separator, encoder->sink->copy, error);
            escaped->offsets[c + 1] = (uint32_t)escaped->bytes.size;
            if (status == ADG_OK && escaped->bytes.size > UINT32_MAX / 2) {
                status = adg_fail(error, ADG_FAILED, "the texts of one block take more than 2 GiB");
            }
        }
        if (status == ADG_OK) {
            status = adg_buffer_reserve(&escaped->bytes, TEXT_PIECE, error);
        }
    }
    return status;
}

static uint32_t longest_of(const uint32_t *offsets, uint32_t count)
{
    uint32_t longest = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bytes = offsets[i + 1] - offsets[i];
        longest = bytes > longest ? bytes : longest;
    }
    return longest;
}

/* Bytes that the texts of a row of the block may take beyond row_bytes. */
static size_t text_bytes(const struct adg_sink_encoder *encoder, const struct adg_block *block)
{
    const struct adg_sink *sink = encoder->sink;
    size_t bytes = 0;
    for (uint32_t i = 0; i < sink->escaped_column_count; i++) {
        bytes += longest_of(encoder->escaped[i].offsets, block->columns[sink->escaped_columns[i]].cells);
    }
    for (uint32_t c = 0; c < sink->text_column_count; c++) {
        bytes += 2 * (size_t)longest_of(block->columns[sink->text_columns[c]].values.text.offsets, block->rows) + 2;
    }
    return bytes;
}

static void put_plain(const struct adg_sink *sink, const struct step *step, const struct adg_block *block,
                      uint32_t first_row, uint32_t rows, char **next)
{
    const struct adg_block_column *column = &block->columns[step->column];
    const struct adg_field *field = sink->layout->columns[step->column].field;
    for (uint32_t r = 0; r < rows; r++) {
        uint32_t row = first_row + r;
        if (column->valid == NULL || column->valid[row] != 0) {
            if (field->type == ADG_TYPE_STRING) {
                uint32_t size = 0;
                const char *text = adg_block_cell(column, row, &size);
                next[r] += adg_put_escaped(next[r], text, size, sink->copy);
            } else {
                next[r] = put_plain_number(next[r], field, column, row);
            }
        }
        *next[r]++ = step->separator;
    }
}

/* A literal's buffer has SHORT_LITERAL bytes at least. */
static void put_literal(const struct adg_buffer *literal, uint32_t rows, char **next)
{
    const uint8_t *from = literal->data;
    const size_t size = literal->size;
    for (uint32_t r = 0; r < rows && size <= SHORT_LITERAL; r++) {
        memcpy(next[r], from, SHORT_LITERAL);
        next[r] += size;
    }
    for (uint32_t r = 0; r < rows && size > SHORT_LITERAL; r++) {
        memcpy(next[r], from, size);
        next[r] += size;
    }
}

static void put_texts(const struct escaped_column *escaped, const uint32_t *codes, char separator, uint32_t rows,
                      char **next)
{
    for (uint32_t r = 0; r < rows; r++) {
        if (codes[r] == ADG_NO_TEXT) {
            *next[r]++ = separator;
            continue;
        }
        const uint8_t *from = escaped->bytes.data + escaped->offsets[codes[r]];
        uint32_t size = escaped->offsets[codes[r] + 1] - escaped->offsets[codes[r]];
        for (uint32_t at = 0; at < size; at += TEXT_PIECE) {
            memcpy(next[r] + at, from + at, TEXT_PIECE);
        }
        next[r] += size;
    }
}

/* A block's rows are more than the caches near the processor hold: the memory where a tile's rows will lie is fetched while they are
 * written, a little of it with every column, since few lines of it can be under way at a time. */
struct room {
    const uint8_t *next, *end;
    size_t step;
};

static struct room room_for(const struct adg_sink *sink, const struct adg_buffer *bytes, size_t size)
{
    const size_t left = bytes->capacity - bytes->size, lines = (size < left ? size : left) / CACHE_LINE;
    const uint8_t *next = bytes->data + bytes->size;
    return (struct room){next, next + lines * CACHE_LINE,
                         (lines / (sink->step_count + sink->cell_column_count) + 1) * CACHE_LINE};
}

static void fetch(struct room *room, uint32_t steps)
{
    const size_t left = (size_t)(room->end - room->next), size = steps * room->step;
    const uint8_t *end = room->next + (size < left ? size : left);
    for (; room->next < end; room->next += CACHE_LINE) {
        __builtin_prefetch(room->next, 1);
    }
}

/* Writes rows side by side, with their cursors in `next`. */
static void put_tile(const struct adg_sink_encoder *encoder, const struct adg_block *block, uint32_t first_row,
                     uint32_t rows, char **next, struct room *room)
{
    const struct adg_sink *sink = encoder->sink;
    const struct cell_column *column = sink->cell_columns;
    const struct escaped_column *escaped = encoder->escaped;
    for (uint32_t s = 0; s < sink->step_count; s++) {
        const struct step *step = &sink->steps[s];
        const struct cell_column *end = column + step->cell_count;
        fetch(room, 1);
        switch (step->kind) {
        case STEP_LITERAL:
            put_literal(&step->literal, rows, next);
            break;
        case STEP_CELLS:
            for (uint32_t count; column < end; column += count) {
                count = end - column < CELL_GROUP ? (uint32_t)(end - column) : CELL_GROUP;
                fetch(room, count);
                put_cells(block, column, count, first_row, rows, next);
            }
            break;
        case STEP_LONG_CELLS:
            for (; column < end; column++) {
                fetch(room, 1);
                put_long_cells(sink, column, block->columns[column->column].codes + first_row, rows, next);
            }
            break;
        case STEP_PLAIN:
            put_plain(sink, step, block, first_row, rows, next);
            break;
        case STEP_TEXTS:
            put_texts(escaped++, block->columns[step->column].codes + first_row, step->separator, rows, next);
            break;
        }
    }
}

static enum adg_status csv_encode(struct adg_sink_encoder *encoder, const struct adg_block *block,
                                  struct adg_error *error)
{
    const struct adg_sink *sink = encoder->sink;
    struct adg_buffer *bytes = &encoder->bytes, *tile = &encoder->tile;
    enum adg_status status = escape_cells(encoder, block, error);
    if (status != ADG_OK) {
        return status;
    }
    /* an odd number of cache lines, so that rows do not crowd into a few sets of the cache */
    const size_t stride = (((sink->row_bytes + text_bytes(encoder, block)) / CACHE_LINE + 2) | 1) * CACHE_LINE;
    status = adg_buffer_reserve(tile, TILE_ROWS * stride, error);
    if (status != ADG_OK) {
        return status;
    }
    size_t taken = 0;
    for (uint32_t first = 0; first < block->rows; first += TILE_ROWS) {
        uint32_t rows = block->rows - first < TILE_ROWS ? block->rows - first : TILE_ROWS;
        char *next[TILE_ROWS];
        status = adg_buffer_reserve(bytes, TILE_ROWS * stride, error);
        if (status != ADG_OK) {
            return status;
        }
        for (uint32_t r = 0; r < TILE_ROWS; r++) {
            next[r] = (char *)tile->data + r * stride;
        }
        const size_t before = bytes->size;
        struct room room = room_for(sink, bytes, taken); /* about as much as the last ones took */
        put_tile(encoder, block, first, rows, next, &room);
        for (uint32_t r = 0; r < rows; r++) {
            const char *start = (const char *)tile->data + r * stride;
            adg_buffer_put(bytes, start, (size_t)(next[r] - start));
        }
        taken = bytes->size - before;
    }
    encoder->rows += block->rows;
    return ADG_OK;
}

static void csv_part_begin(struct adg_sink_encoder *encoder, struct adg_sink_part *memory)
{
    adg_buffer_swap(&encoder->bytes, &memory->bytes);
}

static enum adg_status csv_part_end(struct adg_sink_encoder *encoder, struct adg_sink_part *part,
                                    struct adg_error *error)
{
    (void)error;
    *part = (struct adg_sink_part){.bytes = encoder->bytes, .rows = encoder->rows};
    encoder->bytes = (struct adg_buffer){0};
    encoder->rows = 0;
    return ADG_OK;
}

static enum adg_status csv_finish(struct adg_sink *sink, uint64_t offset, struct adg_buffer *out,
                                  struct adg_error *error)
{
    (void)sink;
    (void)offset;
    (void)out;
    (void)error;
    return ADG_OK;
}

static void csv_part_fini(struct adg_sink_part *part)
{
    adg_buffer_fini(&part->bytes);
}

/* text is an order of magnitude larger than packed codes, and nothing is gained by long parts */
#define OPERATIONS(open_)                                                                                              \
    {                                                                                                                  \
        .extension = "csv", .part_blocks = 1, .open = open_, .begin = csv_begin, .encoder_new = csv_encoder_new,       \
        .part_begin = csv_part_begin, .encode = csv_encode, .part_end = csv_part_end,                                  \
        .append = adg_sink_append_nothing, .finish = csv_finish, .part_fini = csv_part_fini,                           \
        .encoder_free = csv_encoder_free, .free = csv_free,                                                            \
    }
const struct adg_sink_operations adg_sink_csv = OPERATIONS(csv_open), adg_sink_copy = OPERATIONS(copy_open);
