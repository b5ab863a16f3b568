/*
 * Which instruction set the kernels use: the best that the processor has, or what the environment variable ADG_CPU asks for
 * (scalar, avx2) where it has that. Results are the same for all.
 */
#ifndef ADG_CORE_CPU_H
#define ADG_CORE_CPU_H

enum adg_cpu { ADG_CPU_SCALAR, ADG_CPU_AVX2 };

/* Decided once per process; thread-safe. */
enum adg_cpu adg_cpu_choose(void);

#endif
