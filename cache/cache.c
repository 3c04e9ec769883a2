/* Owns batched reads through a cache: look up, load what is missing, store it with the version tokens of the lookup. */
#include "cache/cache.h"

#include <stdlib.h>
#include <string.h>

#define ID_BYTES 16

sn_status cache_start(struct cache *cache, size_t max_bytes)
{
        cache->table = cache_table_new(cache->name, max_bytes, cache->numbers);
        return cache->table != NULL ? SN_OK : SN_INTERNAL;
}

void cache_stop(struct cache *cache)
{
        cache_table_free(cache->table);
        cache->table = NULL;
}

/* 0 if an ID is not a UUID. */
static size_t pack_key(struct cache_key key, uint8_t bytes[CACHE_KEY_MAX])
{
        size_t len = ID_BYTES;

        if (!uuid_to_bytes(key.id, bytes)) {
                return 0;
        }
        if (key.other != NULL) {
                if (!uuid_to_bytes(key.other, bytes + len)) {
                        return 0;
                }
                len += ID_BYTES;
        }
        memcpy(bytes + len, &key.kind, sizeof(key.kind));
        return len + sizeof(key.kind);
}

static int compare_items(const void *a, const void *b)
{
        const struct cache_item *const *first = a, *const *second = b;

        return memcmp((*first)->packed.bytes, (*second)->packed.bytes, (*first)->packed.len);
}

static bool is_same(const struct cache_item *a, const struct cache_item *b)
{
        return a->packed.len == b->packed.len && memcmp(a->packed.bytes, b->packed.bytes, a->packed.len) == 0;
}

/* ---- References that last as long as the call ---- */

struct held {
        size_t n;
        void *objects[];
};

static void release_held(void *held)
{
        struct held *h = held;

        for (size_t i = 0; i < h->n; i++) {
                cache_unref(h->objects[i]);
        }
}

static struct held *hold_objects(struct arena *arena, size_t n)
{
        struct held *h = arena_alloc(arena, sizeof(*h) + n * sizeof(h->objects[0]));

        h->n = 0;
        arena_defer(arena, release_held, h);
        return h;
}

static void add_held(const struct cache *cache, struct held *held, const struct cache_item *item)
{
        if (!cache->numbers && item->value.object != NULL) {
                held->objects[held->n++] = item->value.object;
        }
}

/* ---- A batch ---- */

/* False if the item must be filled. */
static bool look_up(const struct cache *cache, enum read_from from, struct cache_item *item)
{
        if (from == READ_FROM_DATABASE) {
                item->packed.token = cache_table_token(cache->table, item->packed.bytes, item->packed.len);
                return false;
        }
        if (cache_table_get(cache->table, item->packed.bytes, item->packed.len, &item->value, &item->packed.token)) {
                return true;
        }
        if (from == READ_FROM_MEMORY && cache->numbers) {
                item->value.number = cache->unknown;
        }
        return from == READ_FROM_MEMORY;
}

static void pack_all(const struct cache *cache, struct cache_item *items, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                items[i].packed.len = pack_key(items[i].key, items[i].packed.bytes);
                items[i].packed.hash =
                    cache_table_prefetch_bucket(cache->table, items[i].packed.bytes, items[i].packed.len);
        }
        for (size_t i = 0; n > 1 && i < n; i++) {
                cache_table_prefetch_entry(cache->table, items[i].packed.hash);
        }
}

/* The items that are to be filled. Neighbours in a batch are often the same. */
static size_t look_up_all(const struct cache *cache, enum read_from from, struct held *held, struct cache_item *items,
                          size_t n, struct cache_item **missing)
{
        const struct cache_item *hit = NULL;
        size_t n_missing = 0;

        pack_all(cache, items, n);
        for (size_t i = 0; i < n; i++) {
                struct cache_item *item = &items[i];

                item->value = (union cache_value){0};
                if (item->packed.len == 0) {
                        continue;
                }
                if (hit != NULL && is_same(hit, item)) {
                        item->value = hit->value;
                } else if (look_up(cache, from, item)) {
                        add_held(cache, held, item);
                        hit = item;
                } else {
                        missing[n_missing++] = item;
                }
        }
        return n_missing;
}

