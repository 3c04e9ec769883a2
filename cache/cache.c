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

/* All of the key but its first ID; false if the other one is not a UUID. */
static bool pack_rest(const struct cache_key *key, struct cache_lookup *out)
{
        size_t len = ID_BYTES;

        if (key->other != NULL) {
                if (!uuid_to_bytes(key->other, out->key + len)) {
                        return false;
                }
                len += ID_BYTES;
        }
        memcpy(out->key + len, &key->kind, sizeof(key->kind));
        out->key_len = len + sizeof(key->kind);
        return true;
}

static bool pack_key(const struct cache_key *key, struct cache_lookup *out)
{
        return uuid_to_bytes(key->id, out->key) && pack_rest(key, out);
}

static bool is_same(const struct cache_lookup *a, const struct cache_lookup *b)
{
        return a->key_len == b->key_len && memcmp(a->key, b->key, a->key_len) == 0;
}

static int compare_items(const void *a, const void *b)
{
        const struct cache_item *const *first = a, *const *second = b;

        return memcmp((*first)->lookup->key, (*second)->lookup->key, (*first)->lookup->key_len);
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

static void add_held(const struct cache *cache, struct held *held, union cache_value value)
{
        if (!cache->numbers && value.object != NULL) {
                held->objects[held->n++] = value.object;
        }
}

/* ---- A batch ---- */

struct batch {
        struct cache_item *items;
        size_t n;
        struct cache_lookup *lookups; /* neighbours often have the same, or the first ID in common: their viewer */
        size_t n_lookups;
};

/* The same pointers, so that the IDs need not be read. */
static bool has_same_key(const struct cache_item *a, const struct cache_item *b)
{
        return a->key.id == b->key.id && a->key.other == b->key.other && a->key.kind == b->key.kind;
}

/* False if the key is not one of UUIDs. */
static bool pack_after(const struct cache_item *before, const struct cache_key *key, struct cache_lookup *out)
{
        if (before == NULL || before->lookup == NULL || before->key.id != key->id) {
                return pack_key(key, out);
        }
        memcpy(out->key, before->lookup->key, ID_BYTES);
        return pack_rest(key, out);
}

static void pack_item(struct batch *b, size_t i)
{
        struct cache_item *item = &b->items[i];
        const struct cache_item *before = i > 0 ? &b->items[i - 1] : NULL;
        struct cache_lookup *lookup = &b->lookups[b->n_lookups];

        item->value = (union cache_value){0};
        item->lookup = NULL;
        if (before != NULL && has_same_key(before, item)) {
                item->lookup = before->lookup;
        } else if (pack_after(before, &item->key, lookup)) {
                bool again = before != NULL && before->lookup != NULL && is_same(before->lookup, lookup);

                item->lookup = again ? before->lookup : lookup;
                b->n_lookups += !again;
        }
}

static void pack_batch(struct rpc_call *c, struct batch *b)
{
        b->lookups = ARENA_ARRAY(c->arena, struct cache_lookup, b->n);
        for (size_t i = 0; i < b->n; i++) {
                pack_item(b, i);
        }
}

static void look_up_all(const struct cache *cache, enum read_from from, struct batch *b)
{
        if (from != READ_FROM_DATABASE) {
                cache_table_get_all(cache->table, b->lookups, b->n_lookups);
                return;
        }
        for (size_t i = 0; i < b->n_lookups; i++) {
                struct cache_lookup *l = &b->lookups[i];

                l->found = false;
                l->token = cache_table_token(cache->table, l->key, l->key_len);
        }
}

static void hold_found(const struct cache *cache, const struct batch *b, struct held *held)
{
        for (size_t i = 0; i < b->n_lookups; i++) {
                if (b->lookups[i].found) {
                        add_held(cache, held, b->lookups[i].value);
                }
        }
}

/* Sets the values of what was found. Returns the number of items that are to be filled. */
static size_t take_values(const struct cache *cache, enum read_from from, const struct batch *b,
                          struct cache_item **missing)
{
        size_t n_missing = 0;

        for (size_t i = 0; i < b->n; i++) {
                struct cache_item *item = &b->items[i];

                if (item->lookup == NULL) {
                        continue;
                }
                if (item->lookup->found) {
                        item->value = item->lookup->value;
                } else if (from != READ_FROM_MEMORY) {
                        missing[n_missing++] = item;
                } else if (cache->numbers) {
                        item->value.number = cache->unknown;
                }
        }
        return n_missing;
}

static size_t select_distinct(struct cache_item *const *sorted, size_t n, struct cache_item **distinct)
{
        size_t n_distinct = 0;

        for (size_t i = 0; i < n; i++) {
                if (i == 0 || !is_same(sorted[i]->lookup, sorted[i - 1]->lookup)) {
                        distinct[n_distinct++] = sorted[i];
                }
        }
        return n_distinct;
}

static void store_items(const struct cache *cache, struct cache_item *const *items, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const struct cache_lookup *l = items[i]->lookup;

                cache_table_put(cache->table, l->key, l->key_len, l->token, items[i]->value);
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
                add_held(cache, held, distinct[i]->value);
        }
        TRY(status);
        store_items(cache, distinct, n);
        for (size_t i = 1; i < n_missing; i++) {
                if (is_same(missing[i]->lookup, missing[i - 1]->lookup)) {
                        missing[i]->value = missing[i - 1]->value;
                }
        }
        return SN_OK;
}

