/*
 * Memory that is released all at once. Zeroed is empty and may be finished. One thread at a time.
 */
#ifndef ADG_CORE_ARENA_H
#define ADG_CORE_ARENA_H

#include <stddef.h>

struct adg_arena {
    struct adg_arena_chunk *chunks; /* newest first */
    size_t left_bytes;              /* free at the end of the newest */
    char *next;
};

void *adg_arena_alloc(struct adg_arena *arena, size_t bytes);               /* aligned to 16; NULL without memory */
void *adg_arena_array(struct adg_arena *arena, size_t count, size_t bytes); /* cleared; NULL on overflow too */
char *adg_arena_strndup(struct adg_arena *arena, const char *text, size_t length); /* ends with NUL */
char *adg_arena_strdup(struct adg_arena *arena, const char *text);
size_t adg_arena_bytes(const struct adg_arena *arena); /* given out, with what rounding and the ends of chunks waste */
void adg_arena_fini(struct adg_arena *arena);

#endif