static size_t select_distinct(struct cache_item *const *sorted, size_t n, struct cache_item **distinct)
{
        size_t n_distinct = 0;

        for (size_t i = 0; i < n; i++) {
                if (i == 0 || !is_same(sorted[i], sorted[i - 1])) {
                        distinct[n_distinct++] = sorted[i];
                }
        }
        return n_distinct;
}

static void store_items(const struct cache *cache, struct cache_item *const *items, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                cache_table_put(cache->table, items[i]->packed.bytes, items[i]->packed.len, items[i]->packed.token,
                                items[i]->value);
        }
}

static sn_status fill_missing(struct rpc_call *c, const struct cache *cache, struct held *held,
                              struct cache_item **missing, size_t n_missing)
{
        struct cache_item **distinct = ARENA_ARRAY(c->arena, struct cache_item *, n_missing);
        size_t n = 0;

        qsort(missing, n_missing, sizeof(*missing), compare_items);
        n = select_distinct(missing, n_missing, distinct);
        sn_status status = cache->fill(c, distinct, n);

        for (size_t i = 0; i < n; i++) {
                add_held(cache, held, distinct[i]);
        }
        TRY(status);
        store_items(cache, distinct, n);
        for (size_t i = 1; i < n_missing; i++) {
                if (is_same(missing[i], missing[i - 1])) {
                        missing[i]->value = missing[i - 1]->value;
                }
        }
        return SN_OK;
}

sn_status cache_get(struct rpc_call *c, struct cache *cache, enum read_from from, struct cache_item *items, size_t n)
{
        struct cache_item **missing = ARENA_ARRAY(c->arena, struct cache_item *, n);
        struct held *held = hold_objects(c->arena, cache->numbers ? 0 : n);
        size_t n_missing = look_up_all(cache, from, held, items, n, missing);

        return n_missing > 0 ? fill_missing(c, cache, held, missing, n_missing) : SN_OK;
}

/* ---- For fill ---- */

char **cache_ids(struct arena *arena, struct cache_item *const *items, size_t n)
{
        char **ids = ARENA_ARRAY(arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                ids[i] = (char *)items[i]->key.id;
        }
        return ids;
}

char **cache_others(struct arena *arena, struct cache_item *const *items, size_t n)
{
        char **others = ARENA_ARRAY(arena, char *, n);

        for (size_t i = 0; i < n; i++) {
                others[i] = (char *)items[i]->key.other;
        }
        return others;
}

struct cache_item *cache_find(struct cache_item *const *items, size_t n, struct cache_key key)
{
        struct cache_item wanted = {.key = key}, *at = &wanted, *const *found = NULL;

        wanted.packed.len = pack_key(key, wanted.packed.bytes);
        if (wanted.packed.len > 0) {
                found = bsearch(&at, items, n, sizeof(*items), compare_items);
        }
        return found != NULL ? *found : NULL;
}

/* ---- Invalidation ---- */

struct change {
        const struct cache *cache;
        uint8_t key[CACHE_KEY_MAX];
        size_t len;
};

static void drop_packed(const struct cache *cache, const uint8_t *key, size_t len)
{
        if (len > 0 && cache->table != NULL) { /* a program that serves nothing starts no cache */
                cache_table_drop(cache->table, key, len);
        }
}

static void drop_changed(void *context)
{
        const struct change *change = context;

        drop_packed(change->cache, change->key, change->len);
}

void cache_changed(struct cache *cache, struct db_tx *tx, struct cache_key key)
{
        struct change *change = ARENA_NEW(db_arena(tx), struct change);

        change->cache = cache;
        change->len = pack_key(key, change->key);
        db_on_end(tx, drop_changed, change);
}

void cache_drop(struct cache *cache, struct cache_key key)
{
        uint8_t packed[CACHE_KEY_MAX];

        drop_packed(cache, packed, pack_key(key, packed));
}
