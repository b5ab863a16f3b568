/*
 * The reader of small Parquet tables: any bytes give a table or ADG_BAD_INPUT.
 */
#include <stdlib.h>

#include "parquet/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adg_arena arena = {0};
    struct adg_parquet_table table = {0};
    enum adg_status status = adg_parquet_table_read(data, size, &arena, &table, NULL);
    if (status != ADG_OK && status != ADG_BAD_INPUT && status != ADG_FAILED) {
        abort();
    }
    adg_arena_fini(&arena);
    return 0;
}
