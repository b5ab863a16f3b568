/*
 * Definition files: any text gives a definition, or a message that begins with the file's name.
 */
#include <stdlib.h>
#include <string.h>

#include "dataset/dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct adg_definition *definition = NULL;
    struct adg_error error = {{0}};
    enum adg_status status = adg_definition_parse("file", (const char *)data, size, &definition, &error);
    if (status == ADG_BAD_INPUT && strncmp(error.message, "file:", 5) != 0) {
        abort();
    }
    adg_definition_free(status == ADG_OK ? definition : NULL);
    return 0;
}
