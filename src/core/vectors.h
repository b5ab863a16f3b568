/*
 * The vector instructions of the processor that is compiled for, for the kernels that are written in them. NEON is part of every 64-bit
 * ARM; what x86-64 has beyond its baseline is for functions marked as in core/cpu.h.
 */
#ifndef ADG_CORE_VECTORS_H
#define ADG_CORE_VECTORS_H

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "core/cpu.h"

#endif
