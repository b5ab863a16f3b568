/*
 * Which instruction set the kernels use: the best that the processor has, or what the environment variable ADG_CPU asks for
 * (scalar, avx2, avx512) where it has that; programs refuse other words, a library takes them for none. Each includes those before it: a kernel asks for the level that it needs at least. Results
 * are the same for all.
 */
#ifndef ADG_CORE_CPU_H
#define ADG_CORE_CPU_H

#include <stdbool.h>

enum adg_cpu { ADG_CPU_SCALAR, ADG_CPU_AVX2, ADG_CPU_AVX512 };

/* What the function attribute of a kernel for AVX-512 says: the parts that all processors since Skylake-X and Zen 4 have, and BMI2. */
#define ADG_TARGET_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,bmi2,popcnt"

/* Whether ADG_CPU is unset or one of the three words. */
bool adg_cpu_is_known(void);

/* Decided once per process; thread-safe. */
enum adg_cpu adg_cpu_choose(void);

#endif
