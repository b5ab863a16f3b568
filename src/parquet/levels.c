/*
 * Kernels over codes: see levels.h.
 */
#include "parquet/levels.h"

#include <pthread.h>
#include <string.h>

#include "core/vectors.h"

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

ADG_FOR_AVX2 static uint32_t compact_avx2(const uint32_t *codes, uint32_t rows, uint32_t null, uint32_t *packed,
                                          uint8_t *present)
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

ADG_FOR_AVX512 static uint32_t compact_avx512(const uint32_t *codes, uint32_t rows, uint32_t null, uint32_t *packed,
                                              uint8_t *present)
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

/* Of `rows` rows the first ones, a multiple of 8; how many. */
static uint32_t compact_fast(const uint32_t *codes, uint32_t rows, uint32_t null, uint32_t *packed, uint8_t *present,
                             uint32_t *kept)
{
    uint32_t done = 0;
    if (adg_cpu_choose() >= ADG_CPU_AVX512) {
        done = rows / 16 * 16;
        *kept = compact_avx512(codes, done, null, packed, present);
    } else if (adg_cpu_choose() >= ADG_CPU_AVX2) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;
        pthread_once(&once, fill_lanes);
        done = rows / 8 * 8;
        *kept = compact_avx2(codes, done, null, packed, present);
    }
    return done;
}

#elif defined(__aarch64__)

/* For each of 16 sets of lanes: the places of their bytes, lowest lane first, and how many lanes they are. */
static uint8_t bytes_of[16][16], count_of[16];

static void fill_lanes(void)
{
    for (unsigned set = 0; set < 16; set++) {
        for (unsigned lane = 0; lane < 4; lane++) {
            for (unsigned byte = 0; byte < 4 && (set >> lane & 1) != 0; byte++) {
                bytes_of[set][4 * count_of[set] + byte] = (uint8_t)(4 * lane + byte);
            }
            count_of[set] = (uint8_t)(count_of[set] + (set >> lane & 1));
        }
    }
}

static inline uint32x4_t pick(uint32x4_t codes, uint32_t set)
{
    return vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(codes), vld1q_u8(bytes_of[set])));
}

/* Four codes are stored whatever their number is: what is too much is overwritten by the next ones. */
static uint32_t compact_neon(const uint32_t *codes, uint32_t rows, uint32_t null, uint32_t *packed, uint8_t *present)
{
    static const uint32_t bits[8] = {1, 2, 4, 8, 16, 32, 64, 128};
    const uint32x4_t limit = vdupq_n_u32(null), low_bits = vld1q_u32(bits), high_bits = vld1q_u32(bits + 4);
    uint32_t *next = packed;
    for (const uint32_t *end = codes + rows; codes < end; codes += 8) {
        uint32x4_t low = vld1q_u32(codes), high = vld1q_u32(codes + 4);
        uint32_t set = vaddvq_u32(
            vorrq_u32(vandq_u32(vcltq_u32(low, limit), low_bits), vandq_u32(vcltq_u32(high, limit), high_bits)));
        vst1q_u32(next, pick(low, set & 15));
        next += count_of[set & 15];
        vst1q_u32(next, pick(high, set >> 4));
        next += count_of[set >> 4];
        *present++ = (uint8_t)set;
    }
    return (uint32_t)(next - packed);
}

static uint32_t compact_fast(const uint32_t *codes, uint32_t rows, uint32_t null, uint32_t *packed, uint8_t *present,
                             uint32_t *kept)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    uint32_t done = rows / 8 * 8;
    if (adg_cpu_choose() != ADG_CPU_NEON) {
        return 0;
    }
    pthread_once(&once, fill_lanes);
    *kept = compact_neon(codes, done, null, packed, present);
    return done;
}

#else

static uint32_t compact_fast(const uint32_t *codes, uint32_t rows, uint32_t null, uint32_t *packed, uint8_t *present,
                             uint32_t *kept)
{
    (void)codes, (void)rows, (void)null, (void)packed, (void)present, (void)kept;
    return 0;
}
#endif

ADG_FOR_AVX512 static void bounds_avx512(const uint32_t *codes, uint32_t count, uint32_t highest, uint32_t *min,
                                         uint32_t *max)
{
    bounds(codes, count, highest, min, max);
}

ADG_FOR_AVX2 static void bounds_avx2(const uint32_t *codes, uint32_t count, uint32_t highest, uint32_t *min,
                                     uint32_t *max)
{
    bounds(codes, count, highest, min, max);
}

uint32_t adg_levels_compact(const uint32_t *codes, uint32_t rows, uint32_t null, uint32_t *packed, uint8_t *present)
{
    uint32_t kept = 0, done = compact_fast(codes, rows, null, packed, present, &kept);
    return compact_scalar(codes, done, rows, null, packed, kept, present);
}

void adg_levels_bounds(const uint32_t *codes, uint32_t count, uint32_t highest, uint32_t *min, uint32_t *max)
{
    if (adg_cpu_choose() >= ADG_CPU_AVX2) {
        (adg_cpu_choose() >= ADG_CPU_AVX512 ? bounds_avx512 : bounds_avx2)(codes, count, highest, min, max);
    } else {
        bounds(codes, count, highest, min, max);
    }
}
