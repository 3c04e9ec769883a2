/* Arena: the memory of one call. What it needs until its end is allocated here and released at once. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>

struct arena;

/* A position in the arena, for releasing everything allocated after it. */
struct arena_mark {
        void *block;
        size_t used;
        void *deferred;
        size_t total;
};

/* Makes an arena with a cap of max_bytes (see arena_alloc); the first block is allocated with it. NULL when out of
 * memory. */
struct arena *arena_new(size_t max_bytes);
void arena_free(struct arena *arena); /* takes NULL */
void arena_free_p(struct arena **arena);

/* Zeroed memory, aligned for any type. Exceeding the cap marks the arena as exhausted but still returns memory (from
 * the heap, freed with the arena), so that callers need no check; the dispatcher and decoders check
 * arena_exhausted() and return RESOURCE_EXHAUSTED. If the heap itself is exhausted, the process aborts with a
 * message. */
void *arena_alloc(struct arena *arena, size_t bytes);
void *arena_alloc_array(struct arena *arena, size_t count, size_t bytes_each); /* aborts on overflow of the product */
int arena_exhausted(const struct arena *arena);
size_t arena_used(const struct arena *arena);

char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list args);

/* Calls fn(object) when the arena is freed or reset to before this point: how a call holds a reference to a cached
 * object. */
void arena_defer(struct arena *arena, void (*fn)(void *object), void *object);

struct arena_mark arena_mark(const struct arena *arena);
void arena_reset(struct arena *arena, struct arena_mark mark); /* runs the deferred calls made since, newest first */

/* An allocator for protobuf-c that allocates here and frees nothing. It is itself in the arena. */
ProtobufCAllocator *arena_protobuf_allocator(struct arena *arena);

#define ARENA_NEW(arena, type)          ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc_array((arena), (count), sizeof(type)))

#endif
