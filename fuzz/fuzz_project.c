/*
 * Project files: any text gives a project, proved isolated or not, or a message that begins with the file's name.
 */
#include <stdlib.h>
#include <string.h>

#include "project/graph.h"
#include "project/project.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char file[] = "/nowhere/project.yaml:";
    struct adg_project *project = NULL;
    struct adg_error error = {{0}};
    enum adg_status status = adg_project_parse("/nowhere", (struct adg_span){data, size}, &project, &error);
    if (status == ADG_OK) {
        status = adg_project_prove(project, &error);
        adg_project_free(project);
    }
    if ((status == ADG_BAD_INPUT || status == ADG_REFUSED) && strncmp(error.message, file, strlen(file)) != 0) {
        abort();
    }
    return 0;
}
