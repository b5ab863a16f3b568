/*
 * Which instruction set the kernels use: the best that the processor has, or what the environment variable ADG_CPU asks for
 * (on x86-64 scalar, avx2 or avx512, on 64-bit ARM scalar or neon) where it has that; programs refuse other words, a library takes
 * them for none. Results are the same for all.
 *
 * A kernel asks for the level that it needs at least: AVX-512 includes AVX2, and no processor with NEON has either.
 */
#ifndef ADG_CORE_CPU_H
#define ADG_CORE_CPU_H

#include <stdbool.h>

enum adg_cpu { ADG_CPU_SCALAR, ADG_CPU_NEON, ADG_CPU_AVX2, ADG_CPU_AVX512 };

/* In front of a function that is compiled for AVX2, or for the parts of AVX-512 that all processors since Skylake-X and Zen 4 have, and
 * BMI2. Where there is neither, a loop that is compiled once for each of them is compiled as it is, and never chosen. */
#if defined(__x86_64__)
#define ADG_FOR_AVX2 __attribute__((target("avx2,popcnt")))
#define ADG_FOR_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi2,popcnt")))
#else
#define ADG_FOR_AVX2
#define ADG_FOR_AVX512
#endif

/* What ADG_CPU may be on this kind of processor, as a message lists it. */
extern const char adg_cpu_words[];
/* Whether ADG_CPU is unset or one of these. */
bool adg_cpu_is_known(void);

/* Decided once per process; thread-safe. */
enum adg_cpu adg_cpu_choose(void);
/* Its word. */
const char *adg_cpu_name(enum adg_cpu cpu);

#endif
