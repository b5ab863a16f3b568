/*
 * Making and encoding blocks: see encoding.h.
 */
#include "run/encoding.h"

#include "core/stop.h"

static enum adg_status take_column(void *context, const struct adg_block *block, uint32_t column,
                                   struct adg_error *error)
{
    const struct adg_encoding *encoding = context;
    return encoding->operations->encode_column(encoding->encoder, block, column, error);
}

enum adg_status adg_encoding_init(struct adg_encoding *encoding, const struct adg_sink_operations *operations,
                                  const struct adg_sink *sink, const struct adg_plan *plan, struct adg_error *error)
{
    const struct adg_column_taker taker = {take_column, encoding};
    *encoding = (struct adg_encoding){.operations = operations};
    enum adg_status status = operations->encoder_new(sink, &encoding->encoder, error);
    if (status == ADG_OK) {
        status = operations->encode_column != NULL ? adg_block_new_passing(plan, &taker, &encoding->block, error)
                                                   : adg_block_new(plan, &encoding->block, error);
    }
    if (status != ADG_OK) {
        adg_encoding_fini(encoding);
    }
    return status;
}

enum adg_status adg_encoding_add(struct adg_encoding *encoding, uint64_t number, uint32_t *rows,
                                 struct adg_error *error)
{
    enum adg_status status = adg_stop_check(error);
    if (status == ADG_OK) {
        status = adg_block_generate(encoding->block, number, error);
    }
    if (status == ADG_OK) {
        status = encoding->operations->encode(encoding->encoder, encoding->block, error);
        *rows = adg_block_rows(encoding->block);
    }
    return status;
}

void adg_encoding_fini(struct adg_encoding *encoding)
{
    if (encoding->encoder != NULL) {
        encoding->operations->encoder_free(encoding->encoder);
    }
    adg_block_free(encoding->block);
    *encoding = (struct adg_encoding){0};
}
