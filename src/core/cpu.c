/*
 * The choice of an instruction set: see cpu.h.
 */
#include "core/cpu.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [ADG_CPU_SCALAR] = "scalar", [ADG_CPU_NEON] = "neon", [ADG_CPU_AVX2] = "avx2", [ADG_CPU_AVX512] = "avx512"};

/* What this kind of processor may have, each beside those before it, and whether the one that runs has it. */
#if defined(__x86_64__)
const char adg_cpu_words[] = "scalar, avx2 or avx512";
static const enum adg_cpu sets[] = {ADG_CPU_SCALAR, ADG_CPU_AVX2, ADG_CPU_AVX512};

static bool is_there(enum adg_cpu cpu)
{
    switch (cpu) {
    case ADG_CPU_AVX2:
        return __builtin_cpu_supports("avx2");
    case ADG_CPU_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("bmi2");
    default:
        return cpu == ADG_CPU_SCALAR;
    }
}
#else
#if defined(__aarch64__)
const char adg_cpu_words[] = "scalar or neon";
static const enum adg_cpu sets[] = {ADG_CPU_SCALAR, ADG_CPU_NEON};
#else
const char adg_cpu_words[] = "scalar";
static const enum adg_cpu sets[] = {ADG_CPU_SCALAR};
#endif

static bool is_there(enum adg_cpu cpu)
{
    (void)cpu;
    return true;
}
#endif

enum { SETS = sizeof sets / sizeof sets[0] };

static enum adg_cpu chosen;

static void choose(void)
{
    const char *asked = getenv("ADG_CPU");
    for (size_t i = 0; i < SETS && is_there(sets[i]); i++) {
        chosen = sets[i];
        if (asked != NULL && strcmp(asked, names[chosen]) == 0) {
            return;
        }
    }
}

bool adg_cpu_is_known(void)
{
    const char *asked = getenv("ADG_CPU");
    bool known = asked == NULL;
    for (size_t i = 0; i < SETS && !known; i++) {
        known = strcmp(asked, names[sets[i]]) == 0;
    }
    return known;
}

enum adg_cpu adg_cpu_choose(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    return chosen;
}

const char *adg_cpu_name(enum adg_cpu cpu)
{
    return names[cpu];
}
