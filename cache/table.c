/* Owns the hash table of a cache: 16 shards, each a chained table with its entries in a list under one mutex. A hit
 * only sets a bit in its entry; the entry that is to go gets a second chance when the bit is set. Objects are freed
 * outside the locks. */
#include "cache/table.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/metrics.h"

enum { N_SHARDS = 16, N_TOKENS = 64, FIRST_BUCKETS = 64 };

/* The fields used by lookups are adjacent, at the end. */
struct entry {
        struct entry *older, *newer; /* in the order of eviction */
        struct entry *next;          /* in its bucket; in a list of removed entries */
        uint64_t hash;
        union cache_value value;
        uint32_t bytes; /* counted towards the limit */
        bool touched;   /* read since it was put, or since it was spared last */
        uint8_t key_len;
        uint8_t key[];
};

struct shard {
        pthread_mutex_t lock;
        uint64_t tokens[N_TOKENS]; /* of the keys that share one; grow with each drop; never 0 */
        struct entry **buckets;
        size_t n_buckets; /* 0 or a power of two */
        size_t n_entries;
        struct entry *oldest, *newest;
        size_t bytes;
} __attribute__((aligned(64))); /* locks of two shards never share a cache line */

struct cache_table {
        struct shard shards[N_SHARDS];
        size_t max_shard_bytes;
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

struct cache_table *cache_table_new(const char *name, size_t max_bytes, bool numbers)
{
        struct cache_table *t = aligned_alloc(_Alignof(struct cache_table), sizeof(*t));
        if (t == NULL) {
                return NULL;
        }
        memset(t, 0, sizeof(*t));
        t->max_shard_bytes = max_bytes / N_SHARDS < UINT32_MAX ? max_bytes / N_SHARDS : UINT32_MAX;
        t->numbers = numbers;
        random_bytes(&t->seed, sizeof(t->seed));
        const char *labels = metrics_intern("cache=\"%s\"", name);
        t->hits = metric_counter("sonet_cache_hits_total", "Reads answered from memory.", labels);
        t->misses = metric_counter("sonet_cache_misses_total", "Reads that went to PostgreSQL.", labels);
        t->bytes = metric_gauge("sonet_cache_bytes", "Memory held by cached rows.", labels);
        for (int i = 0; i < N_SHARDS; i++) {
                pthread_mutex_init(&t->shards[i].lock, NULL);
                for (int k = 0; k < N_TOKENS; k++) {
                        t->shards[i].tokens[k] = 1;
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

static uint64_t *token_of(struct shard *s, uint64_t hash)
{
        return &s->tokens[(hash >> 48) % N_TOKENS];
}

/* Where the pointer to the key's entry is, or would be: never NULL while there are buckets. */
static struct entry **find_entry(const struct shard *s, uint64_t hash, const void *key, size_t key_len)
{
        struct entry **at = &s->buckets[hash & (s->n_buckets - 1)];
        while (*at != NULL &&
               ((*at)->hash != hash || (*at)->key_len != key_len || memcmp((*at)->key, key, key_len) != 0)) {
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

/* Takes *at out of the shard and puts it in front of *removed. */
static void unlink_entry(struct shard *s, struct entry **at, struct entry **removed)
{
        struct entry *e = *at;
        *at = e->next;
        list_remove(s, e);
        s->n_entries--;
        s->bytes -= e->bytes;
        e->next = *removed;
        *removed = e;
}

static void free_removed(struct cache_table *t, struct entry *removed)
{
        while (removed != NULL) {
                struct entry *next = removed->next;
                metric_add(t->bytes, -(int64_t)removed->bytes);
                if (!t->numbers) {
                        cache_unref(removed->value.object);
                }
                free(removed);
                removed = next;
        }
}

/* Under the lock. NULL on a miss. */
static const struct entry *look_up(struct shard *s, uint64_t hash, const void *key, size_t key_len)
{
        struct entry *e = s->n_buckets == 0 ? NULL : *find_entry(s, hash, key, key_len);
        if (e != NULL && !e->touched) {
                e->touched = true; /* written once only: other threads read the line */
        }
        return e;
}

bool cache_table_get(struct cache_table *t, const void *key, size_t key_len, union cache_value *value, uint64_t *token)
{
        uint64_t hash = hash_key(t, key, key_len);
        struct shard *s = shard_of(t, hash);
        pthread_mutex_lock(&s->lock);
        const struct entry *e = look_up(s, hash, key, key_len);
        bool found = e != NULL;
        if (found) {
                *value = e->value;
                ref_object(t, *value);
        }
        *token = *token_of(s, hash);
        pthread_mutex_unlock(&s->lock);
        metric_add(found ? t->hits : t->misses, 1);
        return found;
}

/* No lock is needed, since prefetching an address that is no longer valid does nothing. */
uint64_t cache_table_prefetch_bucket(struct cache_table *t, const void *key, size_t key_len)
{
        uint64_t hash = hash_key(t, key, key_len);
        struct shard *s = shard_of(t, hash);
        struct entry **buckets = __atomic_load_n(&s->buckets, __ATOMIC_RELAXED);
        size_t n_buckets = __atomic_load_n(&s->n_buckets, __ATOMIC_RELAXED);
        __builtin_prefetch((const void *)((uintptr_t)buckets + (hash & (n_buckets - 1)) * sizeof(*buckets)));
        return hash;
}

void cache_table_prefetch_entry(struct cache_table *t, uint64_t hash)
{
        struct shard *s = shard_of(t, hash);
        pthread_mutex_lock(&s->lock);
        const struct entry *first = s->n_buckets > 0 ? s->buckets[hash & (s->n_buckets - 1)] : NULL;
        if (first != NULL) {
                __builtin_prefetch(&first->hash);
        }
        pthread_mutex_unlock(&s->lock);
}

uint64_t cache_table_token(struct cache_table *t, const void *key, size_t key_len)
{
        uint64_t hash = hash_key(t, key, key_len);
        struct shard *s = shard_of(t, hash);
        pthread_mutex_lock(&s->lock);
        uint64_t token = *token_of(s, hash);
        pthread_mutex_unlock(&s->lock);
        return token;
}

/* Twice the buckets when there are as many entries. Without memory it stays as it is: slower, not wrong. */
static bool make_room(struct shard *s)
{
        if (s->n_entries < s->n_buckets) {
                return true;
        }
        size_t n = s->n_buckets == 0 ? FIRST_BUCKETS : s->n_buckets * 2;
        struct entry **buckets = calloc(n, sizeof(struct entry *));
        if (buckets == NULL) {
                return s->n_buckets > 0;
        }
        for (size_t i = 0; i < s->n_buckets; i++) {
                while (s->buckets[i] != NULL) {
                        struct entry *e = s->buckets[i];
                        s->buckets[i] = e->next;
                        e->next = buckets[e->hash & (n - 1)];
                        buckets[e->hash & (n - 1)] = e;
                }
        }
        free(s->buckets);
        __atomic_store_n(&s->buckets, buckets, __ATOMIC_RELAXED);
        __atomic_store_n(&s->n_buckets, n, __ATOMIC_RELAXED);
        return true;
}

/* Evicts from the oldest until the shard is within its limit; entries read since are spared once. */
static void evict_entries(struct shard *s, size_t max_bytes, struct entry **removed)
{
        while (s->bytes > max_bytes) {
                struct entry *e = s->oldest;
                if (e->touched) {
                        e->touched = false;
                        list_remove(s, e);
                        list_append(s, e);
                } else {
                        unlink_entry(s, find_entry(s, e->hash, e->key, e->key_len), removed);
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
static bool put_entry(struct cache_table *t, struct shard *s, struct entry *e, uint64_t token, struct entry **removed)
{
        if (token != *token_of(s, e->hash) || !make_room(s)) {
                return false;
        }
        struct entry **at = find_entry(s, e->hash, e->key, e->key_len);
        if (*at != NULL) {
                unlink_entry(s, at, removed); /* another thread missed too; both loaded after the last drop */
        }
        e->next = s->buckets[e->hash & (s->n_buckets - 1)];
        s->buckets[e->hash & (s->n_buckets - 1)] = e;
        list_append(s, e);
        s->n_entries++;
        s->bytes += e->bytes;
        evict_entries(s, t->max_shard_bytes, removed);
        return true;
}

void cache_table_put(struct cache_table *t, const void *key, size_t key_len, uint64_t token, union cache_value value)
{
        uint64_t hash = hash_key(t, key, key_len);
        struct entry *removed = NULL, *e = entry_new(t, hash, key, key_len, value);
        if (e == NULL) {
                return; /* without memory, or larger than a shard: it is read again */
        }
        struct shard *s = shard_of(t, hash);
        metric_add(t->bytes, e->bytes);
        pthread_mutex_lock(&s->lock);
        bool stored = put_entry(t, s, e, token, &removed);
        pthread_mutex_unlock(&s->lock);
        if (!stored) {
                e->next = NULL;
                removed = e;
        }
        free_removed(t, removed);
}

void cache_table_drop(struct cache_table *t, const void *key, size_t key_len)
{
        uint64_t hash = hash_key(t, key, key_len);
        struct shard *s = shard_of(t, hash);
        struct entry *removed = NULL;
        pthread_mutex_lock(&s->lock);
        ++*token_of(s, hash);
        if (s->n_buckets > 0) {
                struct entry **at = find_entry(s, hash, key, key_len);
                if (*at != NULL) {
                        unlink_entry(s, at, &removed);
                }
        }
        pthread_mutex_unlock(&s->lock);
        free_removed(t, removed);
}

static void clear_shard(struct cache_table *t, struct shard *s)
{
        struct entry *removed = NULL;
        pthread_mutex_lock(&s->lock);
        for (int k = 0; k < N_TOKENS; k++) {
                s->tokens[k]++;
        }
        for (size_t i = 0; i < s->n_buckets; i++) {
                while (s->buckets[i] != NULL) {
                        unlink_entry(s, &s->buckets[i], &removed);
                }
        }
        pthread_mutex_unlock(&s->lock);
        free_removed(t, removed);
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
        }
        free(t);
}
