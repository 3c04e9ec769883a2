/* The table behind a cache: from keys to numbers, or to reference-counted objects. Thread-safe; limited by bytes,
 * evicting what was not read lately.
 *
 * A version token identifies the state in which a key was looked up. A drop changes it, and a put with an outdated
 * token stores nothing. */
#ifndef CACHE_TABLE_H
#define CACHE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_KEY_MAX 40 /* bytes: two UUIDs and a kind; multiples of 8 are hashed fastest */

struct cache_table;

/* Embedded first in every cached object. Whoever makes one holds one reference. */
struct cache_object {
        int references; /* atomic */
        size_t bytes;   /* for the bound, everything that the object owns */
        void (*free)(struct cache_object *object);
};

union cache_value {
        void *object; /* NULL: there is known to be no row */
        uint64_t number;
};

/* NULL without memory. name appears in metrics: hits, misses, bytes. numbers: the values are numbers, not objects. */
struct cache_table *cache_table_new(const char *name, size_t max_bytes, bool numbers);
void cache_table_free(struct cache_table *t); /* takes NULL */

/* False: the key is not in the table. An object found comes with a reference for the caller. The token is given either
 * way. */
bool cache_table_get(struct cache_table *t, const void *key, size_t key_len, union cache_value *value, uint64_t *token);
/* Many keys at once, which costs less: the caller sets keys, cache_table_get_all the rest. */
struct cache_lookup {
        uint8_t key[CACHE_KEY_MAX];
        size_t key_len;
        uint64_t hash; /* of the table */
        bool found;
        union cache_value value; /* with a reference for the caller, if found */
        uint64_t token;
};
void cache_table_get_all(struct cache_table *t, struct cache_lookup *lookups, size_t n);
/* The token alone. */
uint64_t cache_table_token(struct cache_table *t, const void *key, size_t key_len);
/* Stores the value if the token is still valid, taking its own reference. key_len is at most CACHE_KEY_MAX. */
void cache_table_put(struct cache_table *t, const void *key, size_t key_len, uint64_t token, union cache_value value);
/* Replaces the value of a key whose token is still valid, and changes the token, like a drop and a put in one step.
 * False: nothing was replaced. */
bool cache_table_replace(struct cache_table *t, const void *key, size_t key_len, uint64_t token,
                         union cache_value value);
/* The object of a key was extended, in a part that nobody reads who has it already: its token changes. If the key has
 * another object by now, or none, it is dropped. */
void cache_table_extended(struct cache_table *t, const void *key, size_t key_len, const void *object);
void cache_table_drop(struct cache_table *t, const void *key, size_t key_len);
void cache_table_clear(struct cache_table *t); /* drops all keys, also those that are not in it */

void cache_unref(void *object); /* takes NULL */

#endif
