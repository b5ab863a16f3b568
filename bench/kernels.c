/*
 * Kernels alone: samples a second and bytes a second of what they write, beside memset and memcpy. Input is fresh and random in every
 * round, and made outside of the time that is taken; a round is a block of rows, so it stays in the cache as it does in the
 * generator. The median of a thousand rounds counts. ADG_CPU chooses the kernels.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "block/block.h"
#include "core/cpu.h"
#include "core/number.h"
#include "parquet/delta.h"
#include "parquet/hybrid.h"
#include "parquet/levels.h"
#include "sample/alias.h"
#include "sample/permute.h"
#include "sample/philox.h"

enum { ROWS = ADG_BLOCK_ROWS, ROUNDS = 1000, MOST_ENTRIES = 65536 };

static struct {
    uint32_t words[ROWS + 64], codes[ROWS + 64], packed[ROWS + 64];
    uint64_t indexes[ROWS], images[ROWS];
    uint8_t present[ROWS / 8 + 1], bytes[16 * ROWS + 4096];
} work;
static struct adg_alias alias;
static struct adg_permutation permutation;
static uint32_t entries;
static unsigned width;

static struct adg_stream stream_of_round(uint32_t round)
{
    return (struct adg_stream){UINT64_C(0x243F6A8885A308D3), round, 1};
}

/* ---- what is fresh ----------------------------------------------------------------------------------------------- */

static void fresh_words(uint32_t round)
{
    struct adg_stream stream = stream_of_round(round);
    adg_stream_words(&stream, 0, ROWS, work.words);
}

static void fresh_codes(uint32_t round)
{
    fresh_words(round);
    for (uint32_t i = 0; i < ROWS; i++) {
        work.codes[i] = work.words[i] >> (32 - width);
    }
}

static void fresh_indexes(uint32_t round)
{
    fresh_words(round);
    for (uint32_t i = 0; i < ROWS; i++) {
        work.indexes[i] = ((uint64_t)work.words[i] << 20 | i) % UINT64_C(1000000000000);
    }
}

static void nothing_fresh(uint32_t round)
{
    (void)round;
}

/* ---- kernels: each returns the bytes that it wrote --------------------------------------------------------------- */

static size_t run_memset(uint32_t round)
{
    memset(work.codes, (int)round, sizeof work.codes[0] * ROWS);
    return sizeof work.codes[0] * ROWS;
}

static size_t run_memcpy(uint32_t round)
{
    (void)round;
    memcpy(work.codes, work.words, sizeof work.codes[0] * ROWS);
    return sizeof work.codes[0] * ROWS;
}

static size_t run_words(uint32_t round)
{
    fresh_words(round);
    return sizeof work.words[0] * ROWS;
}

static size_t run_draw(uint32_t round)
{
    (void)round;
    adg_alias_draw(&alias, work.words, ROWS, work.codes);
    return sizeof work.codes[0] * ROWS;
}

static size_t run_words_and_draw(uint32_t round)
{
    fresh_words(round);
    return run_draw(round);
}

static size_t run_compact(uint32_t round)
{
    (void)round;
    uint32_t kept = adg_levels_compact(work.codes, ROWS, UINT32_C(3) << width >> 2, work.packed, work.present);
    return ROWS / 8 + kept * sizeof work.packed[0];
}

static size_t run_pack(uint32_t round)
{
    (void)round;
    return adg_hybrid_put_packed(work.bytes, work.codes, ROWS, width);
}

static size_t run_delta(uint32_t round)
{
    (void)round;
    return adg_delta_put_i64(work.bytes, (const int64_t *)work.indexes, ROWS);
}

static size_t run_permute(uint32_t round)
{
    (void)round;
    adg_permute_many(&permutation, 0, UINT64_C(1000000000000), work.indexes, ROWS, work.images);
    return sizeof work.images[0] * ROWS;
}

static size_t run_double_text(uint32_t round)
{
    (void)round;
    char *next = (char *)work.bytes;
    for (uint32_t i = 0; i < ROWS; i++) {
        next += adg_double_format((double)work.words[i] / 4096, next);
        if (next > (char *)work.bytes + 8 * ROWS) {
            next = (char *)work.bytes;
        }
    }
    return ROWS * (size_t)12;
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static void measure(const char *name, void (*fresh)(uint32_t), size_t (*run)(uint32_t))
{
    static double taken[ROUNDS];
    size_t bytes = 0;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        fresh(round);
        double started = seconds();
        bytes += run(round);
        taken[round] = seconds() - started;
    }
    qsort(taken, ROUNDS, sizeof *taken, ascending);
    double middle = taken[ROUNDS / 2];
    printf("%-44s %10.0f %10.1f\n", name, ROWS / middle / 1e6, (double)bytes / ROUNDS / middle / 1e9);
}

/* Weights fall as 1 / rank. */
static bool make_alias(uint32_t count)
{
    static uint64_t weights[MOST_ENTRIES], parts[MOST_ENTRIES + 1];
    entries = count;
    for (uint32_t i = 0; i < count; i++) {
        weights[i] = 1000000 / (i + 1) + 1;
    }
    return adg_parts_scale(weights, count, 0, 0, parts, NULL) == ADG_OK &&
           adg_alias_build(&alias, parts, count, NULL) == ADG_OK;
}

int main(void)
{
    static const uint32_t counts[] = {8, 32, 256, 4096, 65536};
    static const unsigned widths[] = {1, 6, 12, 17};
    char name[64];
    adg_permutation_init(&permutation, 1, 2, 3);
    printf("%-44s %10s %10s\n", adg_cpu_name(adg_cpu_choose()), "M/s", "GB/s");
    measure("memset, 64 KiB", nothing_fresh, run_memset);
    measure("memcpy, 64 KiB", fresh_words, run_memcpy);
    measure("random words", nothing_fresh, run_words);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (!make_alias(counts[i])) {
            return EXIT_FAILURE;
        }
        snprintf(name, sizeof name, "draws of %" PRIu32 " values", entries);
        measure(name, fresh_words, run_draw);
        snprintf(name, sizeof name, "random words and draws of %" PRIu32 " values", entries);
        measure(name, nothing_fresh, run_words_and_draw);
    }
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        width = widths[i];
        snprintf(name, sizeof name, "bit-packing to %u bits", width);
        measure(name, fresh_codes, run_pack);
    }
    width = 6;
    measure("levels and codes without nulls, 1 in 4 null", fresh_codes, run_compact);
    measure("permutation of 12 digits", fresh_indexes, run_permute);
    measure("differences of 12 digits, packed", fresh_indexes, run_delta);
    measure("doubles as text", fresh_words, run_double_text);
    adg_alias_fini(&alias);
    return EXIT_SUCCESS;
}
