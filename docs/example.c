/*
 * An example of libadg: two threads pull one block each of a table and print some of its values.
 *
 *     example DATASET METADATA-FOLDER TABLE
 *
 * The plan is shared, each thread has a block of its own; nothing is written, no engine is loaded.
 */
#include <adg.h>

#include <pthread.h>
#include <stdio.h>

struct pull {
    const struct adg_plan *plan;
    uint64_t number;   /* which block */
    char text[4][200]; /* four lines of output */
    enum adg_status status;
    struct adg_error error;
};

static void *pull_block(void *argument)
{
    struct pull *pull = argument;
    struct adg_block *block = NULL;
    pull->status = adg_block_new(pull->plan, &block, &pull->error);
    if (pull->status == ADG_OK) {
        pull->status = adg_block_generate(block, pull->number, &pull->error);
    }
    for (uint32_t row = 0; pull->status == ADG_OK && row < 4 && row < adg_block_rows(block); row++) {
        char values[3][48] = {"", "", ""};
        for (uint32_t column = 0; column < 3 && column < adg_plan_columns(pull->plan); column++) {
            if (adg_block_text(block, column, row, values[column], sizeof values[column]) < 0) {
                snprintf(values[column], sizeof values[column], "null");
            }
        }
        snprintf(pull->text[row], sizeof pull->text[row], "block %llu, row %u: %s, %s, %s",
                 (unsigned long long)pull->number, row, values[0], values[1], values[2]);
    }
    adg_block_free(block);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: example DATASET METADATA-FOLDER TABLE\n");
        return ADG_USAGE;
    }
    struct adg_error error = {{0}};
    struct adg_definition *definition = NULL;
    struct adg_metadata *metadata = NULL;
    struct adg_plan *plan = NULL;
    const struct adg_plan_options options = {.seed = 1, .rows = 40000, .shards = 1};
    enum adg_status status = adg_definition_open(argv[1], &definition, &error);
    if (status == ADG_OK) {
        const struct adg_metadata_source source = {.folder = argv[2], .allow_unreleased = true};
        status = adg_metadata_open(&source, definition, &metadata, &error);
    }
    if (status == ADG_OK) {
        status = adg_plan_new(definition, metadata, argv[3], &options, &plan, &error);
    }
    struct pull pulls[2] = {{.plan = plan, .number = 0}, {.plan = plan, .number = 1}};
    pthread_t threads[2];
    for (int i = 0; status == ADG_OK && i < 2; i++) {
        if (pthread_create(&threads[i], NULL, pull_block, &pulls[i]) != 0) {
            pull_block(&pulls[i]); /* no thread to be had: here, then */
            threads[i] = pthread_self();
        }
    }
    for (int i = 0; status == ADG_OK && i < 2; i++) {
        if (!pthread_equal(threads[i], pthread_self())) {
            pthread_join(threads[i], NULL);
        }
    }
    for (int i = 0; status == ADG_OK && i < 2; i++) {
        if (pulls[i].status != ADG_OK) {
            error = pulls[i].error;
            status = pulls[i].status;
            break;
        }
        for (int row = 0; row < 4; row++) {
            puts(pulls[i].text[row]);
        }
    }
    if (status != ADG_OK) {
        fprintf(stderr, "example: %s\n", error.message);
    }
    adg_plan_free(plan);
    adg_metadata_free(metadata);
    adg_definition_free(definition);
    return (int)status;
}
