/*
 * A list of chunks, each at least twice as large as the last, filled from the front.
 */
#include "core/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "core/memory.h"

enum { FIRST_CHUNK_BYTES = 4096, LARGEST_CHUNK_BYTES = 1 << 22, ALIGNMENT = 16 };

struct adg_arena_chunk {
    struct adg_arena_chunk *next;
    size_t bytes;
    alignas(ALIGNMENT) char data[];
};

void *adg_arena_alloc(struct adg_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2) {
        return NULL;
    }
    bytes = (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (bytes == 0) {
        bytes = ALIGNMENT;
    }
    if (bytes > arena->left_bytes) {
        size_t size = arena->chunks == NULL ? FIRST_CHUNK_BYTES : 2 * arena->chunks->bytes;
        if (size > LARGEST_CHUNK_BYTES) {
            size = LARGEST_CHUNK_BYTES;
        }
        if (size < bytes) {
            size = bytes;
        }
        struct adg_arena_chunk *chunk = adg_alloc(sizeof *chunk + size);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->next = arena->chunks;
        chunk->bytes = size;
        arena->chunks = chunk;
        arena->next = chunk->data;
        arena->left_bytes = size;
    }
    void *memory = arena->next;
    arena->next += bytes;
    arena->left_bytes -= bytes;
    return memory;
}

void *adg_arena_array(struct adg_arena *arena, size_t count, size_t bytes)
{
    size_t total;
    if (__builtin_mul_overflow(count, bytes, &total)) {
        return NULL;
    }
    void *memory = adg_arena_alloc(arena, total);
    if (memory != NULL) {
        memset(memory, 0, total);
    }
    return memory;
}

char *adg_arena_strndup(struct adg_arena *arena, const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? adg_arena_alloc(arena, length + 1) : NULL;
    if (copy != NULL) {
        if (length > 0) {
            memcpy(copy, text, length);
        }
        copy[length] = '\0';
    }
    return copy;
}

char *adg_arena_strdup(struct adg_arena *arena, const char *text)
{
    return adg_arena_strndup(arena, text, strlen(text));
}

size_t adg_arena_bytes(const struct adg_arena *arena)
{
    size_t bytes = 0;
    for (const struct adg_arena_chunk *chunk = arena->chunks; chunk != NULL; chunk = chunk->next) {
        bytes += chunk->bytes;
    }
    return bytes - arena->left_bytes;
}

void adg_arena_fini(struct adg_arena *arena)
{
    while (arena->chunks != NULL) {
        struct adg_arena_chunk *next = arena->chunks->next;
        adg_free(arena->chunks);
        arena->chunks = next;
    }
    *arena = (struct adg_arena){0};
}
