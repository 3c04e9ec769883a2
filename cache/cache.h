/* A cache of the rows that this process owns, in memory: bounded by bytes, read in batches, filled by a callback with
 * what a batch did not find.
 *
 * It holds no stale row. Each lookup takes the version token of its key before anything is read, an invalidation
 * changes the token, and a row is stored only under the token that still holds. So a writer commits, invalidates and
 * answers (cache_changed), and a row that was read before that is given to those who asked for it before, but never
 * stored. */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include "cache/read_from.h"
#include "cache/table.h"
#include "db/db.h"

/* Identifies a row: by one ID or a pair, and a kind. A key that is not a UUID has no row. */
struct cache_key {
        const char *id;
        const char *other; /* NULL: the key is one id; the same for all keys of a cache */
        uint64_t kind;
};

/* A row that is asked for: the caller sets the key. */
struct cache_item {
        struct cache_key key;
        /* Object caches: NULL if there is no row, otherwise read-only and valid as long as the call. Number caches:
         * 0 if there is no row. */
        union cache_value value;
        struct cache_lookup *lookup; /* of cache.c; NULL: no row has this key */
};

struct cache {
        const char *name; /* in metrics */
        bool numbers;     /* values are numbers, not objects */
        uint64_t unknown; /* the number of what memory does not have, when memory alone is read; an object is NULL */
        /* Sets the values of existing rows, for n distinct keys in order. The cache gets an object's single
         * reference. Keys without a value are cached as missing rows, so that looking them up costs no more than
         * existing ones. */
        sn_status (*fill)(struct rpc_call *c, struct cache_item *const *missing, size_t n);
        struct cache_table *table; /* NULL until cache_start */
};

SN_CHECKED sn_status cache_start(struct cache *cache, size_t max_bytes);
void cache_stop(struct cache *cache);

/* Rows read from the database are cached in any case. */
SN_CHECKED sn_status cache_get(struct rpc_call *c, struct cache *cache, enum read_from from, struct cache_item *items,
                               size_t n);
/* This transaction changes or creates the row: it is dropped from the cache when the transaction ends. Also to be
 * called when it finds that nothing is to be changed: another one may have changed the row and not dropped it yet, and
 * what this one answers must be in force. A cache that was not started is empty. */
void cache_changed(struct cache *cache, struct db_tx *tx, struct cache_key key);
/* This transaction adds to a row of an object cache: after its COMMIT the cached object is replaced by what update
 * makes of it, a new object with one reference, or dropped if that is NULL. context must outlive the transaction. */
void cache_updated(struct cache *cache, struct db_tx *tx, struct cache_key key,
                   struct cache_object *(*update)(const void *object, const void *context), const void *context);
/* This transaction creates a row of an object cache: after its COMMIT what make returns is cached, a new object with
 * one reference (NULL: nothing is), unless the row has been changed since this call. context must outlive the
 * transaction.
 */
void cache_added(struct cache *cache, struct db_tx *tx, struct cache_key key,
                 struct cache_object *(*make)(const void *context), const void *context);
/* The row was changed already, by another program. */
void cache_drop(struct cache *cache, struct cache_key key);

/* For fill: the ids of the keys (or the others), to bind; and the item of an id, NULL when it is not among them. */
char **cache_ids(struct arena *arena, struct cache_item *const *items, size_t n);
char **cache_others(struct arena *arena, struct cache_item *const *items, size_t n);
struct cache_item *cache_find(struct cache_item *const *items, size_t n, struct cache_key key);

#endif
