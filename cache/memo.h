/* Memo: the in-memory cache of rows by the one service that owns them. Bounded by bytes, sharded, least recently used
 * first out. Keys are short byte strings; values are immutable, reference-counted objects.
 *
 * No stale value can enter: a miss gives a ticket, drop makes all tickets of the key's shard void, and put with a void
 * ticket stores nothing. So: get → (miss) load from PostgreSQL → put; a writer commits, then drops, then answers. */
#ifndef CACHE_MEMO_H
#define CACHE_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

struct memo;

/* Embedded first in every cached object. The creator holds one reference. */
struct memo_object {
        int references; /* atomic */
        size_t bytes;   /* for the bound, everything that the object owns */
        void (*free)(struct memo_object *object);
};

struct memo *memo_new(const char *name, size_t max_bytes); /* name appears in metrics: hits, misses, bytes */
void memo_free(struct memo *m);

/* A reference that lives as long as the arena; NULL and a ticket on a miss. */
void *memo_get(struct memo *m, struct arena *arena, const void *key, size_t key_len, uint64_t *ticket);
/* Stores the object when the ticket still holds; takes over nothing: the caller's reference remains its own. */
void memo_put(struct memo *m, const void *key, size_t key_len, uint64_t ticket, void *object);
/* The same for what is no more than a number, in a memo of numbers alone: there is nothing to keep or free. False on a
 * miss. */
bool memo_get_number(struct memo *m, const void *key, size_t key_len, uint64_t *number, uint64_t *ticket);
void memo_put_number(struct memo *m, const void *key, size_t key_len, uint64_t ticket, uint64_t number);
void memo_drop(struct memo *m, const void *key, size_t key_len);
void memo_clear(struct memo *m);

void memo_unref(void *object); /* takes NULL */
/* The arena keeps the caller's reference, and gives it back when it goes. */
void memo_keep(struct arena *arena, void *object);

#endif
