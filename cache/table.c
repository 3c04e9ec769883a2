/* Owns the hash table of a cache: 16 shards, each a chained table with its entries in a list. One mutex is for those
 * who change a shard; lookups take none (cache/readers.h), and a hit only sets a bit in its entry: the entry that is to
 * go gets a second chance when the bit is set. What is removed is freed outside the locks, after the lookups that may
 * have found it. An entry that is in a chain never changes, except for its place there, so a lookup during such a
 * change may at worst miss it. */
#include "cache/table.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/shared_stamps.h"
#include "cache/readers.h"

enum {
        N_SHARDS = 16,
        FIRST_BUCKETS = 64,
        TOKENS_MIN = 64, /* of a shard, */
        TOKENS_MAX = 1 << 20,
        BYTES_PER_TOKEN = 1024,      /* about one for each object, */
        NUMBER_BYTES_PER_TOKEN = 256 /* or for a few numbers */
};

/* The fields used by lookups are adjacent, at the end. */
struct entry {
        struct entry *older, *newer; /* in the order of eviction; older: in a list of removed entries */
        struct entry *next;          /* in its bucket */
        uint64_t hash;
        union cache_value value;
        uint32_t bytes; /* counted towards the limit */
        bool touched;   /* read since it was put, or since it was spared last */
        uint8_t key_len;
        uint8_t key[];
};

struct buckets {
        size_t n; /* a power of two */
        struct entry *first[];
};

/* What was taken out of a shard under its lock. */
struct removed {
        struct entry *entries;
        struct buckets *buckets;
};

struct shard {
        pthread_mutex_t lock;
        uint64_t *tokens;        /* of the keys that share one; grow with each drop; never 0 */
        struct buckets *buckets; /* NULL: none yet */
        size_t n_entries;
        struct entry *oldest, *newest;
        size_t bytes;
} __attribute__((aligned(64))); /* locks of two shards never share a cache line */

struct cache_table {
        struct shard shards[N_SHARDS];
        size_t max_shard_bytes, n_tokens; /* of a shard; n_tokens is a power of two */
        bool numbers;
        uint64_t seed; /* random: keys cannot be chosen so that they share a bucket */
        struct metric *hits, *misses, *bytes;
};

