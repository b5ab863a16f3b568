/*
 * CSV: any bytes give records of as many fields as the header has, or ADG_BAD_INPUT.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "scrape/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int file = memfd_create("fuzz", 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    if (file < 0 || write(file, data, size) != (ssize_t)size || lseek(file, 0, SEEK_SET) != 0) {
        abort();
    }
    struct adg_csv *csv = NULL;
    enum adg_status status = adg_csv_open(path, &csv, NULL);
    uint64_t bytes = 0;
    for (uint32_t count = 1; status == ADG_OK && count > 0;) {
        const struct adg_span *fields = NULL;
        status = adg_csv_next(csv, 1 + size % 5, &fields, &count, NULL);
        for (size_t i = 0; status == ADG_OK && i < (size_t)count * adg_csv_column_count(csv); i++) {
            for (size_t k = 0; k < fields[i].size; k++) { /* all of it can be read, and none is NUL */
                bytes += fields[i].data[k];
                if (fields[i].data[k] == 0) {
                    abort();
                }
            }
        }
    }
    if (status != ADG_OK && status != ADG_BAD_INPUT) {
        abort();
    }
    adg_csv_free(csv);
    close(file);
    return bytes == UINT64_MAX; /* 0: what was read is used */
}
