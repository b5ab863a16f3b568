/*
 * Within the Parquet sink: what one file and one thread keep, and the pages that blocks become.
 */
#ifndef ADG_SINK_PARQUET_H
#define ADG_SINK_PARQUET_H

#include "parquet/footer.h"
#include "parquet/statistics.h"
#include "sink/sink.h"
#include "sink/texts.h"

/* Dictionaries with more entries are cut to those that a row group uses, as are those of sparse columns. */
/* and whole numbers of fewer bits are worth packing. */
enum { MOST_DELTA_BITS = 52, WHOLE_DICTIONARY_ENTRIES = 4096, PART_ROWS = ADG_SINK_PART_BLOCKS * ADG_BLOCK_ROWS };

struct prepared_column {
    struct adg_buffer dictionary; /* the whole dictionary as the body of its page */
    bool deferred;
    bool dense; /* values have most of the bits that they take: compressing them is not tried */
    bool delta; /* PLAIN whole numbers whose range is known to be narrower than their type */
};

struct adg_sink {
    const struct adg_layout *layout;
    enum adg_compression compression;
    struct adg_parquet_leaf *leaves;
    struct prepared_column *columns;
    struct adg_parquet_statistics *statistics; /* [columns] of the file so far */
    struct adg_parquet_footer footer;
};

struct encoder_column {
    struct adg_parquet_chunk chunk;
    bool begun;
    uint32_t *codes;                /* deferred or listed: of the part so far */
    struct adg_buffer filled_rows;  /* deferred and sparse: uint32_t, rows of the part so far that have a value, */
    struct adg_buffer filled_codes; /* and uint32_t, their codes */
    struct adg_texts texts;         /* listed: the dictionary of the part so far */
    bool listed;                    /* texts are listed in this part: they repeat */
};

struct adg_sink_encoder {
    const struct adg_sink *sink;
    struct encoder_column *columns;
    void *compressor;          /* ZSTD_CCtx */
    uint64_t rows;             /* of the part */
    struct adg_buffer body;    /* of the page in hand */
    struct adg_buffer scratch; /* trial compression */
    uint32_t *packed;          /* codes without nulls */
    uint8_t *present;          /* definition levels, a bit per row */
    uint16_t *filled;          /* rows with a value of a page of a sparse column */
    void *numbers;             /* PLAIN numbers without nulls, aligned as a page is not */
    uint32_t *remap;           /* deferred: code in the file's dictionary to code in the row group's */
    uint32_t *known;           /* [ADG_BLOCK_ROWS] TEXTS: a cell's entry in the part's dictionary */
};

/* How the pages of a column chunk are made. */
struct adg_page_dictionary { /* no entries: there is none */
    struct adg_span body;
    uint32_t entries;
    bool sorted;
};
struct adg_page_form {
    enum adg_parquet_encoding encoding;
    size_t skip; /* bytes of a body that do not tell whether it pays */
    struct adg_page_dictionary dictionary;
};

/* A page's body: it starts with definition levels, all 0, all 1, or the bits in encoder->present, and may go on with codes below
 * `entries`, others being null; then it is emitted. The chunk starts with its first page. */
ADG_MUST_CHECK enum adg_status adg_page_put_levels(struct adg_sink_encoder *encoder, uint32_t rows, uint32_t present,
                                                   struct adg_error *error);
struct adg_page_codes { /* how many are not null, the smallest and the largest of them */
    uint32_t kept, min, max;
};
ADG_MUST_CHECK enum adg_status adg_page_put_codes(struct adg_sink_encoder *encoder, const uint32_t *codes,
                                                  uint32_t rows, bool nullable, uint32_t entries,
                                                  struct adg_page_codes *out, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_page_emit(struct adg_sink_encoder *encoder, uint32_t column, struct adg_span body,
                                             const struct adg_page_form *form, uint32_t rows, uint32_t nulls,
                                             const struct adg_parquet_bounds *bounds, struct adg_error *error);

/* Entry `i` in PLAIN encoding without length prefix; and appending a value with it. */
struct adg_span adg_page_entry(const struct adg_dictionary *dictionary, uint32_t i);
ADG_MUST_CHECK enum adg_status adg_page_append_value(struct adg_buffer *out, enum adg_type type, struct adg_span value,
                                                     struct adg_error *error);

/* A block's page: of codes with the whole dictionary, of booleans, of PLAIN values. */
ADG_MUST_CHECK enum adg_status adg_page_codes(struct adg_sink_encoder *encoder, uint32_t column, const uint32_t *codes,
                                              uint32_t rows, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_page_boolean(struct adg_sink_encoder *encoder, uint32_t column,
                                                const uint32_t *codes, uint32_t rows, struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_page_plain(struct adg_sink_encoder *encoder, uint32_t index,
                                              const struct adg_block_column *column, uint32_t rows,
                                              struct adg_error *error);
/* A block of texts of its own (parquet_texts.c). */
ADG_MUST_CHECK enum adg_status adg_page_texts(struct adg_sink_encoder *encoder, uint32_t index,
                                              const struct adg_block_column *column, uint32_t rows,
                                              struct adg_error *error);

/* Keeps a block's codes until the row group's entries are known. */
ADG_MUST_CHECK enum adg_status adg_page_defer(struct adg_sink_encoder *encoder, uint32_t index,
                                              const struct adg_block_column *column, uint32_t rows,
                                              struct adg_error *error);

/* At the part's end: the one page of a column that is null or constant throughout; the pages of texts that were listed, and of
 * codes that were kept. */
ADG_MUST_CHECK enum adg_status adg_page_uniform(struct adg_sink_encoder *encoder, uint32_t column,
                                                struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_page_listed(struct adg_sink_encoder *encoder, uint32_t index,
                                               struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_page_deferred(struct adg_sink_encoder *encoder, uint32_t column,
                                                 struct adg_error *error);

#endif