static uint64_t mix(uint64_t a, uint64_t b)
{
        __uint128_t product = (__uint128_t)a * b;
        return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_key(const struct cache_table *t, const void *key, size_t len)
{
        const char *at = key;
        uint64_t hash = t->seed ^ len;
        for (; len >= 8; at += 8, len -= 8) {
                uint64_t word;
                memcpy(&word, at, 8);
                hash = mix(hash ^ word, 0x9e3779b97f4a7c15u);
        }
        uint64_t rest = 0;
        if (len > 0) {
                memcpy(&rest, at, len);
        }
        return mix(hash ^ rest, 0xd6e8feb86659fd93u ^ t->seed);
}

/* Fewer tokens make no value outdated; they only change for more keys at once. */
static size_t count_tokens(size_t shard_bytes, bool numbers)
{
        size_t wanted = shard_bytes / (numbers ? NUMBER_BYTES_PER_TOKEN : BYTES_PER_TOKEN), n = TOKENS_MIN;

        while (n < wanted && n < TOKENS_MAX) {
                n *= 2;
        }
        return n;
}

struct cache_table *cache_table_new(const char *name, size_t max_bytes, bool numbers)
{
        struct cache_table *t = aligned_alloc(_Alignof(struct cache_table), sizeof(*t));
        if (t == NULL) {
                return NULL;
        }
        memset(t, 0, sizeof(*t));
        t->max_shard_bytes = max_bytes / N_SHARDS < UINT32_MAX ? max_bytes / N_SHARDS : UINT32_MAX;
        t->numbers = numbers;
        t->n_tokens = count_tokens(t->max_shard_bytes, numbers);
        random_bytes(&t->seed, sizeof(t->seed));
        const char *labels = metrics_intern("cache=\"%s\"", name);
        t->hits = metric_counter("sonet_cache_hits_total", "Reads answered from memory.", labels);
        t->misses = metric_counter("sonet_cache_misses_total", "Reads that went to PostgreSQL.", labels);
        t->bytes = metric_gauge("sonet_cache_bytes", "Memory held by cached rows.", labels);
        for (int i = 0; i < N_SHARDS; i++) {
                pthread_mutex_init(&t->shards[i].lock, NULL);
                t->shards[i].tokens = shared_stamps_new(t->n_tokens);
                if (t->shards[i].tokens == NULL) {
                        cache_table_free(t);
                        return NULL;
                }
        }
        return t;
}

static void ref_object(const struct cache_table *t, union cache_value value)
{
        struct cache_object *object = value.object;
        if (!t->numbers && object != NULL) {
                __atomic_fetch_add(&object->references, 1, __ATOMIC_RELAXED);
        }
}

void cache_unref(void *object)
{
        struct cache_object *o = object;
        if (o != NULL && __atomic_sub_fetch(&o->references, 1, __ATOMIC_ACQ_REL) == 0) {
                o->free(o);
        }
}

static struct shard *shard_of(struct cache_table *t, uint64_t hash)
{
        return &t->shards[hash >> 60];
}

static uint64_t *token_of(const struct cache_table *t, struct shard *s, uint64_t hash)
{
        return &s->tokens[hash >> 40 & (t->n_tokens - 1)];
}

static bool is_entry(const struct entry *e, uint64_t hash, const void *key, size_t key_len)
{
        return e->hash == hash && e->key_len == key_len && memcmp(e->key, key, key_len) == 0;
}

/* Under the lock: where the pointer to the key's entry is, or would be; never NULL while there are buckets. */
static struct entry **find_place(const struct shard *s, uint64_t hash, const void *key, size_t key_len)
{
        struct entry **at = &s->buckets->first[hash & (s->buckets->n - 1)];
        while (*at != NULL && !is_entry(*at, hash, key, key_len)) {
                at = &(*at)->next;
        }
        return at;
}

/* Under the lock: where the pointer to this entry is. */
static struct entry **place_of(const struct shard *s, const struct entry *e)
{
        struct entry **at = &s->buckets->first[e->hash & (s->buckets->n - 1)];
        while (*at != e) {
                at = &(*at)->next;
        }
        return at;
}

static void list_remove(struct shard *s, struct entry *e)
{
        *(e->older != NULL ? &e->older->newer : &s->oldest) = e->newer;
        *(e->newer != NULL ? &e->newer->older : &s->newest) = e->older;
}

static void list_append(struct shard *s, struct entry *e)
{
        e->older = s->newest;
        e->newer = NULL;
        *(s->newest != NULL ? &s->newest->newer : &s->oldest) = e;
        s->newest = e;
}

/* Takes *at out of the shard. Lookups that are there go on to what follows it. */
static void unlink_entry(struct shard *s, struct entry **at, struct removed *removed)
{
        struct entry *e = *at;
        READERS_STORE(at, e->next);
        list_remove(s, e);
        s->n_entries--;
        s->bytes -= e->bytes;
        e->older = removed->entries;
        removed->entries = e;
}

static void free_removed(struct cache_table *t, const struct removed *removed)
{
        struct entry *e = removed->entries;
        if (e == NULL && removed->buckets == NULL) {
                return;
        }
        readers_wait();
        free(removed->buckets);
        while (e != NULL) {
                struct entry *next = e->older;
                metric_add(t->bytes, -(int64_t)e->bytes);
                if (!t->numbers) {
                        cache_unref(e->value.object);
                }
                free(e);
                e = next;
        }
}

/* ---- Lookups ---- */

/* Within a read. NULL on a miss. */
static struct entry *find_entry(const struct shard *s, uint64_t hash, const void *key, size_t key_len)
{
        const struct buckets *buckets = READERS_LOAD(&s->buckets);
        if (buckets == NULL) {
                return NULL;
        }
        struct entry *e = READERS_LOAD(&buckets->first[hash & (buckets->n - 1)]);
        while (e != NULL && !is_entry(e, hash, key, key_len)) {
                e = READERS_LOAD(&e->next);
        }
        return e;
}

/* Within a read. The token first: then a row that is read after a miss is no older than it. */
static bool look_up(struct cache_table *t, struct cache_lookup *l)
{
        struct shard *s = shard_of(t, l->hash);
        const uint64_t *token = token_of(t, s, l->hash);
        l->token = READERS_LOAD(token);
        stamps_add(token, l->token);
        struct entry *e = find_entry(s, l->hash, l->key, l->key_len);
        l->found = e != NULL;
        if (!l->found) {
                return false;
        }
        if (!__atomic_load_n(&e->touched, __ATOMIC_RELAXED)) { /* written once only: other threads read the line */
                __atomic_store_n(&e->touched, true, __ATOMIC_RELAXED);
        }
        l->value = e->value;
        ref_object(t, l->value);
        return true;
}

static void prefetch_bucket(const struct cache_table *t, struct cache_lookup *l)
{
        l->hash = hash_key(t, l->key, l->key_len);
        const struct buckets *buckets = READERS_LOAD(&t->shards[l->hash >> 60].buckets);
        if (buckets != NULL) {
                __builtin_prefetch(&buckets->first[l->hash & (buckets->n - 1)]);
        }
}

static void prefetch_entry(const struct cache_table *t, const struct cache_lookup *l)
{
        const struct buckets *buckets = READERS_LOAD(&t->shards[l->hash >> 60].buckets);
        const struct entry *first = buckets != NULL ? READERS_LOAD(&buckets->first[l->hash & (buckets->n - 1)]) : NULL;
        if (first != NULL) {
                __builtin_prefetch(&first->hash);
        }
}

/* In three passes over the keys: otherwise each lookup would wait for memory three times. */
void cache_table_get_all(struct cache_table *t, struct cache_lookup *lookups, size_t n)
{
        size_t hits = 0;
        readers_enter();
        for (size_t i = 0; i < n; i++) {
                prefetch_bucket(t, &lookups[i]);
        }
        for (size_t i = 0; n > 1 && i < n; i++) {
                prefetch_entry(t, &lookups[i]);
        }
        for (size_t i = 0; i < n; i++) {
                hits += look_up(t, &lookups[i]);
        }
        readers_leave();
        if (hits > 0) {
                metric_add(t->hits, (int64_t)hits);
        }
        if (hits < n) {
                metric_add(t->misses, (int64_t)(n - hits));
        }
}

bool cache_table_get(struct cache_table *t, const void *key, size_t key_len, union cache_value *value, uint64_t *token)
{
        struct cache_lookup l = {.key_len = key_len};
        memcpy(l.key, key, key_len);
        cache_table_get_all(t, &l, 1);
        *token = l.token;
        if (l.found) {
                *value = l.value;
        }
        return l.found;
}

uint64_t cache_table_token(struct cache_table *t, const void *key, size_t key_len)
{
        uint64_t hash = hash_key(t, key, key_len);
        return READERS_LOAD(token_of(t, shard_of(t, hash), hash));
}

/* ---- Changes ---- */

/* Twice the buckets when there are as many entries. Without memory it stays as it is: slower, not wrong. */
static bool make_room(struct shard *s, struct removed *removed)
{
        struct buckets *old = s->buckets;
        if (old != NULL && s->n_entries < old->n) {
                return true;
        }
        size_t n = old == NULL ? FIRST_BUCKETS : old->n * 2;
        struct buckets *buckets = calloc(1, sizeof(*buckets) + n * sizeof(buckets->first[0]));
        if (buckets == NULL) {
                return old != NULL;
        }
        buckets->n = n;
        for (struct entry *e = s->newest; e != NULL; e = e->older) {
                struct entry **first = &buckets->first[e->hash & (n - 1)];
                READERS_STORE(&e->next, *first);
                *first = e;
        }
        READERS_STORE(&s->buckets, buckets);
        removed->buckets = old;
        return true;
}

/* Evicts from the oldest until the shard is within its limit; entries read since are spared once. */
static void evict_entries(struct shard *s, size_t max_bytes, struct removed *removed)
{
        while (s->bytes > max_bytes) {
                struct entry *e = s->oldest;
                if (__atomic_load_n(&e->touched, __ATOMIC_RELAXED)) {
                        __atomic_store_n(&e->touched, false, __ATOMIC_RELAXED);
                        list_remove(s, e);
                        list_append(s, e);
                } else {
                        unlink_entry(s, place_of(s, e), removed);
                }
        }
}

static struct entry *entry_new(const struct cache_table *t, uint64_t hash, const void *key, size_t key_len,
                               union cache_value value)
{
        struct cache_object *object = t->numbers ? NULL : value.object;
        size_t bytes = (object != NULL ? object->bytes : 0) + sizeof(struct entry) + sizeof(struct entry *) + key_len;
        struct entry *e = bytes <= t->max_shard_bytes ? malloc(sizeof(*e) + key_len) : NULL;
        if (e == NULL) {
                return NULL;
        }
        *e = (struct entry){.hash = hash, .value = value, .bytes = (uint32_t)bytes, .key_len = (uint8_t)key_len};
        memcpy(e->key, key, key_len);
        ref_object(t, value);
        return e;
}

/* Under the lock. False when the token holds no longer. */
static bool put_entry(struct cache_table *t, struct shard *s, struct entry *e, uint64_t token, struct removed *removed)
{
        if (token != *token_of(t, s, e->hash) || !make_room(s, removed)) {
                return false;
        }
        struct entry **at = find_place(s, e->hash, e->key, e->key_len);
        if (*at != NULL) {
                unlink_entry(s, at, removed); /* another thread missed too; both loaded after the last drop */
        }
        struct entry **first = &s->buckets->first[e->hash & (s->buckets->n - 1)];
        e->next = *first;
        READERS_STORE(first, e);
        list_append(s, e);
        s->n_entries++;
        s->bytes += e->bytes;
        evict_entries(s, t->max_shard_bytes, removed);
        return true;
}

/* Under the lock, after the value was removed or replaced: whoever finds the previous value does not have a valid
 * token.
 */
static void renew_token(uint64_t *token)
{
        READERS_STORE(token, *token + 1);
}

/* renew: the token changes. */
static bool store_value(struct cache_table *t, const void *key, size_t key_len, uint64_t token, union cache_value value,
                        bool renew)
{
        uint64_t hash = hash_key(t, key, key_len);
        struct entry *e = entry_new(t, hash, key, key_len, value);
        struct removed removed = {0};
        if (e == NULL) {
                return false; /* without memory, or larger than a shard: it is read again */
        }
        struct shard *s = shard_of(t, hash);
        metric_add(t->bytes, e->bytes);
        pthread_mutex_lock(&s->lock);
        bool stored = put_entry(t, s, e, token, &removed);
        if (stored && renew) {
                renew_token(token_of(t, s, hash));
        }
        pthread_mutex_unlock(&s->lock);
        if (!stored) {
                e->older = NULL;
                removed.entries = e;
        }
        free_removed(t, &removed);
        return stored;
}

void cache_table_put(struct cache_table *t, const void *key, size_t key_len, uint64_t token, union cache_value value)
{
        (void)store_value(t, key, key_len, token, value, false);
}

bool cache_table_replace(struct cache_table *t, const void *key, size_t key_len, uint64_t token,
                         union cache_value value)
{
        return store_value(t, key, key_len, token, value, true);
}

/* Changes the token, and drops the key unless its object is to stay (NULL: none is). */
static void drop_unless(struct cache_table *t, const void *key, size_t key_len, const void *object)
{
        uint64_t hash = hash_key(t, key, key_len);
        struct shard *s = shard_of(t, hash);
        struct removed removed = {0};
        pthread_mutex_lock(&s->lock);
        struct entry **at = s->buckets != NULL ? find_place(s, hash, key, key_len) : NULL;
        const struct entry *e = at != NULL ? *at : NULL;
        if (e != NULL && (object == NULL || e->value.object != object)) {
                unlink_entry(s, at, &removed);
        }
        renew_token(token_of(t, s, hash));
        pthread_mutex_unlock(&s->lock);
        free_removed(t, &removed);
}

void cache_table_extended(struct cache_table *t, const void *key, size_t key_len, const void *object)
{
        drop_unless(t, key, key_len, object);
}

void cache_table_drop(struct cache_table *t, const void *key, size_t key_len)
{
        drop_unless(t, key, key_len, NULL);
}

static void clear_shard(struct cache_table *t, struct shard *s)
{
        struct removed removed = {0};
        pthread_mutex_lock(&s->lock);
        while (s->oldest != NULL) {
                struct entry *e = s->oldest;
                unlink_entry(s, place_of(s, e), &removed);
        }
        for (size_t k = 0; s->tokens != NULL && k < t->n_tokens; k++) {
                renew_token(&s->tokens[k]);
        }
        pthread_mutex_unlock(&s->lock);
        free_removed(t, &removed);
}

void cache_table_clear(struct cache_table *t)
{
        for (int i = 0; i < N_SHARDS; i++) {
                clear_shard(t, &t->shards[i]);
        }
}

void cache_table_free(struct cache_table *t)
{
        if (t == NULL) {
                return;
        }
        for (int i = 0; i < N_SHARDS; i++) {
                clear_shard(t, &t->shards[i]);
                pthread_mutex_destroy(&t->shards[i].lock);
                free(t->shards[i].buckets);
                shared_stamps_free(t->shards[i].tokens);
        }
        free(t);
}
