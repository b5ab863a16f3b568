/*
 * The choice of an instruction set: see cpu.h.
 */
#include "core/cpu.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static enum adg_cpu chosen;

static void choose(void)
{
#if defined(__x86_64__)
    const char *asked = getenv("ADG_CPU");
    if (__builtin_cpu_supports("avx2") && (asked == NULL || strcmp(asked, "scalar") != 0)) {
        chosen = ADG_CPU_AVX2;
    }
    if (chosen == ADG_CPU_AVX2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2") &&
        (asked == NULL || strcmp(asked, "avx2") != 0)) {
        chosen = ADG_CPU_AVX512;
    }
#endif
}

bool adg_cpu_is_known(void)
{
    const char *asked = getenv("ADG_CPU");
    return asked == NULL || strcmp(asked, "scalar") == 0 || strcmp(asked, "avx2") == 0 || strcmp(asked, "avx512") == 0;
}

enum adg_cpu adg_cpu_choose(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    return chosen;
}
