/*
 * Within the Parquet sink: what one file and one thread keep, and the pages that blocks become.
 */
#ifndef ADG_SINK_PARQUET_H
#define ADG_SINK_PARQUET_H

#include "parquet/footer.h"
#include "parquet/statistics.h"
#include "sink/sink.h"
#include "sink/texts.h"

/* Whole numbers of fewer bits are worth packing; of dictionaries with more entries a row group has its own, as it has of sparse columns. */
enum { MOST_DELTA_BITS = 52, WHOLE_DICTIONARY_ENTRIES = 4096, PART_ROWS = ADG_SINK_PART_BLOCKS * ADG_BLOCK_ROWS };

struct prepared_column {
    struct adg_buffer dictionary; /* the whole dictionary as the body of its page, unless it grows: */
    bool grows;                   /* a row group has a dictionary of its own, whose entries are numbered as they come */
    bool dense;                   /* values have most of the bits that they take: compressing them is not tried */
    bool delta;                   /* PLAIN whole numbers whose range is known to be narrower than their type */
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
    uint32_t *numbers;       /* grows: [entries] code in the row group's dictionary and 1, or 0; */
    struct adg_buffer names; /* uint32_t, codes of the layout's that have a number, in its order */
    struct adg_texts texts;  /* listed: the dictionary of the part so far */
    bool listed;             /* texts are listed in this part: they repeat */
};

struct adg_sink_encoder {
    const struct adg_sink *sink;
    struct encoder_column *columns;
    struct adg_parquet_compressor compressor;
    uint64_t rows;             /* of the part */
    struct adg_buffer body;    /* of the page in hand */
    struct adg_buffer entries; /* the body of a row group's own dictionary */
    uint32_t *packed;          /* codes without nulls */
    uint8_t *present;          /* definition levels, a bit per row */
    void *numbers;             /* PLAIN numbers without nulls, aligned as a page is not; codes of texts */
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
    bool grows; /* the dictionary is what there is of it so far */
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

/* A block's page of codes with the dictionary that the row group has so far, which they make grow. */
ADG_MUST_CHECK enum adg_status adg_page_growing(struct adg_sink_encoder *encoder, uint32_t index,
                                                const struct adg_block_column *column, uint32_t rows,
                                                struct adg_error *error);

/* At the part's end: the one page of a column that is null or constant throughout; the dictionary that has grown, of codes or of
 * texts. */
ADG_MUST_CHECK enum adg_status adg_page_uniform(struct adg_sink_encoder *encoder, uint32_t column,
                                                struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_page_grown(struct adg_sink_encoder *encoder, uint32_t index,
                                              struct adg_error *error);
ADG_MUST_CHECK enum adg_status adg_page_listed(struct adg_sink_encoder *encoder, uint32_t index,
                                               struct adg_error *error);

#endif
