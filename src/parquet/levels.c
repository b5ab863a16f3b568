/*
 * Kernels over codes: see levels.h.
 */
#include "parquet/levels.h"

#include <pthread.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "core/cpu.h"

/* From row `first`, a multiple of 8, on; `kept` codes are packed already. */
static uint32_t compact_scalar(const uint32_t *codes, uint32_t first, uint32_t rows, uint32_t null, uint32_t *packed,
                               uint32_t kept, uint8_t *present)
{
    for (uint32_t r = first; r < rows; r += 8) {
        uint32_t bits = 0, end = rows - r < 8 ? rows - r : 8;
        for (uint32_t k = 0; k < end; k++) {
            uint32_t code = codes[r + k], is_value = code < null;
            packed[kept] = code; /* overwritten by the next one when it is null */
            kept += is_value;
            bits |= is_value << k;
        }
        present[r / 8] = (uint8_t)bits;
    }
    return kept;
}

static inline __attribute__((always_inline)) void bounds(const uint32_t *codes, uint32_t count, uint32_t highest,
                                                         uint32_t *min, uint32_t *max)
{
    enum { STRETCH = 1024 };
    uint32_t least = UINT32_MAX, most = 0;
    for (uint32_t first = 0; first < count && (least > 0 || most < highest); first += STRETCH) {
        uint32_t end = count - first < STRETCH ? count : first + STRETCH;
        for (uint32_t i = first; i < end; i++) {
            least = codes[i] < least ? codes[i] : least;
            most = codes[i] > most ? codes[i] : most;
        }
    }
    *min = least;
    *max = most;
}

#if defined(__x86_64__)

/* For each of 256 sets of lanes: their numbers in a byte each, lowest first. */
static uint64_t lanes_of[256];

static void fill_lanes(void)
{
    for (unsigned set = 0; set < 256; set++) {
        unsigned kept = 0;
        for (unsigned lane = 0; lane < 8; lane++) {
            if ((set >> lane & 1) != 0) {
                lanes_of[set] |= (uint64_t)lane << 8 * kept++;
            }
        }
    }
}

__attribute__((target("avx2,popcnt"))) static uint32_t compact_avx2(const uint32_t *codes, uint32_t rows, uint32_t null,
                                                                    uint32_t *packed, uint8_t *present)
{
    uint32_t kept = 0;
    const __m256i limit = _mm256_set1_epi32((int)null);
    for (uint32_t r = 0; r < rows; r += 8) {
        __m256i code = _mm256_loadu_si256((const __m256i *)(const void *)(codes + r));
        uint32_t set = (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpgt_epi32(limit, code)));
        __m256i lanes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)lanes_of[set]));
        _mm256_storeu_si256((__m256i *)(void *)(packed + kept), _mm256_permutevar8x32_epi32(code, lanes));
        kept += (uint32_t)_mm_popcnt_u32(set);
        present[r / 8] = (uint8_t)set;
    }
    return kept;
}

__attribute__((target(ADG_TARGET_AVX512))) static uint32_t
compact_avx512(const uint32_t *codes, uint32_t rows, uint32_t null, uint32_t *packed, uint8_t *present)
{
    uint32_t kept = 0;
    const __m512i limit = _mm512_set1_epi32((int)null);
    for (uint32_t r = 0; r < rows; r += 16) {
        __m512i code = _mm512_loadu_si512(codes + r);
        __mmask16 set = _mm512_cmplt_epi32_mask(code, limit);
        uint16_t bits = (uint16_t)set;
        _mm512_storeu_si512(packed + kept, _mm512_maskz_compress_epi32(set, code)); /* kept <= r: there is room */
        kept += (uint32_t)_mm_popcnt_u32(bits);
        memcpy(present + r / 8, &bits, sizeof bits);
    }
    return kept;
}

__attribute__((target(ADG_TARGET_AVX512))) static void bounds_avx512(const uint32_t *codes, uint32_t count,
                                                                     uint32_t highest, uint32_t *min, uint32_t *max)
{
    bounds(codes, count, highest, min, max);
}

__attribute__((target("avx2"))) static void bounds_avx2(const uint32_t *codes, uint32_t count, uint32_t highest,
                                                        uint32_t *min, uint32_t *max)
{
    bounds(codes, count, highest, min, max);
}
#endif

uint32_t adg_levels_compact(const uint32_t *codes, uint32_t rows, uint32_t null, uint32_t *packed, uint8_t *present)
{
    uint32_t done = 0, kept = 0;
#if defined(__x86_64__)
    if (adg_cpu_choose() >= ADG_CPU_AVX512) {
        done = rows / 16 * 16;
        kept = compact_avx512(codes, done, null, packed, present);
    } else if (adg_cpu_choose() >= ADG_CPU_AVX2) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        pthread_once(&once, fill_lanes);
        done = rows / 8 * 8;
        kept = compact_avx2(codes, done, null, packed, present);
    }
#endif
    return compact_scalar(codes, done, rows, null, packed, kept, present);
}

void adg_levels_bounds(const uint32_t *codes, uint32_t count, uint32_t highest, uint32_t *min, uint32_t *max)
{
#if defined(__x86_64__)
    if (adg_cpu_choose() >= ADG_CPU_AVX512) {
        bounds_avx512(codes, count, highest, min, max);
        return;
    }
    if (adg_cpu_choose() >= ADG_CPU_AVX2) {
        bounds_avx2(codes, count, highest, min, max);
        return;
    }
#endif
    bounds(codes, count, highest, min, max);
}
