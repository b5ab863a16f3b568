/*
 * Allocation with a hook that makes it fail: see memory.h.
 */
#include "core/memory.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_uint_fast64_t fail_at; /* 0: never */
static atomic_uint_fast64_t allocations;

void adg_memory_fail_at(uint64_t n)
{
    atomic_store(&allocations, 0);
    atomic_store(&fail_at, n);
}

static bool refused(void)
{
    uint_fast64_t limit = atomic_load_explicit(&fail_at, memory_order_relaxed);
    return limit != 0 && atomic_fetch_add(&allocations, 1) + 1 >= limit;
}

void *adg_alloc(size_t bytes)
{
    return refused() ? NULL : malloc(bytes != 0 ? bytes : 1);
}

void *adg_alloc_zero(size_t count, size_t bytes)
{
    if (refused()) {
        return NULL;
    }
    return count == 0 || bytes == 0 ? calloc(1, 1) : calloc(count, bytes);
}

void *adg_alloc_array(size_t count, size_t bytes)
{
    size_t total;
    return __builtin_mul_overflow(count, bytes, &total) ? NULL : adg_alloc(total);
}

void *adg_realloc_array(void *memory, size_t count, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total) || refused()) {
        return NULL;
    }
    return realloc(memory, total != 0 ? total : 1);
}

void *adg_grow_array(void *memory, size_t *capacity, size_t first, size_t bytes)
{
    size_t larger = *capacity < first ? first : 2 * *capacity;
    void *grown = adg_realloc_array(memory, larger, bytes);
    if (grown != NULL) {
        *capacity = larger;
    }
    return grown;
}

void *adg_alloc_aligned(size_t bytes)
{
    size_t rounded;
    if (__builtin_add_overflow(bytes, (size_t)63, &rounded) || refused()) {
        return NULL;
    }
    rounded &= ~(size_t)63;
    return aligned_alloc(64, rounded != 0 ? rounded : 64);
}

void adg_free(void *memory)
{
    free(memory);
}

char *adg_strndup(const char *text, size_t length)
{
    char *copy = adg_alloc(length + 1);
    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *adg_strdup(const char *text)
{
    return adg_strndup(text, strlen(text));
}

void adg_memory_keep(void)
{
#if defined(__GLIBC__)
    enum { HEAP_BYTES = 256 << 20, PIECE_BYTES = 1 << 30 };
    if (mallopt(M_ARENA_MAX, 1) != 1 || mallopt(M_MMAP_THRESHOLD, PIECE_BYTES) != 1 ||
        mallopt(M_TRIM_THRESHOLD, PIECE_BYTES) != 1) {
        return;
    }
    /* Grown once to what a run needs, which costs no memory before it is used, the heap is one range that can be advised. */
    char *heap = malloc(HEAP_BYTES);
    if (heap != NULL) {
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = ((uintptr_t)heap + page - 1) / page * page;
        madvise((void *)first, ((uintptr_t)heap + HEAP_BYTES - first) / page * page, MADV_HUGEPAGE);
        free(heap);
    }
#endif
}

uint64_t adg_memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_C(1) << 30;
}
