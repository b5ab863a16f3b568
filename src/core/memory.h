/*
 * All allocation of the program goes through here, so that tests can fail the n-th one.
 *
 * The functions return NULL when there is no memory; the caller turns that into adg_fail_memory(). Thread-safe, but for
 * the hook, which tests set before they start threads.
 */
#ifndef ADG_CORE_MEMORY_H
#define ADG_CORE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

void *adg_alloc(size_t bytes);                     /* not cleared; at least one byte */
void *adg_alloc_zero(size_t count, size_t bytes);  /* cleared; NULL when count * bytes overflows */
void *adg_alloc_array(size_t count, size_t bytes); /* not cleared; NULL when count * bytes overflows */
/* An array of `*capacity` elements of `bytes` made at least twice as long, and no shorter than `first`; *capacity follows. NULL without
 * memory: the old array stays valid. */
void *adg_grow_array(void *memory, size_t *capacity, size_t first, size_t bytes);
void *adg_realloc_array(void *memory, size_t count, size_t bytes); /* memory stays valid when NULL comes back */
void *adg_alloc_aligned(size_t bytes);                             /* at a 64-byte boundary; not cleared */
void adg_free(void *memory);                                       /* accepts NULL */
char *adg_strdup(const char *text);
char *adg_strndup(const char *text, size_t length); /* copies exactly `length` bytes and ends them with NUL */

/* For a process that fills and empties large buffers all the time: from now on memory comes from one heap, in large pages where the system
 * has them, and stays there. Other processes give large pieces back at once. Where the C library cannot do it, nothing happens. */
void adg_memory_keep(void);

/* What the machine has. */
uint64_t adg_memory_bytes(void);

/* From now on the n-th allocation (1 = the next) and all after it fail; 0 takes the hook away. */
void adg_memory_fail_at(uint64_t n);

#endif