sn_status cache_get(struct rpc_call *c, struct cache *cache, enum read_from from, struct cache_item *items, size_t n)
{
        struct cache_item **missing = ARENA_ARRAY(c->arena, struct cache_item *, n);
        struct held *held = hold_objects(c->arena, cache->numbers ? 0 : n);
        struct batch b = {.items = items, .n = n};

        pack_batch(c, &b);
        look_up_all(cache, from, &b);
        hold_found(cache, &b, held);
        size_t n_missing = take_values(cache, from, &b, missing);

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
        struct cache_lookup lookup;
        struct cache_item wanted = {.key = key, .lookup = &lookup}, *at = &wanted, *const *found = NULL;

        if (pack_key(&key, &lookup)) {
                found = bsearch(&at, items, n, sizeof(*items), compare_items);
        }
        return found != NULL ? *found : NULL;
}

/* ---- Invalidation ---- */

struct change {
        const struct cache *cache;
        bool has_key;
        struct cache_lookup dropped;
};

static void drop_changed(void *context)
{
        const struct change *change = context;

        if (change->has_key && change->cache->table != NULL) { /* a program that serves nothing starts no cache */
                cache_table_drop(change->cache->table, change->dropped.key, change->dropped.key_len);
        }
}

void cache_changed(struct cache *cache, struct db_tx *tx, struct cache_key key)
{
        struct change *change = ARENA_NEW(db_arena(tx), struct change);

        change->cache = cache;
        change->has_key = pack_key(&key, &change->dropped);
        db_on_end(tx, drop_changed, change);
}

struct update {
        struct change of;
        struct cache_object *(*make)(const void *object, const void *context);
        const void *context;
};

/* Of two concurrent updates of an object only one can replace it; the other one drops it. */
static void update_object(void *context)
{
        const struct update *u = context;
        const struct cache_lookup *key = &u->of.dropped;
        struct cache_table *table = u->of.cache->table;
        union cache_value value = {0}, made = {0};
        uint64_t token;

        if (!u->of.has_key || table == NULL) {
                return;
        }
        if (cache_table_get(table, key->key, key->key_len, &value, &token) && value.object != NULL) {
                made.object = u->make(value.object, u->context);
        }
        if (made.object == NULL || !cache_table_replace(table, key->key, key->key_len, token, made)) {
                cache_table_drop(table, key->key, key->key_len);
        }
        cache_unref(made.object);
        cache_unref(value.object);
}

void cache_updated(struct cache *cache, struct db_tx *tx, struct cache_key key,
                   struct cache_object *(*update)(const void *object, const void *context), const void *context)
{
        struct update *u = ARENA_NEW(db_arena(tx), struct update);

        u->of.cache = cache;
        u->of.has_key = pack_key(&key, &u->of.dropped);
        u->make = update;
        u->context = context;
        db_on_commit(tx, update_object, u);
}

struct addition {
        struct change of;
        uint64_t token; /* before the COMMIT: whoever has read the row since, or that there is none, has it too */
        struct cache_object *(*make)(const void *context);
        const void *context;
};

/* The token changes, so that what was read before the COMMIT is not stored after it. */
static void add_object(void *context)
{
        const struct addition *a = context;
        const struct cache_lookup *key = &a->of.dropped;
        struct cache_table *table = a->of.cache->table;

        if (!a->of.has_key || table == NULL) {
                return;
        }
        union cache_value made = {.object = a->make(a->context)};

        if (made.object == NULL || !cache_table_replace(table, key->key, key->key_len, a->token, made)) {
                cache_table_drop(table, key->key, key->key_len);
        }
        cache_unref(made.object);
}

void cache_added(struct cache *cache, struct db_tx *tx, struct cache_key key,
                 struct cache_object *(*make)(const void *context), const void *context)
{
        struct addition *a = ARENA_NEW(db_arena(tx), struct addition);

        a->of.cache = cache;
        a->of.has_key = pack_key(&key, &a->of.dropped);
        if (a->of.has_key && cache->table != NULL) {
                a->token = cache_table_token(cache->table, a->of.dropped.key, a->of.dropped.key_len);
        }
        a->make = make;
        a->context = context;
        db_on_commit(tx, add_object, a);
}

void cache_drop(struct cache *cache, struct cache_key key)
{
        struct change change = {.cache = cache};

        change.has_key = pack_key(&key, &change.dropped);
        drop_changed(&change);
}
