/* Arenas: a list of growing blocks, the newest first. The arena itself is in its first block, and each thread caches
 * a few first blocks, so that an ordinary request does not use the heap. */
#include "base/arena.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#endif

/* Under AddressSanitizer the unused part of a block is poisoned and blocks are not kept, so that a use after reset is
 * found. */
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(ptr, len)   ASAN_POISON_MEMORY_REGION((ptr), (len))
#define UNPOISON(ptr, len) ASAN_UNPOISON_MEMORY_REGION((ptr), (len))
enum { SPARE_BLOCKS = 0 };
#else
#define POISON(ptr, len)   ((void)(ptr), (void)(len))
#define UNPOISON(ptr, len) ((void)(ptr), (void)(len))
enum { SPARE_BLOCKS = 16 };
#endif

enum { FIRST_BLOCK_BYTES = 16 * 1024, LARGEST_BLOCK_BYTES = 256 * 1024, ALIGNMENT = 16 };

struct block {
        struct block *older;
        size_t capacity; /* of data */
        size_t used;
        _Alignas(ALIGNMENT) char data[];
};

struct deferred {
        struct deferred *older;
        void (*fn)(void *object);
        void *object;
};

struct arena {
        struct block *newest;
        struct deferred *deferred; /* newest first */
        size_t total;              /* bytes given out */
        size_t max_bytes;
        size_t next_block_bytes;
        ProtobufCAllocator protobuf;
};

/* First blocks cached by this thread. The key exists for its destructor, which frees them when the thread ends. */
struct spares {
        struct block *first;
        int n;
};
static __thread struct spares spares;
static pthread_key_t spares_key;
static pthread_once_t spares_once = PTHREAD_ONCE_INIT;

static void spares_free(void *arg)
{
        struct spares *own = arg;
        while (own->first != NULL) {
                struct block *b = own->first;
                own->first = b->older;
                free(b);
        }
        own->n = SPARE_BLOCKS; /* a destructor that runs later must not fill the list again */
}

static void spares_init(void)
{
        if (pthread_key_create(&spares_key, spares_free) != 0) {
                abort();
        }
}

static struct block *spare_take(void)
{
        struct block *b = spares.first;
        if (b != NULL) {
                spares.first = b->older;
                spares.n--;
        }
        return b;
}

static bool spare_put(struct block *b)
{
        if (spares.n >= SPARE_BLOCKS) {
                return false;
        }
        if (spares.first == NULL) {
                pthread_once(&spares_once, spares_init);
                if (pthread_setspecific(spares_key, &spares) != 0) {
                        return false;
                }
        }
        b->older = spares.first;
        spares.first = b;
        spares.n++;
        return true;
}

static _Noreturn void out_of_memory(void)
{
        static const char message[] = "sonet: out of memory\n";
        fwrite(message, 1, sizeof(message) - 1, stderr);
        abort();
}

static struct block *block_new(size_t capacity)
{
        if (capacity > SIZE_MAX - sizeof(struct block)) {
                return NULL;
        }
        struct block *b = malloc(sizeof(struct block) + capacity);
        if (b != NULL) {
                b->capacity = capacity;
        }
        return b;
}

