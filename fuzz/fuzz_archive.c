/*
 * Archives of projects: any bytes are refused, or give files whose names stay in their folder and whose data lie in the bytes.
 */
#include <stdlib.h>

#include "promote/archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adg_arena arena = {0};
    struct adg_archive archive = {0};
    struct adg_error error = {{0}};
    if (adg_archive_read((struct adg_span){data, size}, &arena, &archive, &error) == ADG_OK) {
        for (uint32_t i = 0; i < archive.count; i++) {
            const struct adg_archive_file *file = &archive.files[i];
            if (!adg_archive_name_is_good(file->name) || file->data.data < data ||
                file->data.data + file->data.size > data + size) {
                abort();
            }
        }
    }
    adg_arena_fini(&arena);
    return 0;
}