static size_t round_up(size_t bytes)
{
        if (bytes > SIZE_MAX - ALIGNMENT) {
                out_of_memory();
        }
        return (bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

struct arena *arena_new(size_t max_bytes)
{
        struct block *b = spare_take();
        if (b == NULL) {
                b = block_new(FIRST_BLOCK_BYTES - sizeof(struct block));
        }
        if (b == NULL) {
                return NULL;
        }
        b->older = NULL;
        b->used = round_up(sizeof(struct arena));
        POISON(b->data + b->used, b->capacity - b->used);
        struct arena *arena = (struct arena *)b->data;
        *arena = (struct arena){.newest = b, .max_bytes = max_bytes, .next_block_bytes = (size_t)2 * FIRST_BLOCK_BYTES};
        return arena;
}

static void block_release(struct block *b, bool first)
{
        UNPOISON(b->data, b->capacity);
        if (!first || !spare_put(b)) {
                free(b);
        }
}

static void run_deferred(struct arena *arena, const struct deferred *until)
{
        while (arena->deferred != until) {
                struct deferred *d = arena->deferred;
                arena->deferred = d->older;
                d->fn(d->object);
        }
}

void arena_free(struct arena *arena)
{
        if (arena == NULL) {
                return;
        }
        run_deferred(arena, NULL);
        struct block *b = arena->newest; /* the last one to be freed contains the arena */
        while (b != NULL) {
                struct block *older = b->older;
                block_release(b, older == NULL);
                b = older;
        }
}

void arena_free_p(struct arena **arena)
{
        arena_free(*arena);
        *arena = NULL;
}

static void arena_grow(struct arena *arena, size_t bytes)
{
        size_t capacity = arena->next_block_bytes - sizeof(struct block);
        if (capacity < bytes) {
                capacity = bytes;
        } else if (arena->next_block_bytes < LARGEST_BLOCK_BYTES) {
                arena->next_block_bytes *= 2;
        }
        struct block *b = block_new(capacity);
        if (b == NULL) {
                out_of_memory();
        }
        b->older = arena->newest;
        b->used = 0;
        POISON(b->data, b->capacity);
        arena->newest = b;
}

static void *alloc_raw(struct arena *arena, size_t bytes)
{
        bytes = round_up(bytes == 0 ? 1 : bytes);
        if (arena->newest->capacity - arena->newest->used < bytes) {
                arena_grow(arena, bytes);
        }
        struct block *b = arena->newest;
        void *result = b->data + b->used;
        b->used += bytes;
        arena->total += bytes;
        UNPOISON(result, bytes);
        return result;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
        return memset(alloc_raw(arena, bytes), 0, bytes);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t bytes_each)
{
        size_t bytes;
        if (__builtin_mul_overflow(count, bytes_each, &bytes)) {
                out_of_memory();
        }
        return arena_alloc(arena, bytes);
}

int arena_exhausted(const struct arena *arena)
{
        return arena->total > arena->max_bytes;
}

size_t arena_used(const struct arena *arena)
{
        return arena->total;
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
        if (len == SIZE_MAX) {
                out_of_memory();
        }
        char *copy = alloc_raw(arena, len + 1);
        if (len > 0) {
                memcpy(copy, text, len);
        }
        copy[len] = '\0';
        return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
        return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
        char small[256]; /* most texts fit, and are then formatted only once */
        va_list again;
        va_copy(again, args);
        int len = vsnprintf(small, sizeof(small), format, args);
        char *text;
        if (len < 0) {
                text = arena_strdup(arena, "");
        } else if ((size_t)len < sizeof(small)) {
                text = arena_strndup(arena, small, (size_t)len);
        } else {
                text = alloc_raw(arena, (size_t)len + 1);
                vsnprintf(text, (size_t)len + 1, format, again);
        }
        va_end(again);
        return text;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
        va_list args;
        va_start(args, format);
        char *text = arena_vprintf(arena, format, args);
        va_end(args);
        return text;
}

void arena_defer(struct arena *arena, void (*fn)(void *object), void *object)
{
        struct deferred *d = alloc_raw(arena, sizeof(*d));
        *d = (struct deferred){.older = arena->deferred, .fn = fn, .object = object};
        arena->deferred = d;
}

struct arena_mark arena_mark(const struct arena *arena)
{
        return (struct arena_mark){
            .block = arena->newest,
            .used = arena->newest->used,
            .deferred = arena->deferred,
            .total = arena->total,
        };
}

void arena_reset(struct arena *arena, struct arena_mark mark)
{
        run_deferred(arena, mark.deferred);
        while (arena->newest != mark.block) {
                struct block *b = arena->newest;
                arena->newest = b->older;
                block_release(b, false);
        }
        struct block *b = arena->newest;
        b->used = mark.used;
        POISON(b->data + b->used, b->capacity - b->used);
        arena->total = mark.total;
}

static void *protobuf_alloc(void *data, size_t bytes)
{
        return alloc_raw(data, bytes);
}

static void protobuf_free(void *data, void *ptr)
{
        (void)data;
        (void)ptr;
}

ProtobufCAllocator *arena_protobuf_allocator(struct arena *arena)
{
        arena->protobuf = (ProtobufCAllocator){.alloc = protobuf_alloc, .free = protobuf_free, .allocator_data = arena};
        return &arena->protobuf;
}
